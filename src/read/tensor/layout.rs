//! Reading rows of a strided matrix with few reads and little scratch memory.
//!
//! There are three ways, and an estimate picks the cheapest:
//! 1. binary32 rows in sequence are read in place;
//! 2. *spans*: some rows with all that lies between their elements are read, and the elements
//!    picked out;
//! 3. *columns*: one column's run at a time is read, for transposed matrices.

use std::ops::Range;

use super::Storage;
use super::dtype::{Dtype, widen};
use crate::error::Result;
use crate::rows::ElementType;

/// A matrix in a storage. Every element was checked to lie within it.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) storage: Storage,
    pub(super) dtype: Dtype,
    /// Elements before the first one.
    pub(super) offset: u64,
    pub(super) columns: usize,
    /// Elements from a row to the next.
    pub(super) row_stride: u64,
    /// Elements from a column to the next.
    pub(super) column_stride: u64,
}

/// Scratch memory, in bytes. It stays in the cache nearest to a core.
const SCRATCH: u64 = 256 << 10;
/// The cost of a read call, in bytes that could be read in the same time.
const CALL: u64 = 4 << 10;
/// The number of columns that are read together, so that whole cache lines are written.
const TOGETHER: usize = 16;

/// The way to read a block.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    /// So many rows at a time.
    Spans(u64),
    /// One column at a time, for so many rows.
    Columns(u64),
}

impl Layout {
    fn element(&self) -> u64 {
        self.dtype.size() as u64
    }

    /// Returns the bytes from a block's first element to its last.
    fn span(&self, rows: u64, columns: u64) -> u64 {
        let down = rows.saturating_sub(1).saturating_mul(self.row_stride);
        let across = columns.saturating_sub(1).saturating_mul(self.column_stride);
        down.saturating_add(across)
            .saturating_add(1)
            .saturating_mul(self.element())
    }

    /// Returns the number of rows of so many columns whose span fits the scratch memory, at least
    /// 1.
    fn fitting(&self, rows: u64, columns: u64) -> u64 {
        let left = SCRATCH.saturating_sub(self.span(1, columns)) / self.element();
        match left.checked_div(self.row_stride) {
            Some(more) => rows.min(more + 1),
            None => rows,
        }
    }

    fn plan(&self, rows: u64) -> Plan {
        let columns = self.columns as u64;
        let cost = |reads: u64, bytes: u64| reads.saturating_mul(CALL.saturating_add(bytes));
        let spans = |at_once: u64| cost(rows.div_ceil(at_once), self.span(at_once, columns));
        let at_once = self.fitting(rows, columns);
        let height = self.fitting(rows, 1).min(4096);
        let by_column = cost(
            columns.saturating_mul(rows.div_ceil(height)),
            self.span(height, 1),
        );
        if by_column < spans(at_once).min(spans(1)) {
            Plan::Columns(height)
        } else if spans(1) < spans(at_once) {
            Plan::Spans(1)
        } else {
            Plan::Spans(at_once)
        }
    }

    /// Returns an element's position in the file.
    fn position(&self, row: u64, column: u64) -> u64 {
        let element = self.offset + row * self.row_stride + column * self.column_stride;
        self.storage.start + element * self.element()
    }

    /// Says whether these rows follow one another without gaps.
    fn is_dense(&self, rows: u64) -> bool {
        let columns = self.columns as u64;
        (self.column_stride == 1 || columns == 1) && (self.row_stride == columns || rows == 1)
    }

    /// Reads rows and widens them. `out` has exactly their length.
    pub(super) fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()> {
        if out.is_empty() {
            return Ok(());
        }
        let rows = range.len() as u64;
        let first = range.start as u64;
        let in_place = self.dtype == Dtype::F32 && cfg!(target_endian = "little");
        if in_place && self.is_dense(rows) {
            let bytes = bytemuck::cast_slice_mut(out);
            return self.storage.source.read_at(bytes, self.position(first, 0));
        }
        match self.plan(rows) {
            Plan::Spans(at_once) => self.read_spans(first, at_once, out),
            Plan::Columns(height) => self.read_columns(first, height, out),
        }
    }

    /// Returns the type of numbers that an engine can take as they are stored: floating point, rows
    /// in sequence without gaps. Returns `None` for all else.
    pub(super) fn stored_type(&self) -> Option<ElementType> {
        let element = match self.dtype {
            Dtype::F16 => ElementType::F16,
            Dtype::Bf16 => ElementType::Bf16,
            Dtype::F32 => ElementType::F32,
            Dtype::F64 => ElementType::F64,
            _ => return None,
        };
        let in_place = cfg!(target_endian = "little") && self.is_dense(2);
        in_place.then_some(element)
    }

    /// Reads rows as they are stored, if [`stored_type`](Self::stored_type) names their type.
    pub(super) fn read_stored(&self, range: Range<usize>, out: &mut [u8]) -> Result<()> {
        if out.is_empty() {
            return Ok(());
        }
        let position = self.position(range.start as u64, 0);
        self.storage.source.read_at(out, position)
    }

