//! `merge`: any number of tallies to one.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::progress::{self, note};
use crate::error::{Error, Result};
use crate::run;
use crate::store::write_tally;
use crate::write::whole::{folder_of, remove_abandoned};

/// Merge tallies of shards to one: in any order and any nesting, the same bytes
///
/// Tallies of different models, k, strata or definitions are refused, and rows that come twice.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    atomscope merge --out all.tally tallies/*.tally\n  \
    atomscope merge --out all.tally left.tally right.tally")]
pub(super) struct Merge {
    /// The merged tally
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Tallies: files, or patterns in quotes
    #[arg(value_name = "TALLY", required = true)]
    tallies: Vec<PathBuf>,

    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

impl Merge {
    pub(super) fn run(&self) -> Result<()> {
        let tallies = run::expand("TALLY", &self.tallies)?;
        let folder = folder_of(&self.out);
        fs::create_dir_all(folder).map_err(|e| Error::writing(folder, e))?;
        remove_abandoned(folder);
        let cohort = run::merge(&tallies, &progress::check_interrupt)?;
        write_tally(&self.out, &cohort)?.publish()?;
        let text = format!(
            "{} tallies, {} shards, {} calls: merged in {}",
            tallies.len(),
            cohort.shards.iter().len(),
            cohort.shards.rows(),
            self.out.display()
        );
        note(self.quiet, &text);
        Ok(())
    }
}
