//! The CPU engine: blocks of rows on a thread pool; whiten, screen, select, rescore, count.

mod block;
#[cfg(test)]
mod bound_tests;
mod screen;
mod select;
mod tile;
mod whiten;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use rayon::prelude::*;

use self::block::{Block, Model};
use super::coactivation::count_pairs;
use super::simd::Simd;
use super::{
    Control, Encoded, Engine, EngineOptions, Nonfinite, PairCounts, Seconds, ThreadSeconds,
    dropped, into_inner, lock, start_threads,
};
use crate::error::{Error, Result};
use crate::fires::FiringSets;
use crate::rows::Rows;
use crate::sae::Sae;
use crate::tally::{Certificate, SharedTally, Strata, Tally};

/// Certified selection on the CPU.
pub struct CpuEngine<'a> {
    model: Model<'a>,
    /// Threads of the engine's own; `None` where the caller's pool does the work.
    pool: Option<rayon::ThreadPool>,
    options: EngineOptions,
}

impl<'a> CpuEngine<'a> {
    /// Prepares the model, and starts threads where the options name a number of them.
    pub fn new(sae: &'a Sae, options: &EngineOptions) -> Result<Self> {
        let pool = options.threads.map(start_threads).transpose()?;
        let simd = options.simd.unwrap_or_else(Simd::detect);
        let model = install(pool.as_ref(), || Model::new(sae, simd));
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
}

/// Does the work in the pool, or in the caller's where there is none.
fn install<T: Send>(pool: Option<&rayon::ThreadPool>, work: impl FnOnce() -> T + Send) -> T {
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

impl Engine for CpuEngine<'_> {
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
        let k = self.model.sae().k();
        let per_block = self.rows_per_block(rows.count());
        let features = self.model.sae().feature_dim();
        let mut atoms = crate::memory::filled(rows.count(), k, "the firing sets", || 0u32)?;
        let tally = SharedTally::new(features, strata.table().to_vec())?;
        let shared = Shared::new(rows, strata, tally, control, self.options.nonfinite);
        install(self.pool.as_ref(), || {
            atoms
                .par_chunks_mut(per_block * k)
                .enumerate()
                .with_max_len(1)
                .try_for_each(|(i, atoms)| shared.run_block(&self.model, i * per_block, atoms))
        })?;
        let (tally, bad_rows, threads) = shared.finish();
        let dropped = dropped::settle(rows, self.options.nonfinite, bad_rows, &mut atoms, k)?;
        let encode = began.elapsed().as_secs_f64();
        Ok(Encoded {
            fires: FiringSets::new(k, atoms, dropped),
            tally,
            seconds: Seconds { encode, threads },
        })
    }

    fn coactivation(&mut self, fires: &FiringSets, chosen: Option<&[u32]>) -> Result<PairCounts> {
        let features = self.model.sae().feature_dim();
        install(self.pool.as_ref(), || count_pairs(fires, features, chosen))
    }
}

/// What the blocks of a run share.
struct Shared<'a> {
    rows: &'a dyn Rows,
    strata: &'a Strata,
    tally: SharedTally,
    control: &'a Control<'a>,
    nonfinite: Nonfinite,
    /// Set once a row must end the run: the rest is only looked through for more such rows, so
    /// that the message does not depend on who came first.
    failed: AtomicBool,
    done: AtomicU64,
    bad_rows: Mutex<Vec<usize>>,
    idle: Mutex<Vec<Block>>,
}

impl<'a> Shared<'a> {
    fn new(
        rows: &'a dyn Rows,
        strata: &'a Strata,
        tally: SharedTally,
        control: &'a Control,
        nonfinite: Nonfinite,
    ) -> Self {
        Self {
            rows,
            strata,
            tally,
            control,
            nonfinite,
            failed: AtomicBool::new(false),
            done: AtomicU64::new(0),
            bad_rows: Mutex::default(),
            idle: Mutex::default(),
        }
    }

    fn run_block(&self, model: &Model, first: usize, atoms: &mut [u32]) -> Result<()> {
        if self.control.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let idle = lock(&self.idle).pop();
        let mut block = idle.unwrap_or_else(Block::new);
        let count = atoms.len() / model.sae().k();
        let bad = block.load(model, self.rows, first..first + count)?;
        if !bad.is_empty() {
            lock(&self.bad_rows).extend(bad);
            self.failed
                .fetch_or(self.nonfinite == Nonfinite::Error, Ordering::Relaxed);
        }
        if !self.failed.load(Ordering::Relaxed) {
            block.encode(
                model,
                &self.strata.of_row()[first..first + count],
                &self.tally,
                atoms,
            );
        }
        lock(&self.idle).push(block);
        let done = self.done.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
        self.control.report(done);
        Ok(())
    }

    /// Counts, seconds, and the rows that are not finite.
    fn finish(self) -> (Tally, Vec<usize>, ThreadSeconds) {
        let mut certificate = Certificate::default();
        let mut seconds = ThreadSeconds::default();
        for block in into_inner(self.idle) {
            let (left_open, spent) = block.finish();
            certificate = certificate.merge(left_open);
            seconds.add(&spent);
        }
        let tally = self.tally.finish(certificate);
        (tally, into_inner(self.bad_rows), seconds)
    }
}
