//! `tally`: one shard in, one tally file out.

use clap::Args;

use super::arguments::{
    BatchTopKArgs, ForceArgs, KeepArgs, RegionArgs, RunArgs, StrataArgs, TallyArgs,
};
use super::counting::Cohort;
use super::progress::{self, note};
use crate::analysis::shards::KeepFirings;
use crate::error::{Error, Result};

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
    pub(super) run: RunArgs,
    #[command(flatten)]
    batches: BatchTopKArgs,
    #[command(flatten)]
    output: TallyArgs,
    #[command(flatten)]
    strata: StrataArgs,
    #[command(flatten)]
    regions: RegionArgs,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    force: ForceArgs,
}

impl Tally {
    pub(super) fn run(&self) -> Result<()> {
        self.strata.check()?;
        self.output.compare.needs_embeddings("a tally")?;
        let files = self.output.files(self.force.force);
        let run = self
            .run
            .with_labels(&files.tally, self.force.force, &self.strata.keys())?;
        let mut cohort = Cohort::new(&run, &self.keep, self.strata.strata.clone(), files.scores)?;
        cohort.options.batch_topk = self.batches.options(self.keep.memory);
        let [input] = cohort.inputs.as_mut_slice() else {
            let found = format!("{} files", cohort.inputs.len());
            let expected = "one; tally each, and merge the tallies";
            return Err(Error::choice(self.run.cohort.choice(), found, expected));
        };
        if let Some(name) = &self.output.name {
            input.name.clone_from(name);
        }
        self.regions.check_strata(&self.strata.strata)?;
        let regions = self.regions.read(self.run.engine.quiet)?;
        cohort.options.describe.clone_from(&self.strata.describe);
        cohort.options.regions = regions.options;
        cohort.resolve_strata(false)?;
        let mut inputs = cohort.reads(&|_| true);
        inputs.add(regions.paths);
        let _lock = files.open(&inputs)?;
        let checkpoints = cohort.checkpoints(&self.output.checkpoints())?;
        let firings = files.fires.is_some().then_some(KeepFirings {
            memory: self.keep.memory,
            folder: files.folder(),
        });
        let counted = cohort.count(checkpoints.as_ref(), firings, Some(files.output()))?;
        let was_there = counted.run.as_ref().is_some_and(|run| run.was_there);
        if !was_there {
            // Once more: the work took a while.
            files.check(&inputs)?;
            progress::control().check()?;
            counted.write_tally(&files.tally, files.fires.as_deref(), files.scores)?;
        }
        if let Some(checkpoints) = checkpoints {
            checkpoints.remove();
        }
        progress::show_warnings(&counted.shard_warnings());
        let is = if was_there { "was already" } else { "is" };
        let text = format!("the tally {is} in {}", files.tally.display());
        note(self.run.engine.quiet, &text);
        Ok(())
    }
}
