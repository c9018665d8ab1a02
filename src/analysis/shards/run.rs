//! A plan carried out: shard after shard, with what comes next read ahead.

use std::sync::atomic::{AtomicBool, Ordering};

use super::ahead::Ahead;
use super::plan::{Plan, SetsFrom};
use super::rows::ShardRows;
use super::shard::Work;
use crate::analysis::counted::{CompareScores, Counted, no_model};
use crate::clock::Clock;
use crate::control::Control;
use crate::error::Result;
use crate::read::{LoadedModel, read_model_with};
use crate::stats::score_comparison::ScoreComparison;

impl Plan<'_> {
    /// Counts every shard, and keeps its firing sets where they are asked for. `control` learns how
    /// many rows are done.
    ///
    /// # Errors
    /// Files that cannot be read or do not fit together, rows with a NaN or an infinity, a device that
    /// cannot be used, cancellation. Parts that were finished by then stay among the checkpoints.
    pub fn count(&self, control: &Control) -> Result<Counted> {
        let read = || match self.sets_from {
            SetsFrom::Model(path) => read_model_with(path, &self.options.model),
            SetsFrom::Activations { .. } => Err(no_model()),
        };
        self.count_by(read, control)
    }

    /// The same, by a model that `read` reads once files are read ahead.
    pub(super) fn count_by(
        &self,
        read: impl FnOnce() -> Result<LoadedModel>,
        control: &Control,
    ) -> Result<Counted> {
        let clock = Clock::start();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let control = control.or_stop(&stop);
            let ahead = Ahead::start(scope, self, control);
            let work = || {
                let model = match self.sets_from {
                    SetsFrom::Model(path) => Some((path, read()?)),
                    SetsFrom::Activations { .. } => None,
                };
                let mut work = Work::new(self, control, &ahead, model);
                for number in 0..self.inputs.len() {
                    work.shard(number, &clock)?;
                }
                work.finish()
            };
            let counted = work().inspect_err(|_| stop.store(true, Ordering::Relaxed));
            // Threads that wait to hand something over end with what they hand it to.
            drop(ahead);
            counted
        })
    }

    /// Compares the scores of all atoms on what this plan has counted; the embeddings are read again.
    ///
    /// # Errors
    /// As [`Counted::compare_scores`], and those of opening the files.
    pub fn compare_scores(
        &self,
        counted: &Counted,
        options: &CompareScores,
        control: &Control,
    ) -> Result<ScoreComparison> {
        if let SetsFrom::Activations { .. } = self.sets_from {
            return Err(no_model());
        }
        let read = counted.run.as_ref().map_or(&[][..], |run| &run.files);
        let rows = ShardRows::new(&counted.cohort, read, self.inputs, &self.options.embeddings)?;
        counted.compare_scores(&rows, &self.options.engine, options, control)
    }
}
