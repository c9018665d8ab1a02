//! Rows that are pooled from tokens: a tensor \[N, L, D\] gives N rows of D numbers.
//!
//! The arithmetic is that of [`Pool`], whichever way the numbers lie in the file. A token that is taken
//! as it is is a strided view of the tensor, and no row of this kind.

use std::ops::Range;

use super::tensor::{Tensor, TensorRows};
use crate::error::Result;
use crate::rows::{Pool, Rows};

/// The numbers that are read at once, unless a row has more.
const AT_ONCE: usize = 1 << 18;

/// The rows of a tensor whose tokens are pooled.
#[derive(Debug, Clone)]
pub(super) struct PooledRows {
    /// All tokens of all rows as the rows of one matrix, if they lie so; else the tensor.
    matrix: std::result::Result<TensorRows, Tensor>,
    rows: usize,
    tokens: usize,
    dim: usize,
    pool: Pool,
}

/// Returns one token of each row of a tensor of three dimensions, as a tensor of two.
pub(super) fn token(tensor: &Tensor, token: usize) -> Option<Tensor> {
    let (&[rows, _, columns], &[down, along, across]) =
        (tensor.shape.as_slice(), tensor.strides.as_slice())
    else {
        return None;
    };
    Some(Tensor {
        shape: vec![rows, columns],
        strides: vec![down, across],
        // Every element was checked to lie within the storage; without rows nothing is read.
        offset: (token as u64)
            .checked_mul(along)?
            .checked_add(tensor.offset)?,
        ..tensor.clone()
    })
}

impl PooledRows {
    /// Makes the rows of a tensor of three dimensions whose tokens are all pooled; `None` for another.
    pub(super) fn new(tensor: &Tensor, pool: Pool) -> Option<Self> {
        let (&[rows, tokens, dim], &[down, along, across]) =
            (tensor.shape.as_slice(), tensor.strides.as_slice())
        else {
            return None;
        };
        let follow = rows <= 1 || (tokens as u64).checked_mul(along) == Some(down);
        let joined = rows
            .checked_mul(tokens)
            .filter(|_| follow)
            .map(|joined| Tensor {
                shape: vec![joined, dim],
                strides: vec![along, across],
                ..tensor.clone()
            });
        let matrix = joined.and_then(|joined| TensorRows::new(&joined));
        Some(Self {
            matrix: matrix.ok_or_else(|| tensor.clone()),
            rows,
            tokens,
            dim,
            pool,
        })
    }

    pub(super) fn count(&self) -> usize {
        self.rows
    }

    /// Writes rows `range`, which are there, to `out`, which has room for exactly them.
    pub(super) fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()> {
        match &self.matrix {
            Ok(matrix) => self.read_in_sequence(matrix, range, out),
            Err(tensor) => self.read_by_token(tensor, range, out),
        }
    }

    /// Reads tokens in the order in which they lie.
    fn read_in_sequence(
        &self,
        matrix: &TensorRows,
        range: Range<usize>,
        out: &mut [f32],
    ) -> Result<()> {
        let mut sums = vec![0.0; self.dim];
        let mut out = out.chunks_exact_mut(self.dim);
        let all = range.start * self.tokens..range.end * self.tokens;
        let step = (AT_ONCE / self.dim).clamp(1, all.len().max(1));
        let mut numbers = vec![0.0; step * self.dim];
        for first in all.clone().step_by(step) {
            let last = all.end.min(first + step);
            let part = numbers
                .get_mut(..(last - first) * self.dim)
                .unwrap_or_default();
            matrix.read(first..last, part)?;
            for (place, numbers) in (first..last).zip(part.chunks_exact(self.dim)) {
                let token = place % self.tokens;
                self.add(token, numbers, &mut sums);
                if token + 1 == self.tokens {
                    self.finish(&sums, out.next().unwrap_or_default());
                }
            }
        }
        Ok(())
    }

    /// Reads one token of several rows after another.
    fn read_by_token(&self, tensor: &Tensor, range: Range<usize>, out: &mut [f32]) -> Result<()> {
        let step = (AT_ONCE / self.dim).clamp(1, range.len().max(1));
        let mut sums = vec![0.0; step * self.dim];
        let mut numbers = vec![0.0; step * self.dim];
        let mut first = range.start;
        for out in out.chunks_mut(step * self.dim) {
            let last = first + out.len() / self.dim;
            let sums = sums.get_mut(..out.len()).unwrap_or_default();
            let numbers = numbers.get_mut(..out.len()).unwrap_or_default();
            for at in 0..self.tokens {
                let Some(rows) = token(tensor, at).as_ref().and_then(TensorRows::new) else {
                    continue;
                };
                rows.read(first..last, numbers)?;
                self.add(at, numbers, sums);
            }
            self.finish(sums, out);
            first = last;
        }
        Ok(())
    }

    /// Adds a token. The largest number is exact in binary64 too.
    fn add(&self, token: usize, numbers: &[f32], sums: &mut [f64]) {
        let each = sums
            .iter_mut()
            .zip(numbers)
            .map(|(sum, &x)| (sum, f64::from(x)));
        match (self.pool, token) {
            (Pool::Max, 0) => each.for_each(|(sum, x)| *sum = x),
            (Pool::Max, _) => each.for_each(|(sum, x)| {
                if x > *sum || x.is_nan() {
                    *sum = x;
                }
            }),
            (_, 0) => each.for_each(|(sum, x)| *sum = 0.0 + x),
            _ => each.for_each(|(sum, x)| *sum += x),
        }
    }

    fn finish(&self, sums: &[f64], out: &mut [f32]) {
        let tokens = self.tokens as f64;
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = if self.pool == Pool::Max {
                *sum as f32
            } else {
                (*sum / tokens) as f32
            };
        }
    }
}
