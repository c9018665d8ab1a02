//! The next shard's calls, and the digests of files, got while rows are encoded.

use std::thread::{self, Scope};

use crossbeam_channel::{Receiver, bounded};

use super::{InputFile, Plan, ShardInput};
use crate::cohort::ClassRule;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::read::{Cohort, read_cohort_by};

/// A shard whose calls were read.
pub(super) struct Loaded {
    pub(super) cohort: Cohort,
    /// The file beside the embeddings that the calls are from.
    pub(super) metadata: Option<InputFile>,
}

/// Files under way.
pub(super) struct Ahead<'a> {
    plan: &'a Plan<'a>,
    shards: Option<Receiver<Result<Loaded>>>,
    /// The model's digest, then those of the embeddings, in their order.
    digests: Option<Receiver<Result<InputFile>>>,
}

impl<'a> Ahead<'a> {
    /// Starts threads, where the plan has files read ahead and where threads can be
    /// had. They end with the first error, when nobody wants what they have, or when `control` says so.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        plan: &'a Plan<'a>,
        control: Control<'scope>,
    ) -> Self
    where
        'a: 'scope,
    {
        let mut ahead = Self {
            plan,
            shards: None,
            digests: None,
        };
        if !plan.read_ahead {
            return ahead;
        }
        // One shard waits, read, while another is worked on.
        let (loaded, shards) = bounded(0);
        let started = start(scope, move || {
            for input in plan.inputs {
                let shard = load(input, &plan.options.rule, &control);
                let failed = shard.is_err();
                if loaded.send(shard).is_err() || failed {
                    return;
                }
            }
        });
        ahead.shards = started.then_some(shards);
        // Not further ahead than files stay in the system's memory.
        let (hashed, digests) = bounded(1);
        let started = start(scope, move || {
            let embeddings = plan
                .inputs
                .iter()
                .map(|input| ("embeddings", &*input.embeddings));
            for (role, path) in std::iter::once(("model", plan.model)).chain(embeddings) {
                let file = InputFile::of(role, path, &control);
                let failed = file.is_err();
                if hashed.send(file).is_err() || failed {
                    return;
                }
            }
        });
        ahead.digests = started.then_some(digests);
        ahead
    }

    /// The next shard; to be asked for in order.
    pub(super) fn shard(&self, number: usize, control: &Control) -> Result<Loaded> {
        match &self.shards {
            Some(shards) => shards.recv().unwrap_or(Err(Error::Cancelled)),
            None => load(&self.plan.inputs[number], &self.plan.options.rule, control),
        }
    }

    /// The digest of the model, once, and then of each shard's embeddings; to be asked for in order.
    pub(super) fn digest(&self, shard: Option<usize>, control: &Control) -> Result<InputFile> {
        match (&self.digests, shard) {
            (Some(digests), _) => digests.recv().unwrap_or(Err(Error::Cancelled)),
            (None, None) => InputFile::of("model", self.plan.model, control),
            (None, Some(number)) => {
                InputFile::of("embeddings", &self.plan.inputs[number].embeddings, control)
            }
        }
    }
}

fn start<'scope>(scope: &'scope Scope<'scope, '_>, work: impl FnOnce() + Send + 'scope) -> bool {
    let builder = thread::Builder::new().name("atomscope-ahead".to_owned());
    builder.spawn_scoped(scope, work).is_ok()
}

fn load(input: &ShardInput, rule: &ClassRule, control: &Control) -> Result<Loaded> {
    control.check()?;
    let cohort = read_cohort_by(&input.embeddings, input.metadata.as_deref(), rule)?;
    let file = cohort.metadata.as_deref();
    let metadata = file
        .map(|path| InputFile::of("metadata", path, control))
        .transpose()?;
    if let Some(file) = &metadata {
        file.check(cohort.metadata_stamp)?;
    }
    Ok(Loaded { cohort, metadata })
}
