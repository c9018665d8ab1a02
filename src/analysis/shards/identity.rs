//! The digests by which a model and shards are known. A digest is waited for when it is first asked
//! for.

use std::cell::OnceCell;
use std::ops::Range;
use std::path::Path;

use super::ShardInput;
use super::ahead::Ahead;
use super::content::Content;
use super::input_file::InputFile;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::read::{LoadedModel, Stamp};
use crate::sae::Sae;
use crate::tally::{ModelId, Shard};

/// A shard at work.
pub(super) struct Current<'a> {
    pub(super) number: usize,
    pub(super) input: &'a ShardInput,
    pub(super) metadata: Option<InputFile>,
    /// The stamp of the shard's file when it was opened.
    stamp: Option<Stamp>,
    file: OnceCell<InputFile>,
}

impl<'a> Current<'a> {
    pub(super) fn new(
        number: usize,
        input: &'a ShardInput,
        rows: &Content,
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

/// The digests of a run. The model's comes first, where there is one, then those of the shards in
/// their order.
pub(super) struct Identities<'a> {
    ahead: &'a Ahead<'a>,
    control: Control<'a>,
    /// The model, its file, and the stamp of that when it was read; `None` where activations are given.
    loaded: Option<(&'a Path, Option<Stamp>, Sae)>,
    model: OnceCell<(ModelId, Option<InputFile>)>,
}

impl<'a> Identities<'a> {
    pub(super) fn new(
        ahead: &'a Ahead<'a>,
        control: Control<'a>,
        loaded: Option<(&'a Path, &LoadedModel)>,
    ) -> Self {
        let kept = |(path, model): (_, &LoadedModel)| (path, model.stamp, model.sae.clone());
        Self {
            ahead,
            control,
            loaded: loaded.map(kept),
            model: OnceCell::new(),
        }
    }

    /// Takes note of how many atoms activations have: that is all that is known of their model.
    pub(super) fn of_activations(&self, atoms: usize) {
        if self.loaded.is_none() {
            self.model
                .get_or_init(|| (ModelId::of_activations(atoms as u64), None));
        }
    }

    /// The model.
    pub(super) fn model(&self) -> Result<&ModelId> {
        if let (None, Some((path, stamp, sae))) = (self.model.get(), &self.loaded) {
            let file = self.ahead.model_digest(path, &self.control)?;
            file.check(*stamp)?;
            let id = ModelId::of(sae, file.sha256);
            // Nobody else sets it.
            let _ = self.model.set((id, Some(file)));
        }
        self.model.get().map(|(id, _)| id).ok_or(Error::Cancelled)
    }

    /// A shard's file, hashed as they were when they were opened.
    pub(super) fn file<'c>(&self, current: &'c Current) -> Result<&'c InputFile> {
        self.model()?;
        if let Some(file) = current.file.get() {
            return Ok(file);
        }
        let file = self.ahead.digest(current.number, &self.control)?;
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
        self.model.into_inner().and_then(|(_, file)| file)
    }
}
