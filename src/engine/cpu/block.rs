//! One block of rows from embeddings to firing sets and counts: what one thread does at a time.

use std::ops::Range;
use std::time::Instant;

use super::screen::ScreenModel;
use super::select::{self, Selection, Verdict};
use super::tile::ROW_LANES;
use super::whiten::{self, RowFacts};
use crate::engine::ThreadSeconds;
use crate::engine::bound;
use crate::engine::canonical::{canonical_score, divisors};
use crate::engine::simd::Simd;
use crate::error::Result;
use crate::rows::Rows;
use crate::sae::Sae;
use crate::tally::{Certificate, SharedTally};

/// Rows a block: enough to amortise the product's packing of the weights.
const MOST_ROWS: usize = 128;
/// Features a tile: with [`MOST_ROWS`] rows, 1 MiB of scores.
const TILE_FEATURES: usize = 2048;
/// The group maxima of a block take at most so many numbers.
const MOST_MAXIMA: usize = 1 << 21;

/// The model with all that is prepared from it once.
pub(super) struct Model<'a> {
    sae: &'a Sae,
    screen: ScreenModel<'a>,
    divisors: Vec<f32>,
    simd: Simd,
}

impl<'a> Model<'a> {
    pub(super) fn new(sae: &'a Sae, simd: Simd) -> Self {
        let screen = ScreenModel::new(sae, simd);
        Self {
            sae,
            screen,
            divisors: divisors(sae.std()),
            simd,
        }
    }

    pub(super) fn sae(&self) -> &'a Sae {
        self.sae
    }

    pub(super) fn code_path(&self) -> String {
        format!(
            "{}, binary32 screen by {}",
            self.simd,
            self.screen.product()
        )
    }

    /// The most rows that a block may have.
    pub(super) fn most_rows(&self) -> usize {
        let groups = select::group_count(self.sae.k(), self.sae.feature_dim());
        (MOST_MAXIMA / groups).clamp(ROW_LANES, MOST_ROWS)
    }

    /// Whether the screen is worth its work: not where all atoms fire, and not where the bound
    /// does not hold.
    fn screens(&self) -> bool {
        self.sae.k() < self.sae.feature_dim() && self.sae.input_dim() <= bound::LARGEST_DIM
    }
}

/// A thread's buffers and counts.
pub(super) struct Block {
    rows: Vec<f32>,
    /// Row of the block, facts: those whose numbers are finite.
    kept: Vec<(usize, RowFacts)>,
    exponents: Vec<i32>,
    scaled: Vec<f32>,
    scores: Vec<f32>,
    selection: Selection,
    ranked: Vec<(f64, u32)>,
    certificate: Certificate,
    seconds: ThreadSeconds,
}

impl Block {
    pub(super) fn new() -> Self {
        Self {
            rows: Vec::new(),
            kept: Vec::new(),
            exponents: Vec::new(),
            scaled: Vec::new(),
            scores: Vec::new(),
            selection: Selection::default(),
            ranked: Vec::new(),
            certificate: Certificate::default(),
            seconds: ThreadSeconds::default(),
        }
    }

    /// Reads and whitens rows `range`; returns those with a NaN or an infinity.
    pub(super) fn load(
        &mut self,
        model: &Model,
        rows: &dyn Rows,
        range: Range<usize>,
    ) -> Result<Vec<usize>> {
        let began = Instant::now();
        let dim = model.sae.input_dim();
        self.rows.resize(range.len() * dim, 0.0);
        rows.read(range.clone(), &mut self.rows)?;
        let read = Instant::now();
        self.kept.clear();
        let mut bad = Vec::new();
        for (r, row) in self.rows.chunks_exact_mut(dim).enumerate() {
            whiten::whiten_row(model.simd, row, model.sae.mean(), &model.divisors);
            let facts = whiten::row_facts(model.simd, row);
            if facts.finite {
                self.kept.push((r, facts));
            } else {
                bad.push(range.start + r);
            }
        }
        self.close_gaps(dim);
        self.seconds.read += (read - began).as_secs_f64();
        self.seconds.whiten += read.elapsed().as_secs_f64();
        Ok(bad)
    }

    /// Moves kept rows to the front, so that the product sees no others.
    fn close_gaps(&mut self, dim: usize) {
        for (to, &(from, _)) in self.kept.iter().enumerate() {
            if from != to {
                self.rows
                    .copy_within(from * dim..(from + 1) * dim, to * dim);
            }
        }
        self.rows.truncate(self.kept.len() * dim);
    }

    /// Selects and counts the rows that were loaded. `strata` and `atoms` are those of the whole
    /// block; rows that were not kept leave their part of `atoms` as it is.
    pub(super) fn encode(
        &mut self,
        model: &Model,
        strata: &[u16],
        tally: &SharedTally,
        atoms: &mut [u32],
    ) {
        let k = model.sae.k();
        if model.screens() && !self.kept.is_empty() {
            self.screen(model);
        }
        let began = Instant::now();
        for i in 0..self.kept.len() {
            let row = self.kept[i].0;
            let fires = &mut atoms[row * k..(row + 1) * k];
            self.settle(model, i, fires);
            fires.sort_unstable();
            tally.add_row(strata[row], fires);
            self.certificate.rows += 1;
        }
        self.seconds.settle += began.elapsed().as_secs_f64();
    }

