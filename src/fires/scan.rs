//! One pass over the firing sets for everything that needs more than counts.

use rayon::prelude::*;

use super::{FiringSets, SetSlice};

/// Rows that are scanned at once: the unit of work, whatever the number of threads.
const CHUNK: usize = 4096;

const ABSENT: u32 = u32::MAX;

/// The rows on which some atoms fire, and how often other atoms fire together with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firings {
    /// The atoms whose rows are listed, ascending, each once.
    listed: Vec<u32>,
    /// The input rows on which each of them fires, ascending.
    rows: Vec<Vec<usize>>,
    together: Together,
}

/// The number of calls on which atoms fire together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Together {
    /// The atoms, ascending, each once.
    atoms: Vec<u32>,
    /// `counts[i·n + j]`, `i ≤ j`: calls on which the `i`-th and the `j`-th of them fire.
    counts: Vec<u64>,
}

impl Together {
    /// Creates an empty count for these atoms, which may repeat.
    pub fn new(atoms: &[u32]) -> Self {
        let atoms = distinct(atoms);
        Self {
            counts: vec![0; atoms.len() * atoms.len()],
            atoms,
        }
    }

    /// The atoms whose joint firings are counted, ascending, each once.
    pub fn atoms(&self) -> &[u32] {
        &self.atoms
    }

    /// Returns the number of calls on which two atoms fire together. For an atom with itself, it is
    /// the number on which it fires. 0 if they are not counted.
    pub fn count(&self, a: u32, b: u32) -> u64 {
        let position = |atom| self.atoms.binary_search(&atom);
        match (position(a.min(b)), position(a.max(b))) {
            (Ok(low), Ok(high)) => self.counts[low * self.atoms.len() + high],
            _ => 0,
        }
    }

    /// Adds the counts of other calls, of the same atoms.
    fn add(&mut self, counts: &[u64]) {
        for (sum, n) in self.counts.iter_mut().zip(counts) {
            *sum += n;
        }
    }

    /// Adds what was counted of the same atoms on other calls.
    ///
    /// # Panics
    /// If the atoms are others.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.atoms, other.atoms);
        self.add(&other.counts);
    }
}

/// The firings in one chunk of rows.
struct Part {
    /// Position among the listed atoms, and kept row.
    hits: Vec<(u32, usize)>,
    together: Vec<u64>,
}

/// An atom's positions among the listed and among the paired ones.
#[derive(Clone, Copy)]
struct Positions {
    listed: u32,
    paired: u32,
}

/// The atoms that are looked for, up to the largest of them.
struct Wanted {
    /// Almost every atom that fires is none of them: one byte says so.
    is_wanted: Vec<bool>,
    positions: Vec<Positions>,
}

impl Firings {
    /// Lists the rows of the atoms of `listed`, and counts the joint firings of each two atoms of
    /// `paired`. Atoms may repeat and need not exist. Time is that of reading the sets once;
    /// memory that of the rows listed. The result does not depend on the number of threads.
    pub fn scan(sets: &FiringSets, listed: &[u32], paired: &[u32]) -> Self {
        let (listed, mut together) = (distinct(listed), Together::new(paired));
        let paired = &together.atoms;
        let wanted = Wanted::new(&listed, paired);
        let parts: Vec<Part> = sets
            .par_chunks(CHUNK)
            .enumerate()
            .map(|(chunk, rows)| scan_chunk(&wanted, paired.len(), rows, chunk * CHUNK))
            .collect();
        let mut rows = vec![Vec::new(); listed.len()];
        for part in parts {
            for (position, row) in part.hits {
                rows[position as usize].push(row);
            }
            together.add(&part.together);
        }
        for rows in &mut rows {
            to_input_rows(rows, sets.dropped());
        }
        Self {
            listed,
            rows,
            together,
        }
    }

    /// The input rows on which an atom fires, ascending; none if its rows were not listed.
    pub fn rows(&self, atom: u32) -> &[usize] {
        let found = self.listed.binary_search(&atom);
        found.map_or(&[], |at| &self.rows[at])
    }

    /// The joint firings of the paired atoms.
    pub fn together(&self) -> &Together {
        &self.together
    }
}

fn distinct(atoms: &[u32]) -> Vec<u32> {
    let mut atoms = atoms.to_vec();
    atoms.sort_unstable();
    atoms.dedup();
    atoms
}

