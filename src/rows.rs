//! Rows of embeddings, wherever they live: the one door through which an engine reads them.

use std::ops::Range;

pub use half::{bf16, f16};

use crate::error::{Error, Result};

/// `count` rows of `dim` numbers that can be read in any order and from several threads.
pub trait Rows: Sync {
    /// How many rows there are.
    fn count(&self) -> usize;

    /// How many numbers a row has.
    fn dim(&self) -> usize;

    /// What messages call this data: a file's path, or a word for data in memory.
    fn name(&self) -> String;

    /// Writes rows `range` to `out`, row-major, `range.len() * dim()` numbers, widened to
    /// binary32 (f16 and bf16 exactly, f64 and integers rounded to nearest).
    fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()>;
}

/// A number type of embeddings that widens to binary32.
pub trait Element: Copy + Sync {
    /// The number as binary32: exact for the narrower types, rounded to nearest for f64.
    fn widen(self) -> f32;
}

impl Element for f32 {
    fn widen(self) -> f32 {
        self
    }
}
impl Element for f64 {
    fn widen(self) -> f32 {
        self as f32
    }
}
impl Element for f16 {
    fn widen(self) -> f32 {
        self.to_f32()
    }
}
impl Element for bf16 {
    fn widen(self) -> f32 {
        self.to_f32()
    }
}

/// Rows in memory: a row-major slice of f32, f64, f16 or bf16.
#[derive(Debug, Clone, Copy)]
pub struct SliceRows<'a, T> {
    numbers: &'a [T],
    dim: usize,
}

impl<'a, T: Element> SliceRows<'a, T> {
    /// Rows of `dim` numbers each; the slice's length must be a multiple of `dim`.
    pub fn new(numbers: &'a [T], dim: usize) -> Result<Self> {
        if dim == 0 || !numbers.len().is_multiple_of(dim) {
            return Err(Error::input(
                "rows in memory",
                "length",
                format!("{} numbers for rows of {dim}", numbers.len()),
                "a multiple of a row length of at least 1",
                "pass whole rows",
            ));
        }
        Ok(Self { numbers, dim })
    }
}

impl<T: Element> Rows for SliceRows<'_, T> {
    fn count(&self) -> usize {
        self.numbers.len() / self.dim
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn name(&self) -> String {
        "rows in memory".to_owned()
    }

    fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()> {
        let from = &self.numbers[range.start * self.dim..range.end * self.dim];
        for (to, number) in out.iter_mut().zip(from) {
            *to = number.widen();
        }
        Ok(())
    }
}
