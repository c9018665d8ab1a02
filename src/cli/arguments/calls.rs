//! Which atoms are looked at, and which of their calls are shown, and where.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::ForceArgs;
use crate::error::{Choice, Error, Result};
use crate::stats::calls::Pick;

/// Atoms.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = super::REQUIRED)]
pub(in crate::cli) struct AtomArgs {
    /// The atom; may be given several times, as a list with commas, or as a range with both ends in it
    /// (883,12,20-29)
    #[arg(
        long = "atom",
        value_name = "A",
        required = true,
        value_delimiter = ','
    )]
    atoms: Vec<Atoms>,
}

/// One atom, or atoms that follow each other.
#[derive(Debug, Clone)]
struct Atoms(RangeInclusive<u32>);

impl FromStr for Atoms {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let number = |text: &str| text.trim().parse::<u32>().ok();
        let ends = number(first).zip(number(last));
        let ends = ends.filter(|(first, last)| first <= last);
        ends.map(|(first, last)| Self(first..=last)).ok_or(
            "expected the number of an atom, as in 12, or a range with both ends in it, as in 20-29",
        )
    }
}

impl AtomArgs {
    /// Each atom once, in the order in which they are named.
    ///
    /// # Errors
    /// An atom that a model of so many does not have.
    pub(in crate::cli) fn atoms(&self, feature_dim: usize) -> Result<Vec<u32>> {
        let mut atoms = indexmap::IndexSet::new();
        for Atoms(range) in &self.atoms {
            if *range.end() as usize >= feature_dim {
                let expected = format!("an atom of this model, 0 to {}", feature_dim - 1);
                return Err(Error::choice(
                    Choice::Atom,
                    range.end().to_string(),
                    expected,
                ));
            }
            atoms.extend(range.clone());
        }
        Ok(atoms.into_iter().collect())
    }
}

/// Calls.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct CallsArgs {
    /// List the N calls on which an atom fires most strongly, with the atom's score on each
    #[arg(long, value_name = "N", conflicts_with = "random")]
    top: Option<usize>,

    /// List N of its calls that are drawn at random, strongest first
    #[arg(long, value_name = "N")]
    random: Option<usize>,

    /// The same seed draws the same calls
    #[arg(long, value_name = "SEED", default_value_t = 1, hide_short_help = true)]
    seed: u64,

    /// Write the calls of all atoms to this file, strongest first, all of them unless --top or --random
    /// says how many: FILE.tsv, FILE.bed (sorted by place; from 0, half open, from the position on and as
    /// long as the call, insertions one base; column 4 is the ID, 8 the rank, 9 the atom's score; BED's
    /// own score and strand mean nothing and are 0 and .), or FILE.parquet
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) out: Option<PathBuf>,

    /// Print JSON, with everything that is known: all calls with their scores, unless --top or --random
    /// says how many
    #[arg(long)]
    pub(in crate::cli) json: bool,

    #[command(flatten)]
    pub(in crate::cli) force: ForceArgs,
}

impl CallsArgs {
    /// Which calls are listed.
    pub(in crate::cli) fn pick(&self) -> Pick {
        match (self.top, self.random) {
            (Some(count), _) => Pick::Top(count),
            (None, Some(count)) => Pick::Random {
                count,
                seed: self.seed,
            },
            (None, None) => Pick::All,
        }
    }

    /// Says whether calls are listed at all; if not, the text shows the first few.
    pub(in crate::cli) fn are_listed(&self) -> bool {
        self.json || self.out.is_some() || self.are_printed()
    }

    /// Says whether calls are listed below the text.
    pub(in crate::cli) fn are_printed(&self) -> bool {
        self.top.is_some() || self.random.is_some()
    }
}
