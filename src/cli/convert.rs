//! `convert`: a model of any library in one file of our own form.

use std::path::PathBuf;

use clap::Args;

use super::arguments::{AnswerArgs, ForceArgs};
use super::progress::{self, note};
use crate::analysis::convert::convert;
use crate::error::Result;

/// Write a model of any library as one file of this program's own form, which loads fastest
///
/// A safetensors file with weights, activation, input normalisation and provenance (docs/MODELS.md). What
/// was answered is in it: it leaves no question open.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  atomscope convert interprot.safetensors --k 64 --out interprot.sae.safetensors"
)]
pub(super) struct Convert {
    /// The model: a file, or a folder
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    #[command(flatten)]
    answers: AnswerArgs,

    #[command(flatten)]
    force: ForceArgs,

    /// No notes on stderr; warnings and errors stay
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
}

impl Convert {
    pub(super) fn run(&self) -> Result<()> {
        let about = convert(
            &self.model,
            &self.answers.answers(),
            &self.out,
            self.force.force,
            &progress::control(),
        )?;
        note(
            self.quiet,
            &format!("{}: {}; {}", about.family, about.scores, about.fires),
        );
        Ok(())
    }
}
