//! `investigate`: the calls on which chosen atoms fire.

use clap::Args;

use super::arguments::{AtomArgs, CallsArgs, KeepArgs, RunArgs, StatisticsArgs};
use super::counting::Cohort;
use super::progress::{self, note};
use crate::analysis::CallsFile;
use crate::analysis::shards::KeepFirings;
use crate::error::Result;
use crate::report::{calls, text::Detail};
use crate::tally::StratifyBy;

/// What the calls are on which an atom fires: types, sizes, chromosomes, datasets, and the calls
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    atomscope investigate --atom 883 --embeddings calls.pt --model sae.pt\n  \
    atomscope investigate --atom 883 --top 20 --embeddings calls.pt --model sae.pt\n  \
    atomscope investigate --atom 883,12,20-29 --out calls.bed --embeddings calls.pt --model sae.pt")]
pub(super) struct Investigate {
    #[command(flatten)]
    atoms: AtomArgs,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    calls: CallsArgs,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    statistics: StatisticsArgs,
}

impl Investigate {
    pub(super) fn run(&self) -> Result<()> {
        self.run.labelled.refuse()?;
        let (calls, control) = (&self.calls, progress::control());
        let cohort = Cohort::new(&self.run, &self.keep, StratifyBy::TYPE, calls.are_listed())?;
        let inputs = cohort.reads(&|_| true);
        let open = |path| CallsFile::open(path, &inputs, calls.force.force);
        let file = calls.out.as_deref().map(open).transpose()?;
        let folder = std::env::temp_dir();
        let firings = KeepFirings {
            memory: self.keep.memory,
            folder: &folder,
        };
        let counted = cohort.count(None, Some(firings), None)?;
        let atoms = self.atoms.atoms(counted.cohort.tally.feature_dim())?;
        progress::show_warnings(&counted.call_warnings());
        let min_support = self.statistics.min_support;
        let found = counted.investigate(&atoms, min_support, &control)?;
        let list = || counted.calls_of(&atoms, calls.pick(), &control);
        let listed = calls.are_listed().then(list).transpose()?;
        let listed = listed.unwrap_or_default();
        if let Some(file) = file {
            let left_out = file.write(&listed)?;
            if left_out > 0 {
                let why = "calls have no chromosome or position: they are not in the BED file";
                note(self.run.engine.quiet, &format!("{left_out} {why}"));
            }
        }
        if calls.json {
            let mut out = Vec::new();
            // Writing to memory cannot fail.
            let _ = calls::json(&found, &listed, &mut out);
            return progress::print(&String::from_utf8_lossy(&out));
        }
        let lists = if calls.are_printed() {
            &listed[..]
        } else {
            &[]
        };
        let texts = found.iter().enumerate().map(|(at, investigation)| {
            let list = lists.get(at).map(|list| calls::List(list).to_string());
            let detail = Detail {
                investigation,
                min_support,
            };
            format!("{detail}{}", list.unwrap_or_default())
        });
        progress::print(&texts.collect::<Vec<_>>().join("\n"))
    }
}
