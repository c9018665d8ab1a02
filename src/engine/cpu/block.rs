//! One block of rows from embeddings to firing sets and counts: what one thread does at a time.

use std::ops::Range;
use std::time::Instant;

use super::model::Model;
use super::rescore::{Rescore, rank};
use super::score::Score;
use super::screen::{Operand, Screen, WhiteRows};
use super::select::{Selection, Verdict};
use super::tile::ROW_LANES;
use super::whiten::{self, RowFacts};
use crate::control::Control;
use crate::engine::ThreadSeconds;
use crate::error::Result;
use crate::rows::ElementType;
use crate::tally::{Certificate, SharedTally};

/// What a block took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    /// Seconds of the product, of selection behind it, of settling rows.
    pub(super) product: f64,
    pub(super) select: f64,
    pub(super) resolve: f64,
    /// Pairs that the screen left open.
    pub(super) open: u64,
}

/// Whitened rows without those that are not finite.
#[derive(Default)]
struct White {
    numbers: Vec<f32>,
    facts: Vec<RowFacts>,
    exponents: Vec<i32>,
    /// Their places in the block.
    kept: Vec<usize>,
}

impl White {
    fn part(&self, rows: Range<usize>) -> WhiteRows<'_> {
        let dim = self.numbers.len() / self.facts.len();
        WhiteRows {
            numbers: &self.numbers[rows.start * dim..rows.end * dim],
            facts: &self.facts[rows.clone()],
            exponents: &self.exponents[rows],
        }
    }
}

/// Where a block's firing sets and counts go.
struct Out<'a> {
    k: usize,
    kept: &'a [usize],
    strata: &'a [u16],
    tally: &'a SharedTally,
    atoms: &'a mut [u32],
}

impl Out<'_> {
    /// The firing set of kept row `i`.
    fn fires(&mut self, i: usize) -> &mut [u32] {
        let row = self.kept[i];
        &mut self.atoms[row * self.k..(row + 1) * self.k]
    }

    /// Row `i`'s firing set is complete.
    fn done(&mut self, i: usize) {
        self.fires(i).sort_unstable();
        let row = self.kept[i];
        let fires = &self.atoms[row * self.k..(row + 1) * self.k];
        self.tally.add_row(self.strata[row], fires);
    }
}

/// A thread's buffers and counts.
#[derive(Default)]
pub(super) struct Block {
    white: White,
    operand: Operand,
    scores: Vec<f32>,
    selection: Selection,
    rescore: Rescore,
    score: Score,
    ranked: Vec<(f64, u32)>,
    spent: Spent,
    /// Whether a block went through already.
    is_warm: bool,
    certificate: Certificate,
    seconds: ThreadSeconds,
}

impl Block {
    /// Whitens rows as they are `stored`; returns the places of those with a NaN or an infinity.
    pub(super) fn load(
        &mut self,
        model: &Model,
        stored: &[u8],
        element: ElementType,
    ) -> Vec<usize> {
        let began = Instant::now();
        let dim = model.sae().input_dim();
        let rows = stored.chunks_exact(dim * element.bytes());
        let white = &mut self.white;
        white.numbers.resize(rows.len() * dim, 0.0);
        white.facts.clear();
        white.exponents.clear();
        white.kept.clear();
        let mut bad = Vec::new();
        for (r, stored) in rows.enumerate() {
            // A row that is not kept is overwritten by the next.
            let out = &mut white.numbers[white.kept.len() * dim..][..dim];
            let (mean, divisors) = (model.sae().mean(), &model.divisors);
            whiten::whiten_row(model.simd(), stored, element, mean, divisors, out);
            let facts = whiten::row_facts(model.simd(), out);
            if facts.finite {
                white.kept.push(r);
                white.facts.push(facts);
                let exponent = model.scaling.row_exponent(facts.largest);
                white.exponents.push(exponent);
            } else {
                bad.push(r);
            }
        }
        white.numbers.truncate(white.kept.len() * dim);
        self.seconds.whiten += began.elapsed().as_secs_f64();
        bad
    }

    /// Selects and counts the rows that were loaded. `strata` and `atoms` are those of the whole
    /// block; rows that were not kept leave their part of `atoms` as it is. `threads` work on the run.
    ///
    /// # Errors
    /// Cancellation.
    pub(super) fn encode(
        &mut self,
        model: &Model,
        strata: &[u16],
        tally: &SharedTally,
        atoms: &mut [u32],
        control: &Control,
        threads: usize,
    ) -> Result<()> {
        let kept = std::mem::take(&mut self.white.kept);
        let mut out = Out {
            k: model.k(),
            kept: &kept,
            strata,
            tally,
            atoms,
        };
        self.certificate.rows += kept.len() as u64;
        let done = match &model.screens {
            Some(screens) if !kept.is_empty() => {
                let screen = screens.current();
                self.select(model, screen, &mut out, control).map(|()| {
                    if self.is_warm {
                        let rows = self.white.part(0..kept.len());
                        let (spent, operand) = (self.spent, &mut self.operand);
                        screens.judge(&model.scaling, rows, spent, operand, threads);
                    }
                    self.is_warm = true;
                })
            }
            _ => self.resolve_all_in_full(model, &mut out, control),
        };
        self.white.kept = kept;
        done
    }

    /// Scores the atoms that fire on the rows that were encoded. `atoms` and `scores` are those of
    /// the whole block, as in [`encode`](Self::encode).
    ///
    /// # Errors
    /// Cancellation.
    pub(super) fn score(
        &mut self,
        model: &Model,
        atoms: &[u32],
        scores: &mut [f64],
        control: &Control,
    ) -> Result<()> {
        let began = Instant::now();
        let White { numbers, kept, .. } = &self.white;
        let done = self
            .score
            .rows(model, (numbers, kept), (atoms, scores), control);
        self.seconds.score += began.elapsed().as_secs_f64();
        done
    }

