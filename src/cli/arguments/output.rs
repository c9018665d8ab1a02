//! The arguments that say where results go, and what may be replaced there.

use std::path::PathBuf;

use clap::Args;

use super::page::{HtmlArg, PageArgs};
use super::statistics::PrintArgs;
use crate::analysis::ResultsFolder;
use crate::cli::progress::note;
use crate::error::{Error, Result};
use crate::write::inputs::Inputs;

/// The folder of an analysis.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct OutputArgs {
    /// The folder for the results; made where it does not exist
    #[arg(long, value_name = "DIR", help_heading = super::REQUIRED)]
    pub(in crate::cli) out: PathBuf,

    /// Also write fires.npy: uint32 [calls, k], the atoms that fire on each call, ascending
    #[arg(long)]
    pub(in crate::cli) save_fires: bool,

    /// report.html, the report to look at
    #[arg(long, value_name = "WHAT", value_enum, default_value = "yes")]
    pub(in crate::cli) html: HtmlArg,

    #[command(flatten)]
    pub(in crate::cli) page: PageArgs,

    #[command(flatten)]
    pub(in crate::cli) print: PrintArgs,

    #[command(flatten)]
    pub(in crate::cli) force: ForceArgs,
}

impl OutputArgs {
    /// Checks that there is a page where nothing else is written; `extended` says whether there are the tables
    /// that it is made of.
    ///
    /// # Errors
    /// A page alone that cannot be made.
    pub(in crate::cli) fn check(&self, extended: bool) -> Result<()> {
        if extended || self.html != HtmlArg::Only {
            return Ok(());
        }
        Err(Error::Argument {
            name: "--html",
            found: "only, beside --tables notebook".to_owned(),
            expected: "--tables all: the notebook's tables alone make no page".to_owned(),
        })
    }

    pub(in crate::cli) fn open(&self, inputs: Inputs) -> Result<ResultsFolder> {
        ResultsFolder::open(&self.out, inputs, self.force.force)
    }

    /// Says where the results are.
    pub(in crate::cli) fn note(&self, quiet: bool) {
        note(quiet, &format!("results are in {}", self.out.display()));
    }
}

/// What may be replaced.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct ForceArgs {
    /// Replace files that an output has the name of even if no earlier run wrote them; what this run
    /// reads is never replaced
    #[arg(long)]
    pub(in crate::cli) force: bool,
}
