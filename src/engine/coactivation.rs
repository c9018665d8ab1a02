//! On how many rows two atoms fire together.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::fires::FiringSets;

/// Counts of all pairs among chosen atoms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairCounts {
    atoms: Vec<u32>,
    counts: Vec<u64>,
}

impl PairCounts {
    /// `atoms` ascending, each once; `counts` the triangle of pairs (a, b), a < b, row by row.
    pub(crate) fn new(atoms: Vec<u32>, counts: Vec<u64>) -> Self {
        debug_assert_eq!(counts.len(), pair_count(atoms.len()));
        Self { atoms, counts }
    }

    /// The chosen atoms, ascending.
    pub fn atoms(&self) -> &[u32] {
        &self.atoms
    }

    /// The rows on which both fire; `None` where one of them was not chosen, or both are the same.
    pub fn get(&self, a: u32, b: u32) -> Option<u64> {
        let slot = |atom| self.atoms.binary_search(&atom).ok();
        let (a, b) = (slot(a.min(b))?, slot(a.max(b))?);
        let place = (a < b).then(|| pair_place(a, b, self.atoms.len()))?;
        self.counts.get(place).copied()
    }

    /// Adds the counts of other calls.
    ///
    /// # Errors
    /// Counts of other atoms.
    pub fn add(&mut self, others: &Self) -> Result<()> {
        if self.atoms != others.atoms {
            return Err(Error::Argument {
                name: "counts of pairs",
                found: "those of other atoms".to_owned(),
                expected: "counts of the same atoms, to be added up".to_owned(),
            });
        }
        let both = self.counts.iter_mut().zip(&others.counts);
        both.for_each(|(sum, more)| *sum += more);
        Ok(())
    }

    /// Every pair with its count: `(a, b, rows)`, a < b, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32, u64)> {
        let pairs = self.atoms.iter().enumerate().flat_map(|(i, &a)| {
            let others = self.atoms.get(i + 1..).unwrap_or_default();
            others.iter().map(move |&b| (a, b))
        });
        pairs
            .zip(&self.counts)
            .map(|((a, b), &count)| (a, b, count))
    }
}

/// Counts all pairs of atoms of firing sets, wherever it does.
pub trait CountPairs {
    /// The device that does it: `cuda:0`.
    fn device(&self) -> String;

    /// On how many calls two atoms fire together, for all pairs of a model's atoms.
    ///
    /// # Errors
    /// Sets that no engine makes of that model, memory, the device's.
    fn count_all_pairs(&mut self, fires: &FiringSets, feature_dim: usize) -> Result<PairCounts>;
}

/// How many pairs `atoms` atoms make.
pub(crate) fn pair_count(atoms: usize) -> usize {
    atoms * atoms.saturating_sub(1) / 2
}

/// The place of pair (a, b), a < b, among those of `atoms` atoms.
pub(crate) fn pair_place(a: usize, b: usize, atoms: usize) -> usize {
    a * (2 * atoms - a - 1) / 2 + (b - a - 1)
}

/// Not among the chosen.
pub(crate) const NO_SLOT: u32 = u32::MAX;

/// The chosen atoms, ascending and each once, and every atom's place among them.
pub(crate) fn slots(feature_dim: usize, chosen: Option<&[u32]>) -> Result<(Vec<u32>, Vec<u32>)> {
    let atoms = match chosen {
        None => (0..feature_dim as u32).collect(),
        Some(chosen) => {
            let mut atoms = chosen.to_vec();
            atoms.sort_unstable();
            atoms.dedup();
            atoms
        }
    };
    if let Some(beyond) = atoms.last().filter(|&&atom| atom as usize >= feature_dim) {
        return Err(Error::Argument {
            name: "atoms",
            found: beyond.to_string(),
            expected: format!(
                "atoms of this model, 0 to {}",
                feature_dim.saturating_sub(1)
            ),
        });
    }
    let mut slots = vec![NO_SLOT; feature_dim];
    for (slot, &atom) in atoms.iter().enumerate() {
        slots[atom as usize] = slot as u32;
    }
    Ok((atoms, slots))
}

