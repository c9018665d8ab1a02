//! `tally`: one shard in, one tally file out.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::{Compare, ForceArgs, KeepArgs, RunArgs, StrataArgs};
use super::counting::Cohort;
use super::place;
use super::progress::{self, note};
use crate::analysis::shards::{KeepFirings, Output};
use crate::error::{Error, Result};
use crate::outputs::{CHECKPOINTS, FIRES};
use crate::write::inputs::Inputs;
use crate::write::whole::folder_of;

/// Count one shard of a cohort: embeddings in, a tally file out, to be merged and reported from
///
/// A tally that is there already, of the same rows of the same files by the same model, is left as
/// it is; what an earlier run that was killed has done is not done again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    atomscope tally --embeddings shards/s1.npy --model sae.pt --out s1.tally --fires\n  \
    atomscope tally --embeddings calls.pt --rows 0..1000000 --model sae.pt --out part1.tally\n  \
    atomscope merge --out all.tally *.tally\n  \
    atomscope report all.tally --out results")]
pub(super) struct Tally {
    #[command(flatten)]
    run: RunArgs,

    /// Taken so as to say what to do instead: a tally holds counts
    #[arg(long, value_name = "WHAT", default_value = "firing", hide = true)]
    compare: Compare,

    /// The tally file: safetensors
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// What the cohort calls this shard, and is sorted by [default: the embeddings' path]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Also write FILE.fires: the atoms that fire on each call with their scores, and the calls, for
    /// what a report tells of single atoms
    #[arg(long)]
    fires: bool,

    /// Leave the scores out of FILE.fires: about a third of its size, but a report has no AUROC and
    /// no mean scores then
    #[arg(long, requires = "fires")]
    without_scores: bool,

    #[command(flatten)]
    strata: StrataArgs,

    #[command(flatten)]
    keep: KeepArgs,

    #[command(flatten)]
    force: ForceArgs,
}

/// A file's path with something after its name.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

impl Tally {
    pub(super) fn run(&self) -> Result<()> {
        self.compare.needs_embeddings("a tally")?;
        let mut cohort = Cohort::new(&self.run, &self.keep, self.strata.strata, self.scores())?;
        let [input] = cohort.inputs.as_mut_slice() else {
            return Err(Error::Argument {
                name: "--embeddings",
                found: format!("{} files", cohort.inputs.len()),
                expected: "one; tally each, and merge the tallies".to_owned(),
            });
        };
        if let Some(name) = &self.name {
            input.name.clone_from(name);
        }
        let (inputs, fires) = (cohort.reads(&|_| true), with_suffix(&self.out, FIRES));
        self.check_places(&inputs, &fires)?;
        let checkpoints = cohort.checkpoints(with_suffix(&self.out, CHECKPOINTS))?;
        let firings = self.fires.then_some(KeepFirings {
            memory: self.keep.memory,
            folder: folder_of(&self.out),
        });
        let output = Output {
            tally: &self.out,
            fires: self.fires.then_some(&*fires),
        };
        let counted = cohort.count(checkpoints.as_ref(), firings, Some(output))?;
        let was_there = counted.run.as_ref().is_some_and(|run| run.was_there);
        if !was_there {
            // Once more: the work took a while.
            self.check_places(&inputs, &fires)?;
            progress::control().check()?;
            counted.write_tally(&self.out, self.fires.then_some(&*fires), self.scores())?;
        }
        if let Some(checkpoints) = checkpoints {
            checkpoints.remove();
        }
        progress::show_warnings(&counted.shard_warnings());
        let is = if was_there { "was already" } else { "is" };
        let text = format!("the tally {is} in {}", self.out.display());
        note(self.run.engine.quiet, &text);
        Ok(())
    }

    /// Nothing that is there is lost by what is written.
    fn check_places(&self, inputs: &Inputs, fires: &Path) -> Result<()> {
        place::check(&self.out, inputs, self.force)?;
        if self.fires {
            place::check(fires, inputs, self.force)?;
        }
        place::prepare(&self.out)
    }

    /// Scores are kept with the firing sets, or nowhere.
    fn scores(&self) -> bool {
        self.fires && !self.without_scores
    }
}
