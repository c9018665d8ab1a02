//! `merge`: any number of tallies to one.

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::ForceArgs;
use super::place;
use super::progress::{self, note};
use crate::analysis::shards;
use crate::error::{Error, Result};
use crate::store::{Maker, is_counted, is_merged, read_tally, write_tally};
use crate::tally::CohortTally;
use crate::write::inputs::{Inputs, is_same_file};

/// Merge tallies of shards to one: in any order and any nesting, the same bytes
///
/// Tallies of different models, k, strata or definitions are refused, and rows that come twice.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    atomscope merge --out all.tally tallies/*.tally\n  \
    atomscope merge --out all.tally left.tally right.tally")]
pub(super) struct Merge {
    /// The merged tally; an earlier merge is replaced, a shard's own tally only by what holds it, and no
    /// tally that was counted and is among those merged
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Tallies: files, or patterns in quotes
    #[arg(value_name = "TALLY", required = true)]
    tallies: Vec<PathBuf>,

    #[command(flatten)]
    force: ForceArgs,

    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

impl Merge {
    pub(super) fn run(&self) -> Result<()> {
        let tallies = shards::expand("TALLY", &self.tallies)?;
        place::check(&self.out, &Inputs::default(), self.force)?;
        place::prepare(&self.out)?;
        let control = progress::control();
        let (own, others): (Vec<_>, Vec<_>) = tallies
            .iter()
            .cloned()
            .partition(|path| is_same_file(path, &self.out));
        if let Some(input) = own.first().filter(|_| !is_merged(&self.out)) {
            return Err(is_input(input));
        }
        // A pattern may match what an earlier merge has written. Where the others have all its rows,
        // it is that; else it is a tally like any other.
        let earlier = self
            .out
            .exists()
            .then(|| read_tally(&self.out).ok())
            .flatten();
        let cohort = match (own.is_empty(), &earlier) {
            (false, Some(earlier)) if !others.is_empty() => {
                match shards::merge(&others, &control) {
                    Ok(cohort) if cohort.shards.hold(&earlier.shards) => cohort,
                    _ => shards::merge(&tallies, &control)?,
                }
            }
            _ => shards::merge(&tallies, &control)?,
        };
        // An earlier merge can be made again; a tally that was counted would have to be counted again.
        let lost = earlier.filter(|earlier| !cohort.shards.hold(&earlier.shards));
        if let Some(lost) = lost.filter(|_| is_counted(&self.out) && !self.force.force) {
            return Err(self.would_lose(&lost));
        }
        write_tally(&self.out, &cohort, Maker::Merge)?.publish()?;
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

    fn would_lose(&self, tally: &CohortTally) -> Error {
        let mut shards = tally.shards.iter();
        let first = shards.next().map_or("", |shard| &shard.name);
        Error::Argument {
            name: "--out",
            found: format!(
                "{}, a tally of rows that are not among those merged ({first}{})",
                self.out.display(),
                if shards.next().is_some() { ", …" } else { "" }
            ),
            expected:
                "a new name, or that of an earlier merge; is the output's name missing before \
                       the tallies?"
                    .to_owned(),
        }
    }
}

/// An earlier merge may be among those merged, and is replaced by one that holds it; no other input
/// is replaced.
fn is_input(input: &Path) -> Error {
    Error::Argument {
        name: "--out",
        found: format!("{}, which is to be merged", input.display()),
        expected: "a new name, or that of an earlier merge: an input is not replaced, by --force \
                   neither"
            .to_owned(),
    }
}
