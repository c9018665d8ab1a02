//! Westfall–Young max-T: p-values adjusted for all atoms at once, by permuting labels.
//!
//! Exactly k atoms fire on each call, so that atoms' tests depend on one another, and corrections
//! that do not know how are too strict or too lax. Permuting labels among calls that could have had
//! each other's keeps that dependence: on each permutation the largest statistic of all atoms is
//! taken, and an atom's adjusted p-value is the share of permutations on which that is at least the
//! atom's own (Westfall and Young 1993, single step; the observed labels count as one).
//!
//! Labels change places within strata, which keeps the number of true calls of each, and with it
//! mean and variance of an atom's number of true calls under the null hypothesis: the statistic is
//! the Cochran–Mantel–Haenszel z, `|a − E| / √V`.
//!
//! | file | what it does |
//! |---|---|
//! | `labels` | permuted labels, 512 permutations at a time, one bit each |
//! | `counts` | true calls on which an atom fires, for 512 permutations at once |

mod counts;
mod labels;

use rayon::prelude::*;

use super::firing_rows::FiringRows;
use crate::error::{Error, Result};
use counts::Counter;
use labels::Labels;

/// Permutations that are worked on at once: as many as bits in eight words.
pub(crate) const LANES: usize = 512;

/// One bit for each of [`LANES`] permutations.
pub(crate) type Bits = [u64; LANES / 64];

/// What is permuted, and how often.
#[derive(Debug, Clone, Copy)]
pub struct Permutation<'a> {
    /// Whether each call is a true one.
    pub is_tp: &'a [bool],
    /// The stratum of each call: labels change places within it.
    pub strata: &'a [u16],
    /// How many permutations.
    pub count: usize,
    /// The same seed gives the same permutations, for any number of threads.
    pub seed: u64,
}

/// What permutations say of one atom.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct MaxT {
    /// The Cochran–Mantel–Haenszel z without sign; NaN where the strata leave no variance.
    pub statistic: f64,
    /// The adjusted p-value: (1 + permutations whose largest statistic is at least this one) over
    /// (1 + permutations); 1 where there is no statistic.
    pub p: f64,
}

/// Mean and standard deviation of an atom's number of true calls under permutation.
struct Null {
    mean: f64,
    sd: f64,
}

impl Null {
    /// Of an atom that fires on `fires` calls of each stratum, whose size and true calls are
    /// `strata`: hypergeometric in each.
    fn of(fires: &[u64], strata: &[(u64, u64)]) -> Self {
        let (mut mean, mut variance) = (0.0, 0.0);
        for (&fires, &(size, tp)) in fires.iter().zip(strata) {
            let (m, n, t) = (fires as f64, size as f64, tp as f64);
            if size > 0 {
                mean += m * t / n;
            }
            if size > 1 {
                variance += m * t * (n - m) * (n - t) / (n * n * (n - 1.0));
            }
        }
        let sd = f64::sqrt(variance);
        Self { mean, sd }
    }

    /// Comparable across permutations to the last bit: it depends on a count and nothing else.
    fn statistic(&self, tp: u32) -> f64 {
        (f64::from(tp) - self.mean).abs() / self.sd
    }
}

/// Adjusts every atom for all atoms.
///
/// # Errors
/// Calls of `permutation` that are not those of the firing sets: another number of labels than of
/// strata.
pub fn max_t(firings: &FiringRows, permutation: &Permutation) -> Result<Vec<MaxT>> {
    let &Permutation { is_tp, strata, .. } = permutation;
    if is_tp.len() != strata.len() {
        return Err(Error::Argument {
            name: "strata",
            found: format!("{} of them", strata.len()),
            expected: format!("{}, one for each label", is_tp.len()),
        });
    }
    let sizes = sizes(permutation);
    let atoms: Vec<(Null, f64)> = firings
        .atoms()
        .into_par_iter()
        .map(|atom| observed(firings.of(atom), permutation, &sizes))
        .collect();
    let mut largest = Vec::with_capacity(permutation.count);
    let mut labels = Labels::new(permutation, &sizes);
    for batch in 0..permutation.count.div_ceil(LANES) {
        let bits = labels.draw(batch as u64);
        let most = firings
            .atoms()
            .into_par_iter()
            .zip(&atoms)
            .fold(Largest::none, |largest, (atom, (null, _))| {
                largest.with(firings.of(atom), null, bits)
            })
            .reduce(Largest::none, Largest::of_both);
        largest.extend(most.0);
    }
    largest.truncate(permutation.count);
    largest.sort_unstable_by(f64::total_cmp);
    let adjusted = |&(_, statistic): &(Null, f64)| {
        if statistic.is_nan() {
            return MaxT { statistic, p: 1.0 };
        }
        let below = largest.partition_point(|&largest| largest < statistic);
        let reached = largest.len() - below;
        let p = (1 + reached) as f64 / (1 + largest.len()) as f64;
        MaxT { statistic, p }
    };
    Ok(atoms.iter().map(adjusted).collect())
}

/// Calls, and true calls, of each stratum.
fn sizes(permutation: &Permutation) -> Vec<(u64, u64)> {
    let most = permutation
        .strata
        .iter()
        .max()
        .map_or(0, |&most| usize::from(most) + 1);
    let mut sizes = vec![(0, 0); most];
    for (&stratum, &is_tp) in permutation.strata.iter().zip(permutation.is_tp) {
        let (size, tp) = &mut sizes[usize::from(stratum)];
        *size += 1;
        *tp += u64::from(is_tp);
    }
    sizes
}

/// An atom under the null hypothesis, and its statistic with the labels as they are.
fn observed(rows: &[u32], permutation: &Permutation, sizes: &[(u64, u64)]) -> (Null, f64) {
    let mut fires = vec![0; sizes.len()];
    let mut tp = 0;
    for &row in rows {
        fires[usize::from(permutation.strata[row as usize])] += 1;
        tp += u32::from(permutation.is_tp[row as usize]);
    }
    let null = Null::of(&fires, sizes);
    let statistic = if null.sd > 0.0 {
        null.statistic(tp)
    } else {
        f64::NAN
    };
    (null, statistic)
}

/// The largest statistic of some atoms, for each permutation.
struct Largest(Vec<f64>);

impl Largest {
    fn none() -> Self {
        Self(vec![0.0; LANES])
    }

    fn with(mut self, rows: &[u32], null: &Null, labels: &[Bits]) -> Self {
        // Without variance there is no statistic.
        if null.sd > 0.0 {
            let mut counter = Counter::default();
            for &row in rows {
                counter.add(&labels[row as usize]);
            }
            let counts = counter.counts();
            for (largest, &tp) in self.0.iter_mut().zip(&counts) {
                *largest = largest.max(null.statistic(tp));
            }
        }
        self
    }

    /// The larger of two numbers does not depend on which comes first.
    fn of_both(mut self, other: Self) -> Self {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.max(theirs);
        }
        self
    }
}

#[cfg(test)]
mod tests;
