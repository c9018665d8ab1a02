//! Firing sets of a cohort with atoms under the numbers of their ranks, so that groups of consecutive
//! ranks can be gathered as groups of consecutive atoms are.

use crate::error::Result;
use crate::fires::{FiringBlock, FiringSets, FiringStore};

/// A cohort by ranks. Atoms without a rank come after all that have one.
pub(super) struct ByRank<'a> {
    details: &'a dyn FiringStore,
    rank: Vec<u32>,
}

impl<'a> ByRank<'a> {
    /// Of so many atoms, of which these have a rank, in its order.
    pub(super) fn new(details: &'a dyn FiringStore, ranked: &[u32], atoms: usize) -> Self {
        const NONE: u32 = u32::MAX;
        let mut rank = vec![NONE; atoms];
        for (number, &atom) in (0..).zip(ranked) {
            rank[atom as usize] = number;
        }
        let others = rank.iter_mut().filter(|rank| **rank == NONE);
        for (rank, number) in others.zip(ranked.len() as u32..) {
            *rank = number;
        }
        Self { details, rank }
    }
}

impl ByRank<'_> {
    fn ranked(&self, sets: &FiringSets) -> FiringSets {
        let rank = &self.rank;
        sets.map_rows(&|set| {
            for atom in &mut *set {
                // An atom beyond those that were counted is nobody's, and stays it.
                *atom = rank.get(*atom as usize).copied().unwrap_or(*atom);
            }
            set.sort_unstable();
        })
    }
}

impl FiringStore for ByRank<'_> {
    fn blocks(&self, take: &mut dyn FnMut(FiringBlock<'_>) -> Result<()>) -> Result<()> {
        self.details.blocks(&mut |block| {
            let sets = &self.ranked(block.sets);
            take(FiringBlock { sets, ..block })
        })
    }

    fn sets(&self, take: &mut dyn FnMut(&FiringSets) -> Result<()>) -> Result<()> {
        self.details.sets(&mut |sets| take(&self.ranked(sets)))
    }
}
