//! The CPU engine: blocks of rows on a thread pool.
//!
//! ```text
//! source     blocks of rows, read ahead
//! model      the model with all that is prepared from it once
//! block      what one thread does with a block, by the five that follow
//! whiten     numbers widened and whitened in one pass
//! screen     approximate scores: in bfloat16 or binary32; screens chooses by what is faster
//! select     which atoms fire for certain, which cannot, which are open (passes: tile)
//! rescore    open pairs in bulk: a second screen (its sums: products), then canonical scores
//! score      canonical scores of the atoms that fire (their sums: lanes), where they are wanted
//! dense      canonical scores of all atoms, block of atoms by block: a pass of its own
//! ```

mod block;
#[cfg(test)]
mod bound_tests;
mod dense;
mod lanes;
mod model;
mod options;
mod pairs;
mod products;
mod rescore;
#[cfg(test)]
mod rescore_tests;
mod score;
mod screen;
mod screens;
mod select;
mod source;
#[cfg(test)]
mod test_cases;
mod tile;
mod whiten;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

pub use self::dense::DenseScores;
pub use self::options::{CpuOptions, CpuScreen};
#[cfg(target_arch = "x86_64")]
pub(super) use self::screen::{Tiles, TilesInUse};

use self::block::Block;
use self::model::Model;
use self::source::{Batch, Deal, Source};
use super::simd::Simd;
use super::{
    Encoded, Engine, EngineOptions, Nonfinite, Seconds, ThreadSeconds, dropped, into_inner, lock,
    start_threads,
};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::rows::Rows;
use crate::sae::Sae;
use crate::tally::{Certificate, SharedTally, Strata, Tally};

/// Certified selection on the CPU.
pub struct CpuEngine {
    model: Model,
    /// Threads of the engine's own; `None` where the caller's pool does the work.
    pool: Option<rayon::ThreadPool>,
    options: EngineOptions,
}

impl CpuEngine {
    /// Prepares the model, and starts threads where the options name a number of them.
    ///
    /// # Errors
    /// Threads that cannot be started; a screen that this CPU cannot do.
    pub fn new(sae: &Sae, options: &EngineOptions) -> Result<Self> {
        let pool = options.threads.map(start_threads).transpose()?;
        let simd = options.simd.unwrap_or_else(Simd::detect);
        let screen = options.cpu.screen;
        let model = install(pool.as_ref(), || Model::new(sae, simd, screen))?;
        Ok(Self {
            model,
            pool,
            options: options.clone(),
        })
    }

    /// Blocks of rows as equal as they can be, as many as keep all threads busy to the end.
    fn rows_per_block(&self, rows: usize) -> usize {
        let most = self
            .options
            .batch_rows
            .unwrap_or(usize::MAX)
            .clamp(1, self.model.most_rows());
        let blocks = rows.div_ceil(most).next_multiple_of(self.threads());
        rows.div_ceil(blocks).max(1)
    }

    /// Works through all blocks on all threads.
    fn run(&self, shared: &Shared, deal: Deal, sets: (&mut [u32], &mut [f64])) -> Result<()> {
        let read_seconds = Mutex::new(0.0);
        let failure = Mutex::new(None);
        let waited = std::thread::scope(|scope| {
            let source = Source::open(scope, deal, sets, &read_seconds)?;
            install(self.pool.as_ref(), || {
                rayon::scope(|scope| {
                    for _ in 0..deal.threads {
                        scope.spawn(|_| {
                            if let Err(error) = shared.run_blocks(&self.model, deal, &source) {
                                lock(&failure).get_or_insert(error);
                            }
                        });
                    }
                });
            });
            // With the source goes what the reading thread sends to, so that it ends.
            Ok::<_, Error>(source.waited())
        })?;
        let mut seconds = lock(&shared.seconds);
        seconds.read += *lock(&read_seconds);
        seconds.wait += waited;
        into_inner(failure).map_or(Ok(()), Err)
    }
}

/// A model whose atoms fire by thresholds is another selector's.
fn not_top_k(sae: &Sae) -> Error {
    Error::input(
        sae.name(),
        "the activation",
        "atoms that fire by thresholds",
        "the k atoms of the largest scores",
        "open an engine of that activation",
    )
}

