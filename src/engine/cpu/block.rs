//! One block of rows from embeddings to firing sets and counts: what one thread does at a time.

use std::ops::Range;
use std::time::Instant;

use super::model::Model;
use super::rescore::{Rescore, rank};
use super::score::Score;
use super::screen::{Operand, Screen};
use super::select::{AboveThresholds, InFull, Policy, Selection, Verdict};
use super::spent::Spent;
use super::tile::ROW_LANES;
use super::white::White;
use crate::control::Control;
use crate::engine::sink::{EncodedBlock, Places, Slot};
use crate::engine::{Cuts, ThreadSeconds};
use crate::error::Result;
use crate::rows::ElementType;
use crate::tally::{Certificate, SharedTally};

/// The inputs that counting a block needs.
#[derive(Clone, Copy)]
pub(super) struct Counting<'a> {
    /// The strata of all of the block's rows.
    pub(super) strata: &'a [u16],
    /// The cuts of batches, for batch top-k.
    pub(super) cuts: Option<&'a Cuts>,
    /// The number of the block's first row.
    pub(super) first: usize,
    pub(super) tally: &'a SharedTally,
    pub(super) control: &'a Control<'a>,
    /// The number of threads that work on the run.
    pub(super) threads: usize,
}

/// The destination of firing sets that all have the same number of atoms, and of their counts.
struct Out<'a, 'b> {
    kept: &'a [usize],
    counting: Counting<'a>,
    places: &'a mut Places<'b>,
}

impl Out<'_, '_> {
    /// The firing set of kept row `i`.
    fn fires(&mut self, i: usize) -> &mut [u32] {
        self.places.row(self.kept[i])
    }

    /// Row `i`'s firing set is complete.
    fn done(&mut self, i: usize) {
        self.fires(i).sort_unstable();
        let row = self.kept[i];
        let stratum = self.counting.strata[row];
        self.counting.tally.add_row(stratum, self.places.row(row));
    }
}

