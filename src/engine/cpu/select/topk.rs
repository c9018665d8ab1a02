//! Certified selection of the k largest scores of each row of a block, fused behind the screen's
//! product.
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
//!
//! What rules of this kind differ in ([`Largest`]):
//! * *Magnitudes.* Where |s| decides, each estimate q gives way to |q|. As `fl(q − m) ≤ s ≤ fl(q + m)`
//!   and rounding is symmetric, `fl(|q| − m) ≤ |s| ≤ fl(|q| + m)`.
//! * *Above 0.* Where only scores above 0 fire, τ begins at the least number above 0, and an atom
//!   needs a lower bound above 0 besides to fire for certain. There may be fewer than k candidates.
//! * *Ties.* Where all that equal the k-th largest score fire, nothing changes here: an atom with
//!   `upper < L` is below k others, and one that equals the k-th largest score has no `lower > H`
//!   unless it is among those k.

use super::super::tile::{Bisection, kth_largest_or_less, take_magnitudes};
use super::Found;
use super::rows::{Candidate, Rows, Tile};
use crate::engine::simd::Simd;

/// The rule of a choice of the largest scores.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::engine::cpu) struct Largest {
    /// The number of atoms.
    pub(in crate::engine::cpu) k: usize,
    /// `true` if magnitudes of scores are compared.
    pub(in crate::engine::cpu) magnitude: bool,
    /// `true` if only what is above 0 fires.
    pub(in crate::engine::cpu) above_zero: bool,
    /// `true` if all that equal the k-th largest fire.
    pub(in crate::engine::cpu) ties: bool,
}

impl Largest {
    /// A score, or its magnitude, must be above this to fire.
    pub(in crate::engine::cpu) fn limit(self) -> f32 {
        if self.above_zero {
            0.0
        } else {
            f32::NEG_INFINITY
        }
    }

    /// An upper bound must reach this for an atom to be a candidate.
    pub(super) fn least_upper(self) -> f32 {
        if self.above_zero {
            LEAST_POSITIVE
        } else {
            f32::NEG_INFINITY
        }
    }

    /// Splits a row's candidates, or those of a group of atoms, into certain, impossible and
    /// ambiguous. An atom that is no candidate has an upper bound below the threshold, which k
    /// candidates reach once it has been raised.
    pub(super) fn split(
        self,
        candidates: &[Candidate],
        threshold: f32,
        scratch: &mut Vec<f32>,
        found: &mut Found,
    ) {
        let k = self.k;
        let (mut lowest_in, mut highest_out) = (f32::NEG_INFINITY, self.limit());
        if candidates.len() > k {
            scratch.clear();
            scratch.extend(candidates.iter().map(|c| c.lower));
            lowest_in = kth_largest(scratch, k - 1);
            scratch.clear();
            scratch.extend(candidates.iter().map(|c| c.upper));
            highest_out = kth_largest(scratch, k).max(threshold);
        }
        let (certain, first) = (found.certain.len(), found.ambiguous.len());
        for c in candidates {
            if c.lower > highest_out {
                found.certain.push(c.atom);
            } else if c.upper >= lowest_in {
                found.ambiguous.push(*c);
            }
        }
        let mut slots_left = k - (found.certain.len() - certain);
        if found.ambiguous.len() - first <= slots_left {
            // All of them have a place.
            slots_left -= found.settle(first, self.limit());
        }
        found.open(first, slots_left);
    }
}

/// The least number above 0.
pub(super) const LEAST_POSITIVE: f32 = f32::from_bits(1);

/// The state of selection for one block of rows, reused from block to block.
#[derive(Default)]
pub(in crate::engine::cpu) struct TopK {
    rule: Largest,
    pub(super) rows: Rows,
    threshold: Vec<f32>,
    /// `maxima[g * stride + r]`.
    maxima: Vec<f32>,
    /// The number of features after which thresholds are raised again.
    raise_at: usize,
    bisection: Bisection,
    raised: Vec<f32>,
    scratch: Vec<f32>,
    /// The biases of magnitudes.
    zeros: Vec<f32>,
}

