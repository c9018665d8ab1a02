//! The tensors of a file of firing sets, read in parts.

use std::ops::Range;

use super::sealed;
use crate::error::{Error, Result};
use crate::memory::zeros;
use crate::read::{Entry, SafeTensors};

/// A file's tensors, read in parts, with errors that name them.
#[derive(Debug)]
pub(super) struct Tensors(pub(super) SafeTensors);

impl Tensors {
    pub(super) fn bad(&self, name: &str, found: &str) -> Error {
        let expected = "what atomscope writes there";
        let place = format!("tensor {name}");
        Error::input(
            self.0.source.name(),
            place,
            found,
            expected,
            sealed::DAMAGED,
        )
    }

    pub(super) fn entry(&self, name: &str) -> Result<&Entry> {
        self.0
            .tensors
            .get(name)
            .ok_or_else(|| self.bad(name, "none"))
    }

    /// Says whether the file has a tensor.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.tensors.contains_key(name)
    }

    /// Returns the number of elements of a tensor.
    pub(super) fn length(&self, name: &str) -> Result<u64> {
        Ok(self.entry(name)?.shape.iter().product::<usize>() as u64)
    }

    pub(super) fn check_length(&self, name: &str, length: u64) -> Result<()> {
        if self.length(name)? == length {
            return Ok(());
        }
        Err(self.bad(name, "another length than there are rows"))
    }

    /// Reads some bytes of a tensor, or all.
    pub(super) fn bytes(&self, name: &str, range: Option<Range<u64>>) -> Result<Vec<u8>> {
        let entry = self.entry(name)?;
        let range = range.unwrap_or(0..entry.length);
        if range.start > range.end || range.end > entry.length {
            return Err(self.bad(name, "fewer bytes than there should be"));
        }
        let mut bytes = zeros(range.end - range.start, "a tensor")?;
        self.0
            .source
            .read_at(&mut bytes, entry.start + range.start)?;
        Ok(bytes)
    }

    /// Reads some of the atoms that fire. An atom beyond 2^32 becomes one that no model has.
    pub(super) fn atoms(&self, range: Range<u64>) -> Result<Vec<u32>> {
        let bytes = |size: u64| self.bytes("atoms", Some(range.start * size..range.end * size));
        Ok(match self.entry("atoms")?.dtype.as_str() {
            "U16" => widened(&bytes(2)?, |b| u32::from(u16::from_le_bytes(b))),
            "U32" => widened(&bytes(4)?, u32::from_le_bytes),
            _ => return Err(self.bad("atoms", "numbers that are neither U16 nor U32")),
        })
    }

    /// Reads some integers of a tensor.
    pub(super) fn numbers(&self, name: &str, range: Range<u64>) -> Result<Vec<i64>> {
        let entry = self.entry(name)?;
        let bytes = |size: u64| self.bytes(name, Some(range.start * size..range.end * size));
        Ok(match entry.dtype.as_str() {
            "U8" => bytes(1)?.into_iter().map(i64::from).collect(),
            "U16" => widened(&bytes(2)?, |b| i64::from(u16::from_le_bytes(b))),
            "U32" => widened(&bytes(4)?, |b| i64::from(u32::from_le_bytes(b))),
            "I32" => widened(&bytes(4)?, |b| i64::from(i32::from_le_bytes(b))),
            "U64" | "I64" => widened(&bytes(8)?, i64::from_le_bytes),
            _ => return Err(self.bad(name, "numbers that are no integers")),
        })
    }
}

/// Widens numbers of so many bytes each.
pub(super) fn widened<T, const N: usize>(bytes: &[u8], widen: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|bytes| widen(*bytes))
        .collect()
}
