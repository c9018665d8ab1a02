//! The rows of a shard: embeddings, or activations.

use crate::error::Result;
use crate::read::{Activations, EmbeddingRows, Stamp};
use crate::rows::{Rows, TakenEmbeddings};

/// The rows of a shard's file.
#[derive(Debug)]
pub(super) enum Content {
    Embeddings(Box<EmbeddingRows>),
    Activations(Box<Activations>),
}

impl Content {
    /// The number of rows.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Embeddings(rows) => rows.count(),
            Self::Activations(rows) => rows.count(),
        }
    }

    /// The file's name in messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Embeddings(rows) => rows.name(),
            Self::Activations(rows) => rows.name(),
        }
    }

    /// The embeddings that were taken; `None` of activations.
    pub(super) fn taken(&self) -> Option<&TakenEmbeddings> {
        match self {
            Self::Embeddings(rows) => Some(rows.about()),
            Self::Activations(_) => None,
        }
    }

    /// The file's stamp when it was opened.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        match self {
            Self::Embeddings(rows) => rows.stamp(),
            Self::Activations(rows) => rows.stamp(),
        }
    }

    /// Returns an error if the file is no longer the one that was opened.
    pub(super) fn check_unchanged(&self) -> Result<()> {
        match self {
            Self::Embeddings(rows) => rows.check_unchanged(),
            Self::Activations(rows) => rows.check_unchanged(),
        }
    }
}
