//! Certified selection of the atoms whose score is above a threshold: their own, or the cut of the
//! row's batch.
//!
//! ```text
//! for every tile, while it is in cache:
//!     1. filter    atoms whose upper bound is below the threshold do not fire
//!     2. split     those whose lower bound is above it fire; the rest is ambiguous
//! then for every row:
//!     3. resolve   the rest is scored canonically, and compared in binary64
//! ```
//!
//! Thresholds of atoms are folded into the numbers that join their scores ([`Shifts`]): what is
//! screened is the score less its threshold, and the threshold of all rows is 0. The cut of a
//! batch is a threshold of the row, rounded down and up to binary32.
//!
//! [`Shifts`]: crate::engine::bound::Shifts

use super::super::screen::{Addends, RowBias};
use super::super::tile::find_shifted_reached;
use super::Found;
use super::rows::{Candidate, Rows};
use super::topk::LEAST_POSITIVE;
use crate::engine::bound::{RowMargin, round_up, shifted_interval};
use crate::engine::simd::Simd;

/// The state of selection for one block of rows, reused from block to block.
#[derive(Default)]
pub(in crate::engine::cpu) struct Above {
    /// Its candidates are those that are ambiguous.
    pub(super) rows: Rows,
    /// Of each row: an atom may fire only if its upper bound reaches this.
    low: Vec<f32>,
    /// Of each row: an atom fires if its lower bound is above this.
    high: Vec<f32>,
    /// The atoms of each row that fire for certain: as many as there may be, since they are part of
    /// the answer.
    certain: Vec<Vec<u32>>,
    /// The margins of numbers that have none of their own.
    zeros: Vec<f32>,
}

impl Above {
    /// Prepares for a block of `rows` rows of a model with `features` features.
    pub(super) fn begin(&mut self, rows: usize, features: usize) {
        self.rows
            .begin(rows, (features / 8).max(2048).min(features));
        self.rows.fill_thresholds(&mut self.low, LEAST_POSITIVE);
        self.high.clear();
        self.high.resize(rows, 0.0);
        self.certain.resize_with(rows, Vec::new);
        self.certain.iter_mut().for_each(Vec::clear);
    }

    /// Sets row `r`'s margin, and its threshold of at least 0, in its screening units.
    pub(super) fn set_row(&mut self, r: usize, bias: &RowBias, margin: RowMargin, threshold: f64) {
        self.rows.set(r, bias, margin);
        self.high[r] = round_up(threshold);
        self.low[r] = (-round_up(-threshold)).max(LEAST_POSITIVE);
        if !bias.holds {
            self.rows.overflowed[r] = true;
            self.low[r] = f32::INFINITY;
        }
    }

    /// Takes in the scores of features `first..` of all rows; `addends` and `norms` are those of
    /// all features.
    pub(super) fn take_tile(
        &mut self,
        simd: Simd,
        (addends, norms): (&Addends, &[f32]),
        first: usize,
        scores: &[f32],
    ) {
        let features = first..first + scores.len() / self.rows.stride;
        let mut zeros = std::mem::take(&mut self.zeros);
        let margins = match addends {
            Addends::Shifts(shifts) => &shifts.margins[features.clone()],
            Addends::Biases(_) => {
                zeros.resize(features.len(), 0.0);
                &zeros
            }
        };
        let shifts = &addends.scaled()[features.clone()];
        self.split(simd, (shifts, margins, &norms[features]), first, scores);
        self.zeros = zeros;
    }

    /// Splits a tile's atoms into certain, impossible and ambiguous.
    fn split(
        &mut self,
        simd: Simd,
        (shifts, margins, norms): (&[f32], &[f32], &[f32]),
        first: usize,
        scores: &[f32],
    ) {
        let Self {
            rows,
            low,
            high,
            certain,
            ..
        } = self;
        let mut hits = std::mem::take(&mut rows.hits);
        hits.clear();
        find_shifted_reached(
            simd,
            scores,
            rows.stride,
            shifts,
            margins,
            norms,
            &rows.bias_scale,
            &rows.margin_scale,
            &rows.margin_offset,
            low,
            &mut rows.flags,
            &mut hits,
        );
        for &hit in &hits {
            let (f, r) = (hit as usize / rows.stride, hit as usize % rows.stride);
            let (lower, upper) = shifted_interval(
                scores[hit as usize],
                (shifts[f], margins[f], norms[f]),
                rows.bias_scale[r],
                rows.margin_scale[r],
                rows.margin_offset[r],
            );
            let atom = (first + f) as u32;
            if lower > high[r] {
                certain[r].push(atom);
            } else if !rows.overflowed[r]
                && !rows.push(r, Candidate { atom, lower, upper }, |_| true)
            {
                low[r] = f32::INFINITY;
            }
        }
        rows.hits = hits;
    }

    /// Hands over row `r`'s atoms; `false` if too many were ambiguous for the buffer.
    pub(super) fn resolve(&mut self, r: usize, found: &mut Found) -> bool {
        if self.rows.overflowed[r] {
            return false;
        }
        found.certain.extend_from_slice(&self.certain[r]);
        found.ambiguous.extend_from_slice(&self.rows.candidates[r]);
        found.open(0, usize::MAX);
        true
    }
}
