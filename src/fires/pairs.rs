//! Counts of the rows on which two atoms fire together.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::FiringSets;
use crate::error::{Error, Result};

/// The number of rows on which each two of a model's atoms fire together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairCounts {
    features: usize,
    counts: Vec<u64>,
}

impl PairCounts {
    /// `counts` is the triangle of pairs (a, b), a < b, of `features` atoms, row by row.
    pub(crate) fn new(features: usize, counts: Vec<u64>) -> Self {
        debug_assert_eq!(counts.len(), pair_count(features));
        Self { features, counts }
    }

    /// F, the number of atoms.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The rows on which both fire; `None` where one of them does not exist, or both are the same.
    pub fn get(&self, a: u32, b: u32) -> Option<u64> {
        let (a, b) = (a.min(b) as usize, a.max(b) as usize);
        let place = (a < b && b < self.features).then(|| pair_place(a, b, self.features))?;
        self.counts.get(place).copied()
    }

    /// Adds the counts of other calls.
    ///
    /// # Errors
    /// Counts of another number of atoms.
    pub fn add(&mut self, others: &Self) -> Result<()> {
        if self.features != others.features {
            return Err(Error::Argument {
                name: "counts of pairs",
                found: format!("those of {} atoms", others.features),
                expected: format!("counts of {} atoms, to be added up", self.features),
            });
        }
        let both = self.counts.iter_mut().zip(&others.counts);
        both.for_each(|(sum, more)| *sum += more);
        Ok(())
    }

    /// Every pair with its count: `(a, b, rows)`, a < b, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32, u64)> {
        let features = self.features as u32;
        let pairs = (0..features).flat_map(move |a| (a + 1..features).map(move |b| (a, b)));
        pairs
            .zip(&self.counts)
            .map(|((a, b), &count)| (a, b, count))
    }
}

/// Counts all pairs of atoms of firing sets, wherever it does.
pub trait CountPairs {
    /// The device that does it: `cuda:0`.
    fn device(&self) -> String;

    /// Counts the calls on which two atoms fire together, for all pairs of a model's atoms.
    ///
    /// # Errors
    /// Sets that no engine makes of that model, memory, the device's.
    fn count_all_pairs(&mut self, fires: &FiringSets, feature_dim: usize) -> Result<PairCounts>;
}

/// Returns the number of pairs that `atoms` atoms make.
pub(crate) fn pair_count(atoms: usize) -> usize {
    atoms * atoms.saturating_sub(1) / 2
}

/// The place of pair (a, b), a < b, among those of `atoms` atoms.
pub(crate) fn pair_place(a: usize, b: usize, atoms: usize) -> usize {
    a * (2 * atoms - a - 1) / 2 + (b - a - 1)
}

/// Counts all pairs on the CPU, by the current rayon pool.
///
/// # Errors
/// Sets that are not of a model with `feature_dim` features; counts that do not fit into memory
/// (8 bytes a pair).
pub fn count_pairs(fires: &FiringSets, feature_dim: usize) -> Result<PairCounts> {
    fires.check(feature_dim)?;
    let pairs = pair_count(feature_dim);
    let counts = crate::memory::filled(pairs, 1, "the counts of pairs", AtomicU64::default)?;
    fires.par_chunks(1024).for_each(|rows| {
        for row in rows.iter() {
            for (i, &a) in row.iter().enumerate() {
                for &b in &row[i + 1..] {
                    let place = pair_place(a as usize, b as usize, feature_dim);
                    counts[place].fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    });
    let counts = counts.into_iter().map(AtomicU64::into_inner).collect();
    Ok(PairCounts::new(feature_dim, counts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_pairs_counts_as_a_double_loop_does() {
        let rows: Vec<[u32; 4]> = (0..500u32)
            .map(|i| {
                let mut row = [i % 5, 5 + i % 7, 12 + i % 3, 15 + (i * i) % 5];
                row.sort_unstable();
                row
            })
            .collect();
        let fires = FiringSets::uniform(4, rows.concat(), Vec::new());
        let found = count_pairs(&fires, 20).expect("atoms of the model");
        for a in 0..20 {
            for b in 0..20 {
                let both = rows
                    .iter()
                    .filter(|row| row.contains(&a) && row.contains(&b));
                let expected = (a != b).then(|| both.count() as u64);
                assert_eq!(found.get(a, b), expected, "{a}, {b}");
            }
        }
        assert!(
            found
                .iter()
                .all(|(a, b, n)| a < b && found.get(a, b) == Some(n))
        );
        assert_eq!(found.iter().count(), pair_count(20));
        assert_eq!(found.get(3, 20), None);
    }

    #[test]
    fn count_pairs_refuses_sets_that_no_engine_makes() {
        // Beyond the features, repeated, falling.
        for row in [[0, 1, 2, 20], [0, 1, 1, 2], [3, 2, 5, 6]] {
            let atoms = [vec![0, 1, 2, 3], row.to_vec()].concat();
            let fires = FiringSets::uniform(4, atoms, Vec::new());
            let error = count_pairs(&fires, 20).expect_err("no firing set");
            assert!(error.to_string().contains("row 1"), "{error}");
        }
    }
}
