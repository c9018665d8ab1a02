//! Canonical scores of the atoms that fire, once rows are resolved: pair by pair, grouped by atom,
//! so that an atom's weights are read once for many rows.
//!
//! A pair reads as many numbers of a row as it multiplies, so that what counts is where these come
//! from. Rows are taken in groups, and these in slices, that fit an L2 cache together; the lanes of
//! the group's scores wait from slice to slice. Wide groups read weights less often, wide slices
//! put lanes away less often: squares are about the best of both.

use super::lanes::{Lanes, add_products};
use super::model::Model;
use super::pairs::{ByAtom, OfAtom, Unsorted};
use super::products::SliceOfRows;
use crate::control::Control;
use crate::engine::canonical::{self, LANES};
use crate::engine::simd::prefetch;
use crate::engine::sink::Places;
use crate::error::Result;

/// Numbers of a group's slice: 1 MiB of them.
const NUMBERS: usize = 1 << 18;
/// Numbers of a row that are multiplied at once, where rows are longer than [`SHORT_ROW`].
const SLICE: usize = 512;
/// The most numbers of a row that is not cut.
const SHORT_ROW: usize = 1024;
/// Pairs of a group, where there are several rows: 8 MiB of lanes.
const MOST_PAIRS: usize = 1 << 15;

const _: () = assert!(SLICE.is_multiple_of(LANES), "lanes begin anew with a slice");

/// Buffers, reused from group to group.
#[derive(Default)]
pub(super) struct Score {
    by_atom: ByAtom,
    /// A slice of every row of the group, together.
    slice: Vec<f32>,
    /// The lanes of the sorted pairs.
    lanes: Vec<Lanes>,
}

impl Score {
    /// Scores all atoms of the kept rows: their numbers are \[kept, D\], and each has its row among
    /// the `places`.
    ///
    /// # Errors
    /// Cancellation.
    pub(super) fn rows(
        &mut self,
        model: &Model,
        (numbers, kept): (&[f32], &[usize]),
        places: &mut Places,
        control: &Control,
    ) -> Result<()> {
        let dim = model.sae().input_dim();
        let width = if dim > SHORT_ROW { SLICE } else { dim };
        let group = (NUMBERS / width).min(MOST_PAIRS / places.width).max(1);
        for (numbers, kept) in numbers.chunks(group * dim).zip(kept.chunks(group)) {
            control.check()?;
            self.sort(model, kept, places);
            self.add_all(model, numbers, width);
            for OfAtom { atom, pairs, .. } in self.by_atom.each_atom() {
                let bias = model.sae().bias()[atom as usize];
                let sorted = &self.by_atom.pairs[pairs.clone()];
                for (&place, lanes) in sorted.iter().zip(&mut self.lanes[pairs]) {
                    places.scores[place as usize] = canonical::finish(lanes, bias);
                }
            }
        }
        Ok(())
    }

    /// Sorts the pairs of a group's rows; a pair is known by its place.
    fn sort(&mut self, model: &Model, kept: &[usize], places: &Places) {
        let (width, atoms) = (places.width, &places.atoms);
        let pairs = || {
            kept.iter().zip(0..).flat_map(|(&place, row)| {
                let first = place * width;
                let fires = atoms[first..first + width].iter();
                fires.zip(first..).map(move |(&atom, pair)| Unsorted {
                    pair: pair as u32,
                    atom,
                    row,
                })
            })
        };
        self.by_atom.sort(pairs, model.sae().feature_dim());
    }

    /// Adds all products of the sorted pairs to their lanes, slices of `width` after one another.
    fn add_all(&mut self, model: &Model, numbers: &[f32], width: usize) {
        let dim = model.sae().input_dim();
        self.lanes.clear();
        self.lanes.resize(self.by_atom.rows.len(), [0.0; LANES]);
        for from in (0..dim).step_by(width) {
            let slice = from..(from + width).min(dim);
            self.slice.clear();
            for row in numbers.chunks_exact(dim) {
                self.slice.extend_from_slice(&row[slice.clone()]);
            }
            let rows = SliceOfRows {
                numbers: &self.slice,
                width: slice.len(),
            };
            let weights = |atom: u32| &model.sae().weight()[atom as usize * dim..][slice.clone()];
            for OfAtom { atom, pairs, next } in self.by_atom.each_atom() {
                if let Some(next) = next {
                    // While this atom's pairs are worked on, the next one's weights come.
                    prefetch(weights(next));
                }
                let (which, lanes) = (&self.by_atom.rows[pairs.clone()], &mut self.lanes[pairs]);
                add_products(model.simd(), rows, weights(atom), which, lanes);
            }
        }
    }
}
