//! `analyze`: the notebook's whole answer, from files to files: `tally`, `merge` and `report` in one.

use std::path::PathBuf;

use clap::Args;

use super::arguments::{
    ForceArgs, KeepArgs, PrintArgs, RunArgs, StatisticsArgs, StrataArgs, TablesArgs,
};
use super::counting::Cohort;
use super::progress::{self, note};
use crate::analysis::shards::KeepFirings;
use crate::analysis::{ResultsFolder, outputs};
use crate::error::Result;
use crate::outputs::ANALYSIS_CHECKPOINTS;
use crate::report::text;

/// Which atoms fire on true and on false calls, and what these calls are
///
/// Prints the report, and writes it and its tables to the output folder: all of them, or none. A run
/// that was killed goes on where it was when it is started again. Files of an earlier run are replaced,
/// as run.json knows them; no others are.
#[derive(Debug, Args)]
#[command(after_long_help = outputs::help(), after_help = "Examples:\n  \
    atomscope analyze --embeddings sae_sv_embeddings.pt --model sae.pt --out results\n  \
    atomscope analyze --embeddings 'shards/*.npy' --model sae.pt --out results\n  \
    atomscope analyze --embeddings calls.pt --model models/BEST_MODEL.json --out results \\\n      \
    --save-fires --nonfinite skip --threads 8\n  \
    atomscope analyze --embeddings calls.pt --model sae.pt --out results \\\n      \
    --permutations 10000 --block locus --replicate chrom\n  \
    atomscope analyze --embeddings calls.pt --model sae.pt --out results --compare scores")]
pub(super) struct Analyze {
    #[command(flatten)]
    pub(super) run: RunArgs,
    #[command(flatten)]
    pub(super) strata: StrataArgs,
    #[command(flatten)]
    pub(super) keep: KeepArgs,
    #[command(flatten)]
    pub(super) statistics: StatisticsArgs,
    #[command(flatten)]
    pub(super) tables: TablesArgs,
    /// The folder for the results; made where it does not exist
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Also write fires.npy: uint32 [calls, k], the atoms that fire on each call, ascending
    #[arg(long)]
    pub(super) save_fires: bool,
    #[command(flatten)]
    pub(super) print: PrintArgs,
    #[command(flatten)]
    pub(super) force: ForceArgs,
}

impl Analyze {
    pub(super) fn run(&self) -> Result<()> {
        self.files(|report| progress::print(&self.print.text(report)))?;
        let done = format!("results are in {}", self.out.display());
        note(self.run.engine.quiet, &done);
        Ok(())
    }

    /// The whole job; `show` prints the tables.
    pub(super) fn files(&self, show: impl FnOnce(&text::Report) -> Result<()>) -> Result<()> {
        let (compares_scores, extended) = (self.tables.compares_scores()?, self.tables.are_made());
        let cohort = Cohort::new(&self.run, &self.keep, self.strata.strata, extended)?;
        let inputs = cohort.reads(&|name| outputs::names().contains(name));
        let folder = ResultsFolder::open(&self.out, inputs, self.force.force)?;
        let checkpoints = cohort.checkpoints(self.out.join(ANALYSIS_CHECKPOINTS))?;
        // The tables are to have the other half.
        let memory = self.keep.memory / if extended { 2 } else { 1 };
        let firings = KeepFirings {
            memory,
            folder: &self.out,
        };
        let counted = cohort.count(checkpoints.as_ref(), Some(firings), None)?;
        let scores = compares_scores.then(|| cohort.compare_scores(&counted, memory));
        let strata = Some(self.strata.strata);
        let options = self
            .tables
            .table_options(self.statistics, strata, self.keep.memory);
        let (device, engine) = (cohort.options.device, &cohort.options.engine);
        let control = progress::control();
        let tables = counted.tables_by(device, engine, &options, scores.transpose()?, &control)?;
        progress::show_warnings(&tables.warnings);
        let staying = folder.write(
            &counted,
            &tables,
            self.save_fires,
            &control,
            |_| Ok(()),
            show,
        )?;
        progress::show_staying(&staying);
        if let Some(checkpoints) = checkpoints {
            checkpoints.remove();
        }
        Ok(())
    }
}
