//! Counting a cohort in files, with progress, notes and warnings.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arguments::{AnalysisArgs, KeepArgs, RunArgs};
use super::progress::{self, Bar, note};
use crate::analysis::shards::{Checkpoints, KeepFirings, Output, SetsFrom, ShardInput};
use crate::analysis::{CompareScores, CountOptions, Counted, Plan, Tables, place};
use crate::error::Result;
use crate::read::{find_model, model_files};
use crate::stats::evidence::regions::RegionOptions;
use crate::stats::score_comparison::ScoreComparison;
use crate::tally::StratifyBy;
use crate::write::inputs::Inputs;

/// A cohort in files, as the arguments name it.
pub(super) struct Cohort {
    pub(super) inputs: Vec<ShardInput>,
    pub(super) options: CountOptions,
    /// The model's file; `None` where activations are given.
    model: Option<PathBuf>,
    /// The files that were searched for the model.
    model_files: Vec<PathBuf>,
    /// The number of atoms of activations, where it was given.
    atoms: Option<u64>,
    part_rows: Option<u64>,
    quiet: bool,
}

impl Cohort {
    /// Looks at all arguments before anything is read. With `scores` firing sets come with the scores
    /// of their atoms.
    pub(super) fn new(
        run: &RunArgs,
        keep: &KeepArgs,
        stratify_by: StratifyBy,
        scores: bool,
    ) -> Result<Self> {
        let inputs = run.cohort.shards()?;
        run.engine.check()?;
        let mut options = CountOptions {
            rule: run.cohort.labels.rule(),
            model: run.model.answers.answers(),
            embeddings: run.cohort.matrix.choice(run.model.answers.layer()),
            ..run.engine.count_options(stratify_by)?
        };
        options.engine.scores = scores;
        let path = run.model.model.as_deref();
        if path.is_none() {
            let why = "activations are given, and no model is read";
            options.model.check_none(why)?;
        }
        let find = |path| find_model(path, &options.model);
        let model = path.map(find).transpose()?;
        Ok(Self {
            inputs,
            options,
            model,
            model_files: path.map(model_files).unwrap_or_default(),
            atoms: run.cohort.atom_count,
            part_rows: keep.checkpoint_rows,
            quiet: run.engine.quiet,
        })
    }

    /// The plan that keeps nothing.
    pub(super) fn plan(&self) -> Plan<'_> {
        let sets_from = match &self.model {
            Some(model) => SetsFrom::Model(model),
            None => SetsFrom::Activations { atoms: self.atoms },
        };
        let plan = Plan::of(&self.inputs, sets_from, &self.options);
        Plan {
            part_rows: self.part_rows.unwrap_or(plan.part_rows),
            ..plan
        }
    }

    /// Puts the rule of regions and, of a cohort in one file that `is_whole`, cuts in place of quantiles.
    pub(super) fn resolve_strata(&mut self, is_whole: bool) -> Result<()> {
        if self.options.stratify_by.properties.is_empty() {
            return Ok(());
        }
        let resolved = self.plan().resolved_strata(is_whole)?;
        if resolved != self.options.stratify_by {
            note(self.quiet, &format!("strata: {resolved}"));
        }
        self.options.stratify_by = resolved;
        Ok(())
    }

    /// The files that will be read; of tables that may be found beside embeddings those whose name
    /// `is_output`.
    pub(super) fn reads(&self, is_output: &dyn Fn(&str) -> bool) -> Inputs {
        self.plan().reads(&self.model_files, is_output)
    }

    /// Opens the place in this folder where finished parts are kept. Returns `None` for a single
    /// input for which no parts are asked for.
    pub(super) fn checkpoints(&self, folder: &Path) -> Result<Option<Checkpoints>> {
        let wanted = self.inputs.len() > 1 || self.part_rows.is_some();
        let open = || {
            place::check_parts(folder, &self.reads(&|_| true))?;
            Checkpoints::open(folder)
        };
        wanted.then(open).transpose()
    }

    /// Counts all shards, stopped by Ctrl-C.
    pub(super) fn count(
        &self,
        checkpoints: Option<&Checkpoints>,
        firings: Option<KeepFirings>,
        output: Option<Output>,
    ) -> Result<Counted> {
        let plan = Plan {
            checkpoints,
            firings,
            output,
            ..self.plan()
        };
        let bar = Bar::of_rows(self.quiet);
        let counted = bar.show(|control| plan.count(&control))?;
        self.tell(&counted);
        progress::show_warnings(&counted.warnings);
        Ok(counted)
    }

    /// Makes the tables; `memory` is what scores may take.
    pub(super) fn tables(
        &self,
        counted: &Counted,
        asked: &AnalysisArgs,
        regions: Option<Arc<RegionOptions>>,
        memory: u64,
    ) -> Result<Tables> {
        let compares_scores = asked.tables.compares_scores()?;
        let scores = compares_scores.then(|| self.compare_scores(counted, memory));
        let strata = Some(asked.strata.strata.clone());
        let enough = enough_memory(counted, asked.keep.memory, self.quiet);
        let options = asked
            .tables
            .table_options(asked.statistics, strata, regions, enough);
        let (device, engine) = (self.options.device, &self.options.engine);
        let (scores, control) = (scores.transpose()?, progress::control());
        let tables = counted.tables_by(device, engine, &options, scores, &control)?;
        progress::show_warnings(&tables.warnings);
        Ok(tables)
    }

    /// Notes on how the rows were encoded.
    fn tell(&self, counted: &Counted) {
        let Some(run) = &counted.run else { return };
        if run.resumed_rows > 0 && !run.was_there {
            let rows = run.resumed_rows;
            let text = format!("{rows} calls were done by an earlier run, and not done again");
            note(self.quiet, &text);
        }
        if let Some(first) = run.notes.first() {
            let more = match run.notes.len() - 1 {
                0 => String::new(),
                more => format!("; the like is true of {more} more files"),
            };
            note(self.quiet, &format!("{first}{more}"));
        }
        if let Some(encoder) = &run.encoder {
            let used = format!(
                "device {} ({}; {}); {} threads",
                encoder.device, encoder.chosen, encoder.code_path, encoder.threads
            );
            note(self.quiet, &used);
        }
    }

    /// Compares the scores of all atoms on what was counted; Ctrl-C stops it.
    pub(super) fn compare_scores(&self, counted: &Counted, memory: u64) -> Result<ScoreComparison> {
        let passes = counted.passes(memory);
        let times = if passes == 1 {
            "once"
        } else {
            "for each block of atoms"
        };
        let text = format!(
            "--compare scores: scores of {} atoms by the CPU; the embeddings are read again \
             {times} ({passes} in all)",
            counted.cohort.model.feature_dim
        );
        note(self.quiet, &text);
        let options = CompareScores {
            stratify_by: self.options.stratify_by.clone(),
            memory,
        };
        let bar = Bar::of_rows(self.quiet);
        bar.show(|control| self.plan().compare_scores(counted, &options, &control))
    }
}

/// The memory for tables: what was asked for, or the least with which they are made at a fair pace.
pub(super) fn enough_memory(counted: &Counted, asked: u64, quiet: bool) -> u64 {
    let least = counted.least_memory();
    if asked < least {
        let text = format!(
            "--memory {asked}: {least} bytes are taken for the tables, with less of which firing sets \
             would be read more than 32 times"
        );
        note(quiet, &text);
    }
    asked.max(least)
}
