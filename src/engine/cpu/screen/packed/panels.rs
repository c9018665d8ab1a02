//! Operands in bfloat16, laid out as all kernels read them.
//!
//! ```text
//! stretch  512 numbers of all rows, or of all features: what a block of the product takes of them
//!          lies together, so that no two parts of it compete for one place of a cache
//! panel    16 rows, or 16 features, of a stretch
//! chunk    32 numbers of each of them: 16 lines of 64 bytes
//! line     of features: 16 pairs of one feature      (a row of a tile's left operand)
//!          of rows:     one pair of each of 16 rows  (a row of a tile's right operand)
//! ```
//!
//! The numbers that fill up a panel or a chunk are zero. Two panels make a block of the product, so
//! there is an even number of panels.

use bytemuck::{Pod, Zeroable};
use std::ops::Range;

use rayon::prelude::*;

use crate::engine::simd::{Simd, for_each_simd};
use crate::error::{Error, Result};

/// Rows, or features, of a panel.
pub(in crate::engine::cpu) const PANEL: usize = 16;
/// Lines of a chunk, and pairs of a line.
pub(super) const LINES: usize = 16;
/// Numbers of a chunk.
pub(super) const CHUNK: usize = 2 * LINES;
/// Chunks of a stretch, but for the last one: those of two panels of rows fill the better part of
/// an L1 cache, so that scores are seldom read and written again.
pub(super) const STRETCH: usize = 16;

/// A cache line, a vector register, a row of a tile: pairs of bfloat16 numbers, the first in the
/// lower half.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [u32; LINES]);

/// Panels of one operand.
#[derive(Debug, Default)]
pub(in crate::engine::cpu) struct Panels {
    lines: Vec<Line>,
    chunks: usize,
    count: usize,
}

/// Some panels of one stretch of features.
struct Piece<'a> {
    first_feature: usize,
    /// The stretch's numbers, which can go beyond the last.
    numbers: Range<usize>,
    lines: &'a mut [Line],
}

impl Piece<'_> {
    /// Packs it. Returns its first feature, and from that one on the squares of what rounding took
    /// away.
    fn pack(self, simd: Simd, all: &[f32], dim: usize) -> (usize, Vec<f64>) {
        let numbers = self.numbers.start..self.numbers.end.min(dim);
        let mut pairs = vec![0; padded(numbers.len())];
        let panels = self.lines.chunks_exact_mut(pairs.len());
        let mut features = all.chunks_exact(dim).skip(self.first_feature);
        let mut lost = Vec::new();
        for panel in panels {
            for (j, feature) in features.by_ref().take(PANEL).enumerate() {
                lost.push(narrow(simd, &feature[numbers.clone()], &mut pairs));
                let lines = pairs.as_chunks().0.iter();
                for (chunk, line) in panel.chunks_exact_mut(LINES).zip(lines) {
                    chunk[j] = Line(*line);
                }
            }
        }
        (self.first_feature, lost)
    }
}

impl Panels {
    /// Makes panels for `rows` rows or features of `dim` numbers, without lines as yet.
    fn sized(rows: usize, dim: usize) -> Self {
        Self {
            lines: Vec::new(),
            chunks: dim.div_ceil(CHUNK),
            count: rows.div_ceil(PANEL).next_multiple_of(2),
        }
    }

    /// Returns the number of panels.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Chunks of all stretches together.
    pub(super) fn chunks(&self) -> usize {
        self.chunks
    }

    /// Returns the number of stretches.
    pub(super) fn stretches(&self) -> usize {
        self.chunks.div_ceil(STRETCH)
    }

    /// A panel's lines in one stretch.
    #[inline]
    pub(super) fn lines(&self, stretch: usize, panel: usize) -> &[Line] {
        let first = stretch * STRETCH;
        let chunks = STRETCH.min(self.chunks - first);
        let stretch = &self.lines[first * self.count * LINES..];
        &stretch[panel * chunks * LINES..][..chunks * LINES]
    }

