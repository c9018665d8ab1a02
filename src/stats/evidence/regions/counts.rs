//! On how many calls in a region, and outside, each atom fires: by stratum and label.

use rayon::prelude::*;

use super::calls::RegionCalls;
use crate::control::Control;
use crate::error::Result;
use crate::fires::FiringStore;
use crate::stats::inference::Table2x2;
use crate::stats::inference::stratified::StratumCounts;

/// The counts of one region.
pub(super) struct OfRegion<'a> {
    /// The region's place in the list.
    pub(super) region: u32,
    features: usize,
    /// Calls in the region and outside, of each stratum.
    calls: Vec<[u64; 2]>,
    /// Firings in the region, \[strata, F\].
    inside: Vec<u64>,
    /// Firings outside, \[strata, F\].
    outside: Vec<u64>,
    /// All firings, \[F\].
    fires: &'a [u64],
}

impl OfRegion<'_> {
    /// The counts of every stratum, "true" for calls in the region.
    pub(super) fn strata(&self) -> Vec<StratumCounts<'_>> {
        let rows = self.inside.chunks_exact(self.features);
        let rows = rows.zip(self.outside.chunks_exact(self.features));
        let each = rows.zip(&self.calls);
        each.map(|((tp_on, fp_on), &[tp, fp])| StratumCounts {
            tp_on,
            fp_on,
            tp,
            fp,
        })
        .collect()
    }

    /// The table of an atom over all strata.
    pub(super) fn table(&self, atom: usize) -> Table2x2 {
        let tp_on: u64 = self.inside[atom..].iter().step_by(self.features).sum();
        let [tp, fp] = self
            .calls
            .iter()
            .fold([0, 0], |[tp, fp], [a, b]| [tp + a, fp + b]);
        let fp_on = self.fires[atom].saturating_sub(tp_on);
        Table2x2 {
            tp_on,
            fp_on,
            tp_off: tp - tp_on,
            fp_off: fp - fp_on,
        }
    }
}

/// Counts the firings of all regions, as many at a time as fit into `memory`, and hands over one after
/// another.
pub(super) fn each_region(
    store: &dyn FiringStore,
    calls: &RegionCalls,
    fires: &[u64],
    memory: u64,
    control: &Control,
    take: &mut dyn FnMut(OfRegion<'_>),
) -> Result<()> {
    let features = fires.len();
    let strata = 2 * calls.strata_count;
    let cells = strata * features;
    let mut all = vec![0u32; cells];
    count(store, features, control, &mut |call, atoms| {
        for &atom in atoms {
            all[calls.stratum(call) * features + atom as usize] += 1;
        }
    })?;
    let at_once =
        (memory / (4 * cells.max(1) as u64)).clamp(1, calls.regions.max(1) as u64) as usize;
    let numbers: Vec<usize> = (0..calls.regions).collect();
    for together in numbers.chunks(at_once) {
        let mut counts = vec![vec![0u32; cells]; together.len()];
        in_parts(store, control, &mut |first, sets| {
            let each = counts.par_iter_mut().zip(together);
            each.for_each(|(counts, &region)| {
                for (call, (_, atoms)) in (first..).zip(sets.iter()) {
                    if calls.is_in(call, region) {
                        let row = &mut counts[calls.stratum(call) * features..][..features];
                        for &atom in atoms {
                            row[atom as usize] += 1;
                        }
                    }
                }
            });
        })?;
        for (counts, &region) in counts.into_iter().zip(together) {
            let mut of_stratum = vec![[0; 2]; strata];
            for call in 0..calls.len() {
                of_stratum[calls.stratum(call)][usize::from(!calls.is_in(call, region))] += 1;
            }
            let outside = all
                .iter()
                .zip(&counts)
                .map(|(all, inside)| u64::from(all - inside));
            take(OfRegion {
                region: region as u32,
                features,
                calls: of_stratum,
                outside: outside.collect(),
                inside: counts.into_iter().map(u64::from).collect(),
                fires,
            });
        }
    }
    Ok(())
}

/// Hands over the firing sets part after part, with the number of each part's first call.
fn in_parts(
    store: &dyn FiringStore,
    control: &Control,
    take: &mut dyn FnMut(usize, &crate::fires::FiringSets),
) -> Result<()> {
    let mut first = 0;
    store.sets(&mut |sets| {
        control.check()?;
        take(first, sets);
        first += sets.rows();
        Ok(())
    })
}

/// Hands over the atoms of each call.
fn count(
    store: &dyn FiringStore,
    features: usize,
    control: &Control,
    take: &mut dyn FnMut(usize, &[u32]),
) -> Result<()> {
    debug_assert!(features > 0);
    in_parts(store, control, &mut |first, sets| {
        for (call, (_, atoms)) in (first..).zip(sets.iter()) {
            take(call, atoms);
        }
    })
}
