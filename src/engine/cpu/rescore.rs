//! Resolves in bulk what the screen leaves open: the pairs of rows and atoms of a whole block,
//! grouped by atom, so that each atom's weights are read once a block.
//!
//! Pairs come in sets: the open atoms of a row, or of a group of a row's atoms. Of each, at most so
//! many fire, those of the largest scores, and only such as are above a limit: 0, a batch's cut, or
//! none. A set of atoms with thresholds has a place for each, and its limit is 0, as these are taken
//! off scores.
//!
//! ```text
//! 1. second screen   the product in binary32 of the pairs that lie near their row's threshold; its
//!                    bound is some thousand times tighter than that of a screen in bfloat16
//! 2. resolve          per row, as behind the first screen: certain, impossible, still open
//! 3. canonical       what is still open is scored as the answer is defined
//! ```
//!
//! A pair is near where the threshold that the estimates suggest lies within its bound. Once these
//! have narrow bounds, so has the threshold, and the other half of the open pairs, which were open
//! only because the threshold's place was as uncertain as their own, are resolved without a score
//! of their own.

use super::model::Model;
use super::pairs::{ByAtom, OfAtom, OpenSet, RowAtom, Unsorted, middle_and_width};
use super::products::{SLICE, SliceOfRows, add_products};
use super::screen::WhiteRows;
use super::second::Bounds;
use super::select::{Candidate, decide};
use crate::engine::bound;
use crate::engine::canonical::canonical_score;
use crate::engine::choose::RowCut;
use crate::engine::simd::prefetch;

/// Pairs that are gathered before they are resolved: some megabytes.
const MOST_PAIRS: usize = 1 << 18;

/// Open pairs of a block, reused from block to block.
#[derive(Default)]
pub(super) struct Rescore {
    sets: Vec<OpenSet>,
    /// Pair by pair, set after set.
    pairs: Vec<RowAtom>,
    by_atom: ByAtom,
    /// The products of the sorted pairs.
    products: Vec<f64>,
    /// A slice of every row, together: slices of whole rows would compete for places of the cache.
    slice: Vec<f32>,
    bounds: Vec<Bounds>,
    scratch: Vec<f64>,
    scored: Vec<(f64, u32)>,
    /// Pairs that went through the second screen, since this was made.
    pub(super) second_scores: u64,
    /// Pairs that were scored canonically, since this was made.
    pub(super) canonical_scores: u64,
}

impl Rescore {
    /// Takes in open atoms of a row, of which at most `slots_left` fire, and only such as are above
    /// `limit`.
    pub(super) fn open(&mut self, row: usize, atoms: &[Candidate], slots_left: usize, limit: f64) {
        let slots_left = slots_left.min(atoms.len());
        self.sets.push(OpenSet {
            row: row as u32,
            slots_left: slots_left as u32,
            first: self.pairs.len(),
        });
        let threshold = self.suggested_threshold(atoms, slots_left).max(limit);
        self.pairs.extend(atoms.iter().map(|&open| {
            let (middle, width) = middle_and_width(open);
            RowAtom {
                row: row as u32,
                open,
                // A little more: the threshold that is suggested is not yet the right one.
                near: (middle - threshold).abs() <= 1.125 * width,
                product: 0.0,
            }
        }));
    }

    /// Estimates where the atoms that fire end: between the last of them and the next.
    fn suggested_threshold(&mut self, atoms: &[Candidate], slots_left: usize) -> f64 {
        if slots_left == atoms.len() {
            return f64::NEG_INFINITY;
        }
        let descending = |a: &f64, b: &f64| b.total_cmp(a);
        self.scratch.clear();
        self.scratch
            .extend(atoms.iter().map(|&open| middle_and_width(open).0));
        let last = slots_left.max(1) - 1;
        let (_, &mut fires, others) = self.scratch.select_nth_unstable_by(last, descending);
        let next = others.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if next.is_finite() {
            f64::midpoint(fires, next)
        } else {
            fires
        }
    }

    /// Says whether it is time to resolve the pairs that were gathered.
    pub(super) fn is_full(&self) -> bool {
        self.pairs.len() >= MOST_PAIRS
    }

    /// Resolves every open set, and hands over the row and those of the set's atoms that fire.
    /// `rows` are the block's, and `cut` is that of a row.
    pub(super) fn resolve(
        &mut self,
        model: &Model,
        rows: WhiteRows,
        cut: impl Fn(usize) -> RowCut,
        mut done: impl FnMut(usize, &[u32]),
    ) {
        if self.sets.is_empty() {
            return;
        }
        if model.weights_are_unscaled() {
            self.multiply(model, rows.numbers);
        }
        let mut fires = Vec::new();
        for open in 0..self.sets.len() {
            fires.clear();
            let row = self.sets[open].row as usize;
            self.resolve_set(model, rows, open, cut(row), &mut fires);
            done(row, &fires);
        }
        self.sets.clear();
        self.pairs.clear();
    }

