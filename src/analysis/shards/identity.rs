//! By what model and shards are known: digests, which are waited for when they are asked for first.

use std::cell::OnceCell;
use std::ops::Range;

use super::ahead::Ahead;
use super::{InputFile, ShardInput, Watch};
use crate::error::{Error, Result};
use crate::read::{LoadedModel, Stamp, TensorRows};
use crate::tally::{ModelId, Shard, ValueCounts};

/// A shard at work.
pub(super) struct Current<'a> {
    pub(super) number: usize,
    pub(super) input: &'a ShardInput,
    pub(super) metadata: Option<InputFile>,
    /// What the embeddings' file was when it was opened.
    stamp: Option<Stamp>,
    file: OnceCell<InputFile>,
}

impl<'a> Current<'a> {
    pub(super) fn new(
        number: usize,
        input: &'a ShardInput,
        rows: &TensorRows,
        metadata: Option<InputFile>,
    ) -> Self {
        Self {
            number,
            input,
            metadata,
            stamp: rows.stamp(),
            file: OnceCell::new(),
        }
    }

    /// The files that were read for it.
    pub(super) fn into_files(self) -> impl Iterator<Item = InputFile> {
        self.file.into_inner().into_iter().chain(self.metadata)
    }
}

/// The digests of a run. The model's comes first, then those of the shards in their order.
pub(super) struct Identities<'a> {
    ahead: &'a Ahead<'a>,
    watch: &'a Watch<'a>,
    loaded: &'a LoadedModel,
    model: OnceCell<(ModelId, InputFile)>,
}

impl<'a> Identities<'a> {
    pub(super) fn new(ahead: &'a Ahead<'a>, watch: &'a Watch<'a>, loaded: &'a LoadedModel) -> Self {
        Self {
            ahead,
            watch,
            loaded,
            model: OnceCell::new(),
        }
    }

    /// The model.
    pub(super) fn model(&self) -> Result<&ModelId> {
        if self.model.get().is_none() {
            let file = self.ahead.digest(None, &|| self.watch.check())?;
            file.check(self.loaded.stamp)?;
            let sae = &self.loaded.sae;
            let id = ModelId {
                sha256: file.sha256,
                input_dim: sae.input_dim() as u64,
                feature_dim: sae.feature_dim() as u64,
                k: sae.k() as u64,
            };
            // Nobody else sets it.
            let _ = self.model.set((id, file));
        }
        self.model.get().map(|(id, _)| id).ok_or(Error::Cancelled)
    }

    /// A shard's embeddings, hashed as they were when they were opened.
    pub(super) fn file<'c>(&self, current: &'c Current) -> Result<&'c InputFile> {
        self.model()?;
        if let Some(file) = current.file.get() {
            return Ok(file);
        }
        let go_on = || self.watch.check();
        let file = self.ahead.digest(Some(current.number), &go_on)?;
        file.check(current.stamp)?;
        Ok(current.file.get_or_init(|| file))
    }

    /// Some rows of a shard, without what its calls are.
    pub(super) fn shard(&self, current: &Current, rows: Range<u64>) -> Result<Shard> {
        Ok(Shard {
            name: current.input.name.clone(),
            sha256: self.file(current)?.sha256,
            metadata: current.metadata.as_ref().map(|file| file.sha256),
            rows,
            dropped: Vec::new(),
            svtypes: ValueCounts::default(),
            classes: ValueCounts::default(),
        })
    }

    /// The model's file, where it was asked for.
    pub(super) fn into_model_file(self) -> Option<InputFile> {
        self.model.into_inner().map(|(_, file)| file)
    }
}
