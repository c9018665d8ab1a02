//! The arguments that say what a tally keeps, and which firing sets a report reads.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;

use super::model::AnswerArgs;
use super::{Compare, MEMORY, parse_bytes};
use crate::analysis::TallyFiles;
use crate::outputs::{CHECKPOINTS, FIRES};
use crate::tally::StratifyBy;

/// What is written of a shard.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct TallyArgs {
    /// The tally file: safetensors
    #[arg(long, value_name = "FILE", help_heading = super::REQUIRED)]
    out: PathBuf,

    /// What the cohort calls this shard, and is sorted by [default: the path of embeddings or activations]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) name: Option<String>,

    /// Also write FILE.fires: the atoms that fire on each call with their scores, and the calls, for
    /// what a report tells of single atoms
    #[arg(long)]
    pub(in crate::cli) fires: bool,

    /// Leave the scores out of FILE.fires: about a third of its size, but a report has no AUROC and
    /// no mean scores then
    #[arg(long, requires = "fires")]
    without_scores: bool,

    /// Taken so as to say what to do instead: a tally holds counts
    #[arg(long, value_name = "WHAT", default_value = "firing", hide = true)]
    pub(in crate::cli) compare: Compare,
}

impl TallyArgs {
    /// The files that are written.
    pub(in crate::cli) fn files(&self, force: bool) -> TallyFiles {
        TallyFiles {
            tally: self.out.clone(),
            fires: self.fires.then(|| with_suffix(&self.out, FIRES)),
            scores: self.fires && !self.without_scores,
            force,
        }
    }

    /// The folder of finished parts.
    pub(in crate::cli) fn checkpoints(&self) -> PathBuf {
        with_suffix(&self.out, CHECKPOINTS)
    }
}

/// A file's path with something after its name.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// A tally that was counted, and what is read beside it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Input")]
pub(in crate::cli) struct TallyInputArgs {
    /// The tally, merged or of one shard
    #[arg(value_name = "TALLY", help_heading = super::REQUIRED)]
    pub(in crate::cli) tally: PathBuf,

    /// Firing sets of the shards: files, patterns, or folders with .fires files; others' among them
    /// do no harm [default: the tally's folder]
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with = "without_fires")]
    pub(in crate::cli) fires: Vec<PathBuf>,

    /// Report from counts alone
    #[arg(long)]
    pub(in crate::cli) without_fires: bool,

    /// The model that the tally is of, for the page alone: it then shows atoms of a like direction in the
    /// decoder, as that of analyze does
    #[arg(long, value_name = "PATH", help_heading = "Model")]
    pub(in crate::cli) model: Option<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) answers: AnswerArgs,

    /// What calls are stratified by: some of what the tally was stratified by, or none [default:
    /// all of it]
    #[arg(long, value_name = "LIST", help_heading = "Statistics")]
    pub(in crate::cli) strata: Option<StratifyBy>,

    /// The most memory for the firings of atoms, as 8GiB or 500MB; where it is less than they take,
    /// firing sets are read several times
    #[arg(long, value_name = "SIZE", default_value = MEMORY, value_parser = parse_bytes, help_heading = "Engine")]
    pub(in crate::cli) memory: u64,

    /// No notes on stderr; warnings and errors stay
    #[arg(short, long, help_heading = "Output")]
    pub(in crate::cli) quiet: bool,
}