/// Sets must be what an engine makes of a model with `feature_dim` features: places in the counts are
/// computed from them.
pub(crate) fn check_sets(fires: &FiringSets, feature_dim: usize) -> Result<()> {
    let good = |row: &[u32]| {
        let within = row.last().is_none_or(|&atom| (atom as usize) < feature_dim);
        within && row.is_sorted_by(|a, b| a < b)
    };
    let rows = fires.atoms().par_chunks(fires.k().max(1));
    match rows.position_first(|row| !good(row)) {
        None => Ok(()),
        Some(row) => Err(Error::Argument {
            name: "firing sets",
            found: format!("row {row} with atoms that repeat, fall, or are not the model's"),
            expected: format!("ascending atoms below {feature_dim} in each row"),
        }),
    }
}

/// Counts on the processor, by the current rayon pool.
///
/// # Errors
/// Atoms beyond `feature_dim`, among the chosen or in the sets; sets that do not ascend; counts that
/// do not fit into memory (8 bytes a pair).
pub fn count_pairs(
    fires: &FiringSets,
    feature_dim: usize,
    chosen: Option<&[u32]>,
) -> Result<PairCounts> {
    check_sets(fires, feature_dim)?;
    let (atoms, slots) = slots(feature_dim, chosen)?;
    let pairs = pair_count(atoms.len());
    let counts = crate::memory::filled(pairs, 1, "the counts of pairs", AtomicU64::default)?;
    let k = fires.k().max(1);
    fires.atoms().par_chunks(k * 1024).for_each(|rows| {
        let mut found = Vec::with_capacity(k);
        for row in rows.chunks_exact(k) {
            found.clear();
            let of_row = row.iter().map(|&atom| slots[atom as usize]);
            let chosen = of_row.filter(|&slot| slot != NO_SLOT);
            found.extend(chosen.map(|slot| slot as usize));
            for (i, &a) in found.iter().enumerate() {
                for &b in &found[i + 1..] {
                    counts[pair_place(a, b, atoms.len())].fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    });
    let counts = counts.into_iter().map(AtomicU64::into_inner).collect();
    Ok(PairCounts::new(atoms, counts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_counted_as_a_double_loop_counts_them() {
        let rows: Vec<[u32; 4]> = (0..500u32)
            .map(|i| {
                let mut row = [i % 5, 5 + i % 7, 12 + i % 3, 15 + (i * i) % 5];
                row.sort_unstable();
                row
            })
            .collect();
        let fires = FiringSets::new(4, rows.concat(), Vec::new());
        for chosen in [
            None,
            Some(&[19, 3, 3, 12, 7, 0][..]),
            Some(&[4][..]),
            Some(&[][..]),
        ] {
            let found = count_pairs(&fires, 20, chosen).expect("atoms of the model");
            for a in 0..20 {
                for b in 0..20 {
                    let is_chosen = |atom| chosen.is_none_or(|chosen| chosen.contains(&atom));
                    let both = rows
                        .iter()
                        .filter(|row| row.contains(&a) && row.contains(&b));
                    let expected =
                        (a != b && is_chosen(a) && is_chosen(b)).then(|| both.count() as u64);
                    assert_eq!(found.get(a, b), expected, "{a}, {b}, {chosen:?}");
                }
            }
            assert!(
                found
                    .iter()
                    .all(|(a, b, n)| a < b && found.get(a, b) == Some(n))
            );
            assert_eq!(found.iter().count(), pair_count(found.atoms().len()));
        }
        assert!(count_pairs(&fires, 20, Some(&[20])).is_err());
        // Sets that no engine makes: beyond the features, repeated, falling.
        for row in [[0, 1, 2, 20], [0, 1, 1, 2], [3, 2, 5, 6]] {
            let fires = FiringSets::new(4, [vec![0, 1, 2, 3], row.to_vec()].concat(), Vec::new());
            let error = count_pairs(&fires, 20, None).expect_err("no firing set");
            assert!(error.to_string().contains("row 1"), "{error}");
        }
    }
}
