//! Adjusted p-values over all atoms in all regions at once, by permuting firing sets among loci.
//!
//! A call keeps its place, its type, size and label, and gets the firing sets of another locus with the
//! same of these: which is to say that regions change places among loci, those of all sets together, so
//! that sets that nest or overlap go on doing so. The largest statistic of all atoms in all regions is
//! what each is compared with (step-down: Westfall and Young 1993).
//!
//! Each region has a copy of all calls, on which its own atoms fire, and all copies are permuted alike.

use super::calls::RegionCalls;
use crate::control::Control;
use crate::error::Result;
use crate::fires::by_atom::{Carry, FiringsByAtom, groups};
use crate::fires::{FiringBlock, FiringSets, FiringStore};
use crate::stats::resampling::permutation::{Exchange, MaxT, Maxima, Permutation};

/// The number of permutations, and what they depend on.
#[derive(Debug, Clone, Copy)]
pub struct RegionPermutations {
    /// How many there are; none where 0.
    pub count: usize,
    /// The same seed gives the same permutations.
    pub seed: u64,
    /// The distance in base pairs within which a call and the next are one locus.
    pub locus_distance: u64,
}

/// Adjusts each atom in each region, \[regions, F\]; `fires` \[F\] is the support of each atom, and
/// `tested` says of which regions and atoms there are tests.
pub(super) fn max_t(
    store: &dyn FiringStore,
    calls: &RegionCalls,
    fires: &[u64],
    tested: &(dyn Fn(usize, usize) -> bool + Sync),
    permutations: RegionPermutations,
    memory: u64,
    control: &Control,
) -> Result<Vec<MaxT>> {
    let (copies, features) = (calls.regions, fires.len());
    let loci = calls.loci(permutations.locus_distance);
    let (is_in, strata) = (calls.all_regions(), calls.all_strata());
    let permutation = Permutation {
        is_tp: &is_in,
        strata: &strata,
        exchange: Exchange::Copies {
            loci: &loci,
            copies,
        },
        count: permutations.count,
        seed: permutations.seed,
    };
    let mut maxima = Maxima::new(&permutation)?;
    let copied = Copies {
        store,
        count: copies as u32,
        features: features as u32,
    };
    let fires: Vec<u64> = fires
        .iter()
        .copied()
        .cycle()
        .take(copies * features)
        .collect();
    let groups = groups(&fires, Carry::Calls, memory);
    let at_once = groups.len() <= 1;
    for group in groups {
        control.check()?;
        let rows = FiringsByAtom::gather(&copied, group, &fires, Carry::Calls)?;
        maxima.show(&rows, &|atom| {
            tested(atom as usize / features, atom as usize % features)
        })?;
        if at_once {
            maxima.permute(&rows, control)?;
        }
    }
    if !at_once {
        maxima.permute_streaming(&copied, control)?;
    }
    maxima.finish()
}

/// A cohort once for each region, the atoms of each copy numbered behind those of the one before.
struct Copies<'a> {
    store: &'a dyn FiringStore,
    count: u32,
    features: u32,
}

impl Copies<'_> {
    fn of(&self, sets: &FiringSets, copy: u32) -> FiringSets {
        let before = copy * self.features;
        sets.map_rows(&|set| {
            for atom in set {
                *atom += before;
            }
        })
    }
}

impl FiringStore for Copies<'_> {
    fn blocks(&self, take: &mut dyn FnMut(FiringBlock<'_>) -> Result<()>) -> Result<()> {
        for copy in 0..self.count {
            self.store.blocks(&mut |block| {
                let sets = &self.of(block.sets, copy);
                take(FiringBlock { sets, ..block })
            })?;
        }
        Ok(())
    }

    fn sets(&self, take: &mut dyn FnMut(&FiringSets) -> Result<()>) -> Result<()> {
        for copy in 0..self.count {
            self.store.sets(&mut |sets| take(&self.of(sets, copy)))?;
        }
        Ok(())
    }
}
