//! Certified selection of a block of rows, fused behind the screen's product.
//!
//! Scores come in tiles of features, `scores[f * stride + r]`: neighbours in memory are rows, so
//! that every step below works on many rows at once.
//!
//! ```text
//! for every tile, while it is in cache:
//!     1. group maxima   features are dealt into G ≥ k groups; the largest lower bound of each
//!     2. threshold      now and then: τ = the k-th largest group maximum, or little less: k atoms,
//!                       one a group, have lower bounds of τ or more, so that an atom whose upper
//!                       bound is below τ cannot fire
//!     3. filter         atoms with upper bound ≥ τ become candidates
//! then for every row:
//!     4. resolve         L = k-th largest lower bound, H = (k+1)-th largest upper bound;
//!                       lower > H fires, upper < L does not, the rest is scored canonically
//! ```
//!
//! τ only rises, so that what an early tile let through is a superset of what the last τ would.
//! With G = 4k groups some 1.15·k atoms a row pass the last one, whatever the scores look like:
//! no prediction is made that could fail.

use super::super::screen::RowBias;
use super::super::tile::{Bisection, ROW_LANES, find_reached, kth_largest_or_less, raise_maxima};
use crate::engine::bound::{RowMargin, interval};
use crate::engine::simd::Simd;

/// An atom that may fire, and between what its score lies, in the row's screening units.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine::cpu) struct Candidate {
    pub(in crate::engine::cpu) atom: u32,
    pub(in crate::engine::cpu) lower: f32,
    pub(in crate::engine::cpu) upper: f32,
}

/// The verdict of the screen's bound on a row.
pub(in crate::engine::cpu) enum Verdict {
    /// The certain atoms are the firing set, all k of them.
    Certified,
    /// The certain atoms fire, and as many of the ambiguous ones as are missing to k.
    Ambiguous,
    /// Too many candidates for the buffer: the row must be scored in full.
    Overflow,
}

/// The state of selection for one block of rows, reused from block to block.
#[derive(Default)]
pub(in crate::engine::cpu) struct Selection {
    k: usize,
    stride: usize,
    most_candidates: usize,
    margin_scale: Vec<f32>,
    margin_offset: Vec<f32>,
    bias_scale: Vec<f32>,
    threshold: Vec<f32>,
    /// `maxima[g * stride + r]`.
    maxima: Vec<f32>,
    candidates: Vec<Vec<Candidate>>,
    overflowed: Vec<bool>,
    /// The most candidates of a row.
    fullest: usize,
    /// The number of features after which thresholds are raised again.
    raise_at: usize,
    flags: Vec<u8>,
    hits: Vec<u32>,
    bisection: Bisection,
    raised: Vec<f32>,
    scratch: Vec<f32>,
    /// Atoms of the row last resolved that fire for certain.
    pub(in crate::engine::cpu) certain: Vec<u32>,
    /// Atoms of the row last resolved that the bound leaves open.
    pub(in crate::engine::cpu) ambiguous: Vec<Candidate>,
}

/// Returns the number of groups that features are dealt into.
pub(in crate::engine::cpu) fn group_count(k: usize, features: usize) -> usize {
    (4 * k).max(64).min(features)
}

impl Selection {
    /// Prepares for a block of `rows` rows of a model with `features` features.
    pub(in crate::engine::cpu) fn begin(&mut self, rows: usize, features: usize, k: usize) {
        self.k = k;
        // An odd number of cache lines, so that the scores of a row do not compete for one place of
        // a cache.
        self.stride = rows.next_multiple_of(ROW_LANES) + ROW_LANES / 2;
        self.most_candidates = (8 * k).max(2048).min(features);
        for (numbers, value) in [
            (&mut self.margin_scale, 0.0),
            (&mut self.margin_offset, 0.0),
            (&mut self.bias_scale, 0.0),
            // A row that is only there to fill the stride lets nothing through.
            (&mut self.threshold, f32::INFINITY),
        ] {
            numbers.clear();
            numbers.resize(self.stride, value);
        }
        self.threshold[..rows].fill(f32::NEG_INFINITY);
        self.maxima.clear();
        self.maxima
            .resize(group_count(k, features) * self.stride, f32::NEG_INFINITY);
        self.candidates.resize_with(self.stride, Vec::new);
        self.candidates.iter_mut().for_each(Vec::clear);
        self.overflowed.clear();
        self.overflowed.resize(rows, false);
        self.fullest = 0;
        self.raise_at = 0;
    }

    /// The distance between two features' scores in a tile.
    pub(in crate::engine::cpu) fn stride(&self) -> usize {
        self.stride
    }

    /// Sets row `r`'s margin.
    pub(in crate::engine::cpu) fn set_row(&mut self, r: usize, bias: &RowBias, margin: RowMargin) {
        self.bias_scale[r] = bias.scale;
        self.margin_scale[r] = margin.scale;
        self.margin_offset[r] = margin.offset;
    }