/// Does the work in the pool, or in the caller's where there is none.
fn install<T: Send>(pool: Option<&rayon::ThreadPool>, work: impl FnOnce() -> T + Send) -> T {
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

impl Engine for CpuEngine {
    fn device(&self) -> String {
        "cpu".to_owned()
    }

    fn code_path(&self) -> String {
        self.model.code_path()
    }

    fn threads(&self) -> usize {
        install(self.pool.as_ref(), rayon::current_num_threads)
    }

    fn encode(&mut self, rows: &dyn Rows, strata: &Strata, control: &Control) -> Result<Encoded> {
        super::check_shapes(self.model.sae(), rows, strata.of_row().len())?;
        let began = Instant::now();
        let k = self.model.k();
        let per_block = self.rows_per_block(rows.count());
        let features = self.model.sae().feature_dim();
        let mut atoms = crate::memory::filled(rows.count(), k, "the firing sets", || 0u32)?;
        let mut scores = super::room_for_scores(&self.options, rows, k)?;
        let tally = SharedTally::new(features, strata.table().to_vec())?;
        let shared = Shared::new(strata, tally, control, self.options.nonfinite);
        let deal = Deal {
            rows,
            rows_per_block: per_block,
            k,
            threads: self.threads(),
        };
        let sets = (&mut *atoms, scores.as_deref_mut().unwrap_or_default());
        self.run(&shared, deal, sets)?;
        let (tally, bad_rows, threads) = shared.finish();
        let nonfinite = self.options.nonfinite;
        let fires = dropped::reject_or_drop(rows, nonfinite, bad_rows, atoms, scores, k)?;
        let encode = began.elapsed().as_secs_f64();
        Ok(Encoded {
            fires,
            tally,
            seconds: Seconds { encode, threads },
        })
    }
}

/// Stops a run when it is dropped: on every way out but the regular one.
struct StopEarly<'a>(&'a AtomicBool);

impl Drop for StopEarly<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What the blocks of a run share.
struct Shared<'a> {
    strata: &'a Strata,
    tally: SharedTally,
    control: &'a Control<'a>,
    nonfinite: Nonfinite,
    /// Set once a row must end the run: the rest is only looked through for more such rows, so
    /// that the message does not depend on who came first.
    failed: AtomicBool,
    done: AtomicU64,
    /// Threads that have begun.
    begun: AtomicUsize,
    /// Set once the run is over before its end.
    stopped: AtomicBool,
    bad_rows: Mutex<Vec<usize>>,
    certificate: Mutex<Certificate>,
    seconds: Mutex<ThreadSeconds>,
}

impl<'a> Shared<'a> {
    fn new(
        strata: &'a Strata,
        tally: SharedTally,
        control: &'a Control,
        nonfinite: Nonfinite,
    ) -> Self {
        Self {
            strata,
            tally,
            control,
            nonfinite,
            failed: AtomicBool::new(false),
            done: AtomicU64::new(0),
            begun: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            bad_rows: Mutex::default(),
            certificate: Mutex::default(),
            seconds: Mutex::default(),
        }
    }

    /// Takes blocks until there are none, or one of them ends the run.
    fn run_blocks(&self, model: &Model, deal: Deal, source: &Source) -> Result<()> {
        let mut block = Block::default();
        // Rows may be read by work of this pool. As long as not all threads have begun, the work that
        // is found there is another thread's share of this run: it must not be done on this one.
        self.begun.fetch_add(1, Ordering::Relaxed);
        let lend_a_hand = || {
            if self.begun.load(Ordering::Relaxed) >= deal.threads {
                rayon::yield_now();
            }
        };
        // An error, or a panic in a caller's callback, must not leave the others at work.
        let stop = StopEarly(&self.stopped);
        while !self.stopped.load(Ordering::Relaxed)
            && let Some(batch) = source.next(lend_a_hand)
        {
            let mut batch = batch?;
            self.run_block(model, deal, &mut block, &mut batch)?;
            source.done(batch);
        }
        std::mem::forget(stop);
        let (certificate, spent) = block.finish();
        lock(&self.seconds).add(&spent);
        let mut sum = lock(&self.certificate);
        *sum = sum.merge(certificate);
        Ok(())
    }

    fn run_block(
        &self,
        model: &Model,
        deal: Deal,
        block: &mut Block,
        batch: &mut Batch,
    ) -> Result<()> {
        self.control.check()?;
        let bad = block.load(model, batch.stored(), deal.element());
        let first = batch.first;
        if !bad.is_empty() {
            lock(&self.bad_rows).extend(bad.into_iter().map(|row| first + row));
            self.failed
                .fetch_or(self.nonfinite == Nonfinite::Error, Ordering::Relaxed);
        }
        let count = batch.atoms.len() / deal.k;
        if !self.failed.load(Ordering::Relaxed) {
            let strata = &self.strata.of_row()[first..first + count];
            block.encode(
                model,
                strata,
                &self.tally,
                batch.atoms,
                self.control,
                deal.threads,
            )?;
            if !batch.scores.is_empty() {
                block.score(model, batch.atoms, batch.scores, self.control)?;
            }
        }
        let done = self.done.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
        self.control.report(done);
        Ok(())
    }

    /// Counts, seconds, and the rows that are not finite.
    fn finish(self) -> (Tally, Vec<usize>, ThreadSeconds) {
        let tally = self.tally.finish(into_inner(self.certificate));
        (tally, into_inner(self.bad_rows), into_inner(self.seconds))
    }
}
