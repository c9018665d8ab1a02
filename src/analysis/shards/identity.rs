//! The digests by which a model and shards are known. A digest is waited for when it is first asked
//! for.

use std::cell::OnceCell;
use std::ops::Range;

use super::ShardInput;
use super::ahead::Ahead;
use super::input_file::InputFile;
use crate::control::Control;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::read::{LoadedModel, Stamp, TensorRows};
use crate::sae::Sae;
use crate::tally::{ModelId, Shard};

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
    /// The digest by which the model is known, where that is not its file's.
    known_by: Option<Digest>,
    sae: Sae,
    model: OnceCell<(ModelId, InputFile)>,
}

impl<'a> Identities<'a> {
    pub(super) fn new(ahead: &'a Ahead<'a>, control: Control<'a>, loaded: &LoadedModel) -> Self {
        Self {
            ahead,
            control,
            stamp: loaded.stamp,
            known_by: loaded.identity,
            sae: loaded.sae.clone(),
            model: OnceCell::new(),
        }
    }

    /// The model.
    pub(super) fn model(&self) -> Result<&ModelId> {
        if self.model.get().is_none() {
            let file = self.ahead.digest(None, &self.control)?;
            file.check(self.stamp)?;
            let id = ModelId::of(&self.sae, self.known_by.unwrap_or(file.sha256));
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
