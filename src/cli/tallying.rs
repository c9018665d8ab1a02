//! Counting a cohort in files, with progress, notes and warnings.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::options::{KeepArgs, RunArgs};
use super::pairs::PairCounter;
use super::progress::{self, note, rows_bar};
use crate::analysis::AnalyzeOptions;
use crate::engine::Nonfinite;
use crate::error::Result;
use crate::read::find_model;
use crate::run::{
    Checkpoints, Job, KeepDetails, Output, PART_ROWS, ShardInput, Tallied, Watch, tally_shards,
};
use crate::tally::Scheme;

/// A cohort in files, and how it is counted.
pub(super) struct Tallying {
    pub(super) inputs: Vec<ShardInput>,
    model: PathBuf,
    options: AnalyzeOptions,
    quiet: bool,
}

impl Tallying {
    /// Looks at all arguments before anything is read.
    pub(super) fn new(run: &RunArgs, strata: Scheme) -> Result<Self> {
        let inputs = run.cohort.shards()?;
        run.engine.check()?;
        Ok(Self {
            inputs,
            options: AnalyzeOptions {
                rule: run.cohort.labels.rule(),
                ..run.engine.analyze_options(strata)?
            },
            model: find_model(&run.model)?,
            quiet: run.engine.quiet,
        })
    }

    pub(super) fn model(&self) -> &Path {
        &self.model
    }

    /// Whether firing sets come with the scores of their atoms.
    pub(super) fn score(&mut self, scores: bool) {
        self.options.engine.scores = scores;
    }

    pub(super) fn nonfinite(&self) -> Nonfinite {
        self.options.engine.nonfinite
    }

    /// Where finished parts are kept: in this folder, where there are several, or where they are
    /// asked for.
    pub(super) fn checkpoints(
        &self,
        keep: &KeepArgs,
        folder: impl FnOnce() -> PathBuf,
    ) -> Result<Option<Checkpoints>> {
        let wanted = self.inputs.len() > 1 || keep.checkpoint_rows.is_some();
        wanted.then(|| Checkpoints::open(&folder())).transpose()
    }

    /// What counts pairs of atoms where these calls were encoded on a GPU.
    pub(super) fn pair_counter(&self, tallied: &Tallied) -> Option<PairCounter> {
        let ordinal = tallied.encoder.as_ref()?.cuda_device()?;
        let options = self.options.engine.cuda.clone();
        Some(PairCounter::new(ordinal, self.options.device, options))
    }

    /// Counts all shards, stopped by Ctrl-C.
    pub(super) fn run(
        &self,
        keep: &KeepArgs,
        checkpoints: Option<&Checkpoints>,
        details: Option<KeepDetails>,
        output: Option<Output>,
    ) -> Result<Tallied> {
        let bar = rows_bar(0, "encoding", self.quiet);
        let known = AtomicU64::new(0);
        let more_rows = |rows: u64| bar.set_length(known.fetch_add(rows, Ordering::Relaxed) + rows);
        let progress = |done: u64| bar.update(|state| state.set_pos(state.pos().max(done)));
        let watch = Watch {
            cancel: Some(&progress::INTERRUPTED),
            more_rows: &more_rows,
            progress: &progress,
        };
        let job = Job {
            inputs: &self.inputs,
            model: &self.model,
            options: &self.options,
            part_rows: keep.checkpoint_rows.unwrap_or(PART_ROWS),
            checkpoints,
            details,
            output,
            beside: rayon::current_num_threads() > 1,
        };
        let tallied = tally_shards(&job, &watch);
        bar.finish_and_clear();
        let tallied = tallied?;
        if tallied.resumed_rows > 0 && !tallied.was_there {
            let rows = tallied.resumed_rows;
            let text = format!("{rows} calls were done by an earlier run, and not done again");
            note(self.quiet, &text);
        }
        if let Some(first) = tallied.notes.first() {
            let more = match tallied.notes.len() - 1 {
                0 => String::new(),
                more => format!("; the like is true of {more} more files"),
            };
            note(self.quiet, &format!("{first}{more}"));
        }
        if let Some(encoder) = &tallied.encoder {
            let used = format!(
                "device {} ({}; {}); {} threads",
                encoder.device, encoder.chosen, encoder.code_path, encoder.threads
            );
            note(self.quiet, &used);
        }
        Ok(tallied)
    }
}
