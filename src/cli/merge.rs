//! `merge`: any number of tallies to one.

use std::path::PathBuf;

use clap::Args;

use super::arguments::{ForceArgs, REQUIRED};
use super::progress::{self, note};
use crate::analysis::{merge_into, shards};
use crate::error::{Choice, Result};

/// Merge tallies of shards to one: in any order and any nesting, the same bytes
///
/// Tallies of different models, k, strata or definitions are refused, and rows that come twice.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    atomscope merge --out all.tally tallies/*.tally\n  \
    atomscope merge --out all.tally left.tally right.tally")]
pub(super) struct Merge {
    /// Tallies: files, or patterns in quotes
    #[arg(value_name = "TALLY", required = true, help_heading = REQUIRED)]
    tallies: Vec<PathBuf>,

    /// The merged tally; an earlier merge is replaced, a shard's own tally only by what holds it, and no
    /// tally that was counted and is among those merged
    #[arg(long, value_name = "FILE", help_heading = REQUIRED)]
    out: PathBuf,

    #[command(flatten)]
    force: ForceArgs,

    /// No notes on stderr
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
}

impl Merge {
    pub(super) fn run(&self) -> Result<()> {
        let tallies = shards::expand(Choice::Tallies, &self.tallies)?;
        let control = progress::control();
        let cohort = merge_into(&self.out, &tallies, self.force.force, &control)?;
        let text = format!(
            "{} tallies, {} shards, {} calls: merged in {}",
            tallies.len(),
            cohort.shards.len(),
            cohort.shards.rows(),
            self.out.display()
        );
        note(self.quiet, &text);
        Ok(())
    }
}
