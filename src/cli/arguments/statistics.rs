//! The arguments that say what to compute of a counted cohort.

use clap::{Args, ValueEnum};

use std::sync::Arc;

use super::PredictArgs;
use super::RegionArgs;
use crate::analysis::TableOptions;
use crate::error::Error;
use crate::report::html::Settings;
use crate::report::text;
use crate::stats::evidence::regions::RegionOptions;
use crate::stats::evidence::{self, Exchange, ListedPairs, Partition};
use crate::stats::notebook;
use crate::tally::StratifyBy;

/// Leaving out atoms.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Statistics")]
pub(in crate::cli) struct StatisticsArgs {
    /// Leave out atoms that fire on fewer calls
    #[arg(long, value_name = "CALLS", default_value_t = notebook::Options::default().min_support)]
    pub(in crate::cli) min_support: u64,
}

impl Default for StatisticsArgs {
    fn default() -> Self {
        let notebook::Options { min_support } = notebook::Options::default();
        Self { min_support }
    }
}

impl StatisticsArgs {
    pub(in crate::cli) fn options(self) -> notebook::Options {
        notebook::Options {
            min_support: self.min_support,
        }
    }
}

/// What is printed.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct PrintArgs {
    /// Which part of the report is printed; report.txt has the whole of it
    #[arg(long, value_name = "PART", default_value = "full")]
    print: Print,
}

/// A part of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Print {
    /// What holds, in some ten lines
    Summary,
    /// What the notebook prints, to the byte
    Notebook,
    /// The summary, the notebook's text, and what holds in detail
    Full,
}

impl PrintArgs {
    /// The part of a report that is asked for.
    pub(in crate::cli) fn text(self, report: &text::Report<'_>) -> String {
        match self.print {
            Print::Summary => text::Short(report.summary).to_string(),
            Print::Notebook => text::Analysis(report.notebook).to_string(),
            Print::Full => report.to_string(),
        }
    }
}

/// The tables beside the notebook's.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Statistics")]
pub(in crate::cli) struct TablesArgs {
    /// Which tables are made
    #[arg(long, value_name = "WHICH", default_value = "all")]
    pub(in crate::cli) tables: Tables,

    /// Permutations of the labels for max-T, 0 for none; 10000 for a paper
    #[arg(long, value_name = "N", default_value_t = DEFAULTS.permutations as u32)]
    permutations: u32,

    /// Keep neighbouring calls together in permutations: labels of a locus change places as one
    /// (locus), or labels rotate along the genome within each dataset (sample) [default: neither]
    #[arg(long, value_name = "BLOCK")]
    block: Option<BlockArg>,

    /// Calls within so many base pairs of the next are one locus
    #[arg(long, value_name = "BP", default_value_t = DEFAULTS.locus_distance, hide_short_help = true)]
    locus_distance: u64,

    /// The same seed gives the same permutations and bootstraps
    #[arg(long, value_name = "SEED", default_value_t = DEFAULTS.seed, hide_short_help = true)]
    seed: u64,

    /// Leave out pairs of atoms that fire together on fewer calls
    #[arg(long, value_name = "CALLS", default_value_t = DEFAULTS.min_coactivation)]
    min_coactivation: u64,

    /// Which pairs of atoms the table of pairs has: those that fire together more or less often than
    /// by chance, or otherwise on true calls than on false ones, at an FDR of 5 % (significant), all
    /// (all), or no pairs at all (none)
    #[arg(long, value_name = "WHICH", default_value = "significant")]
    pairs: PairsArg,

    /// With --pairs significant, list at most so many pairs: those with the largest |phi|, of equal
    /// ones those with the lower atoms
    #[arg(long, value_name = "N", default_value_t = DEFAULTS.max_pairs as u32, hide_short_help = true)]
    max_pairs: u32,

    /// Discover in one part of the cohort, confirm in the other
    #[arg(long, value_name = "BY")]
    replicate: Option<PartitionArg>,

    /// What atoms are compared by: firing, or scores too, which needs embeddings (analyze)
    ///
    /// Scores: a second comparison, atom_scores.parquet, of each atom's score on every call, whether it fires or
    /// not, so that atoms do not compete for the k places of a call: rank test and mean difference
    /// within strata. It costs a product of all calls with all atoms in double precision, on the
    /// CPU, 8 bytes a call and atom of half of --memory at a time, and reads the embeddings once
    /// more for each block of atoms that fits (docs/DISPLACEMENT.md)
    #[arg(long, value_name = "WHAT", default_value = "firing")]
    pub(in crate::cli) compare: Compare,

    /// Bootstrap replicates for the intervals of headline figures, 100 or more; 0 for none
    #[arg(long, value_name = "N", default_value_t = DEFAULTS.bootstrap as u32, hide_short_help = true, value_parser = replicates)]
    bootstrap: u32,

