//! Resolves in bulk what the screen leaves open: the pairs of rows and atoms of a whole block,
//! grouped by atom, so that each atom's weights are read once a block.
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
//!
//! # The second screen's bound
//! In the units of the numbers themselves, for rows and weights that need no scaling (their
//! magnitudes are below 2²⁰, see `bound::screen_exponent`).
//! A slice of at most [`SLICE`] numbers is summed in binary32, and no product is rounded more than
//! 14 times on its way into the sum ([`add_products`]). Slices are added in binary64. So, with
//! `X ≥ ‖x‖`, `W ≥ ‖w‖`,
//!
//! ```text
//! |t − s| ≤ (14u/(1 − 14u) + (⌈D/256⌉ + ⌈D/32⌉ + 8)·2v)·X·W + |b|·8v + D·2⁻¹²⁴
//! ```
//!
//! where the last term is for products and sums that underflow, were they flushed to zero.
//! [`second_margin`] takes `16u·X·W` for the first term, as `(⌈D/256⌉ + ⌈D/32⌉ + 8)·2v` is below
//! `u` for any `D ≤ 2²⁰`.

use super::model::Model;
use super::pairs::{ByAtom, OfAtom, OpenRow, RowAtom, Unsorted, middle_and_width};
use super::products::{SLICE, SliceOfRows, add_products};
use super::screen::WhiteRows;
use super::select::Candidate;
use crate::engine::bound;
use crate::engine::canonical::canonical_score;
use crate::engine::simd::prefetch;

/// Pairs that are gathered before they are resolved: some megabytes.
const MOST_PAIRS: usize = 1 << 18;

/// An open atom's canonical score lies between these.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    atom: u32,
    lower: f64,
    upper: f64,
}

impl Bounds {
    /// Takes the bounds from the screen.
    fn of(open: Candidate) -> Self {
        Self {
            atom: open.atom,
            lower: f64::from(open.lower),
            upper: f64::from(open.upper),
        }
    }
}

/// Open pairs of a block, reused from block to block.
#[derive(Default)]
pub(super) struct Rescore {
    rows: Vec<OpenRow>,
    /// Pair by pair, row after row.
    pairs: Vec<RowAtom>,
    by_atom: ByAtom,
    /// The products of the sorted pairs.
    products: Vec<f64>,
    /// A slice of every row, together: slices of whole rows would compete for places of the cache.
    slice: Vec<f32>,
    bounds: Vec<Bounds>,
    scratch: Vec<f64>,
    ranked: Vec<(f64, u32)>,
    /// Pairs that went through the second screen, since this was made.
    pub(super) second_scores: u64,
    /// Pairs that were scored canonically, since this was made.
    pub(super) canonical_scores: u64,
}