    /// Packs features of `dim` numbers, row-major, on all threads of the pool: before a run, as a
    /// thread that waits for the pool in the middle of one would do whole runs of blocks meanwhile.
    /// Returns, for each of them, the sum of the squares of what rounding took away.
    ///
    /// # Errors
    /// Memory.
    pub(super) fn of_features(simd: Simd, numbers: &[f32], dim: usize) -> Result<(Self, Vec<f64>)> {
        let features = numbers.len() / dim;
        let mut panels = Self::sized(features, dim);
        let lines = panels.count * panels.chunks * LINES;
        panels.lines = bytemuck::try_zeroed_vec(lines).map_err(|()| Error::Memory {
            what: "the packed model",
            bytes: lines as u128 * size_of::<Line>() as u128,
        })?;
        let pieces = panels.pieces();
        let pieces = pieces.into_par_iter();
        let packed: Vec<_> = pieces.map(|piece| piece.pack(simd, numbers, dim)).collect();
        let mut lost = vec![0.0; features];
        for (first, squares) in packed {
            for (lost, squares) in lost[first..].iter_mut().zip(squares) {
                *lost += squares;
            }
        }
        Ok((panels, lost))
    }

    /// The parts that are packed one by one: some panels of a stretch.
    fn pieces(&mut self) -> Vec<Piece<'_>> {
        const PANELS: usize = 16;
        let mut rest = self.lines.as_mut_slice();
        let mut pieces = Vec::new();
        for first in (0..self.chunks).step_by(STRETCH) {
            let chunks = STRETCH.min(self.chunks - first);
            let (lines, others) = rest.split_at_mut(self.count * chunks * LINES);
            rest = others;
            let first_number = first * CHUNK;
            let each = lines.chunks_mut(PANELS * chunks * LINES).enumerate();
            pieces.extend(each.map(|(i, lines)| Piece {
                first_feature: i * PANELS * PANEL,
                numbers: first_number..first_number + chunks * CHUNK,
                lines,
            }));
        }
        pieces
    }

    /// Packs rows of `dim` numbers, row-major, into these panels; `pairs` is scratch. Hands over,
    /// row by row, the sum of the squares of what rounding took away.
    pub(super) fn take_rows(
        &mut self,
        simd: Simd,
        numbers: &[f32],
        dim: usize,
        pairs: &mut Vec<u32>,
        mut lost: impl FnMut(f64),
    ) {
        let width = padded(dim);
        let mut rows = numbers.chunks_exact(dim);
        let mut lines = std::mem::take(&mut self.lines);
        *self = Self::sized(rows.len(), dim);
        lines.resize(self.count * self.chunks * LINES, Line::zeroed());
        self.lines = lines;
        pairs.resize(PANEL * width, 0);
        for panel in 0..self.count {
            for pairs in pairs.chunks_exact_mut(width) {
                match rows.next() {
                    Some(row) => lost(narrow(simd, row, pairs)),
                    None => pairs.fill(0),
                }
            }
            for first in (0..self.chunks).step_by(STRETCH) {
                let chunks = STRETCH.min(self.chunks - first);
                let lines = &mut self.lines[(first * self.count + panel * chunks) * LINES..];
                put_rows(simd, pairs, first * LINES, &mut lines[..chunks * LINES]);
            }
        }
    }
}

/// Pairs of a feature or row of `dim` numbers, padded to whole chunks.
fn padded(dim: usize) -> usize {
    dim.div_ceil(CHUNK) * LINES
}

for_each_simd! {
    /// Puts the pairs of 16 rows, \[16, width\], from the `first` on into a panel.
    fn put_rows(pairs: &[u32], first: usize, panel: &mut [Line]) {
        let width = pairs.len() / PANEL;
        for (c, chunk) in panel.chunks_exact_mut(LINES).enumerate() {
            let mut from = [[0u32; LINES]; PANEL];
            for (r, from) in from.iter_mut().enumerate() {
                from.copy_from_slice(&pairs[r * width + first + c * LINES..][..LINES]);
            }
            for (p, line) in chunk.iter_mut().enumerate() {
                for (r, from) in from.iter().enumerate() {
                    line.0[r] = from[p];
                }
            }
        }
    }
}

const LANES: usize = 16;

