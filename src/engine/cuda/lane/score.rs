//! Canonical scores of the atoms that fire, once rows are resolved.

use super::{Lane, Shared};
use crate::engine::cuda::fault::Fault;
use crate::engine::cuda::rescore::FiredArgs;
use crate::engine::cuda::stages::Stage;

impl Lane {
    /// Scores the atoms that fire on the batch's rows, those that overflowed among them where they
    /// are resolved by now. What was open is resolved, so that its memory is free.
    ///
    /// # Safety
    /// As `start` says.
    pub(super) unsafe fn score_fired(
        &mut self,
        shared: Shared,
        count: usize,
        with_overflowed: bool,
    ) -> Result<(), Fault> {
        let (fired, rescore) = self.fired_args(shared, count);
        let fired = FiredArgs {
            with_overflowed: u32::from(with_overflowed),
            ..fired
        };
        let features = shared.encoder.features;
        // SAFETY: as `start` says; nobody reads the host's copy before the batch is done.
        unsafe {
            self.stream.zero(&self.atom_pairs, features)?;
            shared.kernels.rescore.launch_fired(&self.stream, &fired)?;
            shared
                .kernels
                .rescore
                .launch_pairs(&self.stream, &rescore)?;
            let scores = count * shared.encoder.width;
            self.stream
                .copy_out(&self.host_scores, &self.pair_scores, scores)?;
        }
        self.stages.mark(Stage::Score, &self.stream)
    }
}
