//! Engines: rows in, firing sets and counts out, the same bytes from each.

mod allocator;
pub mod bound;
pub mod canonical;
pub mod choose;
mod cpu;
#[cfg(feature = "cuda")]
pub mod cuda;
mod cuda_options;
mod cuts;
mod device;
mod dropped;
pub mod simd;
mod sink;

use std::sync::Mutex;

pub use allocator::Allocator;
#[cfg(feature = "cli")]
pub(crate) use allocator::leave;
pub use cpu::{CpuEngine, CpuOptions, CpuScreen, DenseScores};
#[cfg(target_arch = "x86_64")]
#[doc(hidden)]
pub use cpu::{Tiles, TilesInUse};
#[cfg(feature = "cuda")]
pub use cuda::{CudaEngine, CudaPairs};
pub use cuda_options::{CudaOptions, Format, ScreenChoice};
pub use cuts::{Cut, Cuts};
pub use device::{Device, open};
pub use simd::Simd;

use crate::control::Control;
use crate::error::{Choice, Error, Result};
use crate::fires::FiringSets;
use crate::rows::Rows;
use crate::sae::{Activation, Sae};
use crate::tally::{Strata, Tally};

/// Turns rows into firing sets and counts.
pub trait Engine {
    /// The device that does it: `cpu`.
    fn device(&self) -> String;

    /// Says in words which of its code does it.
    fn code_path(&self) -> String;

    /// Returns the number of the host's threads that take part.
    fn threads(&self) -> usize;

    /// Selects the firing set of every row, and counts it under the row's stratum.
    fn encode(&mut self, rows: &dyn Rows, strata: &Strata, control: &Control) -> Result<Encoded> {
        self.encode_cut(rows, strata, None, control)
    }

    /// The same; `cuts` are those of the rows' batches for a model of batch top-k, which needs them.
    fn encode_cut(
        &mut self,
        rows: &dyn Rows,
        strata: &Strata,
        cuts: Option<&Cuts>,
        control: &Control,
    ) -> Result<Encoded>;
}

/// The result of an engine's run.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// The atoms that fire on each row.
    pub fires: FiringSets,
    /// Counts by stratum and feature, with the certificate's counters.
    pub tally: Tally,
    /// The time that the run took.
    pub seconds: Seconds,
}

/// Seconds of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Seconds {
    /// Wall clock of reading, encoding, selecting and counting together.
    pub encode: f64,
    /// The seconds of single stages.
    pub threads: ThreadSeconds,
}

/// Seconds of single stages, summed over threads: on the CPU those of its time that threads had, but
/// for reading and waiting; on a device, summed over its lanes, which wait for each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct ThreadSeconds {
    /// Reading rows; ahead, by a thread of its own, for the CPU.
    pub read: f64,
    /// Waiting for rows that were not read yet.
    pub wait: f64,
    /// Copying rows to a device, and firing sets from it.
    pub copy: f64,
    /// Whitening.
    pub whiten: f64,
    /// The encoder's product.
    pub product: f64,
    /// Finding candidates behind the product.
    pub select: f64,
    /// Settling rows: exact selection, canonical scores, counting.
    pub resolve: f64,
    /// Scoring the atoms that fire, where their scores are wanted.
    pub score: f64,
}

impl ThreadSeconds {
    /// Adds another thread's seconds.
    pub fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.wait += other.wait;
        self.copy += other.copy;
        self.whiten += other.whiten;
        self.product += other.product;
        self.select += other.select;
        self.resolve += other.resolve;
        self.score += other.score;
    }
}

/// The treatment of rows that have a NaN or an infinity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Nonfinite {
    /// End the run with an error that names them.
    #[default]
    Error,
    /// Drop them, and count them.
    Skip,
}

/// The options of an engine. None of them changes the answer, but for [`Nonfinite::Skip`].
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// Threads of the engine's own; those of the current rayon pool where `None`.
    pub threads: Option<usize>,
    /// The most rows that are worked on at once by a thread; what resolves well together, 16 MiB or
    /// 4096 of them, where `None`, which is also the most.
    pub batch_rows: Option<usize>,
    /// The treatment of rows that have a NaN or an infinity.
    pub nonfinite: Nonfinite,
    /// `true` if firing sets come with the canonical scores of their atoms. These take 8 bytes an
    /// atom, and the time to compute them.
    pub scores: bool,
    /// Vector instructions; the best that the machine has where `None`.
    pub simd: Option<Simd>,
    /// The options of the CPU engine.
    pub cpu: CpuOptions,
    /// The options of the engine on CUDA devices.
    pub cuda: CudaOptions,
}

/// Makes a pool of `threads` threads.
pub(crate) fn start_threads(threads: usize) -> Result<rayon::ThreadPool> {
    let name = |i| format!("atomscope-{i}");
    crate::memory::check_threads(threads)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(name)
        .build();
    pool.map_err(|error| threads_error(threads, &error))
}

/// Threads that cannot be started.
pub(crate) fn threads_error(threads: usize, error: &dyn std::fmt::Display) -> Error {
    Error::choice(
        Choice::Threads,
        format!("{threads} ({error})"),
        "a number of threads that this machine can start",
    )
}

/// Rows must be as long as the model has it.
pub(crate) fn check_dim(sae: &Sae, rows: &dyn Rows) -> Result<()> {
    if rows.dim() == sae.input_dim() {
        return Ok(());
    }
    Err(Error::input(
        rows.name(),
        "embeddings",
        format!("rows of {} numbers", rows.dim()),
        format!("{}, the input_dim of {}", sae.input_dim(), sae.name()),
        "use embeddings and a model that belong together",
    ))
}

/// Rows, model and calls must be of one size.
fn check_shapes(sae: &Sae, rows: &dyn Rows, calls: usize) -> Result<()> {
    check_dim(sae, rows)?;
    if rows.count() != calls {
        return Err(Error::input(
            rows.name(),
            "embeddings",
            format!("{} rows", rows.count()),
            format!("{calls}, one for each call"),
            "give every row its call",
        ));
    }
    if rows.count() == 0 {
        return Err(Error::input(
            rows.name(),
            "embeddings",
            "0 rows",
            "at least one call",
            "check the step that wrote this file",
        ));
    }
    Ok(())
}

/// A model of batch top-k comes with the cuts of all rows, and no other does.
fn check_cuts(sae: &Sae, rows: &dyn Rows, cuts: Option<&Cuts>) -> Result<()> {
    let is_batch = matches!(sae.activation(), Activation::BatchTopK { .. });
    match cuts {
        Some(cuts) if is_batch => cuts.check(rows.count()),
        None if !is_batch => Ok(()),
        found => Err(Error::Argument {
            name: "cuts",
            found: if found.is_some() { "cuts" } else { "none" }.to_owned(),
            expected: format!(
                "cuts of batches for a model of batch top-k alone; {} is {} one",
                sae.name(),
                if is_batch { "" } else { "not" }
            ),
        }),
    }
}

/// A panic in another thread ends the run by itself; its data need not be feared twice.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

pub(crate) fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
