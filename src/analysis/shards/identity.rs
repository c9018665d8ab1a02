//! The digests by which a model and shards are known. A digest is waited for when it is first asked
//! for.

use std::cell::{Cell, OnceCell};
use std::ops::Range;

use super::ShardInput;
use super::ahead::Ahead;
use super::input_file::InputFile;
use crate::control::Control;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::read::{Identity, LoadedModel, Stamp, TensorRows};
use crate::sae::Sae;
use crate::tally::{Batches, ModelId, Shard};

/// A shard at work.
pub(super) struct Current<'a> {
    pub(super) number: usize,
    pub(super) input: &'a ShardInput,
    pub(super) metadata: Option<InputFile>,
    /// The stamp of the embeddings' file when it was opened.
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
    control: Control<'a>,
    stamp: Option<Stamp>,
    /// The model, and the digest by which it is known.
    known_by: (Identity, Sae),
    /// The model without its file's content.
    shape: ModelId,
    /// The batches that decide what fires.
    batches: Cell<Option<Batches>>,
    model: OnceCell<(ModelId, InputFile)>,
}

impl<'a> Identities<'a> {
    pub(super) fn new(ahead: &'a Ahead<'a>, control: Control<'a>, loaded: &LoadedModel) -> Self {
        Self {
            ahead,
            control,
            stamp: loaded.stamp,
            known_by: (loaded.identity, loaded.sae.clone()),
            shape: ModelId::of(&loaded.sae, Digest::default()),
            batches: Cell::new(None),
            model: OnceCell::new(),
        }
    }

    /// Says what the batches are that decide what fires, before the model is asked for.
    pub(super) fn set_batches(&self, batches: Option<Batches>) {
        self.batches.set(batches);
    }

    /// The model.
    pub(super) fn model(&self) -> Result<&ModelId> {
        if self.model.get().is_none() {
            let file = self.ahead.digest(None, &self.control)?;
            file.check(self.stamp)?;
            let (identity, sae) = &self.known_by;
            let id = ModelId {
                sha256: identity.digest(sae, file.sha256),
                batches: self.batches.get(),
                ..self.shape
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
        let file = self.ahead.digest(Some(current.number), &self.control)?;
        file.check(current.stamp)?;
        Ok(current.file.get_or_init(|| file))
    }

    /// Some rows of a shard, without what its calls are.
    pub(super) fn shard(&self, current: &Current, rows: Range<u64>) -> Result<Shard> {
        let sha256 = self.file(current)?.sha256;
        Ok(Shard {
            metadata: current.metadata.as_ref().map(|file| file.sha256),
            ..Shard::new(current.input.name.clone(), sha256, rows)
        })
    }

    /// The model's file, where it was asked for.
    pub(super) fn into_model_file(self) -> Option<InputFile> {
        self.model.into_inner().map(|(_, file)| file)
    }
}
