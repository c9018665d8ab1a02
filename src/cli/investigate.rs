//! `investigate`: the calls on which chosen atoms fire.

use clap::Args;

use super::options::{KeepArgs, RunArgs};
use super::progress;
use super::record;
use super::statistics::StatisticsArgs;
use super::tallying::Tallying;
use crate::analysis::shards::KeepFirings;
use crate::cohort::classes::classes;
use crate::error::{Error, Result};
use crate::report::{json, text::Detail};
use crate::stats::notebook::{self, BiasTable};
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
        let tallying = Tallying::new(&self.run, StratifyBy::TYPE)?;
        let folder = std::env::temp_dir();
        let details = KeepFirings {
            memory: self.keep.memory,
            folder: &folder,
        };
        let tallied = tallying.run(&self.keep, None, Some(details), None)?;
        self.check_atoms(tallied.model.sae.feature_dim())?;
        let rule = &tallied.cohort.rule;
        let classes = classes(tallied.cohort.shards.kinds(|shard| &shard.classes), rule);
        progress::show_warnings(&tallied.warnings);
        progress::show_warnings(&record::warnings(&tallied.cohort, &classes));
        let min_support = self.statistics.min_support;
        let bias = BiasTable::of(&tallied.cohort.tally, min_support);
        let found = notebook::investigate(&self.atoms, &bias, &tallied.details)?;
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
            Some(atom) => Err(Error::Argument {
                name: "--atom",
                found: atom.to_string(),
                expected: format!("an atom of this model, 0 to {}", feature_dim - 1),
            }),
        }
    }
}
