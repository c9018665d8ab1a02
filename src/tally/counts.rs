//! Counts by stratum and atom, of which only those above 0 are kept.
//!
//! A stratum of few rows has few atoms that fire, however many the model has. So memory and files grow
//! with the firings that were counted, never with strata times atoms.

use rayon::prelude::*;

/// Counts \[strata, atoms\] in compressed sparse rows: those above 0, stratum after stratum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// The place of each stratum's first count, and the number of all: \[strata + 1\].
    starts: Vec<u64>,
    /// The atom of each count, ascending in each stratum.
    atoms: Vec<u32>,
    numbers: Vec<u64>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            starts: vec![0],
            atoms: Vec::new(),
            numbers: Vec::new(),
        }
    }
}

impl Counts {
    /// Makes counts of these parts: `starts` \[strata + 1\], the places at which strata begin; for each
    /// place its atom and its number. `None` if starts do not ascend from 0 to the number of places,
    /// atoms do not ascend in each stratum, or a number is 0.
    pub fn new(starts: Vec<u64>, atoms: Vec<u32>, numbers: Vec<u64>) -> Option<Self> {
        let places = atoms.len() as u64;
        let fits = starts.first() == Some(&0)
            && starts.last() == Some(&places)
            && starts.is_sorted()
            && numbers.len() == atoms.len()
            && !numbers.contains(&0);
        let counts = Self {
            starts,
            atoms,
            numbers,
        };
        let ascends = |stratum: usize| {
            let atoms = &counts.atoms[counts.places(stratum)];
            atoms.is_sorted_by(|a, b| a < b)
        };
        (fits && (0..counts.strata()).all(ascends)).then_some(counts)
    }

    /// Makes counts of `dense` ones \[strata, features\].
    pub fn of_dense(features: usize, dense: &[u64]) -> Self {
        let mut counts = Self::default();
        for stratum in dense.chunks_exact(features.max(1)) {
            for (atom, &number) in (0..).zip(stratum).filter(|(_, number)| **number > 0) {
                counts.push(atom, number);
            }
            counts.end_stratum();
        }
        counts
    }

    /// Adds a count to the stratum that is not ended yet.
    pub(super) fn push(&mut self, atom: u32, number: u64) {
        self.atoms.push(atom);
        self.numbers.push(number);
    }

    /// Ends a stratum; further counts are the next one's.
    pub(super) fn end_stratum(&mut self) {
        self.starts.push(self.atoms.len() as u64);
    }

    /// The number of strata.
    pub fn strata(&self) -> usize {
        self.starts.len() - 1
    }

    fn places(&self, stratum: usize) -> std::ops::Range<usize> {
        self.starts[stratum] as usize..self.starts[stratum + 1] as usize
    }

    /// The atoms that fire in a stratum, ascending, and the number of its rows on which each does.
    ///
    /// # Panics
    /// If there is no such stratum.
    pub fn of(&self, stratum: usize) -> impl Iterator<Item = (u32, u64)> + '_ {
        let places = self.places(stratum);
        let atoms = self.atoms[places.clone()].iter().copied();
        atoms.zip(self.numbers[places].iter().copied())
    }

    /// The place of each stratum's first count, and the number of all: \[strata + 1\].
    pub fn starts(&self) -> &[u64] {
        &self.starts
    }

    /// The atom of each count.
    pub fn atoms(&self) -> &[u32] {
        &self.atoms
    }

    /// All counts, stratum after stratum.
    pub fn numbers(&self) -> &[u64] {
        &self.numbers
    }

    /// The same counts, atom after atom.
    pub fn by_atom(&self, features: usize) -> CountsByAtom {
        let mut starts = vec![0; features + 1];
        for &atom in &self.atoms {
            starts[atom as usize + 1] += 1;
        }
        for atom in 0..features {
            starts[atom + 1] += starts[atom];
        }
        let mut next = starts.clone();
        let mut counts = vec![(0, 0); self.atoms.len()];
        for stratum in 0..self.strata() {
            for (atom, number) in self.of(stratum) {
                let place = &mut next[atom as usize];
                counts[*place] = (stratum as u32, number);
                *place += 1;
            }
        }
        CountsByAtom { starts, counts }
    }
}

/// The strata in which each atom fires.
#[derive(Debug, Clone)]
pub struct CountsByAtom {
    /// The place of each atom's first count, and the number of all: \[F + 1\].
    starts: Vec<usize>,
    counts: Vec<(u32, u64)>,
}

impl CountsByAtom {
    /// The strata in which an atom fires, by number, ascending, and on how many of their rows.
    ///
    /// # Panics
    /// If there is no such atom.
    pub fn of(&self, atom: usize) -> &[(u32, u64)] {
        &self.counts[self.starts[atom]..self.starts[atom + 1]]
    }
}

/// The rows that one thread counts at a time.
const ROWS: usize = 1 << 13;

