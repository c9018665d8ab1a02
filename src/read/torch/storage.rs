//! Storages: the places of tensors' bytes.

use std::collections::HashMap;

use super::super::pickle::{Document, Id, Value};
use super::super::tensor::{Dtype, Storage};
use super::zipped::ZippedStorages;
use crate::error::Result;

/// The storages of a file, by key.
#[derive(Debug)]
pub(super) enum Storages {
    Zip(Box<ZippedStorages>),
    Legacy(HashMap<String, Storage>),
}

impl Storages {
    pub(super) fn get(&self, key: &str) -> Result<Option<Storage>> {
        match self {
            Self::Zip(archive) => archive.get(key),
            Self::Legacy(table) => Ok(table.get(key).cloned()),
        }
    }
}

/// A pickle's reference to a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) key: String,
    /// The class, as `FloatStorage`.
    pub(super) class: String,
    /// A legacy file's view of part of a storage: offset and length in elements.
    pub(super) view: Option<(u64, u64)>,
}

impl Reference {
    /// Reads `("storage", class, key, location, elements[, view])`. The location, as `cuda:0`, does
    /// not matter.
    pub(super) fn read(document: &Document, id: Id) -> Option<Self> {
        let Value::Persistent(inner) = document.value(id) else {
            return None;
        };
        let parts = document.tuple(inner)?;
        let (&[kind, class, key, _location, _elements], rest) = parts.split_first_chunk()?;
        if !document.is_text(kind, "storage") {
            return None;
        }
        let view = match rest.first().map(|&view| (view, document.value(view))) {
            None | Some((_, Value::None)) => None,
            Some((view, _)) => match document.tuple(view)? {
                &[_, offset, length] => {
                    Some((natural(document, offset)?, natural(document, length)?))
                }
                _ => return None,
            },
        };
        Some(Self {
            key: match document.value(key) {
                Value::Int(key) => key.to_string(),
                _ => document.text(key)?.into_owned(),
            },
            class: document.global(class)?.name.clone(),
            view,
        })
    }

    pub(super) fn dtype(&self) -> Option<Dtype> {
        Dtype::of_storage(&self.class)
    }
}

/// Reads an integer of at least 0.
pub(super) fn natural(document: &Document, id: Id) -> Option<u64> {
    match document.value(id) {
        Value::Int(n) => u64::try_from(n).ok(),
        _ => None,
    }
}

/// Returns the bytes of an element of a storage class, also for classes that are not read.
pub(super) fn element_size(class: &str) -> Option<u64> {
    Dtype::of_storage(class)
        .map(|dtype| dtype.size() as u64)
        .or(match class {
            "QInt8Storage" | "QUInt8Storage" | "QUInt4x2Storage" | "QUInt2x4Storage" => Some(1),
            "QInt32Storage" => Some(4),
            "ComplexFloatStorage" => Some(8),
            "ComplexDoubleStorage" => Some(16),
            _ => None,
        })
}