for_each_simd! {
    /// Rounds `numbers` to bfloat16, to nearest and ties to even, what is below 2⁻¹²⁶ to zero, and
    /// writes them as pairs; `pairs` has room for whole chunks and is filled up with zeros.
    /// Returns the sum of the squares of what rounding took away, in binary64.
    fn narrow(numbers: &[f32], pairs: &mut [u32]) -> f64 {
        let mut squares = [0.0f64; LANES];
        let halves: &mut [u16] = bytemuck::cast_slice_mut(pairs);
        let (to, rest) = halves.split_at_mut(numbers.len());
        rest.fill(0);
        let (chunks, tail) = numbers.as_chunks::<LANES>();
        let (outs, out_tail) = to.as_chunks_mut::<LANES>();
        for (x, out) in chunks.iter().zip(outs) {
            for l in 0..LANES {
                let (bits, lost) = rounded(x[l]);
                out[l] = bits;
                squares[l] += f64::from(lost) * f64::from(lost);
            }
        }
        let mut sum: f64 = squares.iter().sum();
        for (x, out) in tail.iter().zip(out_tail) {
            let (bits, lost) = rounded(*x);
            *out = bits;
            sum += f64::from(lost) * f64::from(lost);
        }
        sum
    }
}

/// A number's bfloat16, and what it lacks to the number: exact, as both are multiples of the
/// number's last place.
#[allow(clippy::inline_always)]
#[inline(always)]
fn rounded(x: f32) -> (u16, f32) {
    let bits = x.to_bits();
    let up = (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff_0000;
    let kept = if bits & 0x7f80_0000 == 0 { 0 } else { up };
    ((kept >> 16) as u16, x - f32::from_bits(kept))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::simd::Simd;
    use half::bf16;

    #[test]
    fn rounding_is_bfloat16s_and_the_loss_is_exact() {
        let mut numbers: Vec<f32> = (0..70_000u32)
            .map(|i| f32::from_bits(i.wrapping_mul(0x9e37_79b9)))
            .filter(|x| x.abs() < 1e37)
            .collect();
        numbers.extend([
            0.0,
            -0.0,
            1.0e-39,
            -1.0e-39,
            f32::MIN_POSITIVE,
            1.003_906_2,
            1.011_718_8,
        ]);
        for simd in Simd::all() {
            for n in [numbers.len(), 33, 5] {
                let numbers = &numbers[numbers.len() - n..];
                let mut pairs = vec![7u32; padded(n)];
                let squares = narrow(simd, numbers, &mut pairs);
                let halves: &[u16] = bytemuck::cast_slice(&pairs);
                let mut expected = 0.0;
                for (x, half) in numbers.iter().zip(halves) {
                    let want = if x.abs() < f32::MIN_POSITIVE {
                        bf16::ZERO
                    } else {
                        bf16::from_f32(*x)
                    };
                    assert_eq!(bf16::from_bits(*half).to_f32(), want.to_f32(), "{x:e}");
                    expected += (f64::from(*x) - f64::from(want.to_f32())).powi(2);
                }
                assert!(halves[n..].iter().all(|&half| half == 0));
                assert!((squares - expected).abs() <= 1e-12 * expected, "{simd}");
            }
        }
    }

    #[test]
    fn rows_and_features_are_where_the_kernels_look() {
        // Two stretches, the second a chunk and a bit; two panels and a bit, so that there are
        // four.
        let (dim, count) = (STRETCH * CHUNK + CHUNK + 9, 37);
        let numbers: Vec<f32> = (0..count * dim).map(|i| (i % 251) as f32 + 1.0).collect();
        let simd = Simd::detect();
        let packed = Panels::of_features(simd, &numbers, dim);
        let (features, lost) = packed.expect("small");
        assert_eq!(lost, vec![0.0; count]);
        let (mut rows, mut seen) = (Panels::default(), 0);
        rows.take_rows(simd, &numbers, dim, &mut Vec::new(), |lost| {
            assert_eq!(lost, 0.0);
            seen += 1;
        });
        assert_eq!((seen, rows.count(), features.count()), (count, 4, 4));
        for r in 0..rows.count() * PANEL {
            for i in 0..dim.next_multiple_of(CHUNK) {
                let expected = if r < count && i < dim {
                    numbers[r * dim + i]
                } else {
                    0.0
                };
                let (c, pair, shift) = (i / CHUNK, i % CHUNK / 2, 16 * (i % 2));
                let (stretch, first) = (c / STRETCH, c % STRETCH * LINES);
                let of_rows = rows.lines(stretch, r / PANEL)[first + pair].0[r % PANEL];
                let of_features = features.lines(stretch, r / PANEL)[first + r % PANEL].0[pair];
                for pair in [of_rows, of_features] {
                    let found = bf16::from_bits((pair >> shift) as u16).to_f32();
                    assert_eq!(found, expected, "row {r}, number {i}");
                }
            }
        }
    }
}