    /// Takes in the scores of features `first..` of all rows; `biases` and `norms` are those of
    /// all features.
    pub(in crate::engine::cpu) fn take_tile(
        &mut self,
        simd: Simd,
        biases: &[f32],
        norms: &[f32],
        first: usize,
        scores: &[f32],
    ) {
        let features = scores.len() / self.stride;
        let biases = &biases[first..first + features];
        let norms = &norms[first..first + features];
        raise_maxima(
            simd,
            scores,
            self.stride,
            biases,
            norms,
            &self.bias_scale,
            &self.margin_scale,
            &self.margin_offset,
            first,
            &mut self.maxima,
        );
        self.raise_thresholds_in_time(simd, first + features, features);
        let tile = Tile {
            first,
            scores,
            biases,
            norms,
        };
        self.filter(simd, &tile);
    }

    /// Raises thresholds where that pays, or where the tile's candidates could overflow a buffer.
    /// Thresholds rise fast at first, then ever more slowly, so that they are raised anew after a
    /// quarter more features.
    fn raise_thresholds_in_time(&mut self, simd: Simd, seen: usize, more: usize) {
        let may_overflow = self.fullest + more > self.most_candidates;
        if seen < self.raise_at && !may_overflow {
            return;
        }
        self.raise_thresholds(simd);
        self.raise_at = seen + seen / 4;
        if may_overflow {
            for (candidates, &threshold) in self.candidates.iter_mut().zip(&self.threshold) {
                candidates.retain(|c| c.upper >= threshold);
            }
            self.fullest = self.candidates.iter().map(Vec::len).max().unwrap_or(0);
        }
    }

    /// τ of every row: the k-th largest of its group maxima, or little less.
    fn raise_thresholds(&mut self, simd: Simd) {
        self.raised.resize(self.stride, 0.0);
        kth_largest_or_less(
            simd,
            &self.maxima,
            self.k,
            &mut self.bisection,
            &mut self.raised,
        );
        for (r, &overflowed) in self.overflowed.iter().enumerate() {
            if !overflowed {
                self.threshold[r] = self.threshold[r].max(self.raised[r]);
            }
        }
    }

    /// Collects the atoms of a tile whose upper bound reaches their row's threshold.
    fn filter(&mut self, simd: Simd, tile: &Tile) {
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
            &self.threshold,
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
            self.push(
                r,
                Candidate {
                    atom: (tile.first + f) as u32,
                    lower,
                    upper,
                },
            );
        }
        self.hits = hits;
    }

    /// Adds a candidate. The buffer is bounded: where even those that the risen threshold leaves
    /// would fill more than half of it, the row will be scored in full, and counted.
    fn push(&mut self, r: usize, candidate: Candidate) {
        let candidates = &mut self.candidates[r];
        if candidates.len() == self.most_candidates {
            let threshold = self.threshold[r];
            candidates.retain(|c| c.upper >= threshold);
            if candidates.len() > self.most_candidates / 2 {
                self.overflowed[r] = true;
                self.threshold[r] = f32::INFINITY;
                return;
            }
        }
        candidates.push(candidate);
        self.fullest = self.fullest.max(candidates.len());
    }

    /// Splits row `r`'s candidates into certain, impossible and ambiguous.
    pub(in crate::engine::cpu) fn resolve(&mut self, r: usize) -> Verdict {
        if self.overflowed[r] {
            return Verdict::Overflow;
        }
        let k = self.k;
        let candidates = &self.candidates[r];
        self.certain.clear();
        self.ambiguous.clear();
        if candidates.len() == k {
            self.certain.extend(candidates.iter().map(|c| c.atom));
            return Verdict::Certified;
        }
        self.scratch.clear();
        self.scratch.extend(candidates.iter().map(|c| c.lower));
        let lowest_in = kth_largest(&mut self.scratch, k - 1);
        self.scratch.clear();
        self.scratch.extend(candidates.iter().map(|c| c.upper));
        // An atom that is no candidate has an upper bound below the threshold, which k candidates
        // reach: it only matters where there are no more.
        let highest_out = kth_largest(&mut self.scratch, k).max(self.threshold[r]);
        for c in candidates {
            if c.lower > highest_out {
                self.certain.push(c.atom);
            } else if c.upper >= lowest_in {
                self.ambiguous.push(*c);
            }
        }
        if self.certain.len() + self.ambiguous.len() == k {
            let fires = self.ambiguous.drain(..).map(|c| c.atom);
            self.certain.extend(fires);
            return Verdict::Certified;
        }
        Verdict::Ambiguous
    }
}

/// Some features' scores, with what the bound knows of these features.
struct Tile<'a> {
    first: usize,
    scores: &'a [f32],
    biases: &'a [f32],
    norms: &'a [f32],
}

/// The element that `index` others precede in descending order.
fn kth_largest(numbers: &mut [f32], index: usize) -> f32 {
    *numbers
        .select_nth_unstable_by(index, |a, b| b.total_cmp(a))
        .1
}
