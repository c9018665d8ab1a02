//! Lines of numbers in files, read in pieces: activations as binary64, indices as whole numbers.

use std::ops::Range;

use half::{bf16, f16};

use super::super::npy::Array;
use super::super::safetensors::{Entry, SafeTensors};
use super::super::tensor::{Dtype, Storage, shape_text};
use crate::error::{Error, Result};

/// An array of numbers of any shape, in C order, and where its bytes lie.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    storage: Storage,
    dtype: Dtype,
    pub(super) shape: Vec<usize>,
    /// The array's name in messages.
    place: String,
}

impl Numbers {
    /// Makes numbers of a `NumPy` array of little-endian numbers in C order, if it has all its bytes.
    ///
    /// # Errors
    /// Another array.
    pub(super) fn of_npy(array: &Array, place: &str) -> Result<Self> {
        let (name, header) = (array.elements.source.name(), &array.header);
        let Some(dtype) = header.dtype() else {
            let expected = "an array of little-endian numbers";
            let found = format!("an array of {}", header.describe());
            return Err(Error::input(
                name,
                place,
                found,
                expected,
                header.conversion(),
            ));
        };
        if header.fortran && header.shape.len() > 1 {
            return Err(Error::input(
                name,
                place,
                "an array in Fortran order",
                "an array in C order, row after row",
                "save numpy.ascontiguousarray(array)",
            ));
        }
        let numbers = Self {
            storage: array.elements.clone(),
            dtype,
            shape: header.shape.clone(),
            place: place.to_owned(),
        };
        numbers.check_length()?;
        Ok(numbers)
    }

    /// Makes numbers of a tensor.
    ///
    /// # Errors
    /// A tensor of an element type that is no plain number.
    pub(super) fn of_tensor(file: &SafeTensors, name: &str, entry: &Entry) -> Result<Self> {
        let place = format!("tensor {name}");
        let Some(dtype) = Dtype::of_any_safetensors(&entry.dtype) else {
            return Err(Error::input(
                file.source.name(),
                place,
                format!("{} {}", entry.dtype, shape_text(&entry.shape)),
                "floating-point numbers (F16, BF16, F32, F64), whole numbers or BOOL",
                "save the activations as F32, and indices as I64",
            ));
        };
        let storage = Storage {
            source: file.source.clone(),
            start: entry.start,
            length: entry.length,
        };
        let numbers = Self {
            storage,
            dtype,
            shape: entry.shape.clone(),
            place,
        };
        numbers.check_length()?;
        Ok(numbers)
    }

    fn check_length(&self) -> Result<()> {
        let count = self
            .shape
            .iter()
            .try_fold(1_u64, |n, &size| n.checked_mul(size as u64));
        let bytes = count.and_then(|count| count.checked_mul(self.dtype.size() as u64));
        if bytes == Some(self.storage.length) {
            return Ok(());
        }
        Err(self.bad(
            format!("{} bytes", self.storage.length),
            format!("those of {}", self.describe()),
            "the file is cut short or damaged: copy it again from where it was whole",
        ))
    }

    /// The number of elements.
    pub(super) fn count(&self) -> u64 {
        self.storage.length / self.dtype.size() as u64
    }

    pub(super) fn is_float(&self) -> bool {
        self.dtype.is_float()
    }

    pub(super) fn is_whole(&self) -> bool {
        !self.dtype.is_float() && self.dtype != Dtype::Bool
    }

    /// Writes type and shape for a message.
    pub(super) fn describe(&self) -> String {
        format!("{} {}", self.dtype.name(), shape_text(&self.shape))
    }

    /// Makes an error about this array.
    pub(super) fn bad(
        &self,
        found: impl Into<String>,
        expected: impl Into<String>,
        action: impl Into<String>,
    ) -> Error {
        let name = self.storage.source.name();
        Error::input(name, self.place.clone(), found, expected, action)
    }

    fn bytes(&self, range: &Range<u64>) -> Result<Vec<u8>> {
        let size = self.dtype.size() as u64;
        let mut bytes = vec![0; ((range.end - range.start) * size) as usize];
        let at = self.storage.start + range.start * size;
        self.storage.source.read_at(&mut bytes, at)?;
        Ok(bytes)
    }

    /// Reads elements as binary64: exactly, but for whole numbers beyond 2⁵³, which are rounded to
    /// nearest. `range` lies within the array, and should be short.
    pub(super) fn floats(&self, range: Range<u64>, out: &mut Vec<f64>) -> Result<()> {
        let bytes = self.bytes(&range)?;
        out.clear();
        macro_rules! each {
            ($size:literal, $widen:expr) => {
                out.extend(bytes.as_chunks::<$size>().0.iter().map(|b| $widen(*b)))
            };
        }
        match self.dtype {
            Dtype::F16 => each!(2, |b| f16::from_le_bytes(b).to_f64()),
            Dtype::Bf16 => each!(2, |b| bf16::from_le_bytes(b).to_f64()),
            Dtype::F32 => each!(4, |b| f64::from(f32::from_le_bytes(b))),
            Dtype::F64 => each!(8, f64::from_le_bytes),
            Dtype::Bool => each!(1, |[b]: [u8; 1]| f64::from(u8::from(b != 0))),
            Dtype::U64 => each!(8, |b| u64::from_le_bytes(b) as f64),
            _ => {
                let mut whole = Vec::new();
                self.whole_of(&bytes, &mut whole);
                out.extend(whole.into_iter().map(|n| n as f64));
            }
        }
        Ok(())
    }

    /// Reads elements of an array of whole numbers; those beyond 2⁶³ − 1 as that number, which is no
    /// index either.
    pub(super) fn whole(&self, range: Range<u64>, out: &mut Vec<i64>) -> Result<()> {
        let bytes = self.bytes(&range)?;
        out.clear();
        self.whole_of(&bytes, out);
        Ok(())
    }

    fn whole_of(&self, bytes: &[u8], out: &mut Vec<i64>) {
        macro_rules! each {
            ($type:ty) => {{
                let (all, _) = bytes.as_chunks::<{ size_of::<$type>() }>();
                let whole = all.iter().map(|b| <$type>::from_le_bytes(*b));
                out.extend(whole.map(|n| i64::try_from(n).unwrap_or(i64::MAX)))
            }};
        }
        match self.dtype {
            Dtype::I8 => each!(i8),
            Dtype::I16 => each!(i16),
            Dtype::I32 => each!(i32),
            Dtype::I64 => each!(i64),
            Dtype::U8 => each!(u8),
            Dtype::U16 => each!(u16),
            Dtype::U32 => each!(u32),
            Dtype::U64 => each!(u64),
            Dtype::F16 | Dtype::Bf16 | Dtype::F32 | Dtype::F64 | Dtype::Bool => {}
        }
    }
}
