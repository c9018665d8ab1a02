//! Firings on their way to their places.

use std::ops::Range;

use super::{Carry, FiringsByAtom, differ};
use crate::error::{Error, Result};
use crate::fires::FiringSets;

/// Firings under way into their places.
pub(super) struct Gathering {
    group: Range<u32>,
    /// The place where each atom's next firing goes.
    next: Vec<usize>,
    ends: Vec<usize>,
    rows: Vec<u32>,
    scores: Vec<f64>,
    /// True if scores are wanted, and every block had them so far.
    has_scores: bool,
}

impl Gathering {
    /// Makes room for the given number of firings of each atom; `scores` are empty where there are
    /// none.
    pub(super) fn new(group: Range<u32>, fires: &[u64], rows: Vec<u32>, scores: Vec<f64>) -> Self {
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

    pub(super) fn allocate(group: Range<u32>, fires: &[u64], of_each: Carry) -> Result<Self> {
        let what = "the firings of atoms";
        let total: u64 = fires.iter().sum();
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        let rows = crate::memory::filled(total, 1, what, || 0)?;
        let scores = match of_each {
            Carry::Calls => Vec::new(),
            Carry::CallsAndScores => crate::memory::filled(total, 1, what, || 0.0)?,
        };
        Ok(Self::new(group, fires, rows, scores))
    }

    /// Takes sets whose first kept call has this number.
    pub(super) fn take_sets(&mut self, first: usize, sets: &FiringSets) -> Result<()> {
        if u32::try_from(first + sets.rows()).is_err() {
            return Err(Error::Argument {
                name: "firing sets",
                found: "2^32 calls, or more".to_owned(),
                expected: "fewer: report on parts of the cohort".to_owned(),
            });
        }
        self.has_scores &= sets.scores().is_some();
        let scores = sets.scores().filter(|_| self.has_scores);
        let mut firings = 0;
        for (row, atoms) in sets.all().iter().enumerate() {
            // Atoms ascend.
            let from = atoms.partition_point(|&atom| atom < self.group.start);
            let place = firings + from;
            firings += atoms.len();
            for (place, &atom) in (place..).zip(&atoms[from..]) {
                if atom >= self.group.end {
                    break;
                }
                let score = scores.map(|scores| scores[place]);
                if !self.take((first + row) as u32, atom, score) {
                    return Err(differ());
                }
            }
        }
        Ok(())
    }

    /// Takes a firing; whether there was a place for it.
    pub(super) fn take(&mut self, row: u32, atom: u32, score: Option<f64>) -> bool {
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

    pub(super) fn is_full(&self) -> bool {
        self.next == self.ends
    }

    pub(super) fn finish(self) -> FiringsByAtom {
        FiringsByAtom {
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
