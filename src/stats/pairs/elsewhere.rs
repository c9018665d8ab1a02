//! Counts that something else makes, such as a GPU.

use super::chosen::Chosen;
use super::firings::Batch;
use super::seen::Seen;
use super::sizes::Sizes;
use crate::control::{Control, Stage};
use crate::error::Result;
use crate::fires::{CountPairs, FiringSets, FiringStore, PairCounts};
use crate::stats::inference::stratified::StratumCounts;

/// Firings that are handed over at a time: 32 MiB, and a copy.
const FIRINGS: usize = 1 << 23;

/// Bytes of memory a pair while it is counted: sums of true and of false calls, what is counted of
/// either, and what comes from a device.
const PAIR_BYTES: u64 = 3 * size_of::<u64>() as u64 + size_of::<u32>() as u64;

/// Says whether the counts of all pairs of `features` atoms fit into `memory` bytes.
pub(super) fn fits(features: usize, memory: u64) -> bool {
    let features = features as u64;
    let pairs = features.saturating_mul(features.saturating_sub(1)) / 2;
    pairs.saturating_mul(PAIR_BYTES) <= memory
}

/// Counts of all pairs on true and on false calls, which are those of the tally's `counts`, and the
/// sizes of their firing sets.
pub(super) fn count(
    counter: &mut dyn CountPairs,
    details: &dyn FiringStore,
    counts: &StratumCounts<'_>,
    control: &Control,
) -> Result<([PairCounts; 2], [Sizes; 2])> {
    let control = control.stage(Stage::Pairing, 0);
    let features = counts.tp_on.len();
    let mut seen = Seen::new(features);
    let all = Chosen::of(features, |_| true);
    let none = || FiringSets::default();
    let mut sums = [
        counter.count_all_pairs(&none(), features)?,
        counter.count_all_pairs(&none(), features)?,
    ];
    let mut count = |batch: &Batch| {
        control.check()?;
        for (sum, sets) in sums.iter_mut().zip(batch.sets()) {
            if sets.firings() > 0 {
                sum.add(&counter.count_all_pairs(&sets, features)?)?;
            }
        }
        Ok(())
    };
    let mut batch = Batch::default();
    details.blocks(&mut |block| {
        control.check()?;
        batch.take(&block, &all, &mut seen, FIRINGS, &mut count)
    })?;
    count(&batch)?;
    seen.check(counts)?;
    Ok((sums, seen.into_sizes()))
}
