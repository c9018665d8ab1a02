//! The arguments that say where a benchmark's calls are.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::read::benchmark::BenchmarkOptions;

/// What becomes of true calls below the benchmark's least size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum BelowSizemin {
    /// They are left out, and counted.
    Drop,
    /// They are kept, with the reason below_sizemin.
    Keep,
}

/// Labels.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Labels")]
pub(in crate::cli) struct BenchmarkArgs {
    /// A VCF whose calls are all true; with --fp, or with PATH as the VCF of all calls
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) tp: Option<PathBuf>,

    /// A VCF whose calls are all false; with --tp, or with PATH as the VCF of all calls
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) fp: Option<PathBuf>,

    /// The sample whose labels and genotypes are read, if not the one that the benchmark names
    #[arg(long, value_name = "NAME")]
    sample: Option<String>,

    /// True calls below Truvari's sizemin, which are true by construction
    #[arg(long, value_name = "WHAT", value_enum, default_value = "drop")]
    below_sizemin: BelowSizemin,
}

impl BenchmarkArgs {
    pub(in crate::cli) fn options(&self) -> BenchmarkOptions {
        BenchmarkOptions {
            tp: self.tp.clone(),
            fp: self.fp.clone(),
            sample: self.sample.clone(),
            keep_below_sizemin: self.below_sizemin == BelowSizemin::Keep,
        }
    }
}
