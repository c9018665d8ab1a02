//! Canonical scores of the atoms that fire, once rows are resolved: pair by pair, grouped by atom,
//! so that an atom's weights are read once for many rows.
//!
//! A pair reads as many numbers of a row as it multiplies, so that what counts is where these come
//! from. Rows are taken in groups, and these in slices, that fit an L2 cache together; the lanes of
//! the group's scores wait from slice to slice. Wide groups read weights less often, wide slices
//! put lanes away less often: squares are about the best of both. Short rows are not cut: their lanes
//! are added up at once.

use std::ops::Range;

use super::lanes::{Lanes, add_products, scores_of_rows};
use super::model::Model;
use super::pairs::{ByAtom, OfAtom, Unsorted};
use super::products::SliceOfRows;
use crate::control::Control;
use crate::engine::canonical::{self, LANES};
use crate::engine::simd::prefetch;
use crate::error::Result;

/// Numbers of a group's slice: 1 MiB of them.
const NUMBERS: usize = 1 << 18;
/// Numbers of a row that are multiplied at once, where rows are longer than [`SHORT_ROW`].
const SLICE: usize = 512;
/// The most numbers of a row that is not cut.
const SHORT_ROW: usize = 1024;
/// Pairs of a group, where there are several rows: 8 MiB of lanes, or as much of pairs alone where rows
/// are not cut.
const MOST_PAIRS: usize = 1 << 15;
const MOST_PAIRS_OF_SHORT_ROWS: usize = 1 << 18;

const _: () = assert!(SLICE.is_multiple_of(LANES), "lanes begin anew with a slice");

/// Buffers, reused from group to group.
#[derive(Default)]
pub(super) struct Score {
    by_atom: ByAtom,
    /// A slice of every row of the group, together.
    slice: Vec<f32>,
    /// The lanes of the sorted pairs, where rows are cut.
    lanes: Vec<Lanes>,
    /// An atom's weights, widened, where they are not.
    weights: Vec<f64>,
    /// The scores of an atom's pairs.
    of_atom: Vec<f64>,
    /// The scores of the group's pairs, row after row.
    scores: Vec<f64>,
}

impl Score {
    /// Scores the `atoms` of each row, which are those that fire on it, and hands each row's scores
    /// to `done`, in order; `numbers` are those of the rows, \[rows, D\].
    ///
    /// # Errors
    /// Cancellation, and those of `done`.
    pub(super) fn rows<'a>(
        &mut self,
        model: &Model,
        numbers: &[f32],
        atoms: impl Fn(usize) -> &'a [u32],
        control: &Control,
        mut done: impl FnMut(usize, &[f64]) -> Result<()>,
    ) -> Result<()> {
        let dim = model.sae().input_dim();
        let width = if dim > SHORT_ROW { SLICE } else { dim };
        let most_rows = (NUMBERS / width).max(1);
        let most_pairs = if width == dim {
            MOST_PAIRS_OF_SHORT_ROWS
        } else {
            MOST_PAIRS
        };
        let (count, mut first) = (numbers.len() / dim, 0);
        while first < count {
            control.check()?;
            // At least one row.
            let mut pairs = 0;
            let fits = |&i: &usize| {
                pairs += atoms(i).len();
                i == first || pairs <= most_pairs
            };
            let rows = (first..count.min(first + most_rows)).take_while(fits);
            let group = first..first + rows.count();
            self.sort(model, group.clone(), &atoms);
            let numbers = &numbers[group.start * dim..group.end * dim];
            if width == dim {
                self.score_whole(model, numbers);
            } else {
                self.add_all(model, numbers, width);
                self.finish(model);
            }
            let mut scores = &*self.scores;
            for i in group.clone() {
                let (of_row, others) = scores.split_at(atoms(i).len());
                done(i, of_row)?;
                scores = others;
            }
            first = group.end;
        }
        Ok(())
    }

    /// Sorts the pairs of a group's rows; a pair is known by its place among them.
    fn sort<'a>(
        &mut self,
        model: &Model,
        group: Range<usize>,
        atoms: &impl Fn(usize) -> &'a [u32],
    ) {
        let pairs = || {
            let of_row = |(row, i)| atoms(i).iter().map(move |&atom| (row, atom));
            let all = (0u32..).zip(group.clone()).flat_map(of_row);
            all.zip(0u32..)
                .map(|((row, atom), pair)| Unsorted { pair, atom, row })
        };
        self.by_atom.sort(pairs, model.sae().feature_dim());
    }

    /// The scores of all pairs of rows that are not cut.
    fn score_whole(&mut self, model: &Model, numbers: &[f32]) {
        let width = model.sae().input_dim();
        let rows = SliceOfRows { numbers, width };
        let weights_of = |atom: u32| &model.sae().weight()[atom as usize * width..][..width];
        self.scores.resize(self.by_atom.rows.len(), 0.0);
        for OfAtom { atom, pairs, next } in self.by_atom.each_atom() {
            if let Some(next) = next {
                prefetch(weights_of(next));
            }
            self.weights.clear();
            let weights = weights_of(atom).iter().map(|&weight| f64::from(weight));
            self.weights.extend(weights);
            let which = &self.by_atom.rows[pairs.clone()];
            self.of_atom.resize(which.len(), 0.0);
            let bias = model.sae().bias()[atom as usize];
            let scores = &mut self.of_atom;
            scores_of_rows(model.simd(), rows, &self.weights, bias, which, scores);
            for (&place, &score) in self.by_atom.pairs[pairs].iter().zip(&self.of_atom) {
                self.scores[place as usize] = score;
            }
        }
    }

    /// The scores of all pairs, once all products are in their lanes.
    fn finish(&mut self, model: &Model) {
        self.scores.resize(self.lanes.len(), 0.0);
        for OfAtom { atom, pairs, .. } in self.by_atom.each_atom() {
            let bias = model.sae().bias()[atom as usize];
            let sorted = &self.by_atom.pairs[pairs.clone()];
            for (&place, lanes) in sorted.iter().zip(&mut self.lanes[pairs]) {
                self.scores[place as usize] = canonical::finish(lanes, bias);
            }
        }
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
