//! The rows of a product while its tiles go by: their margins, and their candidates.

use super::super::screen::RowBias;
use super::super::tile::{ROW_LANES, find_reached, raise_maxima};
use crate::engine::bound::{RowMargin, interval};
use crate::engine::simd::Simd;

/// An atom that may fire, and between what its score lies, in the row's screening units.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine::cpu) struct Candidate {
    pub(in crate::engine::cpu) atom: u32,
    pub(in crate::engine::cpu) lower: f32,
    pub(in crate::engine::cpu) upper: f32,
}

/// Some features' scores, with what the bound knows of these features.
pub(super) struct Tile<'a> {
    pub(super) first: usize,
    /// `scores[f * stride + r]`.
    pub(super) scores: &'a [f32],
    pub(super) biases: &'a [f32],
    pub(super) norms: &'a [f32],
}

/// The rows of a product, reused from product to product.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) stride: usize,
    pub(super) margin_scale: Vec<f32>,
    pub(super) margin_offset: Vec<f32>,
    pub(super) bias_scale: Vec<f32>,
    pub(super) candidates: Vec<Vec<Candidate>>,
    /// The most candidates that a row may have.
    pub(super) most_candidates: usize,
    /// The most candidates of a row.
    pub(super) fullest: usize,
    /// `true` for rows that must be scored in full.
    pub(super) overflowed: Vec<bool>,
    pub(super) flags: Vec<u8>,
    pub(super) hits: Vec<u32>,
}

impl Rows {
    /// Prepares for a block of `rows` rows.
    pub(super) fn begin(&mut self, rows: usize, most_candidates: usize) {
        // An odd number of cache lines, so that the scores of a row do not compete for one place of
        // a cache.
        self.stride = rows.next_multiple_of(ROW_LANES) + ROW_LANES / 2;
        self.most_candidates = most_candidates;
        for numbers in [
            &mut self.margin_scale,
            &mut self.margin_offset,
            &mut self.bias_scale,
        ] {
            numbers.clear();
            numbers.resize(self.stride, 0.0);
        }
        self.candidates.resize_with(self.stride, Vec::new);
        self.candidates.iter_mut().for_each(Vec::clear);
        self.overflowed.clear();
        self.overflowed.resize(rows, false);
        self.fullest = 0;
    }

    /// Thresholds of all rows: `value` of those that are there. A row that is only there to fill the
    /// stride lets nothing through.
    pub(super) fn fill_thresholds(&self, thresholds: &mut Vec<f32>, value: f32) {
        thresholds.clear();
        thresholds.resize(self.overflowed.len(), value);
        thresholds.resize(self.stride, f32::INFINITY);
    }

    /// Sets row `r`'s margin.
    pub(super) fn set(&mut self, r: usize, bias: &RowBias, margin: RowMargin) {
        self.bias_scale[r] = bias.scale;
        self.margin_scale[r] = margin.scale;
        self.margin_offset[r] = margin.offset;
    }

    /// Raises group maxima, `maxima[g * stride + r]`, to the lower bounds of a tile's features.
    pub(super) fn raise_maxima(&self, simd: Simd, tile: &Tile, maxima: &mut [f32]) {
        raise_maxima(
            simd,
            tile.scores,
            self.stride,
            tile.biases,
            tile.norms,
            &self.bias_scale,
            &self.margin_scale,
            &self.margin_offset,
            tile.first,
            maxima,
        );
    }

    /// Finds the atoms of a tile whose upper bound reaches their row's threshold, and hands them to
    /// `push`, with the number of the row.
    pub(super) fn filter(
        &mut self,
        simd: Simd,
        tile: &Tile,
        threshold: &mut [f32],
        mut push: impl FnMut(&mut Self, &mut [f32], usize, Candidate),
    ) {
        let mut hits = std::mem::take(&mut self.hits);
        hits.clear();
        find_reached(
            simd,
            tile.scores,
            self.stride,
            tile.biases,
            tile.norms,
            &self.bias_scale,
            &self.margin_scale,
            &self.margin_offset,
            threshold,
            &mut self.flags,
            &mut hits,
        );
        for &hit in &hits {
            let (f, r) = (hit as usize / self.stride, hit as usize % self.stride);
            let (lower, upper) = interval(
                tile.scores[hit as usize],
                tile.biases[f],
                tile.norms[f],
                self.bias_scale[r],
                self.margin_scale[r],
                self.margin_offset[r],
            );
            let atom = (tile.first + f) as u32;
            push(self, threshold, r, Candidate { atom, lower, upper });
        }
        self.hits = hits;
    }

    /// Adds a candidate. The buffer is bounded: where even those that `stay` would fill more than
    /// half of it, the row will be scored in full, and counted.
    ///
    /// Returns `false` then.
    pub(super) fn push(
        &mut self,
        r: usize,
        candidate: Candidate,
        stays: impl Fn(&Candidate) -> bool,
    ) -> bool {
        let candidates = &mut self.candidates[r];
        if candidates.len() == self.most_candidates {
            candidates.retain(stays);
            if candidates.len() > self.most_candidates / 2 {
                self.overflowed[r] = true;
                return false;
            }
        }
        candidates.push(candidate);
        self.fullest = self.fullest.max(candidates.len());
        true
    }
}