    /// The second screen's products, atom by atom.
    fn multiply(&mut self, model: &Model, rows: &[f32]) {
        let sae = model.sae();
        let dim = sae.input_dim();
        let near = || {
            let pairs = self.pairs.iter().enumerate();
            pairs
                .filter(|(_, pair)| pair.near)
                .map(|(i, pair)| Unsorted {
                    pair: i as u32,
                    atom: pair.open.atom,
                    row: pair.row,
                })
        };
        self.by_atom.sort(near, sae.feature_dim());
        let sorted = &self.by_atom;
        self.products.clear();
        self.products.resize(sorted.pairs.len(), 0.0);
        self.second_scores += sorted.pairs.len() as u64;
        for from in (0..dim).step_by(SLICE) {
            let slice = from..(from + SLICE).min(dim);
            self.slice.clear();
            for row in rows.chunks_exact(dim) {
                self.slice.extend_from_slice(&row[slice.clone()]);
            }
            let weights_of = |atom: u32| &sae.weight()[atom as usize * dim..][slice.clone()];
            let rows = SliceOfRows {
                numbers: &self.slice,
                width: slice.len(),
            };
            for OfAtom { atom, pairs, next } in sorted.each_atom() {
                if let Some(next) = next {
                    // While this atom's pairs are worked on, the next one's weights come.
                    prefetch(weights_of(next));
                }
                let products = &mut self.products[pairs.clone()];
                add_products(
                    model.simd(),
                    rows,
                    weights_of(atom),
                    &sorted.rows[pairs],
                    products,
                );
            }
        }
        for (&pair, &product) in sorted.pairs.iter().zip(&self.products) {
            self.pairs[pair as usize].product = product;
        }
    }

    fn resolve_set(
        &mut self,
        model: &Model,
        rows: WhiteRows,
        open: usize,
        cut: RowCut,
        fires: &mut Vec<u32>,
    ) {
        let OpenSet {
            row,
            slots_left,
            first,
        } = self.sets[open];
        let (row, slots_left) = (row as usize, slots_left as usize);
        let next = self.sets.get(open + 1);
        let pairs = &self.pairs[first..next.map_or(self.pairs.len(), |next| next.first)];
        self.bounds.clear();
        if model.weights_are_unscaled() && rows.exponents[row] == 0 {
            let norm = bound::scaled_norm(rows.facts[row].squares, 0);
            let bounds = pairs.iter().map(|pair| Bounds::of_pair(model, pair, norm));
            self.bounds.extend(bounds);
            self.narrow(slots_left, model.policy().limit(cut), fires);
        } else {
            self.bounds
                .extend(pairs.iter().map(|pair| Bounds::of(pair.open)));
        }
        if self.bounds.is_empty() {
            return;
        }
        self.canonical_scores += self.bounds.len() as u64;
        let dim = model.sae().input_dim();
        let x = &rows.numbers[row * dim..(row + 1) * dim];
        let atoms = self.bounds.iter().map(|bounds| bounds.atom);
        score_all(model, x, atoms, &mut self.scored);
        let slots_left = slots_left - fires.len();
        decide(model.policy(), cut, slots_left, &mut self.scored);
        fires.extend(self.scored.iter().map(|&(_, atom)| atom));
    }

    /// Moves those of the open atoms that fire for certain to `fires`, and leaves those that are
    /// still open in `bounds`; at most `slots_left` of all of them fire, and only above `limit`.
    fn narrow(&mut self, slots_left: usize, limit: f64, fires: &mut Vec<u32>) {
        let descending = |a: &f64, b: &f64| b.total_cmp(a);
        let (mut lowest_in, mut highest_out) = (limit, limit);
        if (1..self.bounds.len()).contains(&slots_left) {
            self.scratch.clear();
            self.scratch.extend(self.bounds.iter().map(|b| b.lower));
            let lowers = &mut self.scratch;
            lowest_in = (*lowers.select_nth_unstable_by(slots_left - 1, descending).1).max(limit);
            self.scratch.clear();
            self.scratch.extend(self.bounds.iter().map(|b| b.upper));
            let uppers = &mut self.scratch;
            highest_out = (*uppers.select_nth_unstable_by(slots_left, descending).1).max(limit);
        }
        let mut retain = |lowest_in: f64, highest_out: f64| {
            self.bounds.retain(|bounds| {
                if bounds.lower > highest_out {
                    fires.push(bounds.atom);
                    return false;
                }
                bounds.upper >= lowest_in
            });
            (fires.len(), self.bounds.len())
        };
        let (fire, open) = retain(lowest_in, highest_out);
        if fire + open <= slots_left {
            // All of them have a place.
            retain(limit, limit);
        }
    }
}

/// Scores `atoms` canonically for row `x`.
fn score_all(
    model: &Model,
    x: &[f32],
    atoms: impl Iterator<Item = u32>,
    scored: &mut Vec<(f64, u32)>,
) {
    let sae = model.sae();
    let dim = sae.input_dim();
    scored.clear();
    scored.extend(atoms.map(|atom| {
        let f = atom as usize;
        let weight = &sae.weight()[f * dim..(f + 1) * dim];
        let score = canonical_score(model.simd(), x, weight, sae.bias()[f]);
        (score, atom)
    }));
}
