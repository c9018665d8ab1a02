//! One block of rows from embeddings to firing sets: what one thread does at a time.

use std::ops::Range;

use super::context::Context;
use super::model::Model;
use super::rescore::Rescore;
use super::score::Score;
use super::screen::{Operand, Screen};
use super::select::{Found, InFull, Open, Policy, Selection};
use super::sets::{Buffers, Sets};
use super::spent::{Spent, Stopwatch};
use super::tile::ROW_LANES;
use super::white::White;
use crate::engine::ThreadSeconds;
use crate::engine::bound;
use crate::engine::sink::Slot;
use crate::error::Result;
use crate::rows::ElementType;
use crate::tally::Certificate;

/// What is done with the rows of a block.
#[derive(Clone, Copy)]
struct Job<'a> {
    model: &'a Model,
    context: Context<'a>,
    /// The places of those rows in the block that were kept.
    kept: &'a [usize],
}

/// A thread's buffers and counts.
#[derive(Default)]
pub(super) struct Block {
    white: White,
    operand: Operand,
    scores: Vec<f32>,
    /// `None` before the first block.
    selection: Option<Selection>,
    found: Found,
    in_full: InFull,
    rescore: Rescore,
    buffers: Buffers,
    score: Score,
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
        let began = Stopwatch::start();
        let bad = self.white.load(model, stored, element);
        self.seconds.whiten += began.seconds();
        bad
    }

    /// Selects and, where that is wanted, scores the rows that were loaded. Rows that were
    /// not kept leave their places as they are.
    ///
    /// # Errors
    /// Cancellation, memory.
    pub(super) fn encode(&mut self, model: &Model, context: Context, slot: Slot) -> Result<()> {
        self.certificate.rows += self.white.kept.len() as u64;
        let kept = std::mem::take(&mut self.white.kept);
        let mut buffers = std::mem::take(&mut self.buffers);
        let job = Job {
            model,
            context,
            kept: &kept,
        };
        let done = self.encode_kept(job, Sets::new(slot, &kept, &mut buffers));
        self.white.kept = kept;
        self.buffers = buffers;
        done
    }

    fn encode_kept(&mut self, job: Job, mut sets: Sets) -> Result<()> {
        match &job.model.screens {
            _ if job.kept.is_empty() => {}
            Some(screens) => {
                self.select(job, screens.current(), &mut sets)?;
                if self.is_warm {
                    let rows = self.white.part(0..job.kept.len());
                    let (spent, operand) = (self.spent, &mut self.operand);
                    let threads = job.context.threads;
                    screens.judge(&job.model.scaling, rows, spent, operand, threads);
                }
                self.is_warm = true;
            }
            None => self.resolve_unscreened(job, &mut sets)?,
        }
        let began = Stopwatch::start();
        sets.sort();
        self.seconds.resolve += began.seconds();
        let (began, is_scored) = (Stopwatch::start(), sets.is_scored());
        let numbers = &self.white.numbers;
        sets.deliver(job.model, numbers, &mut self.score, job.context)?;
        if is_scored {
            self.seconds.score += began.seconds();
        }
        Ok(())
    }

    /// Resolves all rows without a screen.
    fn resolve_unscreened(&mut self, job: Job, sets: &mut Sets) -> Result<()> {
        let began = Stopwatch::start();
        let all: Vec<u32> = match job.model.policy() {
            Policy::All => (0..job.model.sae().feature_dim() as u32).collect(),
            _ => Vec::new(),
        };
        for i in 0..job.kept.len() {
            job.context.control.check()?;
            if all.is_empty() {
                self.resolve_in_full(job, i, sets);
            } else {
                sets.add(i, &all);
                self.certificate.rows_certified_outright += 1;
            }
        }
        self.seconds.resolve += began.seconds();
        Ok(())
    }

    /// Selects all rows through a screen.
    fn select(&mut self, job: Job, screen: &Screen, sets: &mut Sets) -> Result<()> {
        self.spent = Spent::default();
        let count = job.kept.len();
        let step = job.model.rows_per_product(screen, count);
        let mut selection = self.selection.take();
        let of_model = selection.get_or_insert_with(|| Selection::of(job.model.policy()));
        for first in (0..count).step_by(step) {
            job.context.control.check()?;
            let rows = first..(first + step).min(count);
            self.screen(job, screen, rows.clone(), of_model);
            let began = Stopwatch::start();
            for i in rows {
                self.resolve(job, of_model, (i, i - first), sets);
                if self.rescore.is_full() {
                    self.resolve_open(job, sets);
                }
            }
            self.spent.resolve += began.seconds();
        }
        self.selection = selection;
        let began = Stopwatch::start();
        self.resolve_open(job, sets);
        self.spent.resolve += began.seconds();
        self.seconds.product += self.spent.product;
        self.seconds.select += self.spent.select;
        self.seconds.resolve += self.spent.resolve;
        Ok(())
    }

    /// Scores all features strip by strip. Selection sees each strip while it is in cache.
    fn screen(&mut self, job: Job, screen: &Screen, rows: Range<usize>, selection: &mut Selection) {
        let began = Stopwatch::start();
        let model = job.model;
        let (features, policy) = (model.sae().feature_dim(), model.policy());
        selection.begin(policy, rows.len(), features);
        let (kept, exponents) = (&job.kept[rows.clone()], &self.white.exponents[rows.clone()]);
        let limit = |r: usize| {
            let unit = exponents[r] + model.scaling.exponent;
            policy.limit(job.context.cut(kept[r])) * bound::power_of_two(-unit)
        };
        let taken = screen.take_rows(
            model.simd(),
            &model.scaling,
            self.white.part(rows),
            &mut self.operand,
            |r, bias, margin| selection.set_row(r, bias, margin, limit(r)),
        );
        self.seconds.whiten += began.seconds();
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
            let began = Stopwatch::start();
            screen.scores(&taken, first..last, scores, stride);
            self.spent.product += began.seconds();
            let scored = Stopwatch::start();
            selection.take_tile(
                model.simd(),
                (&model.scaling.addends, &screen.norms),
                first,
                &mut scores[..(last - first) * stride],
            );
            self.spent.select += scored.seconds();
        }
    }

    /// Resolves kept row `i`, the product's row `r`, or leaves some of its atoms open.
    fn resolve(
        &mut self,
        job: Job,
        selection: &mut Selection,
        (i, r): (usize, usize),
        sets: &mut Sets,
    ) {
        let mut found = std::mem::take(&mut self.found);
        if selection.resolve(r, &mut found) {
            sets.add(i, &found.certain);
            let open = found.ambiguous.len() as u64;
            self.certificate.rows_certified_outright += u64::from(open == 0);
            self.spent.open += open;
            self.certificate.ambiguous_atoms += open;
            let most = &mut self.certificate.most_ambiguous_in_a_row;
            *most = (*most).max(open);
            let limit = job.model.policy().limit(job.context.cut(job.kept[i]));
            for Open { atoms, slots_left } in &found.open {
                let atoms = &found.ambiguous[atoms.clone()];
                self.rescore.open(i, atoms, *slots_left, limit);
            }
        } else {
            self.resolve_in_full(job, i, sets);
        }
        self.found = found;
    }

    /// Resolves every row that was left open.
    fn resolve_open(&mut self, job: Job, sets: &mut Sets) {
        let rows = self.white.part(0..job.kept.len());
        let cut = |i: usize| job.context.cut(job.kept[i]);
        self.rescore
            .resolve(job.model, rows, cut, |i, fires| sets.add(i, fires));
    }

    /// Resolves kept row `i` by the canonical scores of all atoms.
    fn resolve_in_full(&mut self, job: Job, i: usize, sets: &mut Sets) {
        let (sae, simd) = (job.model.sae(), job.model.simd());
        let dim = sae.input_dim();
        let x = &self.white.numbers[i * dim..(i + 1) * dim];
        let cut = job.context.cut(job.kept[i]);
        sets.add(i, self.in_full.row(sae, simd, x, cut));
        self.certificate.rows_rescored_in_full += 1;
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
