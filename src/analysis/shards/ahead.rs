//! The next shard's calls, and the digests of files, got while rows are encoded.

use std::path::Path;
use std::thread::{self, Scope};

use crossbeam_channel::{Receiver, bounded};

use super::content::Content;
use super::plan::SetsFrom;
use super::{InputFile, Plan, ShardInput};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::read::Cohort;

/// A shard whose calls were read.
pub(super) struct Loaded {
    pub(super) cohort: Cohort<Content>,
    /// The file beside the embeddings that the calls are from.
    pub(super) metadata: Option<InputFile>,
}

/// Files under way.
pub(super) struct Ahead<'a> {
    plan: &'a Plan<'a>,
    shards: Option<Receiver<Result<Loaded>>>,
    /// The model's digest, where there is one, then those of the shards, in their order.
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
                let shard = load(plan, input, &control);
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
            let model = match plan.sets_from {
                SetsFrom::Model(path) => Some(("model", path)),
                SetsFrom::Activations { .. } => None,
            };
            let role = plan.sets_from.role();
            let shards = plan.inputs.iter().map(|input| (role, &*input.embeddings));
            for (role, path) in model.into_iter().chain(shards) {
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
            None => load(self.plan, &self.plan.inputs[number], control),
        }
    }

    /// The digest of the model's file, once, before those of shards.
    pub(super) fn model_digest(&self, model: &Path, control: &Control) -> Result<InputFile> {
        match &self.digests {
            Some(digests) => digests.recv().unwrap_or(Err(Error::Cancelled)),
            None => InputFile::of("model", model, control),
        }
    }

    /// The digest of a shard's file; to be asked for in order.
    pub(super) fn digest(&self, shard: usize, control: &Control) -> Result<InputFile> {
        let plan = self.plan;
        match &self.digests {
            Some(digests) => digests.recv().unwrap_or(Err(Error::Cancelled)),
            None => InputFile::of(
                plan.sets_from.role(),
                &plan.inputs[shard].embeddings,
                control,
            ),
        }
    }
}

fn start<'scope>(scope: &'scope Scope<'scope, '_>, work: impl FnOnce() + Send + 'scope) -> bool {
    let builder = thread::Builder::new().name("atomscope-ahead".to_owned());
    builder.spawn_scoped(scope, work).is_ok()
}

fn load(plan: &Plan, input: &ShardInput, control: &Control) -> Result<Loaded> {
    control.check()?;
    let cohort = plan.read(input)?;
    let file = cohort.metadata.as_deref();
    let metadata = file
        .map(|path| InputFile::of("metadata", path, control))
        .transpose()?;
    if let Some(file) = &metadata {
        file.check(cohort.metadata_stamp)?;
    }
    Ok(Loaded { cohort, metadata })
}
