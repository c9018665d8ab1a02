//! The CPU engine: blocks of rows on a thread pool.
//!
//! ```text
//! run        threads that take one block of rows after another
//! source     blocks of rows, read ahead
//! model      the model with all that is prepared from it once
//! block      what one thread does with a block, by the five that follow
//! input      the steps from a stored row to the encoder's input (whiten: numbers widened and
//!            whitened in one pass)
//! white      a block's rows after these steps
//! screen     approximate scores: in bfloat16 or binary32; screens chooses by what is faster
//! select     which atoms fire for certain, which cannot, which are open, one file a policy (passes
//!            over scores: tile)
//! rescore    open pairs in bulk: a second screen (its sums: products; its bound: second), then
//!            canonical scores
//! sets       the firing sets of a block, while they are found
//! score      canonical scores of the atoms that fire (their sums: lanes), where they are wanted
//! dense      canonical scores of all atoms, block of atoms by block: a pass of its own
//! ```

mod block;
#[cfg(test)]
mod bound_tests;
mod context;
mod dense;
mod input;
mod lanes;
mod model;
mod options;
mod pairs;
mod products;
mod rescore;
#[cfg(test)]
mod rescore_tests;
mod run;
mod score;
mod screen;
mod screens;
mod second;
mod select;
mod sets;
#[cfg(test)]
mod shift_tests;
mod source;
mod spent;
#[cfg(test)]
mod test_cases;
mod tile;
mod white;
mod whiten;

use std::time::Instant;

pub use self::dense::DenseScores;
pub use self::options::{CpuOptions, CpuScreen};
#[cfg(target_arch = "x86_64")]
pub use self::screen::{Tiles, TilesInUse};

use self::model::Model;
use self::run::{Run, install};
use self::source::Deal;
use super::simd::Simd;
use super::sink::Sink;
use super::{Cuts, Encoded, Engine, EngineOptions, Seconds, dropped, start_threads};
use crate::control::Control;
use crate::error::Result;
use crate::rows::Rows;
use crate::sae::Sae;
use crate::tally::{Strata, Tally};

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

    fn encode_cut(
        &mut self,
        rows: &dyn Rows,
        strata: &Strata,
        cuts: Option<&Cuts>,
        control: &Control,
    ) -> Result<Encoded> {
        super::check_shapes(self.model.sae(), rows, strata.of_row().len())?;
        super::check_cuts(self.model.sae(), rows, cuts)?;
        let began = Instant::now();
        let deal = Deal {
            rows,
            rows_per_block: self.rows_per_block(rows.count()),
            threads: self.threads(),
        };
        let width = self.model.sae().top_k();
        let mut sink = Sink::new(rows.count(), width, self.options.scores)?;
        let nonfinite = self.options.nonfinite;
        let mut run = Run::new(control, nonfinite);
        run.cuts = cuts;
        let slots = sink.slots(rows.count(), deal.rows_per_block)?;
        run.all_blocks(&self.model, deal, slots, self.pool.as_ref())?;
        let (certificate, bad_rows, threads) = run.finish();
        let dropped = dropped::reject_or_drop(rows, nonfinite, bad_rows)?;
        let fires = sink.finish(dropped, self.model.sae().values())?;
        let features = self.model.sae().feature_dim();
        let count = || Tally::count(features, strata, fires.iter(), certificate);
        let tally = run::install(self.pool.as_ref(), count);
        let encode = began.elapsed().as_secs_f64();
        Ok(Encoded {
            fires,
            tally,
            seconds: Seconds { encode, threads },
        })
    }
}