impl Rescore {
    /// Takes in a row's open atoms, of which `slots_left` fire.
    pub(super) fn open(&mut self, row: usize, atoms: &[Candidate], slots_left: usize) {
        self.rows.push(OpenRow {
            row: row as u32,
            slots_left: slots_left as u32,
            first: self.pairs.len(),
        });
        let threshold = self.suggested_threshold(atoms, slots_left);
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
        let descending = |a: &f64, b: &f64| b.total_cmp(a);
        self.scratch.clear();
        self.scratch
            .extend(atoms.iter().map(|&open| middle_and_width(open).0));
        let last = slots_left.clamp(1, atoms.len()) - 1;
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

    /// Resolves every open row, and hands over the row and those of its open atoms that fire.
    /// `rows` are the block's.
    pub(super) fn resolve(
        &mut self,
        model: &Model,
        rows: WhiteRows,
        mut done: impl FnMut(usize, &[u32]),
    ) {
        if self.rows.is_empty() {
            return;
        }
        if model.weights_are_unscaled() {
            self.multiply(model, rows.numbers);
        }
        let mut fires = Vec::new();
        for open in 0..self.rows.len() {
            fires.clear();
            self.resolve_row(model, rows, open, &mut fires);
            done(self.rows[open].row as usize, &fires);
        }
        self.rows.clear();
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

    fn resolve_row(&mut self, model: &Model, rows: WhiteRows, open: usize, fires: &mut Vec<u32>) {
        let OpenRow {
            row,
            slots_left,
            first,
        } = self.rows[open];
        let (row, slots_left) = (row as usize, slots_left as usize);
        let next = self.rows.get(open + 1);
        let pairs = &self.pairs[first..next.map_or(self.pairs.len(), |next| next.first)];
        self.bounds.clear();
        if model.weights_are_unscaled() && rows.exponents[row] == 0 {
            let norm = bound::scaled_norm(rows.facts[row].squares, 0);
            let bounds = pairs.iter().map(|pair| Self::interval(model, pair, norm));
            self.bounds.extend(bounds);
            self.narrow(slots_left, fires);
        } else {
            self.bounds
                .extend(pairs.iter().map(|pair| Bounds::of(pair.open)));
        }
        let still_open = std::mem::take(&mut self.bounds);
        let slots_left = slots_left - fires.len();
        let atoms = still_open.iter().map(|bounds| bounds.atom);
        if slots_left == still_open.len() {
            fires.extend(atoms);
        } else {
            self.canonical_scores += still_open.len() as u64;
            let dim = model.sae().input_dim();
            let x = &rows.numbers[row * dim..(row + 1) * dim];
            rank(model, x, atoms, slots_left, &mut self.ranked);
            fires.extend(self.ranked[..slots_left].iter().map(|&(_, atom)| atom));
        }
        self.bounds = still_open;
    }

    /// Bounds an atom's canonical score: by the second screen where the pair went through that. The
    /// bounds are in units of the scores themselves, as nothing is scaled.
    fn interval(model: &Model, pair: &RowAtom, row_norm: f32) -> Bounds {
        if !pair.near {
            return Bounds::of(pair.open);
        }
        let f = pair.open.atom as usize;
        let bias = model.sae().bias()[f];
        let margin = second_margin(model.sae().input_dim(), row_norm, model.norm(f), bias);
        let score = pair.product + f64::from(bias);
        Bounds {
            atom: pair.open.atom,
            lower: score - margin,
            upper: score + margin,
        }
    }

    /// Moves those of the open atoms that fire for certain to `fires`, and leaves those that are
    /// still open in `bounds`; `slots_left` of all of them fire.
    fn narrow(&mut self, slots_left: usize, fires: &mut Vec<u32>) {
        let descending = |a: &f64, b: &f64| b.total_cmp(a);
        if slots_left == 0 || slots_left >= self.bounds.len() {
            return;
        }
        self.scratch.clear();
        self.scratch.extend(self.bounds.iter().map(|b| b.lower));
        let lowest_in = *self
            .scratch
            .select_nth_unstable_by(slots_left - 1, descending)
            .1;
        self.scratch.clear();
        self.scratch.extend(self.bounds.iter().map(|b| b.upper));
        let highest_out = *self
            .scratch
            .select_nth_unstable_by(slots_left, descending)
            .1;
        self.bounds.retain(|bounds| {
            if bounds.lower > highest_out {
                fires.push(bounds.atom);
                return false;
            }
            bounds.upper >= lowest_in
        });
    }
}

/// Bounds how far the second screen's score is from the canonical one, for a row and an atom of D
/// numbers with norms of at most these.
pub(super) fn second_margin(dim: usize, row_norm: f32, weight_norm: f32, bias: f32) -> f64 {
    const U: f64 = 1.0 / (1u64 << 24) as f64;
    // One part in 2¹⁸ more than the bound, for the roundings of this arithmetic.
    let inflate = 1.0 + 1.0 / (1u64 << 18) as f64;
    let of_norms = 16.0 * U * f64::from(row_norm) * f64::from(weight_norm);
    let of_bias = 4.0 * f64::EPSILON * f64::from(bias.abs());
    (of_norms + of_bias + dim as f64 * 2f64.powi(-124)) * inflate
}

/// Ranks `atoms` by their canonical scores for row `x`, equal scores by the lowest index: the first
/// `slots_left` of `ranked` are those that fire, in any order.
pub(super) fn rank(
    model: &Model,
    x: &[f32],
    atoms: impl Iterator<Item = u32>,
    slots_left: usize,
    ranked: &mut Vec<(f64, u32)>,
) {
    let sae = model.sae();
    let dim = sae.input_dim();
    ranked.clear();
    ranked.extend(atoms.map(|atom| {
        let f = atom as usize;
        let weight = &sae.weight()[f * dim..(f + 1) * dim];
        let score = canonical_score(model.simd(), x, weight, sae.bias()[f]);
        (score, atom)
    }));
    // Canonical scores are finite, and no sum from +0 is −0: total order is numeric order.
    let better = |a: &(f64, u32), b: &(f64, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if slots_left < ranked.len() {
        ranked.select_nth_unstable_by(slots_left, better);
    }
}
