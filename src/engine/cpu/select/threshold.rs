//! Selection by thresholds: an atom fires where its canonical score is above its own threshold.
//!
//! Thresholds and scores are binary64: a score that equals its threshold does not fire. So does torch's `score > threshold`, and so do the infinities: an
//! atom of threshold −∞ fires on each row, one of +∞ on none.
//!
//! Every atom is scored. Rows are taken in groups that stay in an L2 cache while atoms go by, so
//! that an atom's weights are read once a group.

use super::super::lanes::{Lanes, add_products};
use super::super::products::SliceOfRows;
use crate::control::Control;
use crate::engine::canonical::{self, LANES};
use crate::engine::simd::Simd;
use crate::error::Result;
use crate::sae::Sae;

/// Bytes of a group's rows.
const GROUP_BYTES: usize = 512 << 10;
/// Rows of a group times atoms: what fires on a group at most.
const GROUP_FIRINGS: usize = 1 << 20;
/// Atoms that are scored between two questions whether to go on.
const ATOMS_AT_ONCE: usize = 256;

/// Buffers, reused from group to group.
#[derive(Default)]
pub(in crate::engine::cpu) struct AboveThresholds {
    which: Vec<u32>,
    lanes: Vec<Lanes>,
    /// The atoms that fire on each row of the group.
    fires: Vec<Fires>,
}

/// The atoms that fire on a row, ascending, and their scores.
#[derive(Default)]
struct Fires {
    atoms: Vec<u32>,
    scores: Vec<f64>,
}

impl AboveThresholds {
    /// Selects the atoms of whitened rows, `numbers` \[rows, D\], and hands over each row's place
    /// among them with its atoms and their scores, in order.
    ///
    /// # Errors
    /// Cancellation, and those of `done`.
    pub(in crate::engine::cpu) fn rows(
        &mut self,
        (sae, thresholds): (&Sae, &[f64]),
        simd: Simd,
        numbers: &[f32],
        control: &Control,
        mut done: impl FnMut(usize, &[u32], &[f64]) -> Result<()>,
    ) -> Result<()> {
        let (dim, features) = (sae.input_dim(), sae.feature_dim());
        let of_cache = GROUP_BYTES / (dim * size_of::<f32>());
        let group = of_cache.min(GROUP_FIRINGS / features).max(4);
        for (number, numbers) in numbers.chunks(group * dim).enumerate() {
            let count = numbers.len() / dim;
            self.begin(count);
            for first in (0..features).step_by(ATOMS_AT_ONCE) {
                control.check()?;
                let these = &thresholds[first..features.min(first + ATOMS_AT_ONCE)];
                for (atom, &threshold) in (first..).zip(these) {
                    self.atom(sae, simd, numbers, atom, threshold);
                }
            }
            for (row, fires) in self.fires[..count].iter().enumerate() {
                done(number * group + row, &fires.atoms, &fires.scores)?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, count: usize) {
        self.which.clear();
        self.which.extend(0..count as u32);
        self.lanes.resize(count, [0.0; LANES]);
        if self.fires.len() < count {
            self.fires.resize_with(count, Fires::default);
        }
        for fires in &mut self.fires {
            fires.atoms.clear();
            fires.scores.clear();
        }
    }

    /// Scores an atom on all rows of the group.
    fn atom(&mut self, sae: &Sae, simd: Simd, numbers: &[f32], atom: usize, threshold: f64) {
        let dim = sae.input_dim();
        let rows = SliceOfRows {
            numbers,
            width: dim,
        };
        let weights = &sae.weight()[atom * dim..][..dim];
        self.lanes.fill([0.0; LANES]);
        add_products(simd, rows, weights, &self.which, &mut self.lanes);
        let bias = sae.bias()[atom];
        for (lanes, fires) in self.lanes.iter_mut().zip(&mut self.fires) {
            let score = canonical::finish(lanes, bias);
            if score > threshold {
                fires.atoms.push(atom as u32);
                fires.scores.push(score);
            }
        }
    }
}
