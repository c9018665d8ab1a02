//! Files that `torch.save` wrote: a container, a pickle in it, and the storages of its tensors.

mod foreign;
mod legacy;
mod matrices;
mod storage;
mod tensor;
mod zipped;

use std::path::Path;

use super::budget::Budget;
use super::pickle::{Document, Id};
use super::sniff;
use super::source::Source;
use super::zipped::Archive;
use crate::error::{Error, Result};
pub(super) use legacy::is_legacy;
pub(super) use matrices::TorchMatrices;
use storage::Storages;
pub(crate) use tensor::{Description, callable_path};

/// The kind of torch's container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    /// A zip archive: torch 1.6 and later.
    Zip,
    /// Pickles and raw storages in sequence: before torch 1.6.
    Legacy,
}

/// An open torch file.
#[derive(Debug)]
pub(crate) struct TorchFile {
    pub(crate) source: Source,
    pub(crate) document: Document,
    pub(crate) container: Container,
    /// What may be kept of the file beside its pickle.
    pub(crate) budget: Budget,
    storages: Storages,
}

impl TorchFile {
    /// Opens a file of either container, and reads its pickle.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let source = Source::open(path)?;
        let head = source.head(sniff::HEAD)?;
        if sniff::is_zip(&head) {
            let archive = Archive::open(&source)?;
            return Self::of_archive(source, archive);
        }
        Self::of_stream(source, &head)
    }

    /// Opens an archive as a torch file.
    pub(crate) fn of_archive(source: Source, archive: Archive) -> Result<Self> {
        let (document, storages) = zipped::open(&source, archive)?;
        let storages = Storages::Zip(Box::new(storages));
        Self::new(source, document, Container::Zip, storages)
    }

    /// Opens a file that begins with these bytes, unless it is of another kind.
    pub(crate) fn of_stream(source: Source, head: &[u8]) -> Result<Self> {
        if legacy::is_legacy(head) {
            let (document, table) = legacy::open(&source)?;
            let storages = Storages::Legacy(table);
            return Self::new(source, document, Container::Legacy, storages);
        }
        Err(sniff::not_torch(
            &source,
            &sniff::describe(head, source.len()),
        ))
    }

    fn new(
        source: Source,
        document: Document,
        container: Container,
        storages: Storages,
    ) -> Result<Self> {
        let mut budget = Budget::of(&source);
        budget.take(document.held, "the pickle", "values")?;
        Ok(Self {
            source,
            document,
            container,
            budget,
            storages,
        })
    }

    /// Returns the file's name in messages.
    pub(crate) fn name(&self) -> String {
        self.source.name()
    }

    /// Makes the error of bad input in this file.
    pub(crate) fn bad(
        &self,
        place: &str,
        found: impl Into<String>,
        expected: impl Into<String>,
        action: &str,
    ) -> Error {
        Error::input(self.name(), place, found, expected, action)
    }

    /// Returns the value of a key of the top level. The error of a missing key lists the keys that
    /// exist.
    pub(crate) fn required(&self, key: &str, action: &str) -> Result<Id> {
        let root = self.document.root;
        self.document.get(root, key).ok_or_else(|| {
            let found = self.keys(root);
            let module = self
                .document
                .object(root)
                .is_some_and(|root| self.is_module(root));
            let action = if module {
                "in Python, save its state: torch.save({\"config\": {...}, \"model_state_dict\": \
                 torch.load(FILE, weights_only=False).state_dict()}, \"sae.pt\")"
            } else {
                action
            };
            self.bad("the top level", found, format!("a key {key}"), action)
        })
    }

    /// Lists the keys of a mapping, for a message.
    pub(crate) fn keys(&self, id: Id) -> String {
        const SHOWN: usize = 12;
        let Some(entries) = self.document.entries(id) else {
            return format!("{} without keys", self.kind(id));
        };
        let keys: Vec<_> = entries
            .map(|(key, _)| match self.document.text(key) {
                Some(text) => text.into_owned(),
                None => self.document.kind(key).to_owned(),
            })
            .collect();
        match keys.get(..SHOWN) {
            _ if keys.is_empty() => "no keys at all".to_owned(),
            Some(first) if keys.len() > SHOWN => {
                let more = keys.len() - SHOWN;
                format!("the keys {}, and {more} more", first.join(", "))
            }
            _ => format!("the keys {}", keys.join(", ")),
        }
    }
}
