//! `investigate`: the calls on which chosen atoms fire.

use clap::Args;

use super::analyze::Loaded;
use super::options::RunArgs;
use super::progress;
use crate::error::{Error, Result};
use crate::report::{json, text::Detail};
use crate::stats::classes::classes;
use crate::stats::{self, BiasTable};

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

    /// Print JSON, with everything that is known
    #[arg(long)]
    json: bool,
}

impl Investigate {
    pub(super) fn run(&self) -> Result<()> {
        self.run.engine.check()?;
        let loaded = Loaded::read(
            &self.run.embeddings,
            self.run.metadata.as_deref(),
            &self.run.model,
        )?;
        self.check_atoms(loaded.model.sae.feature_dim())?;
        let options = self.run.engine.analyze_options(self.run.min_support)?;
        let encoding = loaded.encode(&options, self.run.engine.quiet)?;
        let classes = classes(&loaded.cohort.calls, &encoding.fires);
        loaded.warnings(&classes, &encoding.fires);
        let bias = BiasTable::of(&encoding.tally, self.run.min_support);
        let calls = &loaded.cohort.calls;
        let found = stats::investigate(&self.atoms, &bias, calls, &encoding.fires)?;
        if self.json {
            let mut out = Vec::new();
            // Writing to memory cannot fail.
            let _ = json::investigations(&found, &mut out);
            return progress::print(&String::from_utf8_lossy(&out));
        }
        let texts = found.iter().map(|investigation| {
            Detail {
                investigation,
                min_support: self.run.min_support,
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
