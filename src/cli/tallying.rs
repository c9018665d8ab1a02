//! Counting a cohort in files, with progress, notes and warnings.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::options::{KeepArgs, RunArgs};
use super::pairs::PairCounter;
use super::progress::{self, note, rows_bar};
use crate::analysis::AnalyzeOptions;
use crate::analysis::shards::{
    Checkpoints, CompareScores, Job, KeepFirings, Output, PART_ROWS, ShardInput, Tallied, Watch,
    tally_shards,
};
use crate::engine::{Control, Nonfinite, Simd};
use crate::error::Result;
use crate::read::{find_model, model_files, tables_beside};
use crate::stats::score_comparison::ScoreComparison;
use crate::tally::StratifyBy;
use crate::write::inputs::Inputs;

/// A cohort in files, and how it is counted.
pub(super) struct Tallying {
    pub(super) inputs: Vec<ShardInput>,
    model: PathBuf,
    /// What was looked into to find the model.
    model_files: Vec<PathBuf>,
    options: AnalyzeOptions,
    quiet: bool,
}

impl Tallying {
    /// Looks at all arguments before anything is read.
    pub(super) fn new(run: &RunArgs, strata: StratifyBy) -> Result<Self> {
        let inputs = run.cohort.shards()?;
        run.engine.check()?;
        Ok(Self {
            inputs,
            options: AnalyzeOptions {
                rule: run.cohort.labels.rule(),
                ..run.engine.analyze_options(strata)?
            },
            model: find_model(&run.model)?,
            model_files: model_files(&run.model),
            quiet: run.engine.quiet,
        })
    }

    /// The files that will be read. Of tables that may be found beside embeddings only those whose
    /// name `is_output` are looked for: there may be many shards.
    pub(super) fn reads(&self, is_output: &dyn Fn(&str) -> bool) -> Inputs {
        let mut inputs = Inputs::of([self.model.clone()]);
        inputs.add(self.model_files.iter().cloned());
        for shard in &self.inputs {
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
        let open = || {
            let (folder, inputs) = (folder(), self.reads(&|_| true));
            super::place::check_folder(&folder, &inputs)?;
            Checkpoints::open(&folder)
        };
        wanted.then(open).transpose()
    }

    /// The vector instructions that were asked for.
    pub(super) fn simd(&self) -> Option<Simd> {
        self.options.engine.simd
    }

    /// Compares the scores of all atoms on what was counted; Ctrl-C stops it.
    pub(super) fn compare_scores(
        &self,
        tallied: &Tallied,
        options: CompareScores,
    ) -> Result<ScoreComparison> {
        let passes = tallied.passes(options);
        let times = if passes == 1 {
            "once"
        } else {
            "for each block of atoms"
        };
        let text = format!(
            "--compare scores: scores of {} atoms by the processor; the embeddings are read again \
             {times} ({passes} in all)",
            tallied.model.sae.feature_dim()
        );
        note(self.quiet, &text);
        let rows = tallied.cohort.shards.rows() * passes as u64;
        let bar = rows_bar(rows, "scoring", self.quiet);
        let progress = |done: u64| bar.set_position(done);
        let control = Control {
            cancel: Some(&progress::INTERRUPTED),
            progress: Some(&progress),
        };
        let found = tallied.compare_scores(&self.inputs, options, &control);
        bar.finish_and_clear();
        found
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
        details: Option<KeepFirings>,
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
