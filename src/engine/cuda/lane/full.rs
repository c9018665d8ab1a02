//! Rows that overflowed: canonical scores of all their features.

use super::ragged::FullSets;
use super::{Lane, Shared};
use crate::engine::cuda::driver::{Buffer, Pod};
use crate::engine::cuda::fault::{Fault, FaultKind};
use crate::engine::cuda::rescore::RescoreArgs;
use crate::engine::cuda::stages::Stage;
use crate::engine::cuda::tally::TallyArgs;

/// Memory for scores of rows that are scored in full.
const FULL_SCORE_BYTES: usize = 256 << 20;
/// The share of them for rows of which any number of atoms fires: their sets take as much again, in
/// page-locked memory.
const OF_RAGGED: usize = 8;
/// Multiply-adds in binary64 of one launch: well under a second where they are slowest, so that no
/// watchdog of a display ends it, and a run can be ended between launches.
const MOST_WORK: usize = 1 << 33;

impl Lane {
    /// Canonical scores of all features of the listed rows, a group of rows at a time, and the rows
    /// resolved by them; false where the run is ended before all are.
    pub(super) fn score_in_full(
        &mut self,
        shared: Shared,
        listed: usize,
        count: usize,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<bool, Fault> {
        let features = shared.encoder.features;
        let ragged = shared.encoder.rule.is_ragged();
        let bytes = FULL_SCORE_BYTES / if ragged { OF_RAGGED } else { 1 };
        let by_memory = bytes / 8 / features;
        let by_work = MOST_WORK / features / shared.encoder.dim;
        let scores = grouped(
            listed,
            |group| Buffer::<f64>::new(shared.device, group * features, "scores in full"),
            by_memory.min(by_work),
        )?;
        let group = scores.len() / features;
        let sets = ragged.then(|| FullSets::new(shared.device, (group, listed), features));
        let sets = sets.transpose()?;
        for first in (0..listed).step_by(group) {
            let listed_count = group.min(listed - first) as u32;
            let rescore = RescoreArgs {
                score: scores.address(),
                listed: self.overflowed.at(first),
                listed_count,
                ..self.rescore_args(shared)
            };
            let tally = TallyArgs {
                score: scores.address(),
                listed: self.overflowed.at(first),
                listed_count,
                ..self.tally_args(shared, count)
            };
            let tally = sets.as_ref().map_or(tally, |sets| sets.args(tally));
            let rows = first..first + listed_count as usize;
            // SAFETY: the buffers are as large as the kernels' headers say, and the stream is
            // waited for before `scores` goes.
            unsafe {
                shared.kernels.rescore.launch_rows(&self.stream, &rescore)?;
                shared.kernels.resolve.launch_rows(&self.stream, &tally)?;
                if let Some(sets) = &sets {
                    let listed = (&self.overflowed, &rows);
                    sets.copy_out(&self.stream, listed, &scores)?;
                }
            }
            self.stream.synchronize()?;
            if let Some(sets) = &sets {
                // SAFETY: the stream is done.
                unsafe { sets.keep(rows, &mut self.full) };
            }
            if cancelled() {
                // Whoever takes the batch sees it too, and ends the run.
                return Ok(false);
            }
        }
        self.stages.mark(Stage::Full, &self.stream)?;
        if ragged {
            return Ok(true);
        }
        // SAFETY: as in `copy_out`.
        unsafe {
            self.stream
                .copy_out(&self.host_fires, &self.fires, count * shared.encoder.width)?;
        }
        self.stream.synchronize()?;
        Ok(true)
    }
}

/// A buffer for as large a group of `wanted` items as can be had, from `most` on downwards.
fn grouped<T: Pod>(
    wanted: usize,
    buffer: impl Fn(usize) -> Result<Buffer<T>, Fault>,
    most: usize,
) -> Result<Buffer<T>, Fault> {
    let mut group = wanted.min(most.max(1));
    loop {
        match buffer(group) {
            Err(fault) if fault.kind == FaultKind::NoMemory && group > 1 => {
                group /= 2;
            }
            other => return other,
        }
    }
}
