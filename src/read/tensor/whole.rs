//! Whole tensors in memory: weights, biases, μ and σ.

use rayon::prelude::*;

use super::layout::Layout;
use super::{Tensor, shape_text};
use crate::error::{Error, Result};
use crate::memory::may_fail;
use crate::read::budget::Budget;

/// The most numbers that an expanded tensor (stride 0) may have beyond those in the file.
const MOST_EXPANDED: u64 = 1 << 24;

/// Reads all elements in row-major order, widened to binary32. `place` is for messages.
pub(crate) fn read_whole(tensor: &Tensor, place: &str) -> Result<Vec<f32>> {
    let count = tensor.count();
    let there = tensor.storage.length / tensor.dtype.size() as u64;
    // The allocation is tried first, then made anew as zeros, which the system supplies as they are
    // needed, to whichever thread fills them.
    let refused = may_fail(|| Vec::<f32>::new().try_reserve_exact(count)).is_err();
    // The engine makes a copy in its own layout.
    let copies = 2 * size_of::<f32>() as u64 * count as u64;
    Budget::of(&tensor.storage.source).check(copies, place, &format!("{count} numbers"))?;
    if count as u64 > there.max(MOST_EXPANDED) || refused {
        return Err(Error::input(
            tensor.storage.source.name(),
            place,
            format!("{count} numbers ({})", shape_text(&tensor.shape)),
            format!("as many as the file holds ({there}), and the memory for them"),
            "save it with .contiguous(), or use a machine with more memory",
        ));
    }
    let mut out = vec![0.0; count];
    if count > 0 {
        fill(tensor, &mut out)?;
    }
    Ok(out)
}

fn fill(tensor: &Tensor, out: &mut [f32]) -> Result<()> {
    // Trailing dimensions without gaps between them form one dimension.
    let mut dimensions: Vec<(usize, u64)> = Vec::new();
    for (&size, &stride) in tensor.shape.iter().zip(&tensor.strides).rev() {
        match dimensions.last_mut() {
            _ if size == 1 => {}
            Some((inner, step)) if *inner as u64 * *step == stride => *inner *= size,
            _ => dimensions.push((size, stride)),
        }
    }
    if let &[(columns, stride)] = dimensions.as_slice() {
        return fill_line(tensor, columns, stride, out);
    }
    let mut inner_first = dimensions.into_iter();
    let (columns, column_stride) = inner_first.next().unwrap_or((1, 1));
    let (rows, row_stride) = inner_first.next().unwrap_or((1, 0));
    let outer: Vec<_> = inner_first.collect();
    for (number, block) in out.chunks_mut(rows * columns).enumerate() {
        let mut left = number;
        let mut offset = tensor.offset;
        for &(size, stride) in &outer {
            offset += (left % size) as u64 * stride;
            left /= size;
        }
        layout(tensor, offset, columns, (row_stride, column_stride)).read(0..rows, block)?;
    }
    Ok(())
}

/// Fills one dimension, cut into rows, so that several threads read it in pieces.
fn fill_line(tensor: &Tensor, count: usize, stride: u64, out: &mut [f32]) -> Result<()> {
    const PIECE: usize = 4096;
    /// The pieces that a thread reads at once: 4 MiB.
    const PIECES: usize = 256;
    let rows = count / PIECE;
    let (whole, tail) = out.split_at_mut(rows * PIECE);
    let down = stride.saturating_mul(PIECE as u64);
    let pieces = layout(tensor, tensor.offset, PIECE, (down, stride));
    let each = whole.par_chunks_mut(PIECES * PIECE).enumerate();
    each.try_for_each(|(i, out)| {
        let first = i * PIECES;
        pieces.read(first..first + out.len() / PIECE, out)
    })?;
    let offset = tensor.offset + whole.len() as u64 * stride;
    layout(tensor, offset, tail.len(), (0, stride)).read(0..1, tail)
}

fn layout(
    tensor: &Tensor,
    offset: u64,
    columns: usize,
    (row_stride, column_stride): (u64, u64),
) -> Layout {
    Layout {
        storage: tensor.storage.clone(),
        dtype: tensor.dtype,
        offset,
        columns,
        row_stride,
        column_stride,
    }
}
