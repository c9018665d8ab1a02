//! Firing sets turned round: the calls on which each atom fires, and its scores there.
//!
//! A cohort's firings can be more than memory holds, so they are gathered for one group of atoms
//! after another, each with a pass over the firing sets.

use std::ops::Range;

use crate::details::{Block, Details};
use crate::error::{Error, Result};

/// Bytes that a firing takes: its call, and its score.
const FIRING_BYTES: u64 = (size_of::<u32>() + size_of::<f64>()) as u64;

/// The calls on which each of a group of consecutive atoms fires. Calls are numbered from 0 in the
/// cohort's order; dropped ones have no number.
#[derive(Debug, Clone)]
pub struct FiringRows {
    first: u32,
    /// Where each atom's firings end.
    ends: Vec<usize>,
    /// Calls, ascending for each atom.
    rows: Vec<u32>,
    /// The atom's canonical score on each of them; empty where scores were not kept.
    scores: Vec<f64>,
}

impl FiringRows {
    /// Turns firing sets, row-major \[calls, k\], into the calls of each of `features` atoms.
    ///
    /// # Panics
    /// If an atom is not below `features`, or a call's number not below 2^32.
    pub fn new(atoms: &[u32], k: usize, features: usize) -> Self {
        let mut fires = vec![0; features];
        for &atom in atoms {
            fires[atom as usize] += 1;
        }
        let rows = vec![0; atoms.len()];
        let mut gathering = Gathering::new(0..features as u32, &fires, rows, Vec::new());
        for (row, set) in atoms.chunks_exact(k.max(1)).enumerate() {
            let row = u32::try_from(row).expect("fewer than 2^32 calls");
            for &atom in set {
                gathering.take(row, atom, None);
            }
        }
        gathering.finish()
    }

    /// The calls, ascending, of each of some atoms, which are numbered from 0 as they are listed.
    pub fn of_lists(lists: &[Vec<u32>]) -> Self {
        let mut end = 0;
        let ends = lists.iter().map(|calls| {
            end += calls.len();
            end
        });
        Self {
            first: 0,
            ends: ends.collect(),
            rows: lists.concat(),
            scores: Vec::new(),
        }
    }

    /// Gathers the firings of a group of atoms, `fires` \[F\] of each atom, from a whole cohort.
    ///
    /// # Errors
    /// Those of reading; firing sets that are not those that were counted; memory.
    ///
    /// # Panics
    /// If an atom of the group has no place in `fires`.
    pub fn gather(details: &dyn Details, group: Range<u32>, fires: &[u64]) -> Result<Self> {
        let fires = &fires[group.start as usize..group.end as usize];
        let mut gathering = Gathering::allocate(group, fires)?;
        let mut first = 0;
        details.blocks(&mut |block| {
            gathering.take_block(first, &block)?;
            first += block.sets.rows();
            Ok(())
        })?;
        if !gathering.is_full() {
            return Err(differ());
        }
        Ok(gathering.finish())
    }

    /// The atoms of the group.
    pub fn atoms(&self) -> Range<u32> {
        self.first..self.first + self.ends.len() as u32
    }

    /// The calls on which an atom of the group fires, ascending.
    pub fn of(&self, atom: u32) -> &[u32] {
        &self.rows[self.range(atom)]
    }

    /// An atom's canonical scores on those calls; `None` where they were not kept.
    pub fn scores(&self, atom: u32) -> Option<&[f64]> {
        (self.scores.len() == self.rows.len()).then(|| &self.scores[self.range(atom)])
    }

    fn range(&self, atom: u32) -> Range<usize> {
        let place = (atom - self.first) as usize;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[place]
    }
}

/// Groups of consecutive atoms whose firings fit into so many bytes, and at least one atom each;
/// `fires` \[F\] of each atom.
pub fn groups(fires: &[u64], bytes: u64) -> Vec<Range<u32>> {
    let mut groups = Vec::new();
    let (mut start, mut firings) = (0, 0);
    for (atom, &count) in (0..).zip(fires) {
        if atom > start && (firings + count).saturating_mul(FIRING_BYTES) > bytes {
            groups.push(start..atom);
            (start, firings) = (atom, 0);
        }
        firings += count;
    }
    if start < fires.len() as u32 {
        groups.push(start..fires.len() as u32);
    }
    groups
}

/// Firings under way into their places.
struct Gathering {
    group: Range<u32>,
    /// Where each atom's next firing goes.
    next: Vec<usize>,
    ends: Vec<usize>,
    rows: Vec<u32>,
    scores: Vec<f64>,
    /// Whether every block had scores so far.
    has_scores: bool,
}

impl Gathering {
    /// Room for so many firings of each atom; `scores` are empty where there are none.
    fn new(group: Range<u32>, fires: &[u64], rows: Vec<u32>, scores: Vec<f64>) -> Self {
        let mut total = 0;
        let place = |&fires: &u64| {
            total += fires as usize;
            total
        };
        let ends: Vec<usize> = fires.iter().map(place).collect();
        let next = ends.iter().zip(fires).map(|(&end, &n)| end - n as usize);
        Self {
            group,
            next: next.collect(),
            has_scores: scores.len() == rows.len(),
            ends,
            rows,
            scores,
        }
    }

    fn allocate(group: Range<u32>, fires: &[u64]) -> Result<Self> {
        let what = "the firings of atoms";
        let total: u64 = fires.iter().sum();
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        let rows = crate::memory::filled(total, 1, what, || 0)?;
        let scores = crate::memory::filled(total, 1, what, || 0.0)?;
        Ok(Self::new(group, fires, rows, scores))
    }

