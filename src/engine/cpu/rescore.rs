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
//!
//! # The second screen's bound
//! In the units of the numbers themselves, for rows and weights that need no scaling (their
//! magnitudes are below 2²⁰, see `bound::screen_exponent`).
//! A slice of at most [`SLICE`] numbers is summed in binary32, and no product is rounded more than
//! 14 times on its way into the sum ([`add_products`]). Slices are added in binary64. So, with
//! `X ≥ ‖x‖`, `W ≥ ‖w‖`,
//!
//! ```text
//! |t − s| ≤ (14u/(1 − 14u) + (⌈D/256⌉ + ⌈D/32⌉ + 8)·2v)·X·W + (|b| + |b − θ|)·8v + D·2⁻¹²⁴
//! ```
//!
//! where the last term is for products and sums that underflow, were they flushed to zero, and
//! `b − θ`, which is rounded too, joins only where the threshold θ is taken off both t and s.
//! [`second_margin`] takes `16u·X·W` for the first term, as `(⌈D/256⌉ + ⌈D/32⌉ + 8)·2v` is below
//! `u` for any `D ≤ 2²⁰`.

use super::model::Model;
use super::pairs::{ByAtom, OfAtom, OpenSet, RowAtom, Unsorted, middle_and_width};
use super::products::{SLICE, SliceOfRows, add_products};
use super::screen::WhiteRows;
use super::select::{Candidate, Largest, OF_GROUP, Policy};
use crate::engine::bound;
use crate::engine::canonical::canonical_score;
use crate::engine::choose::RowCut;
use crate::engine::simd::prefetch;

/// Pairs that are gathered before they are resolved: some megabytes.
const MOST_PAIRS: usize = 1 << 18;

/// An open atom's canonical score, or what is compared in place of it, lies between these.
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
            let bounds = pairs.iter().map(|pair| Self::interval(model, pair, norm));
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
        let scored = &mut self.scored;
        match model.policy() {
            // Nothing is open where every atom fires.
            Policy::All => unreachable!("all atoms were certain"),
            Policy::Largest(rule) => retain_largest(scored, slots_left, rule),
            Policy::GroupMax(_) => retain_largest(scored, slots_left, OF_GROUP),
            Policy::Thresholds(thresholds) => {
                scored.retain(|&(score, atom)| score > thresholds[atom as usize]);
            }
            Policy::Cut => {
                let (number, cut) = cut.expect("batch top-k comes with its cuts");
                scored.retain(|&(score, atom)| cut.fires(number, atom, score));
            }
        }
        fires.extend(scored.iter().map(|&(_, atom)| atom));
    }

    /// Bounds an atom's canonical score: by the second screen where the pair went through that. The
    /// bounds are in units of the scores themselves, as nothing is scaled.
    fn interval(model: &Model, pair: &RowAtom, row_norm: f32) -> Bounds {
        if !pair.near {
            return Bounds::of(pair.open);
        }
        let f = pair.open.atom as usize;
        let policy = model.policy();
        let (addend, size) = addend(policy, model.sae().bias()[f], f);
        let margin = second_margin(model.sae().input_dim(), row_norm, model.norm(f), size);
        let score = pair.product + addend;
        let (score, lower) = match policy {
            Policy::Largest(rule) if rule.magnitude => (score.abs(), score.abs() - margin),
            _ => (score, score - margin),
        };
        Bounds {
            atom: pair.open.atom,
            lower,
            upper: score + margin,
        }
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

/// The number that joins an atom's product, and the size of what it is made of.
fn addend(policy: Policy, bias: f32, atom: usize) -> (f64, f64) {
    let bias = f64::from(bias);
    match policy {
        Policy::Thresholds(thresholds) => {
            let shift = bias - thresholds[atom];
            let size = if shift.is_finite() { shift.abs() } else { 0.0 };
            (shift, bias.abs() + size)
        }
        _ => (bias, bias.abs()),
    }
}

/// Bounds how far the second screen's score is from the canonical one, for a row and an atom of D
/// numbers with norms of at most these; `addend` is the size of what joins the product.
pub(super) fn second_margin(dim: usize, row_norm: f32, weight_norm: f32, addend: f64) -> f64 {
    const U: f64 = 1.0 / (1u64 << 24) as f64;
    // One part in 2¹⁸ more than the bound, for the roundings of this arithmetic.
    let inflate = 1.0 + 1.0 / (1u64 << 18) as f64;
    let of_norms = 16.0 * U * f64::from(row_norm) * f64::from(weight_norm);
    let of_addend = 4.0 * f64::EPSILON * addend;
    (of_norms + of_addend + dim as f64 * 2f64.powi(-124)) * inflate
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

/// Leaves those atoms that fire: at most `slots` of the largest scores, equal ones by the lowest
/// index, as the rule has it.
fn retain_largest(scored: &mut Vec<(f64, u32)>, slots: usize, rule: Largest) {
    if rule.magnitude {
        scored
            .iter_mut()
            .for_each(|(score, _)| *score = score.abs());
    }
    // Canonical scores are finite, and no sum from +0 is −0: total order is numeric order.
    let better = |a: &(f64, u32), b: &(f64, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if slots < scored.len() {
        let last = slots - 1;
        let least = scored.select_nth_unstable_by(last, better).1.0;
        if rule.ties {
            scored.retain(|&(score, _)| score >= least);
        } else {
            scored.truncate(slots);
        }
    }
    let limit = f64::from(rule.limit());
    scored.retain(|&(score, _)| score > limit);
}
