//! A cohort in files, shard by shard: what `tally` and `analyze` do.
//!
//! ```text
//! inputs       paths and patterns ──► shards, in the cohort's order
//! ahead        the next shard's calls and digests, while this one is encoded
//! shard        one shard, part by part: encoded, or found among what an earlier run has finished
//! identity     the digests by which model and shards are known
//! checkpoint   finished parts on disk, recognised by the digests of what they were made from
//! labels       whether the calls' classes are understood, before anything is encoded
//! parts        the parts' firing sets: in memory up to a limit, beyond it in files
//! scores       the rows read again, for scores of all atoms
//! cover        which of many files hold each row once
//! ```

mod ahead;
mod checkpoint;
mod cover;
mod identity;
mod inputs;
mod labels;
mod parts;
mod scores;
mod shard;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rayon::prelude::*;

pub use checkpoint::{Checkpoints, Output};
pub use inputs::{ShardInput, expand, shards};
pub use parts::{CohortFirings, Part};
pub use scores::CompareScores;

use self::ahead::Ahead;
use self::shard::{Done, Work};
use crate::analysis::{AnalyzeOptions, Encoder};
use crate::digest::Digest;
use crate::engine::{Control, Seconds, into_inner, lock};
use crate::error::{Error, Result};
use crate::read::{LoadedModel, Source, Stamp, check_same, digest, read_model};
use crate::store::read_tally;
use crate::tally::{CohortTally, Merger};

/// The most rows that are encoded, and kept or put away, at a time.
pub const PART_ROWS: u64 = 1 << 20;

/// The least rows of a part, however little memory there is: fewer do not pay.
const LEAST_PART_ROWS: u64 = 1 << 12;

/// About the bytes that a call takes beside its firing set.
const CALL_BYTES: u64 = 64;

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The shards, in order: at least one.
    pub inputs: &'a [ShardInput],
    /// The model's file.
    pub model: &'a Path,
    /// How rows are encoded, and whether the atoms that fire are scored.
    pub options: &'a AnalyzeOptions,
    /// The most rows of a part; fewer, where firing sets would not fit the memory for them.
    pub part_rows: u64,
    /// Where finished parts are kept for a run that goes on after this one was killed.
    pub checkpoints: Option<&'a Checkpoints>,
    /// Whether, and where, firing sets are kept.
    pub details: Option<KeepFirings<'a>>,
    /// Where the one shard's output goes, which may be there already.
    pub output: Option<Output<'a>>,
    /// Whether files are read ahead, and hashed, beside the encoding.
    pub beside: bool,
}

impl Job<'_> {
    /// The rows of a part, of whose calls `k` atoms fire on each.
    fn rows_at_once(&self, k: usize) -> u64 {
        let score = if self.options.engine.scores {
            size_of::<f64>()
        } else {
            0
        };
        let call = CALL_BYTES + (k * (size_of::<u32>() + score)) as u64;
        // Half of it for the part that is under way, half for those that are done.
        let fitting = self
            .details
            .map_or(u64::MAX, |details| details.memory / 2 / call);
        self.part_rows
            .clamp(1, PART_ROWS)
            .min(fitting.max(LEAST_PART_ROWS))
    }
}

/// Where firing sets are kept.
#[derive(Debug, Clone, Copy)]
pub struct KeepFirings<'a> {
    /// Bytes of them, and of their calls, that are kept in memory.
    pub memory: u64,
    /// Where files are made for the rest.
    pub folder: &'a Path,
}

/// A file that was read.
#[derive(Debug, Clone, serde::Serialize)]
pub struct InputFile {
    /// `embeddings`, `metadata`, `model`.
    pub role: &'static str,
    /// Its path, as it was given.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Its content.
    pub sha256: Digest,
    /// What it was when it was hashed.
    #[serde(skip)]
    stamp: Option<Stamp>,
}

impl InputFile {
    /// Reads a file for its digest; what a zip archive stores is checked on the way.
    ///
    /// # Errors
    /// A file that cannot be read, entries that are not what was written, and those of `go_on`.
    pub fn of(role: &'static str, path: &Path, go_on: &dyn Fn() -> Result<()>) -> Result<Self> {
        let source = Source::open(path)?;
        Ok(Self {
            role,
            path: path.display().to_string(),
            bytes: source.len(),
            sha256: digest(&source, go_on)?,
            stamp: source.stamp(),
        })
    }