    /// Takes a block whose first kept call has this number.
    fn take_block(&mut self, first: usize, block: &Block<'_>) -> Result<()> {
        let sets = block.sets;
        let k = sets.k().max(1);
        if u32::try_from(first + sets.rows()).is_err() {
            return Err(Error::Argument {
                name: "firing sets",
                found: "2^32 calls, or more".to_owned(),
                expected: "fewer: report on parts of the cohort".to_owned(),
            });
        }
        self.has_scores &= sets.scores().is_some();
        for (row, atoms) in sets.atoms().chunks_exact(k).enumerate() {
            // Atoms ascend.
            let from = atoms.partition_point(|&atom| atom < self.group.start);
            for (place, &atom) in atoms.iter().enumerate().skip(from) {
                if atom >= self.group.end {
                    break;
                }
                let score = sets.scores().map(|scores| scores[row * k + place]);
                if !self.take((first + row) as u32, atom, score) {
                    return Err(differ());
                }
            }
        }
        Ok(())
    }

    /// Takes a firing; whether there was a place for it.
    fn take(&mut self, row: u32, atom: u32, score: Option<f64>) -> bool {
        let atom = (atom - self.group.start) as usize;
        let place = self.next[atom];
        if place >= self.ends[atom] {
            return false;
        }
        self.next[atom] += 1;
        self.rows[place] = row;
        if let Some(score) = score {
            self.scores[place] = score;
        }
        true
    }

    fn is_full(&self) -> bool {
        self.next == self.ends
    }

    fn finish(self) -> FiringRows {
        FiringRows {
            first: self.group.start,
            ends: self.ends,
            rows: self.rows,
            scores: if self.has_scores {
                self.scores
            } else {
                Vec::new()
            },
        }
    }
}

pub(super) fn differ() -> Error {
    Error::Argument {
        name: "firing sets",
        found: "atoms that fire on other numbers of calls than the tally says".to_owned(),
        expected: "tally and firing sets of one and the same cohort".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{FiringRows, groups};
    use crate::cohort::{Call, Calls};
    use crate::details::{Block, Details};
    use crate::error::Result;
    use crate::fires::FiringSets;

    /// Two blocks, of which the second has a dropped call.
    struct Two(FiringSets, FiringSets);

    impl Details for Two {
        fn blocks(&self, take: &mut dyn FnMut(Block<'_>) -> Result<()>) -> Result<()> {
            for (first, sets) in [(0, &self.0), (3, &self.1)] {
                let rows = sets.rows() + sets.dropped().len();
                let calls: Calls = (0..rows).map(|_| Call::default()).collect();
                take(Block {
                    first,
                    calls: &calls,
                    sets,
                })?;
            }
            Ok(())
        }
    }

    fn sets(atoms: &[u32], scores: bool, dropped: Vec<usize>) -> FiringSets {
        let sets = FiringSets::new(2, atoms.to_vec(), dropped);
        if !scores {
            return sets;
        }
        sets.with_scores(atoms.iter().map(|&atom| f64::from(atom) + 0.5).collect())
    }

    #[test]
    fn groups_of_atoms_are_gathered_from_blocks() {
        let fires = [2, 2, 1, 3, 0];
        let two = Two(
            sets(&[0, 1, 1, 3, 0, 3], true, vec![]),
            sets(&[2, 3], true, vec![0]),
        );
        for bytes in [1, 30, 60, 1000] {
            let mut calls = Vec::new();
            for group in groups(&fires, bytes) {
                let rows = FiringRows::gather(&two, group.clone(), &fires).expect("one cohort");
                assert_eq!(rows.atoms(), group);
                for atom in group {
                    calls.push(rows.of(atom).to_vec());
                    let expected = vec![f64::from(atom) + 0.5; rows.of(atom).len()];
                    assert_eq!(rows.scores(atom), Some(&expected[..]));
                }
            }
            assert_eq!(
                calls,
                [vec![0, 2], vec![0, 1], vec![3], vec![1, 2, 3], vec![]]
            );
        }
        assert_eq!(groups(&fires, 1).len(), 5);
        assert_eq!(groups(&fires, 1000), vec![0..5]);
        assert!(groups(&[], 10).is_empty());
    }

    #[test]
    fn scores_of_some_blocks_are_none() {
        let two = Two(sets(&[0, 1], true, vec![]), sets(&[0, 1], false, vec![]));
        let rows = FiringRows::gather(&two, 0..2, &[2, 2]).expect("one cohort");
        assert_eq!(rows.of(0), [0, 1]);
        assert_eq!(rows.scores(0), None);
    }

    #[test]
    fn other_counts_are_refused() {
        let two = Two(sets(&[0, 1], true, vec![]), sets(&[0, 1], true, vec![]));
        for fires in [[1, 2], [2, 3]] {
            let error = FiringRows::gather(&two, 0..2, &fires).expect_err("another tally");
            assert!(error.to_string().contains("firing sets"), "{error}");
        }
    }

    #[test]
    fn sets_in_memory_are_turned_round() {
        let rows = FiringRows::new(&[0, 2, 1, 2], 2, 4);
        let found: Vec<_> = rows.atoms().map(|atom| rows.of(atom).to_vec()).collect();
        assert_eq!(found, [vec![0], vec![1], vec![0, 1], vec![]]);
    }
}