/// Returns the number of groups that features are dealt into.
pub(super) fn group_count(k: usize, features: usize) -> usize {
    (4 * k).max(64).min(features)
}

impl TopK {
    /// Prepares for a block of `rows` rows of a model with `features` features.
    pub(super) fn begin(&mut self, rows: usize, features: usize, rule: Largest) {
        self.rule = rule;
        let most_candidates = (8 * rule.k).max(2048).min(features);
        self.rows.begin(rows, most_candidates);
        self.rows
            .fill_thresholds(&mut self.threshold, rule.least_upper());
        let maxima = group_count(rule.k, features) * self.rows.stride;
        self.maxima.clear();
        self.maxima.resize(maxima, f32::NEG_INFINITY);
        self.raise_at = 0;
    }

    /// Takes in the scores of features `first..` of all rows; `biases` and `norms` are those of
    /// all features.
    pub(super) fn take_tile(
        &mut self,
        simd: Simd,
        (biases, norms): (&[f32], &[f32]),
        first: usize,
        scores: &mut [f32],
    ) {
        let features = scores.len() / self.rows.stride;
        let mut biases = &biases[first..first + features];
        let mut zeros = std::mem::take(&mut self.zeros);
        if self.rule.magnitude {
            let rows = &self.rows;
            take_magnitudes(simd, scores, rows.stride, biases, &rows.bias_scale);
            zeros.resize(features, 0.0);
            biases = &zeros;
        }
        let tile = Tile {
            first,
            scores,
            biases,
            norms: &norms[first..first + features],
        };
        self.rows.raise_maxima(simd, &tile, &mut self.maxima);
        self.raise_thresholds_in_time(simd, first + features, features);
        self.rows
            .filter(simd, &tile, &mut self.threshold, |rows, threshold, r, c| {
                let least = threshold[r];
                if !rows.push(r, c, |c| c.upper >= least) {
                    threshold[r] = f32::INFINITY;
                }
            });
        self.zeros = zeros;
    }

    /// Raises thresholds where that pays, or where the tile's candidates could overflow a buffer.
    /// Thresholds rise fast at first, then ever more slowly, so that they are raised anew after a
    /// quarter more features.
    fn raise_thresholds_in_time(&mut self, simd: Simd, seen: usize, more: usize) {
        let may_overflow = self.rows.fullest + more > self.rows.most_candidates;
        if seen < self.raise_at && !may_overflow {
            return;
        }
        self.raise_thresholds(simd);
        self.raise_at = seen + seen / 4;
        if may_overflow {
            let candidates = &mut self.rows.candidates;
            for (candidates, &threshold) in candidates.iter_mut().zip(&self.threshold) {
                candidates.retain(|c| c.upper >= threshold);
            }
            self.rows.fullest = candidates.iter().map(Vec::len).max().unwrap_or(0);
        }
    }

    /// τ of every row: the k-th largest of its group maxima, or little less.
    fn raise_thresholds(&mut self, simd: Simd) {
        self.raised.resize(self.rows.stride, 0.0);
        kth_largest_or_less(
            simd,
            &self.maxima,
            self.rule.k,
            &mut self.bisection,
            &mut self.raised,
        );
        for (r, &overflowed) in self.rows.overflowed.iter().enumerate() {
            if !overflowed {
                self.threshold[r] = self.threshold[r].max(self.raised[r]);
            }
        }
    }

    /// Splits row `r`'s candidates; `false` if there were too many for the buffer.
    pub(super) fn resolve(&mut self, r: usize, found: &mut Found) -> bool {
        if self.rows.overflowed[r] {
            return false;
        }
        let candidates = &self.rows.candidates[r];
        let threshold = self.threshold[r];
        self.rule
            .split(candidates, threshold, &mut self.scratch, found);
        true
    }
}

/// The element that `index` others precede in descending order.
fn kth_largest(numbers: &mut [f32], index: usize) -> f32 {
    *numbers
        .select_nth_unstable_by(index, |a, b| b.total_cmp(a))
        .1
}