/// Counts firing sets: `strata_of` has the stratum of each, below `strata`; `set` gives its atoms, below
/// `features`. The result does not depend on the number of threads.
pub(super) fn count<'a>(
    strata: usize,
    features: usize,
    strata_of: &[u32],
    set: &(dyn Fn(usize) -> &'a [u32] + Sync),
) -> Counts {
    let chunks = strata_of.par_chunks(ROWS).enumerate();
    let parts: Vec<Part> = chunks
        .map_init(
            || Adder::new(features),
            |adder, (chunk, strata)| adder.count_rows(strata, &|row| set(chunk * ROWS + row)),
        )
        .collect();
    // The parts of each stratum, by chunk and place in it.
    let mut of_stratum = vec![Vec::new(); strata];
    for (chunk, part) in (0u32..).zip(&parts) {
        for (place, &stratum) in (0u32..).zip(&part.strata) {
            of_stratum[stratum as usize].push((chunk, place));
        }
    }
    let joined: Vec<Counts> = of_stratum
        .par_chunks(STRATA)
        .map_init(
            || Adder::new(features),
            |adder, strata| {
                let mut joined = Counts::default();
                for places in strata {
                    for &(chunk, place) in places {
                        for (atom, number) in parts[chunk as usize].counts.of(place as usize) {
                            adder.add(atom, number);
                        }
                    }
                    adder.end_stratum(&mut joined);
                }
                joined
            },
        )
        .collect();
    let mut all = Counts::default();
    for mut part in joined {
        let before = all.atoms.len() as u64;
        all.starts
            .extend(part.starts[1..].iter().map(|end| before + end));
        all.atoms.append(&mut part.atoms);
        all.numbers.append(&mut part.numbers);
    }
    all
}

/// The strata that one thread joins at a time.
const STRATA: usize = 4;

/// The counts of some rows, of the strata that they have.
struct Part {
    strata: Vec<u32>,
    counts: Counts,
}

/// A counter for each atom, and the atoms whose counter is not 0.
struct Adder {
    numbers: Vec<u64>,
    touched: Vec<u32>,
}

impl Adder {
    fn new(features: usize) -> Self {
        Self {
            numbers: vec![0; features],
            touched: Vec::new(),
        }
    }

    fn add(&mut self, atom: u32, more: u64) {
        let number = &mut self.numbers[atom as usize];
        if *number == 0 {
            self.touched.push(atom);
        }
        *number += more;
    }

    /// Counts rows by stratum.
    fn count_rows<'a>(&mut self, strata: &[u32], set: &dyn Fn(usize) -> &'a [u32]) -> Part {
        let mut rows: Vec<(u32, u32)> = strata.iter().copied().zip(0..).collect();
        rows.sort_unstable();
        let mut part = Part {
            strata: Vec::new(),
            counts: Counts::default(),
        };
        for of_stratum in rows.chunk_by(|a, b| a.0 == b.0) {
            for &(_, row) in of_stratum {
                for &atom in set(row as usize) {
                    self.add(atom, 1);
                }
            }
            part.strata.push(of_stratum[0].0);
            self.end_stratum(&mut part.counts);
        }
        part
    }

    /// Moves all counters to a stratum of `counts`, and ends it.
    fn end_stratum(&mut self, counts: &mut Counts) {
        if self.touched.len() * 16 < self.numbers.len() {
            self.touched.sort_unstable();
            for &atom in &self.touched {
                counts.push(atom, std::mem::take(&mut self.numbers[atom as usize]));
            }
        } else {
            for (atom, number) in (0..).zip(&mut self.numbers) {
                if *number > 0 {
                    counts.push(atom, std::mem::take(number));
                }
            }
        }
        self.touched.clear();
        counts.end_stratum();
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, count};
    use rand::{RngExt, SeedableRng};

    /// Counts one by one into a table of all strata and atoms.
    fn dense(strata: usize, features: usize, rows: &[(u32, Vec<u32>)]) -> Vec<u64> {
        let mut dense = vec![0; strata * features];
        for (stratum, atoms) in rows {
            for &atom in atoms {
                dense[*stratum as usize * features + atom as usize] += 1;
            }
        }
        dense
    }

    #[test]
    fn count_matches_counting_one_by_one() {
        let mut draw = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        for (strata, features, rows, most) in [
            (1, 1, 0, 1),
            (3, 5, 40_000, 5),
            (700, 300, 20_000, 4),
            (2, 4000, 9000, 30),
        ] {
            let mut row = || {
                let atoms = draw.random_range(0..=most).min(features);
                let mut set: Vec<u32> = (0..atoms)
                    .map(|_| draw.random_range(0..features as u32))
                    .collect();
                set.sort_unstable();
                set.dedup();
                (draw.random_range(0..strata as u32), set)
            };
            let rows: Vec<_> = (0..rows).map(|_| row()).collect();
            let strata_of: Vec<u32> = rows.iter().map(|row| row.0).collect();
            let found = count(strata, features, &strata_of, &|row| &rows[row].1);
            let expected = dense(strata, features, &rows);
            assert_eq!(found, Counts::of_dense(features, &expected));
            let by_atom = found.by_atom(features);
            for atom in 0..features {
                let of_atom =
                    |stratum: usize| (stratum as u32, expected[stratum * features + atom]);
                let counted = (0..strata).map(of_atom).filter(|count| count.1 > 0);
                assert!(by_atom.of(atom).iter().copied().eq(counted), "{atom}");
            }
        }
    }

    #[test]
    fn counts_of_impossible_parts_are_refused() {
        let new = |starts: &[u64], atoms: &[u32], numbers: &[u64]| {
            Counts::new(starts.to_vec(), atoms.to_vec(), numbers.to_vec()).is_some()
        };
        assert!(new(&[0], &[], &[]));
        assert!(new(&[0, 2, 2, 3], &[1, 4, 0], &[7, 1, 2]));
        for starts in [
            &[][..],
            &[0, 2],
            &[1, 3],
            &[0, 2, 1, 3],
            &[0, 4, 3],
            &[0, u64::MAX, 3],
        ] {
            assert!(!new(starts, &[1, 4, 0], &[7, 1, 2]), "{starts:?}");
        }
        assert!(!new(&[0, 3], &[1, 4, 4], &[7, 1, 2]));
        assert!(!new(&[0, 2, 3], &[1, 4, 0], &[7, 0, 2]));
        assert!(!new(&[0, 2, 3], &[1, 4, 0], &[7, 1]));
    }
}
