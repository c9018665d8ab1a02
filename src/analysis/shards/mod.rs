//! A cohort in files, shard by shard, in bounded memory.
//!
//! ```text
//! inputs       paths and patterns ──► shards, in the cohort's order
//! ahead        the next shard's calls and digests, while this one is encoded
//! shard        one shard, part by part: encoded, or found among what an earlier run has finished
//! input_file   a file that was read, by its content
//! identity     the digests by which model and shards are known
//! checkpoint   finished parts on disk, recognised by the digests of what they were made from
//! labels       whether the calls' classes are understood, before anything is encoded
//! parts        the parts' firing sets: in memory up to a limit, beyond it in files
//! rows         the rows read again, for scores of all atoms
//! length       how many rows there are in all, before all files are open
//! cover        which of many files hold each row once
//! ```

mod ahead;
mod checkpoint;
mod cover;
mod identity;
mod input_file;
mod inputs;
mod labels;
mod length;
mod parts;
mod rows;
mod shard;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rayon::prelude::*;

pub use checkpoint::{Checkpoints, Output};
pub use input_file::InputFile;
pub use inputs::{ShardInput, expand, shards};
pub use parts::{CohortFirings, Part};

use self::ahead::Ahead;
use self::rows::ShardRows;
use self::shard::Work;
use super::counted::{CompareScores, Counted};
use super::session::CountOptions;
use crate::control::Control;
use crate::engine::{into_inner, lock};
use crate::error::{Choice, Error, Result};
use crate::read::{read_model, tables_beside};
use crate::stats::score_comparison::ScoreComparison;
use crate::store::read_tally;
use crate::tally::{CohortTally, Merger};
use crate::write::inputs::Inputs;

/// The most rows that are encoded, and kept or put away, at a time.
pub const PART_ROWS: u64 = 1 << 20;

/// The least rows of a part, however little memory there is: fewer do not pay.
const LEAST_PART_ROWS: u64 = 1 << 12;

/// About the bytes that a call takes beside its firing set.
const CALL_BYTES: u64 = 64;

/// A cohort in files, and how it is counted.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// The shards, in order: at least one.
    pub inputs: &'a [ShardInput],
    /// The model's file.
    pub model: &'a Path,
    /// How rows are encoded, and whether the atoms that fire are scored.
    pub options: &'a CountOptions,
    /// The most rows of a part; fewer, where firing sets would not fit the memory for them.
    pub part_rows: u64,
    /// Where finished parts are kept for a run that goes on after this one was killed.
    pub checkpoints: Option<&'a Checkpoints>,
    /// Where firing sets are kept; they are dropped where `None`.
    pub firings: Option<KeepFirings<'a>>,
    /// Where the one shard's output goes, which may be there already.
    pub output: Option<Output<'a>>,
    /// Read files ahead, and hash them, beside the encoding.
    pub read_ahead: bool,
}

/// Where firing sets are kept.
#[derive(Debug, Clone, Copy)]
pub struct KeepFirings<'a> {
    /// Bytes of them, and of their calls, that are kept in memory.
    pub memory: u64,
    /// Where files are made for the rest.
    pub folder: &'a Path,
}

impl Plan<'_> {
    /// Counts every shard, and keeps its firing sets where they are asked for. `control` learns how
    /// many rows are done.
    ///
    /// # Errors
    /// Files that cannot be read or do not fit together, rows with a NaN or an infinity, a device that
    /// cannot be used, cancellation. Parts that were finished by then stay among the checkpoints.
    pub fn count(&self, control: &Control) -> Result<Counted> {
        let began = Instant::now();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let control = control.or_stop(&stop);
            let ahead = Ahead::start(scope, self, control);
            let work = || {
                let model = read_model(self.model)?;
                let mut work = Work::new(self, control, &ahead, model);
                for number in 0..self.inputs.len() {
                    work.shard(number, began)?;
                }
                work.finish()
            };
            let counted = work().inspect_err(|_| stop.store(true, Ordering::Relaxed));
            // Threads that wait to hand something over end with what they hand it to.
            drop(ahead);
            counted
        })
    }

    /// Compares the scores of all atoms on what this plan has counted; the embeddings are read again.
    ///
    /// # Errors
    /// As [`Counted::compare_scores`], and those of opening the files.
    pub fn compare_scores(
        &self,
        counted: &Counted,
        options: CompareScores,
        control: &Control,
    ) -> Result<ScoreComparison> {
        let read = counted.run.as_ref().map_or(&[][..], |run| &run.files);
        let rows = ShardRows::new(&counted.cohort, read, self.inputs)?;
        counted.compare_scores(&rows, &self.options.engine, options, control)
    }

    /// The files that will be read, `model_files` among them. Of tables that may be found beside
    /// embeddings only those whose name `is_output` are looked for: there may be many shards.
    pub fn reads(&self, model_files: &[PathBuf], is_output: &dyn Fn(&str) -> bool) -> Inputs {
        let mut inputs = Inputs::of([self.model.to_owned()]);
        inputs.add(model_files.iter().cloned());
        for shard in self.inputs {
            inputs.add([shard.embeddings.clone()]);
            inputs.add(shard.metadata.clone());
            if shard.metadata.is_none() {
                let named = |path: &PathBuf| {
                    let name = path.file_name().map(|name| name.to_string_lossy());
                    // Where a file system does not tell cases apart.
                    name.is_some_and(|name| is_output(&name) || is_output(&name.to_lowercase()))
                };
                let tables = tables_beside(&shard.embeddings);
                inputs.add_possible(tables.into_iter().filter(named));
            }
        }
        inputs
    }

    /// The rows of a part, of whose calls about `atoms` fire on each.
    fn rows_at_once(&self, atoms: usize) -> u64 {
        let score = if self.options.engine.scores {
            size_of::<f64>()
        } else {
            0
        };
        let call = CALL_BYTES + (atoms * (size_of::<u32>() + score)) as u64;
        // Half of it for the part that is under way, half for those that are done.
        let fitting = self
            .firings
            .map_or(u64::MAX, |firings| firings.memory / 2 / call);
        self.part_rows
            .clamp(1, PART_ROWS)
            .min(fitting.max(LEAST_PART_ROWS))
    }
}

/// Merges tally files: read and checked by several threads, added one at a time.
///
/// # Errors
/// Those of reading one, and of tallies that do not go together; cancellation.
pub fn merge(paths: &[PathBuf], control: &Control) -> Result<CohortTally> {
    let merger = Mutex::new(Merger::default());
    paths.par_iter().try_for_each(|path| {
        control.check()?;
        let tally = read_tally(path)?;
        let name = path.display().to_string();
        lock(&merger).add(tally, &name)
    })?;
    let sum = into_inner(merger).finish();
    sum.ok_or_else(|| Error::choice(Choice::Tallies, "no file", "at least one tally"))
}
