//! Rows of an array in memory.

use std::ops::Range;

use atomscope::Error;
use atomscope::rows::{ElementType, Place, Rows, bf16, f16};

use crate::dlpack::Array;

/// Rows of an array in memory.
pub(crate) struct ArrayRows {
    pub(crate) numbers: Numbers,
    pub(crate) shape: [usize; 2],
    pub(crate) element: ElementType,
    pub(crate) name: String,
}

pub(crate) enum Numbers {
    Theirs(Array),
    Ours(Vec<u8>),
}

impl ArrayRows {
    fn row(&self, row: usize) -> Option<&[u8]> {
        match &self.numbers {
            Numbers::Theirs(array) => array.row(row),
            Numbers::Ours(bytes) => {
                let size = self.shape[1] * self.element.bytes();
                bytes.get(row * size..(row + 1) * size)
            }
        }
    }

    fn unread() -> Error {
        Error::Argument {
            name: "x",
            found: "rows that are not in the host's memory".to_owned(),
            expected: "an array that the CPU can read; copy it with .cpu()".to_owned(),
        }
    }
}

impl Rows for ArrayRows {
    fn count(&self) -> usize {
        self.shape[0]
    }

    fn dim(&self) -> usize {
        self.shape[1]
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn read(&self, range: Range<usize>, out: &mut [f32]) -> atomscope::Result<()> {
        for (row, out) in range.zip(out.chunks_mut(self.dim().max(1))) {
            widen(self.element, self.row(row).ok_or_else(Self::unread)?, out);
        }
        Ok(())
    }

    fn element_type(&self) -> ElementType {
        self.element
    }

    fn read_stored(&self, range: Range<usize>, out: &mut [u8]) -> atomscope::Result<()> {
        let size = (self.dim() * self.element.bytes()).max(1);
        for (row, out) in range.zip(out.chunks_mut(size)) {
            let from = self.row(row).ok_or_else(Self::unread)?;
            out.copy_from_slice(from);
        }
        Ok(())
    }

    fn place(&self) -> Place<'_> {
        match &self.numbers {
            Numbers::Ours(bytes) => Place::Memory(bytes),
            Numbers::Theirs(array) => match (array.cuda, array.bytes()) {
                (Some(ordinal), _) => Place::Device {
                    ordinal,
                    address: array.address(),
                },
                (None, Some(bytes)) if array.is_aligned() => Place::Memory(bytes),
                _ => Place::Read,
            },
        }
    }
}

/// Widens stored numbers to binary32.
fn widen(element: ElementType, bytes: &[u8], out: &mut [f32]) {
    match element {
        ElementType::F16 => each(bytes, out, |bytes| f16::from_ne_bytes(bytes).to_f32()),
        ElementType::Bf16 => each(bytes, out, |bytes| bf16::from_ne_bytes(bytes).to_f32()),
        ElementType::F32 => each(bytes, out, f32::from_ne_bytes),
        ElementType::F64 => each(bytes, out, |bytes| f64::from_ne_bytes(bytes) as f32),
    }
}

fn each<const N: usize>(bytes: &[u8], out: &mut [f32], number: impl Fn([u8; N]) -> f32) {
    for (out, &bytes) in out.iter_mut().zip(bytes.as_chunks().0) {
        *out = number(bytes);
    }
}
