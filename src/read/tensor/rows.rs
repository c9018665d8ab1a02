//! The rows of a matrix in a file, read on demand.

use std::ops::Range;

use super::layout::Layout;
use super::{Tensor, shape_text};
use crate::error::{Error, Result};
use crate::rows::{ElementType, Rows, as_binary32};

/// The rows of a two-dimensional tensor in a file. The tensor is never in memory as a whole, and
/// several threads can read at once.
#[derive(Debug, Clone)]
pub(crate) struct TensorRows {
    layout: Layout,
    rows: usize,
}

impl TensorRows {
    /// Makes the rows of a tensor; `None` unless it has two dimensions.
    pub(crate) fn new(tensor: &Tensor) -> Option<Self> {
        let (&[rows, columns], &[row_stride, column_stride]) =
            (tensor.shape.as_slice(), tensor.strides.as_slice())
        else {
            return None;
        };
        // torch ignores the stride of a single row or column; the arithmetic here would not.
        let stride_of = |size: usize, stride: u64| if size <= 1 { 0 } else { stride };
        let row_stride = stride_of(rows, row_stride);
        let column_stride = stride_of(columns, column_stride);
        Some(Self {
            rows,
            layout: Layout {
                storage: tensor.storage.clone(),
                dtype: tensor.dtype,
                offset: tensor.offset,
                columns,
                row_stride,
                column_stride,
            },
        })
    }
}

impl Rows for TensorRows {
    fn count(&self) -> usize {
        self.rows
    }

    fn dim(&self) -> usize {
        self.layout.columns
    }

    fn name(&self) -> String {
        self.layout.storage.source.name()
    }

    fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()> {
        self.check_room(&range, out.len())?;
        self.layout.read(range, out)
    }

    fn element_type(&self) -> ElementType {
        self.layout.stored_type().unwrap_or(ElementType::F32)
    }

    fn read_stored(&self, range: Range<usize>, out: &mut [u8]) -> Result<()> {
        let element = self.element_type().bytes();
        self.check_room(&range, out.len() / element)?;
        if self.layout.stored_type().is_some() {
            return self.layout.read_stored(range, out);
        }
        as_binary32(out, |numbers| self.layout.read(range, numbers))
    }
}

impl TensorRows {
    fn check_room(&self, range: &Range<usize>, room: usize) -> Result<()> {
        let wanted = range.len().checked_mul(self.layout.columns);
        if range.end <= self.rows && wanted == Some(room) {
            return Ok(());
        }
        Err(Error::Argument {
            name: "rows",
            found: format!(
                "rows {} to {} into room for {room} numbers",
                range.start, range.end
            ),
            expected: format!(
                "rows of {} and room for exactly them",
                shape_text(&[self.rows, self.layout.columns])
            ),
        })
    }
}