impl Wanted {
    fn new(listed: &[u32], paired: &[u32]) -> Self {
        let nowhere = Positions {
            listed: ABSENT,
            paired: ABSENT,
        };
        let largest = listed.last().max(paired.last());
        let atoms = largest.map_or(0, |&atom| atom as usize + 1);
        let mut wanted = Self {
            is_wanted: vec![false; atoms],
            positions: vec![nowhere; atoms],
        };
        for (position, &atom) in listed.iter().enumerate() {
            wanted.is_wanted[atom as usize] = true;
            wanted.positions[atom as usize].listed = position as u32;
        }
        for (position, &atom) in paired.iter().enumerate() {
            wanted.is_wanted[atom as usize] = true;
            wanted.positions[atom as usize].paired = position as u32;
        }
        wanted
    }
}

fn scan_chunk(wanted: &Wanted, side: usize, rows: SetSlice<'_>, first_row: usize) -> Part {
    let mut part = Part {
        hits: Vec::new(),
        together: vec![0; side * side],
    };
    let mut paired = Vec::with_capacity(side);
    for (row, atoms) in rows.iter().enumerate() {
        paired.clear();
        for &atom in atoms {
            if !wanted.is_wanted.get(atom as usize).is_some_and(|&is| is) {
                continue;
            }
            let found = wanted.positions[atom as usize];
            if found.listed != ABSENT {
                part.hits.push((found.listed, first_row + row));
            }
            if found.paired != ABSENT {
                paired.push(found.paired as usize);
            }
        }
        // A row's atoms ascend, and so do their positions: this fills the upper triangle.
        for (i, &low) in paired.iter().enumerate() {
            for &high in &paired[i..] {
                part.together[low * side + high] += 1;
            }
        }
    }
    part
}

/// Turns ascending positions among the kept rows into rows of the input.
fn to_input_rows(rows: &mut [usize], dropped: &[usize]) {
    let mut before = 0;
    for row in rows {
        while dropped
            .get(before)
            .is_some_and(|&gone| gone <= *row + before)
        {
            before += 1;
        }
        *row += before;
    }
}

#[cfg(test)]
mod tests {
    use super::Firings;
    use crate::fires::FiringSets;
    use proptest::prelude::*;

    #[test]
    fn atoms_that_do_not_exist_fire_nowhere() {
        let sets = FiringSets::uniform(2, vec![0, 3, 1, 3], vec![]);
        let firings = Firings::scan(&sets, &[99, 3, 3], &[7, 3, 1]);
        assert_eq!(firings.rows(99), [0; 0]);
        assert_eq!(firings.rows(3), [0, 1]);
        assert_eq!(
            (
                firings.together().count(3, 1),
                firings.together().count(3, 3)
            ),
            (1, 2)
        );
        assert_eq!(
            (
                firings.together().count(7, 1),
                firings.together().count(0, 3)
            ),
            (0, 0)
        );
        let none = Firings::scan(&FiringSets::default(), &[1], &[1]);
        assert_eq!((none.rows(1), none.together().count(1, 1)), (&[][..], 0));
    }

    proptest! {
        #[test]
        fn the_same_as_looking_row_by_row(
            kept in prop::collection::vec(
                (any::<bool>(), prop::sample::subsequence((0_u32..11).collect::<Vec<_>>(), 4)),
                0..60),
            listed in prop::collection::vec(0_u32..14, 0..5),
            paired in prop::collection::vec(0_u32..14, 0..6),
        ) {
            let dropped = (0..kept.len()).filter(|&row| !kept[row].0).collect();
            let atoms = kept.iter().filter(|row| row.0).flat_map(|row| row.1.clone()).collect();
            let firings = Firings::scan(&FiringSets::uniform(4, atoms, dropped), &listed, &paired);
            let fires = |atom: u32| -> Vec<usize> {
                (0..kept.len()).filter(|&row| kept[row].0 && kept[row].1.contains(&atom)).collect()
            };
            for &atom in &listed {
                prop_assert_eq!(firings.rows(atom), fires(atom));
            }
            for &a in &paired {
                for &b in &paired {
                    let both = fires(a).into_iter().filter(|row| fires(b).contains(row)).count();
                    prop_assert_eq!(firings.together().count(a, b), both as u64);
                }
            }
        }
    }

    #[test]
    fn many_chunks_are_put_together_in_order() {
        let rows = 3 * super::CHUNK + 17;
        let atoms = (0..rows).flat_map(|row| [(row % 5) as u32, 9]).collect();
        let sets = FiringSets::uniform(2, atoms, vec![0, 5000, rows + 1]);
        let firings = Firings::scan(&sets, &[9], &[9, 2]);
        let expected: Vec<usize> = sets.iter().map(|(row, _)| row).collect();
        assert_eq!(firings.rows(9), expected);
        assert_eq!(
            firings.together().count(2, 9),
            (0..rows).filter(|r| r % 5 == 2).count() as u64
        );
    }
}