    /// Scores all features tile by tile, and lets selection see each tile while it is in cache.
    fn screen(&mut self, model: &Model) {
        let began = Instant::now();
        let (dim, features) = (model.sae.input_dim(), model.sae.feature_dim());
        let count = self.kept.len();
        self.selection.begin(count, features, model.sae.k());
        self.scale_rows(model);
        self.seconds.whiten += began.elapsed().as_secs_f64();
        let x = if self.scaled.is_empty() {
            &self.rows
        } else {
            &self.scaled
        };
        let stride = self.selection.stride();
        self.scores
            .resize(TILE_FEATURES.min(features) * stride, 0.0);
        for first in (0..features).step_by(TILE_FEATURES) {
            let last = (first + TILE_FEATURES).min(features);
            let scores = &mut self.scores[..(last - first) * stride];
            let began = Instant::now();
            model
                .screen
                .scores(&x[..count * dim], count, first..last, scores, stride);
            let scored = Instant::now();
            self.selection
                .take_tile(model.simd, &model.screen, first, scores);
            self.seconds.product += (scored - began).as_secs_f64();
            self.seconds.select += scored.elapsed().as_secs_f64();
        }
    }

    /// Sets every row's margin, and scales rows that are out of the screen's comfortable range.
    fn scale_rows(&mut self, model: &Model) {
        let dim = model.sae.input_dim();
        self.scaled.clear();
        self.exponents.clear();
        for (i, (_, facts)) in self.kept.iter().enumerate() {
            let exponent = bound::row_exponent(
                facts.largest,
                model.screen.largest_bias,
                model.screen.exponent,
            );
            self.exponents.push(exponent);
            let norm = bound::scaled_norm(facts.squares, exponent);
            self.selection
                .set_row(i, &model.screen, dim, exponent, norm);
        }
        if self.exponents.iter().any(|&e| e != 0) {
            for (row, &exponent) in self.rows.chunks_exact(dim).zip(&self.exponents) {
                self.scaled.extend(bound::scaled(row, exponent));
            }
        }
    }

    /// Writes the firing set of kept row `i` to `fires`, in any order.
    fn settle(&mut self, model: &Model, i: usize, fires: &mut [u32]) {
        if model.sae.k() == model.sae.feature_dim() {
            fires
                .iter_mut()
                .zip(0..)
                .for_each(|(fire, atom)| *fire = atom);
            self.certificate.rows_certified_outright += 1;
            return;
        }
        let verdict = if model.screens() {
            self.selection.settle(i)
        } else {
            Verdict::Overflow
        };
        match verdict {
            Verdict::Certified => {
                fires.copy_from_slice(&self.selection.certain);
                self.certificate.rows_certified_outright += 1;
            }
            Verdict::Ambiguous => {
                let certain = self.selection.certain.len();
                fires[..certain].copy_from_slice(&self.selection.certain);
                let open = std::mem::take(&mut self.selection.ambiguous);
                self.note_ambiguous(open.len());
                self.rescore(model, i, open.iter().copied(), &mut fires[certain..]);
                self.selection.ambiguous = open;
            }
            Verdict::Overflow => {
                self.certificate.rows_rescored_in_full += 1;
                self.rescore(model, i, 0..model.sae.feature_dim() as u32, fires);
            }
        }
    }

    fn note_ambiguous(&mut self, atoms: usize) {
        let most = &mut self.certificate.most_ambiguous_in_a_row;
        *most = (*most).max(atoms as u64);
        self.certificate.ambiguous_atoms += atoms as u64;
    }

    /// Fills `fires` with those of `atoms` that score highest canonically, equal scores by the
    /// lowest index.
    fn rescore(
        &mut self,
        model: &Model,
        i: usize,
        atoms: impl Iterator<Item = u32>,
        fires: &mut [u32],
    ) {
        let dim = model.sae.input_dim();
        let x = &self.rows[i * dim..(i + 1) * dim];
        self.ranked.clear();
        self.ranked.extend(atoms.map(|atom| {
            let f = atom as usize;
            let weight = &model.sae.weight()[f * dim..(f + 1) * dim];
            (
                canonical_score(model.simd, x, weight, model.sae.bias()[f]),
                atom,
            )
        }));
        // Canonical scores are finite, and no sum from +0 is −0: total order is numeric order.
        let better = |a: &(f64, u32), b: &(f64, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if fires.len() < self.ranked.len() {
            self.ranked.select_nth_unstable_by(fires.len(), better);
        }
        for (fire, (_, atom)) in fires.iter_mut().zip(&self.ranked) {
            *fire = *atom;
        }
    }

    pub(super) fn finish(self) -> (Certificate, ThreadSeconds) {
        (self.certificate, self.seconds)
    }
}
