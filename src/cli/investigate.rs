//! `investigate`: the calls on which chosen atoms fire.

use clap::Args;

use super::arguments::{KeepArgs, RunArgs, StatisticsArgs};
use super::counting::Cohort;
use super::progress;
use crate::analysis::shards::KeepFirings;
use crate::error::{Choice, Error, Result};
use crate::report::{json, text::Detail};
use crate::tally::StratifyBy;

/// What the calls are on which an atom fires: types, sizes, chromosomes, datasets, examples
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    atomscope investigate --atom 883 --embeddings calls.pt --model sae.pt\n  \
    atomscope investigate --atom 883 --atom 12 --json --embeddings calls.pt --model sae.pt")]
pub(super) struct Investigate {
    /// The atom; may be given several times, or as a list with commas
    #[arg(
        long = "atom",
        value_name = "A",
        required = true,
        value_delimiter = ','
    )]
    atoms: Vec<u32>,

    #[command(flatten)]
    run: RunArgs,

    #[command(flatten)]
    keep: KeepArgs,

    #[command(flatten)]
    statistics: StatisticsArgs,

    /// Print JSON, with everything that is known
    #[arg(long)]
    json: bool,
}

impl Investigate {
    pub(super) fn run(&self) -> Result<()> {
        let cohort = Cohort::new(&self.run, &self.keep, StratifyBy::TYPE, false)?;
        let folder = std::env::temp_dir();
        let firings = KeepFirings {
            memory: self.keep.memory,
            folder: &folder,
        };
        let counted = cohort.count(None, Some(firings), None)?;
        self.check_atoms(counted.cohort.tally.feature_dim())?;
        progress::show_warnings(&counted.call_warnings());
        let min_support = self.statistics.min_support;
        let found = counted.investigate(&self.atoms, min_support, &progress::control())?;
        if self.json {
            let mut out = Vec::new();
            // Writing to memory cannot fail.
            let _ = json::investigations(&found, &mut out);
            return progress::print(&String::from_utf8_lossy(&out));
        }
        let texts = found.iter().map(|investigation| {
            Detail {
                investigation,
                min_support,
            }
            .to_string()
        });
        progress::print(&texts.collect::<Vec<_>>().join("\n"))
    }

    fn check_atoms(&self, feature_dim: usize) -> Result<()> {
        match self
            .atoms
            .iter()
            .find(|&&atom| atom as usize >= feature_dim)
        {
            None => Ok(()),
            Some(atom) => Err(Error::choice(
                Choice::Atom,
                atom.to_string(),
                format!("an atom of this model, 0 to {}", feature_dim - 1),
            )),
        }
    }
}
