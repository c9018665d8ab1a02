//! Certified selection of the largest score of each group of consecutive atoms, if it is above 0.
//!
//! As [`topk`](super::topk) with k = 1, group by group: the threshold of a group is the largest
//! lower bound of its atoms so far, or the least number above 0.

use super::Found;
use super::rows::{Rows, Tile};
use super::topk::{LEAST_POSITIVE, Largest};
use crate::engine::simd::Simd;

/// The rule within a group.
pub(in crate::engine::cpu) const OF_GROUP: Largest = Largest {
    k: 1,
    magnitude: false,
    above_zero: true,
    ties: false,
};

/// The state of selection for one block of rows, reused from block to block.
#[derive(Default)]
pub(in crate::engine::cpu) struct GroupMax {
    /// Atoms of a group.
    size: usize,
    pub(super) rows: Rows,
    /// `maxima[g * stride + r]`.
    maxima: Vec<f32>,
    scratch: Vec<f32>,
}

impl GroupMax {
    /// Prepares for a block of `rows` rows of a model with `features` features in `groups` groups.
    pub(super) fn begin(&mut self, rows: usize, features: usize, groups: usize) {
        self.size = features / groups;
        self.rows.begin(rows, (16 * groups).max(2048).min(features));
        let mut of_group = Vec::new();
        self.rows.fill_thresholds(&mut of_group, LEAST_POSITIVE);
        self.maxima.clear();
        for _ in 0..groups {
            self.maxima.extend_from_slice(&of_group);
        }
    }

    /// Takes in the scores of features `first..` of all rows, group by group.
    pub(super) fn take_tile(
        &mut self,
        simd: Simd,
        (biases, norms): (&[f32], &[f32]),
        first: usize,
        scores: &[f32],
    ) {
        let (size, stride) = (self.size, self.rows.stride);
        let end = first + scores.len() / stride;
        let mut from = first;
        while from < end {
            let group = from / size;
            let to = end.min((group + 1) * size);
            let tile = Tile {
                first: from,
                scores: &scores[(from - first) * stride..(to - first) * stride],
                biases: &biases[from..to],
                norms: &norms[from..to],
            };
            let of_group = &mut self.maxima[group * stride..][..stride];
            self.rows.raise_maxima(simd, &tile, of_group);
            self.filter(simd, &tile, group);
            from = to;
        }
    }

    /// Collects the atoms of a group's tile whose upper bound reaches the group's largest lower one.
    fn filter(&mut self, simd: Simd, tile: &Tile, group: usize) {
        let (size, stride) = (self.size, self.rows.stride);
        let mut maxima = std::mem::take(&mut self.maxima);
        // The candidates of earlier groups are compared anew where a buffer is full.
        let (earlier, rest) = maxima.split_at_mut(group * stride);
        let of_group = &mut rest[..stride];
        self.rows
            .filter(simd, tile, of_group, |rows, of_group, r, c| {
                if rows.overflowed[r] {
                    return;
                }
                rows.push(r, c, |c| {
                    let place = c.atom as usize / size * stride + r;
                    c.upper >= *earlier.get(place).unwrap_or(&of_group[r])
                });
            });
        self.maxima = maxima;
    }

    /// Splits row `r`'s candidates; `false` if there were too many for the buffer.
    pub(super) fn resolve(&mut self, r: usize, found: &mut Found) -> bool {
        if self.rows.overflowed[r] {
            return false;
        }
        let group = |atom: u32| atom as usize / self.size;
        let candidates = &self.rows.candidates[r];
        for of_group in candidates.chunk_by(|a, b| group(a.atom) == group(b.atom)) {
            let largest = self.maxima[group(of_group[0].atom) * self.rows.stride + r];
            OF_GROUP.split(of_group, largest, &mut self.scratch, found);
        }
        true
    }
}
