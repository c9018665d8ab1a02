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

    /// What says which call each row of the embeddings is: the calls then come in that order
    ///
    /// The VCF that was embedded, in its order, before anything was filtered; a table of calls; a text of one
    /// ID a line; or the embeddings themselves, if they have sv_info or IDs. Rows are joined to calls by ID;
    /// else by chrom, pos, ref and alt; else by chrom, pos, svtype and the length.
    #[arg(long, value_name = "FILE", help_heading = "Rows")]
    pub(in crate::cli) rows_are: Option<PathBuf>,

    /// The least share of rows, in percent, that must have a call; rows without one are dropped and counted
    #[arg(long, value_name = "PERCENT", default_value_t = 95.0, help_heading = "Rows", value_parser = parse_percent)]
    pub(in crate::cli) min_joined: f64,

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

fn parse_percent(text: &str) -> Result<f64, String> {
    let percent = text.trim_end_matches('%').trim().parse::<f64>().ok();
    let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
    percent.ok_or_else(|| "expected a number from 0 to 100".to_owned())
}