    /// An error unless what was hashed is what was read, which was `read` when it was opened.
    fn check(&self, read: Option<Stamp>) -> Result<()> {
        check_same(&self.path, read, self.stamp)
    }
}

/// The caller's hold on a run.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Set it to true to end the run.
    pub cancel: Option<&'a AtomicBool>,
    /// FromFirings that so many more rows are known to be in the cohort.
    pub more_rows: &'a (dyn Fn(u64) + Sync),
    /// FromFirings how many rows are done.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

impl Watch<'_> {
    fn check(&self) -> Result<()> {
        let control = Control {
            cancel: self.cancel,
            progress: None,
        };
        control.check()
    }
}

/// What a run gives.
#[derive(Debug)]
pub struct Tallied {
    /// The model.
    pub model: LoadedModel,
    /// The counts, and what they are of.
    pub cohort: CohortTally,
    /// The firing sets, where they were to be kept.
    pub details: CohortFirings,
    /// What was read.
    pub files: Vec<InputFile>,
    /// What encoded the rows; `None` where all were done already.
    pub encoder: Option<Encoder>,
    /// Where the time of encoding went.
    pub seconds: Seconds,
    /// Seconds until the first shard's calls were read.
    pub read_seconds: f64,
    /// Rows that an earlier run had done.
    pub resumed_rows: u64,
    /// Whether the output was there already.
    pub was_there: bool,
    /// What is odd about model and calls, a sentence each.
    pub warnings: Vec<String>,
    /// What could not be checked, a sentence for each file.
    pub notes: Vec<String>,
}

/// Counts every shard, and keeps its firing sets where they are asked for.
///
/// # Errors
/// Files that cannot be read or do not fit together, rows with a NaN or an infinity, a device that
/// cannot be used, cancellation. Parts that were finished by then stay among the checkpoints.
pub fn tally_shards(job: &Job, watch: &Watch) -> Result<Tallied> {
    let began = Instant::now();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let go_on = || Ahead::go_on(&stop, watch);
        let ahead = Ahead::start(scope, job, &stop, *watch);
        let work = || {
            let model = read_model(job.model)?;
            let done = work(job, watch, &ahead, &model, &go_on, began)?;
            Ok((model, done))
        };
        let done = work().inspect_err(|_| stop.store(true, Ordering::Relaxed));
        // Threads that wait to hand something over end with what they hand it to.
        drop(ahead);
        let (model, (merger, done, read_seconds)) = done?;
        let cohort = merger.finish().ok_or(Error::Cancelled)?;
        Ok(Tallied {
            warnings: [model.warnings.clone(), done.warnings].concat(),
            notes: done.notes,
            model,
            cohort,
            details: CohortFirings::new(done.parts, job.options.engine.scores),
            files: done.files,
            encoder: done.encoder,
            seconds: done.seconds,
            read_seconds,
            resumed_rows: done.resumed_rows,
            was_there: done.was_there,
        })
    })
}

/// Shard after shard; with it, how long it took until the first one's calls were read.
fn work(
    job: &Job,
    watch: &Watch,
    ahead: &Ahead,
    model: &LoadedModel,
    go_on: &dyn Fn() -> Result<()>,
    began: Instant,
) -> Result<(Merger, Done, f64)> {
    let mut read_seconds = 0.0;
    let mut work = Work::new(job, watch, ahead, model);
    for (number, input) in job.inputs.iter().enumerate() {
        let loaded = ahead.shard(number, go_on)?;
        if number == 0 {
            read_seconds = began.elapsed().as_secs_f64();
        }
        work.shard(number, input, loaded)?;
    }
    let (merger, done) = work.finish();
    Ok((merger, done, read_seconds))
}

/// Merges tally files: read and checked by several threads, added one at a time.
///
/// # Errors
/// Those of reading one, and of tallies that do not go together.
pub fn merge(paths: &[PathBuf], go_on: &(dyn Fn() -> Result<()> + Sync)) -> Result<CohortTally> {
    let merger = Mutex::new(Merger::default());
    paths.par_iter().try_for_each(|path| {
        go_on()?;
        let tally = read_tally(path)?;
        let name = path.display().to_string();
        lock(&merger).add(tally, &name)
    })?;
    let sum = into_inner(merger).finish();
    sum.ok_or_else(|| Error::Argument {
        name: "TALLY",
        found: "no file".to_owned(),
        expected: "at least one tally".to_owned(),
    })
}
