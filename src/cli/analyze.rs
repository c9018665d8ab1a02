//! `analyze`: the notebook's whole answer, from files to files: `tally`, `merge` and `report` in one.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use super::options::{ForceArgs, KeepArgs, RunArgs};
use super::output::{Counted, Results, place};
use super::pairs::PairCounter;
use super::progress::{self, note};
use super::record::Record;
use super::statistics::{StatisticsArgs, StrataArgs, TablesArgs};
use super::tallying::Tallying;
use super::watched::Watched;
use crate::analysis::shards::{CompareScores, KeepFirings};
use crate::error::Result;
use crate::outputs::{ANALYSIS, ANALYSIS_CHECKPOINTS};
use crate::report::text;

/// Which atoms fire on true and on false calls, and what these calls are
///
/// Prints the report, and writes sae_feature_bias_analysis.csv, top_biased_features.json,
/// coactivation.csv, report.txt, run.json and the tables of docs/TABLES.md (atoms.parquet, atoms.tsv and
/// others) to the output folder: all of them, or none. A run that was killed goes on where it was when
/// it is started again. Files of an earlier run are replaced, as run.json knows them; no others are.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
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
    pub(super) force: ForceArgs,
}

impl Analyze {
    pub(super) fn run(&self) -> Result<()> {
        self.files(|report| progress::print(&report.to_string()))?;
        let done = format!("results are in {}", self.out.display());
        note(self.run.engine.quiet, &done);
        Ok(())
    }

    /// The whole job; `show` prints the findings.
    pub(super) fn files(&self, show: impl FnOnce(&text::Report) -> Result<()>) -> Result<()> {
        let began = Instant::now();
        let compares_scores = self.tables.compares_scores()?;
        let mut tallying = Tallying::new(&self.run, self.strata.strata)?;
        let inputs = tallying.reads(&|name| ANALYSIS.contains(&name));
        let results = Results::new(began, place(&self.out, inputs, self.force.force))?;
        tallying.score(self.tables.are_made());
        let checkpoints =
            tallying.checkpoints(&self.keep, || self.out.join(ANALYSIS_CHECKPOINTS))?;
        let details = KeepFirings {
            // Half of it, where the tables are to have the other half.
            memory: if self.tables.are_made() {
                self.keep.memory / 2
            } else {
                self.keep.memory
            },
            folder: &self.out,
        };
        let tallied = tallying.run(&self.keep, checkpoints.as_ref(), Some(details), None)?;
        progress::show_warnings(&tallied.warnings);
        let compare = CompareScores {
            strata: self.strata.strata,
            memory: self.keep.memory / 2,
            simd: tallying.simd(),
        };
        let scores = compares_scores.then(|| tallying.compare_scores(&tallied, compare));
        let details = Watched(&tallied.details);
        let counted = Counted {
            cohort: &tallied.cohort,
            details: Some(&details),
            statistics: self.statistics.options(),
            evidence: self.tables.options(
                self.statistics.min_support,
                Some(self.strata.strata),
                self.keep.memory,
            ),
            scores: scores.transpose()?,
            save_fires: self.save_fires,
        };
        let known = |record: &mut Record| {
            record.ran(&tallied, tallying.nonfinite());
            Ok(())
        };
        let mut pairs = tallying.pair_counter(&tallied);
        results.write(&counted, PairCounter::by(pairs.as_mut()), known, show)?;
        if let Some(checkpoints) = checkpoints {
            checkpoints.remove();
        }
        Ok(())
    }
}
