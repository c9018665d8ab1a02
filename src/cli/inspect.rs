//! `inspect`: what a file holds.

use std::path::PathBuf;

use clap::Args;

use super::arguments::LabelArgs;
use super::progress;
use crate::error::{Error, Result};
use crate::read;

/// What a file holds: keys, shapes, types, config, calls; nothing in a .pt is executed
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  atomscope inspect sae.pt")]
pub(super) struct Inspect {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    labels: LabelArgs,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(super) fn run(&self) -> Result<()> {
        let found = read::inspect_by(&self.file, &self.labels.rule())?;
        progress::control().check()?;
        if self.json {
            let json =
                serde_json::to_string_pretty(&found).map_err(|e| Error::printing(e.into()))?;
            return progress::print(&(json + "\n"));
        }
        progress::print(&found.to_string())
    }
}
