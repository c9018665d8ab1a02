//! The digests by which a model and shards are known. A digest is waited for when it is first asked
//! for.

use std::cell::{Cell, OnceCell};
use std::ops::Range;
use std::path::Path;

use super::ShardInput;
use super::ahead::Ahead;
use super::content::Content;
use super::input_file::InputFile;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::read::{Identity, LoadedModel, Stamp};
use crate::rows::TakenEmbeddings;
use crate::sae::Sae;
use crate::tally::{Batches, ModelId, Shard};

/// A shard at work.
pub(super) struct Current<'a> {
    pub(super) number: usize,
    pub(super) input: &'a ShardInput,
    pub(super) metadata: Option<InputFile>,
    /// The stamp of the shard's file when it was opened.
    stamp: Option<Stamp>,
    /// The embeddings that were taken of it.
    taken: Option<TakenEmbeddings>,
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
            taken: rows.taken().cloned(),
            file: OnceCell::new(),
        }
    }

    /// The files that were read for it.
    pub(super) fn into_files(self) -> impl Iterator<Item = InputFile> {
        let taken = self.taken;
        let file = self
            .file
            .into_inner()
            .map(|file| file.with_embeddings(taken));
        file.into_iter().chain(self.metadata)
    }
}

/// A model, and what it is known by.
struct Known<'a> {
    path: &'a Path,
    /// The stamp of its file when it was read.
    stamp: Option<Stamp>,
    sae: Sae,
    identity: Identity,
}

/// The digests of a run. The model's comes first, where there is one, then those of the shards in
/// their order.
pub(super) struct Identities<'a> {
    ahead: &'a Ahead<'a>,
    control: Control<'a>,
    /// The model, with its file; `None` where activations are given.
    loaded: Option<Known<'a>>,
    /// The batches that decide what fires.
    batches: Cell<Option<Batches>>,
    model: OnceCell<(ModelId, Option<InputFile>)>,
}

impl<'a> Identities<'a> {
    pub(super) fn new(
        ahead: &'a Ahead<'a>,
        control: Control<'a>,
        loaded: Option<(&'a Path, &LoadedModel)>,
    ) -> Self {
        let kept = |(path, model): (_, &LoadedModel)| Known {
            path,
            stamp: model.stamp,
            sae: model.sae.clone(),
            identity: model.identity,
        };
        Self {
            ahead,
            control,
            loaded: loaded.map(kept),
            batches: Cell::new(None),
            model: OnceCell::new(),
        }
    }

    /// Says what the batches are that decide what fires, before the model is asked for.
    pub(super) fn set_batches(&self, batches: Option<Batches>) {
        self.batches.set(batches);
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
        if let (None, Some(known)) = (self.model.get(), &self.loaded) {
            let file = self.ahead.model_digest(known.path, &self.control)?;
            file.check(known.stamp)?;
            let sha256 = known.identity.digest(&known.sae, file.sha256)?;
            let id = ModelId {
                batches: self.batches.get(),
                ..ModelId::of(&known.sae, sha256)
            };
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
            choice: (current.taken.as_ref())
                .map(|taken| taken.choice.clone())
                .unwrap_or_default(),
            ..Shard::new(current.input.name.clone(), sha256, rows)
        })
    }

    /// The model's file, where it was asked for.
    pub(super) fn into_model_file(self) -> Option<InputFile> {
        self.model.into_inner().and_then(|(_, file)| file)
    }
}
