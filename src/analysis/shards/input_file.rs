//! A file that was read, known by its content.

use std::path::Path;

use crate::control::Control;
use crate::digest::Digest;
use crate::error::Result;
use crate::read::{Source, Stamp, check_same, digest};
use crate::rows::TakenEmbeddings;

/// A file that was read.
#[derive(Debug, Clone, serde::Serialize)]
pub struct InputFile {
    /// `embeddings`, `metadata`, `model`, `tally`.
    pub role: &'static str,
    /// Its path, as it was given.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Its content.
    pub sha256: Digest,
    /// The embeddings that were taken of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<TakenEmbeddings>,
    /// The stamp of the file when it was hashed.
    #[serde(skip)]
    stamp: Option<Stamp>,
}

impl InputFile {
    /// Reads a file for its digest; what a zip archive stores is checked on the way.
    ///
    /// # Errors
    /// A file that cannot be read, entries that are not what was written, cancellation.
    pub fn of(role: &'static str, path: &Path, control: &Control) -> Result<Self> {
        let source = Source::open(path)?;
        Ok(Self {
            role,
            path: path.display().to_string(),
            bytes: source.len(),
            sha256: digest(&source, control)?,
            taken: None,
            stamp: source.stamp(),
        })
    }

    /// The same file with the embeddings that were taken of it.
    pub(super) fn with_embeddings(self, taken: Option<TakenEmbeddings>) -> Self {
        Self { taken, ..self }
    }

    /// An error unless what was hashed is what was read, which was `read` when it was opened.
    pub(in crate::analysis) fn check(&self, read: Option<Stamp>) -> Result<()> {
        check_same(&self.path, read, self.stamp)
    }
}