    fn read_spans(&self, first: u64, at_once: u64, out: &mut [f32]) -> Result<()> {
        let columns = self.columns as u64;
        let mut scratch = vec![0; self.span(at_once, columns) as usize];
        let stride = self.column_stride as usize;
        let row_bytes = (self.row_stride * self.element()) as usize;
        let mut row = first;
        for block in out.chunks_mut(at_once as usize * self.columns) {
            let rows = (block.len() / self.columns) as u64;
            let span = self.span(rows, columns) as usize;
            let bytes = scratch.get_mut(..span).unwrap_or_default();
            self.storage.source.read_at(bytes, self.position(row, 0))?;
            if self.is_dense(rows) {
                widen(self.dtype, bytes, 1, block);
            } else {
                for (i, out) in block.chunks_mut(self.columns).enumerate() {
                    let bytes = bytes.get(i * row_bytes..).unwrap_or_default();
                    widen(self.dtype, bytes, stride, out);
                }
            }
            row += rows;
        }
        Ok(())
    }

    fn read_columns(&self, first: u64, height: u64, out: &mut [f32]) -> Result<()> {
        let tall = height as usize;
        let mut scratch = vec![0; self.span(height, 1) as usize];
        let mut gathered = vec![0.0; tall * TOGETHER];
        let mut row = first;
        for block in out.chunks_mut(tall * self.columns) {
            let rows = block.len() / self.columns;
            let span = self.span(rows as u64, 1) as usize;
            let bytes = scratch.get_mut(..span).unwrap_or_default();
            for left in (0..self.columns).step_by(TOGETHER) {
                let width = TOGETHER.min(self.columns - left);
                for (i, column) in gathered.chunks_mut(tall).take(width).enumerate() {
                    let position = self.position(row, (left + i) as u64);
                    self.storage.source.read_at(bytes, position)?;
                    let column = column.get_mut(..rows).unwrap_or_default();
                    widen(self.dtype, bytes, self.row_stride as usize, column);
                }
                scatter(&gathered, tall, width, left, block, self.columns);
            }
            row += rows as u64;
        }
        Ok(())
    }
}

/// Writes `width` columns, which lie in sequence and `tall` apart, to the columns of a block from
/// `left` on.
fn scatter(
    gathered: &[f32],
    tall: usize,
    width: usize,
    left: usize,
    block: &mut [f32],
    columns: usize,
) {
    for (i, row) in block.chunks_mut(columns).enumerate() {
        let from = gathered.get(i..).unwrap_or_default().iter().step_by(tall);
        let to = row.get_mut(left..left + width).unwrap_or_default();
        for (to, from) in to.iter_mut().zip(from) {
            *to = *from;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::super::source::Source;
    use super::{Dtype, Layout, Plan, Storage};

    /// Makes 16-bit integers 0, 1, 2, … after `start` bytes of something else.
    fn counting(count: u16, start: u64) -> Storage {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![0xee; start as usize]).unwrap();
        for number in 0..count {
            file.write_all(&number.to_le_bytes()).unwrap();
        }
        let length = u64::from(count) * 2;
        Storage {
            source: Source::unnamed(file, "x.pt".into(), start + length),
            start,
            length,
        }
    }

    fn layout(columns: usize, row_stride: u64, column_stride: u64) -> Layout {
        Layout {
            storage: counting(6000, 3),
            dtype: Dtype::I16,
            offset: 5,
            columns,
            row_stride,
            column_stride,
        }
    }

    #[test]
    fn layout_every_plan_reads_the_same_rows() {
        for (rows, columns, down, across) in [
            (11, 7, 7, 1),
            (11, 7, 9, 1),
            (11, 7, 3, 1),
            (11, 7, 1, 11),
            (11, 37, 1, 40),
            (40, 33, 80, 2),
            (11, 7, 0, 1),
            (11, 7, 1, 0),
            (1, 33, 0, 13),
            (33, 1, 13, 0),
        ] {
            let layout = layout(columns, down, across);
            let expected: Vec<f32> = (0..rows)
                .flat_map(|r| (0..columns as u64).map(move |c| (5 + r * down + c * across) as f32))
                .collect();
            let mut results = Vec::new();
            for piece in [1, 2, 5, rows] {
                let mut out = vec![f32::NAN; expected.len()];
                layout.read_spans(0, piece, &mut out).unwrap();
                results.push(out.clone());
                out.fill(f32::NAN);
                layout.read_columns(0, piece, &mut out).unwrap();
                results.push(out);
            }
            let mut out = vec![f32::NAN; expected.len()];
            layout.read(0..rows as usize, &mut out).unwrap();
            results.push(out);
            for result in results {
                assert_eq!(
                    result, expected,
                    "{rows}x{columns}, strides {down}, {across}"
                );
            }
        }
    }

    #[test]
    fn layout_takes_the_cheapest_plan() {
        // Whole rows: as many as fit. Rows far apart: one by one. Transposed: by column.
        assert!(matches!(
            layout(1000, 1000, 1).plan(10_000),
            Plan::Spans(131)
        ));
        assert_eq!(layout(1000, 10_000_000, 1).plan(100), Plan::Spans(1));
        assert_eq!(layout(1000, 1, 1_000_000).plan(4096), Plan::Columns(4096));
        assert_eq!(layout(1000, 1, 1_000_000).plan(1), Plan::Columns(1));
        assert_eq!(layout(1000, 0, 1).plan(4096), Plan::Spans(4096));
    }
}