    /// Resolves all rows without a screen.
    fn resolve_all_in_full(
        &mut self,
        model: &Model,
        out: &mut Out,
        control: &Control,
    ) -> Result<()> {
        let began = Instant::now();
        for i in 0..self.white.facts.len() {
            control.check()?;
            self.resolve_in_full(model, i, out);
        }
        self.seconds.resolve += began.elapsed().as_secs_f64();
        Ok(())
    }

    /// Selects all rows through a screen.
    fn select(
        &mut self,
        model: &Model,
        screen: &Screen,
        out: &mut Out,
        control: &Control,
    ) -> Result<()> {
        self.spent = Spent::default();
        let count = self.white.facts.len();
        let step = model.rows_per_product(screen, count);
        for first in (0..count).step_by(step) {
            control.check()?;
            let rows = first..(first + step).min(count);
            self.screen(model, screen, rows.clone());
            let began = Instant::now();
            for i in rows {
                self.resolve(model, i, i - first, out);
                if self.rescore.is_full() {
                    self.resolve_open(model, out);
                }
            }
            self.spent.resolve += began.elapsed().as_secs_f64();
        }
        let began = Instant::now();
        self.resolve_open(model, out);
        self.spent.resolve += began.elapsed().as_secs_f64();
        self.seconds.product += self.spent.product;
        self.seconds.select += self.spent.select;
        self.seconds.resolve += self.spent.resolve;
        Ok(())
    }

    /// Scores all features strip by strip, and lets selection see each strip while it is in cache.
    fn screen(&mut self, model: &Model, screen: &Screen, rows: Range<usize>) {
        let began = Instant::now();
        let features = model.sae().feature_dim();
        let selection = &mut self.selection;
        selection.begin(rows.len(), features, model.k());
        let taken = screen.take_rows(
            model.simd(),
            &model.scaling,
            self.white.part(rows),
            &mut self.operand,
            |r, bias, margin| selection.set_row(r, bias, margin),
        );
        self.seconds.whiten += began.elapsed().as_secs_f64();
        let stride = selection.stride();
        let strip = screen.shape().features;
        for first in (0..features).step_by(strip) {
            let last = (first + strip).min(features);
            let padded = (last - first).next_multiple_of(ROW_LANES);
            // Never shrunk: what is not zeroed again is written anew.
            if self.scores.len() < padded * stride {
                self.scores.resize(padded * stride, 0.0);
            }
            let scores = &mut self.scores[..padded * stride];
            let began = Instant::now();
            screen.scores(&taken, first..last, scores, stride);
            let scored = Instant::now();
            selection.take_tile(
                model.simd(),
                &model.scaling.biases,
                &screen.norms,
                first,
                &scores[..(last - first) * stride],
            );
            self.spent.product += (scored - began).as_secs_f64();
            self.spent.select += scored.elapsed().as_secs_f64();
        }
    }

    /// Resolves kept row `i`, the product's row `r`, or leaves it open.
    fn resolve(&mut self, model: &Model, i: usize, r: usize, out: &mut Out) {
        match self.selection.resolve(r) {
            Verdict::Certified => {
                out.fires(i).copy_from_slice(&self.selection.certain);
                out.done(i);
                self.certificate.rows_certified_outright += 1;
            }
            Verdict::Ambiguous => {
                let certain = &self.selection.certain;
                let open = &self.selection.ambiguous;
                let slots_left = out.k - certain.len();
                out.fires(i)[..certain.len()].copy_from_slice(certain);
                self.rescore.open(i, open, slots_left);
                self.spent.open += open.len() as u64;
                self.certificate.ambiguous_atoms += open.len() as u64;
                let most = &mut self.certificate.most_ambiguous_in_a_row;
                *most = (*most).max(open.len() as u64);
            }
            Verdict::Overflow => self.resolve_in_full(model, i, out),
        }
    }

    /// Resolves every row that was left open.
    fn resolve_open(&mut self, model: &Model, out: &mut Out) {
        let rows = self.white.part(0..self.white.facts.len());
        self.rescore.resolve(model, rows, |i, fires| {
            let k = out.k;
            out.fires(i)[k - fires.len()..].copy_from_slice(fires);
            out.done(i);
        });
    }

    /// Resolves kept row `i` by the canonical scores of all atoms, or without any where all fire.
    fn resolve_in_full(&mut self, model: &Model, i: usize, out: &mut Out) {
        let (dim, features) = (model.sae().input_dim(), model.sae().feature_dim());
        if out.k == features {
            out.fires(i)
                .iter_mut()
                .zip(0..)
                .for_each(|(fire, atom)| *fire = atom);
            self.certificate.rows_certified_outright += 1;
        } else {
            let x = &self.white.numbers[i * dim..(i + 1) * dim];
            rank(model, x, 0..features as u32, out.k, &mut self.ranked);
            for (fire, (_, atom)) in out.fires(i).iter_mut().zip(&self.ranked) {
                *fire = *atom;
            }
            self.certificate.rows_rescored_in_full += 1;
        }
        out.done(i);
    }

    pub(super) fn finish(self) -> (Certificate, ThreadSeconds) {
        let certificate = Certificate {
            second_scores: self.rescore.second_scores,
            canonical_scores: self.rescore.canonical_scores,
            ..self.certificate
        };
        (certificate, self.seconds)
    }
}
