//! Rows of embeddings, wherever they lie. Engines read embeddings through this trait alone.

mod choice;
mod joined;

use std::ops::Range;

pub use choice::{EmbeddingsChoice, Pool, TakenEmbeddings};
pub use half::{bf16, f16};
pub use joined::JoinedRows;

use crate::error::{Error, Result};

/// A number type in which embeddings are handed over as they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementType {
    /// IEEE binary16.
    F16,
    /// bfloat16.
    Bf16,
    /// IEEE binary32.
    F32,
    /// IEEE binary64.
    F64,
}

impl ElementType {
    /// Returns the bytes of an element.
    pub fn bytes(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// The place of rows, for engines that can take them from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// A reader: rows are read on demand.
    Read,
    /// The memory that holds all rows, as they are stored.
    Memory(&'a [u8]),
    /// Page-locked memory of the host that holds all rows, as they are stored: a device copies them
    /// from there.
    PageLocked(&'a [u8]),
    /// A CUDA device's memory that holds all rows, as they are stored.
    Device {
        /// The device's number.
        ordinal: u32,
        /// The address of the first row.
        address: u64,
    },
}

/// `count` rows of `dim` numbers, readable in any order and from several threads. The CPU engine
/// reads them from threads that do nothing else, ahead of those that compute.
pub trait Rows: Sync {
    /// Returns the number of rows.
    fn count(&self) -> usize;

    /// Returns the number of elements of a row.
    fn dim(&self) -> usize;

    /// Returns the data's name in messages: a file's path, or a word for data in memory.
    fn name(&self) -> String;

    /// Writes rows `range` to `out`, row-major, `range.len() * dim()` numbers, widened to
    /// binary32 (f16 and bf16 exactly, f64 and integers rounded to nearest).
    fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()>;

    /// Returns the type in which [`read_stored`](Self::read_stored) hands numbers over.
    fn element_type(&self) -> ElementType {
        ElementType::F32
    }

    /// Writes rows `range` to `out` as numbers of [`element_type`](Self::element_type), in the
    /// machine's byte order, without gaps. Engines that widen numbers themselves move fewer bytes.
    fn read_stored(&self, range: Range<usize>, out: &mut [u8]) -> Result<()> {
        as_binary32(out, |numbers| self.read(range, numbers))
    }

    /// Returns the place of the rows.
    fn place(&self) -> Place<'_> {
        Place::Read
    }
}

/// A range of consecutive rows of other rows.
#[derive(Clone)]
pub struct RowRange<'a> {
    rows: &'a dyn Rows,
    range: Range<usize>,
}

impl<'a> RowRange<'a> {
    /// Takes rows `range` of `rows`.
    ///
    /// # Panics
    /// Panics if `range` goes beyond the last row.
    pub fn new(rows: &'a dyn Rows, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= rows.count());
        Self { rows, range }
    }

    /// Returns the number of rows of the whole.
    pub fn whole(&self) -> usize {
        self.rows.count()
    }

    fn of_all(&self, range: Range<usize>) -> Range<usize> {
        self.range.start + range.start..self.range.start + range.end
    }

    /// Returns the bytes of these rows, from the bytes of all rows.
    fn of_bytes<'b>(&self, all: &'b [u8]) -> &'b [u8] {
        let row = self.dim() * self.element_type().bytes();
        &all[self.range.start * row..self.range.end * row]
    }
}

impl Rows for RowRange<'_> {
    fn count(&self) -> usize {
        self.range.len()
    }

    fn dim(&self) -> usize {
        self.rows.dim()
    }

    fn name(&self) -> String {
        self.rows.name()
    }

    fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()> {
        self.rows.read(self.of_all(range), out)
    }

    fn element_type(&self) -> ElementType {
        self.rows.element_type()
    }

    fn read_stored(&self, range: Range<usize>, out: &mut [u8]) -> Result<()> {
        self.rows.read_stored(self.of_all(range), out)
    }

    fn place(&self) -> Place<'_> {
        match self.rows.place() {
            Place::Read => Place::Read,
            Place::Memory(all) => Place::Memory(self.of_bytes(all)),
            Place::PageLocked(all) => Place::PageLocked(self.of_bytes(all)),
            Place::Device { ordinal, address } => {
                let row = self.dim() * self.element_type().bytes();
                Place::Device {
                    ordinal,
                    address: address + (self.range.start * row) as u64,
                }
            }
        }
    }
}

/// Lets `read` write binary32 numbers to bytes, in place if the bytes are aligned.
pub(crate) fn as_binary32(
    out: &mut [u8],
    read: impl FnOnce(&mut [f32]) -> Result<()>,
) -> Result<()> {
    if let Ok(numbers) = bytemuck::try_cast_slice_mut(out) {
        return read(numbers);
    }
    let mut numbers = vec![0.0f32; out.len() / size_of::<f32>()];
    read(&mut numbers)?;
    out.copy_from_slice(bytemuck::cast_slice(&numbers));
    Ok(())
}

/// A number type of embeddings that widens to binary32.
pub trait Element: bytemuck::NoUninit + Sync {
    /// The element type of the numbers.
    const TYPE: ElementType;

    /// Widens the number to binary32: exactly for the narrower types, rounded to nearest for f64.
    fn widen(self) -> f32;
}

impl Element for f32 {
    const TYPE: ElementType = ElementType::F32;
    fn widen(self) -> f32 {
        self
    }
}
impl Element for f64 {
    const TYPE: ElementType = ElementType::F64;
    fn widen(self) -> f32 {
        self as f32
    }
}
impl Element for f16 {
    const TYPE: ElementType = ElementType::F16;
    fn widen(self) -> f32 {
        self.to_f32()
    }
}
impl Element for bf16 {
    const TYPE: ElementType = ElementType::Bf16;
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
    /// Makes rows of `dim` numbers each. Fails unless the slice's length is a multiple of `dim`.
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

    /// Makes rows of numbers that are known to be whole rows.
    #[cfg(feature = "cuda")]
    pub(crate) fn of_whole_rows(numbers: &'a [T], dim: usize) -> Self {
        Self { numbers, dim }
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

    fn element_type(&self) -> ElementType {
        T::TYPE
    }

    fn read_stored(&self, range: Range<usize>, out: &mut [u8]) -> Result<()> {
        let from = &self.numbers[range.start * self.dim..range.end * self.dim];
        out.copy_from_slice(bytemuck::cast_slice(from));
        Ok(())
    }

    fn place(&self) -> Place<'_> {
        Place::Memory(bytemuck::cast_slice(self.numbers))
    }
}