    #[command(flatten)]
    pub(in crate::cli) regions: RegionArgs,

    #[command(flatten)]
    predict: PredictArgs,
}

/// The ends of a 95 % interval are not to be had from a few replicates.
fn replicates(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|&n: &u32| n == 0 || n >= 100);
    number.ok_or_else(|| "expected 0, or a number from 100 to 4294967295".to_owned())
}

const DEFAULTS: evidence::Options = evidence::Options::DEFAULT;

/// Which tables are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Tables {
    /// The notebook's, and those of docs/TABLES.md
    All,
    /// Only what the notebook has
    Notebook,
}

/// What atoms are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Compare {
    /// On how many true and false calls they fire
    Firing,
    /// That, and by their scores on all calls
    Scores,
}

impl Compare {
    /// Refuses a comparison that needs embeddings: what `command` makes has none.
    ///
    /// # Errors
    /// Scores, which need them.
    pub(in crate::cli) fn needs_embeddings(self, command: &str) -> crate::error::Result<()> {
        if self == Self::Firing {
            return Ok(());
        }
        Err(Error::Argument {
            name: "--compare",
            found: format!("scores for {command}"),
            expected: "firing; scores of all atoms need the embeddings, which atomscope analyze \
                       --compare scores reads"
                .to_owned(),
        })
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum BlockArg {
    Locus,
    Sample,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PairsArg {
    Significant,
    All,
    None,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PartitionArg {
    Dataset,
    Chrom,
}

impl Default for TablesArgs {
    fn default() -> Self {
        Self {
            tables: Tables::All,
            permutations: DEFAULTS.permutations as u32,
            block: None,
            locus_distance: DEFAULTS.locus_distance,
            seed: DEFAULTS.seed,
            min_coactivation: DEFAULTS.min_coactivation,
            pairs: PairsArg::Significant,
            max_pairs: DEFAULTS.max_pairs as u32,
            replicate: None,
            compare: Compare::Firing,
            bootstrap: DEFAULTS.bootstrap as u32,
            regions: RegionArgs::default(),
            predict: PredictArgs::default(),
        }
    }
}

impl TablesArgs {
    /// `memory` is what firings may take at a time.
    pub(in crate::cli) fn table_options(
        &self,
        statistics: StatisticsArgs,
        strata: Option<StratifyBy>,
        regions: Option<Arc<RegionOptions>>,
        memory: u64,
    ) -> TableOptions {
        let extended = self.are_made().then_some(evidence::Options {
            min_support: statistics.min_support,
            strata,
            permutations: self.permutations as usize,
            block: match self.block {
                None => Exchange::Call,
                Some(BlockArg::Locus) => Exchange::Locus,
                Some(BlockArg::Sample) => Exchange::Sample,
            },
            locus_distance: self.locus_distance,
            seed: self.seed,
            min_coactivation: self.min_coactivation,
            pairs: match self.pairs {
                PairsArg::Significant => ListedPairs::Significant,
                PairsArg::All => ListedPairs::All,
                PairsArg::None => ListedPairs::None,
            },
            max_pairs: self.max_pairs as usize,
            replicate: self.replicate.map(|by| match by {
                PartitionArg::Dataset => Partition::Dataset,
                PartitionArg::Chrom => Partition::Chrom,
            }),
            bootstrap: self.bootstrap as usize,
            memory,
        });
        TableOptions {
            notebook: statistics.options(),
            extended,
            regions,
            predict: self.predict.by(),
            page: Settings::default(),
        }
    }

    /// Checks that what is asked for by name is possible.
    ///
    /// # Errors
    /// A replication or a prediction without firing sets.
    pub(in crate::cli) fn check(&self, has_firings: bool) -> crate::error::Result<()> {
        self.regions.check(has_firings, self.are_made())?;
        self.predict.check(has_firings, self.are_made())?;
        if has_firings || self.replicate.is_none() || !self.are_made() {
            return Ok(());
        }
        Err(Error::Argument {
            name: "--replicate",
            found: "a report without firing sets".to_owned(),
            expected: "firing sets (tally --fires writes them; leave out --without-fires)"
                .to_owned(),
        })
    }

    /// Says whether atoms are compared by their scores.
    ///
    /// # Errors
    /// Scores without the tables that would tell of them.
    pub(in crate::cli) fn compares_scores(&self) -> crate::error::Result<bool> {
        if self.compare == Compare::Firing || self.are_made() {
            return Ok(self.compare == Compare::Scores);
        }
        Err(Error::Argument {
            name: "--compare",
            found: "scores with --tables notebook".to_owned(),
            expected: "scores with --tables all, as a table tells of them".to_owned(),
        })
    }

    /// Says whether more tables than the notebook's are made. These need canonical scores.
    pub(in crate::cli) fn are_made(&self) -> bool {
        self.tables == Tables::All
    }
}
