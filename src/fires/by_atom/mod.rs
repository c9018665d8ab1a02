//! Firing sets turned round: the calls on which each atom fires, and its scores there.
//!
//! A cohort's firings can be more than memory holds, so they are gathered for one group of atoms
//! after another, each with a pass over the firing sets.

mod gathering;

use std::ops::Range;

use gathering::Gathering;

use super::{FiringStore, SetSlice};
use crate::error::{Error, Result};

/// The data that is gathered of each firing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carry {
    /// Its call.
    Calls,
    /// Its call and, where they were kept, its score.
    CallsAndScores,
}

impl Carry {
    /// Bytes that a firing takes.
    fn bytes(self) -> u64 {
        match self {
            Self::Calls => size_of::<u32>() as u64,
            Self::CallsAndScores => (size_of::<u32>() + size_of::<f64>()) as u64,
        }
    }
}

/// The calls on which each of a group of consecutive atoms fires. Calls are numbered from 0 in the
/// cohort's order; dropped ones have no number.
#[derive(Debug, Clone)]
pub struct FiringsByAtom {
    first: u32,
    /// The end of each atom's firings.
    ends: Vec<usize>,
    /// Calls, ascending for each atom.
    rows: Vec<u32>,
    /// The atom's canonical score on each of them; empty where scores were not kept.
    scores: Vec<f64>,
}

impl FiringsByAtom {
    /// Inverts firing sets: the calls of each of `features` atoms, calls numbered from 0.
    ///
    /// # Panics
    /// If an atom is not below `features`, or a call's number not below 2^32.
    pub fn new(sets: SetSlice<'_>, features: usize) -> Self {
        let mut fires = vec![0; features];
        for &atom in sets.atoms() {
            fires[atom as usize] += 1;
        }
        let rows = vec![0; sets.atoms().len()];
        let mut gathering = Gathering::new(0..features as u32, &fires, rows, Vec::new());
        for (row, set) in sets.iter().enumerate() {
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
    pub fn gather(
        details: &dyn FiringStore,
        group: Range<u32>,
        fires: &[u64],
        of_each: Carry,
    ) -> Result<Self> {
        let fires = &fires[group.start as usize..group.end as usize];
        let mut gathering = Gathering::allocate(group, fires, of_each)?;
        let mut first = 0;
        details.sets(&mut |sets| {
            gathering.take_sets(first, sets)?;
            first += sets.rows();
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

/// Cuts atoms into groups of consecutive atoms whose firings fit into the given number of bytes.
/// Each group has at least one atom; `fires` \[F\] is the number of firings of each atom.
pub fn groups(fires: &[u64], of_each: Carry, bytes: u64) -> Vec<Range<u32>> {
    let mut groups = Vec::new();
    let (mut start, mut firings) = (0, 0);
    for (atom, &count) in (0..).zip(fires) {
        if atom > start && (firings + count).saturating_mul(of_each.bytes()) > bytes {
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

pub(crate) fn differ() -> Error {
    Error::Argument {
        name: "firing sets",
        found: "atoms that fire on other numbers of calls than the tally says".to_owned(),
        expected: "tally and firing sets of one and the same cohort".to_owned(),
    }
}

#[cfg(test)]
mod tests;