/// A thread's buffers and counts.
#[derive(Default)]
pub(super) struct Block {
    white: White,
    operand: Operand,
    scores: Vec<f32>,
    selection: Selection,
    above: AboveThresholds,
    in_full: InFull,
    rescore: Rescore,
    score: Score,
    ranked: Vec<(f64, u32)>,
    spent: Spent,
    /// `true` once a block went through.
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
        let bad = self.white.load(model, stored, element);
        self.seconds.whiten += began.elapsed().as_secs_f64();
        bad
    }

    /// Selects, counts and, where that is wanted, scores the rows that were loaded. Rows that were
    /// not kept leave their places as they are.
    ///
    /// # Errors
    /// Cancellation, memory.
    pub(super) fn encode(&mut self, model: &Model, counting: Counting, slot: Slot) -> Result<()> {
        self.certificate.rows += self.white.kept.len() as u64;
        match slot {
            Slot::InPlace(mut places) => {
                self.encode_top_k(model, counting, &mut places)?;
                if places.scores.is_empty() {
                    return Ok(());
                }
                self.score(model, &mut places, counting.control)
            }
            Slot::Block { block, scored } => match model.policy() {
                Policy::Threshold(thresholds) => {
                    self.encode_above_thresholds(model, thresholds, counting, block, scored)
                }
                _ => self.encode_in_full(model, counting, block, scored),
            },
        }
    }

    /// Selects the atoms of the largest scores, as many as there are places.
    fn encode_top_k(
        &mut self,
        model: &Model,
        counting: Counting,
        places: &mut Places,
    ) -> Result<()> {
        let kept = std::mem::take(&mut self.white.kept);
        let mut out = Out {
            kept: &kept,
            counting,
            places,
        };
        let done = match &model.screens {
            Some(screens) if !kept.is_empty() => {
                let screen = screens.current();
                self.select(model, screen, &mut out).map(|()| {
                    if self.is_warm {
                        let rows = self.white.part(0..kept.len());
                        let (spent, operand) = (self.spent, &mut self.operand);
                        screens.judge(&model.scaling, rows, spent, operand, counting.threads);
                    }
                    self.is_warm = true;
                })
            }
            _ => self.resolve_all_in_full(model, &mut out),
        };
        self.white.kept = kept;
        done
    }

    /// Selects the atoms whose scores are above their thresholds.
    fn encode_above_thresholds(
        &mut self,
        model: &Model,
        thresholds: &[f64],
        counting: Counting,
        block: &mut EncodedBlock,
        scored: bool,
    ) -> Result<()> {
        let began = Instant::now();
        let White { numbers, kept, .. } = &self.white;
        let encoder = (model.sae(), thresholds);
        let control = counting.control;
        let done = self.above.rows(
            encoder,
            model.simd(),
            numbers,
            control,
            |i, atoms, scores| {
                counting.tally.add_row(counting.strata[kept[i]], atoms);
                block.push(atoms, if scored { scores } else { &[] })
            },
        );
        self.certificate.rows_rescored_in_full += kept.len() as u64;
        self.seconds.resolve += began.elapsed().as_secs_f64();
        done
    }

    /// Selects by the canonical scores of all atoms.
    fn encode_in_full(
        &mut self,
        model: &Model,
        counting: Counting,
        block: &mut EncodedBlock,
        scored: bool,
    ) -> Result<()> {
        let began = Instant::now();
        let White { numbers, kept, .. } = &self.white;
        let rows = numbers.chunks_exact(model.sae().input_dim());
        for (x, &row) in rows.zip(kept) {
            counting.control.check()?;
            let cut = counting.cuts.map(|cuts| cuts.of_row(counting.first + row));
            let found = &mut self.in_full;
            found.row(model.sae(), model.simd(), x, cut);
            counting.tally.add_row(counting.strata[row], &found.atoms);
            block.push(&found.atoms, if scored { &found.fired } else { &[] })?;
        }
        self.certificate.rows_rescored_in_full += kept.len() as u64;
        self.seconds.resolve += began.elapsed().as_secs_f64();
        Ok(())
    }

    /// Scores the atoms that fire on the rows that were encoded.
    fn score(&mut self, model: &Model, places: &mut Places, control: &Control) -> Result<()> {
        let began = Instant::now();
        let White { numbers, kept, .. } = &self.white;
        let done = self.score.rows(model, (numbers, kept), places, control);
        self.seconds.score += began.elapsed().as_secs_f64();
        done
    }

    /// Resolves all rows without a screen.
    fn resolve_all_in_full(&mut self, model: &Model, out: &mut Out) -> Result<()> {
        let began = Instant::now();
        for i in 0..self.white.facts.len() {
            out.counting.control.check()?;
            self.resolve_in_full(model, i, out);
        }
        self.seconds.resolve += began.elapsed().as_secs_f64();
        Ok(())
    }

    /// Selects all rows through a screen.
    fn select(&mut self, model: &Model, screen: &Screen, out: &mut Out) -> Result<()> {
        self.spent = Spent::default();
        let count = self.white.facts.len();
        let step = model.rows_per_product(screen, count, out.places.width);
        for first in (0..count).step_by(step) {
            out.counting.control.check()?;
            let rows = first..(first + step).min(count);
            self.screen(model, screen, rows.clone(), out.places.width);
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

    /// Scores all features strip by strip. Selection, of `wanted` atoms a row, sees each strip
    /// while it is in cache.
    fn screen(&mut self, model: &Model, screen: &Screen, rows: Range<usize>, wanted: usize) {
        let began = Instant::now();
        let features = model.sae().feature_dim();
        let selection = &mut self.selection;
        selection.begin(rows.len(), features, wanted);
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
                let slots_left = out.places.width - certain.len();
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
            let certain = out.places.width - fires.len();
            out.fires(i)[certain..].copy_from_slice(fires);
            out.done(i);
        });
    }

    /// Resolves kept row `i` by the canonical scores of all atoms, or without any where all fire.
    fn resolve_in_full(&mut self, model: &Model, i: usize, out: &mut Out) {
        let (dim, features) = (model.sae().input_dim(), model.sae().feature_dim());
        if out.places.width == features {
            out.fires(i)
                .iter_mut()
                .zip(0..)
                .for_each(|(fire, atom)| *fire = atom);
            self.certificate.rows_certified_outright += 1;
        } else {
            let x = &self.white.numbers[i * dim..(i + 1) * dim];
            let slots = out.places.width;
            rank(model, x, 0..features as u32, slots, &mut self.ranked);
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
