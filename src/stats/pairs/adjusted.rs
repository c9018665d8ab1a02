//! Adjusted p-values of millions of tests, without sorting most of them.
//!
//! Benjamini and Hochberg's adjusted p-value is the least of `p₍ⱼ₎·n/j` over all p that are as large or
//! larger. Tests are counted by buckets of p, and the buckets are gone through from the largest p on.
//! A bucket's edges and its ranks say how small its least value can be. Mostly that is more than the
//! least value so far: then the bucket changes nothing. Only tests of the other buckets are sorted.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

/// Bits of a logarithm that do not tell buckets apart. The others are its exponent and 11 digits: the
/// `ln p` of a bucket differ by a 2048th at most.
const SHIFT: u32 = 41;
/// The first bucket has all p above 1 − 2⁻⁵³.
const FIRST: u64 = (1023 - 53) << (52 - SHIFT);
/// The last bucket has all `ln p` below −2³³, which no table of fewer than 2³² calls has.
const LAST: u64 = (1023 + 33) << (52 - SHIFT);
const BUCKETS: usize = (LAST - FIRST) as usize + 1;

/// Adjusts the p-values of a family of tests.
pub(super) struct Adjusted {
    /// The sizes |ln p| of the sorted tests, as bits, ascending.
    sorted: Vec<u64>,
    /// The least adjusted `ln p` of each sorted test and those before it.
    least: Vec<f64>,
    /// The number of sorted tests before each bucket, and that of all.
    before: Vec<usize>,
}

impl Adjusted {
    /// Adjusts tests with these `ln p`, none above 0, NaN for tests that were not made. They are some of
    /// `family` tests; the others count as if their p were 1.
    pub(super) fn of(ln_p: &[f64], family: u64) -> Self {
        let counts: Vec<AtomicU64> = (0..BUCKETS).map(|_| AtomicU64::new(0)).collect();
        let count = |&ln_p: &f64| -> [u64; 2] {
            if ln_p < 0.0 {
                counts[bucket(ln_p)].fetch_add(1, Ordering::Relaxed);
            }
            [u64::from(ln_p < 0.0), u64::from(ln_p <= 0.0)]
        };
        let sum = |[a, b]: [u64; 2], [c, d]: [u64; 2]| [a + c, b + d];
        let [below_1, made] = ln_p.par_iter().map(count).reduce(|| [0, 0], sum);
        let ranks = Ranks {
            counts: counts.into_iter().map(AtomicU64::into_inner).collect(),
            below_1,
            factor: family.max(made) as f64,
        };
        let open = ranks.open();
        let mut sorted: Vec<u64> = ln_p
            .par_iter()
            .filter(|&&ln_p| ln_p < 0.0 && open[bucket(ln_p)].is_some())
            .map(|ln_p| ln_p.abs().to_bits())
            .collect();
        sorted.par_sort_unstable();
        let mut before = vec![0; BUCKETS + 1];
        let mut least = vec![0.0; sorted.len()];
        let mut rest = &mut least[..];
        let mut parts = Vec::new();
        for (bucket, last_rank) in open.iter().enumerate() {
            let start = before[bucket];
            let count = last_rank.map_or(0, |_| ranks.counts[bucket] as usize);
            before[bucket + 1] = start + count;
            if let Some(rank) = *last_rank {
                let (part, after) = rest.split_at_mut(count);
                rest = after;
                parts.push((&sorted[start..start + count], rank, part));
            }
        }
        parts.into_par_iter().for_each(|(sorted, last_rank, part)| {
            for ((bits, rank), value) in sorted.iter().zip((0..=last_rank).rev()).zip(part) {
                *value = libm::log(ranks.factor / rank as f64) - f64::from_bits(*bits);
            }
        });
        let mut so_far = 0.0_f64;
        for value in &mut least {
            so_far = so_far.min(*value);
            *value = so_far;
        }
        Self {
            sorted,
            least,
            before,
        }
    }

    /// The adjusted `ln p` of a test of the family that has this `ln p`; NaN of NaN.
    pub(super) fn ln(&self, ln_p: f64) -> f64 {
        if ln_p.is_nan() {
            return f64::NAN;
        }
        // Equal ones have the same: of these, the one with the last rank has the least value.
        let up_to = if ln_p < 0.0 {
            let bucket = bucket(ln_p);
            let of_bucket = self.before[bucket]..self.before[bucket + 1];
            let bits = ln_p.abs().to_bits();
            of_bucket.start + self.sorted[of_bucket].partition_point(|&other| other <= bits)
        } else {
            0
        };
        up_to.checked_sub(1).map_or(0.0, |place| self.least[place])
    }

    /// The bits of the least |ln p| whose adjusted p-value is at most `level`, below 1; as those of every test
    /// are that reach it.
    pub(super) fn reaches(&self, level: f64) -> u64 {
        let is_above = |ln: &f64| libm::exp(*ln) > level;
        let first = self.least.partition_point(is_above);
        self.sorted.get(first).copied().unwrap_or(u64::MAX)
    }
}

/// The bucket of a logarithm below 0.
fn bucket(ln_p: f64) -> usize {
    // The bits of numbers without their sign ascend with the size.
    let bits = ln_p.abs().to_bits() >> SHIFT;
    (bits.clamp(FIRST, LAST) - FIRST) as usize
}

/// The least and the most |ln p| of a bucket.
fn edges(bucket: usize) -> [f64; 2] {
    let edge = |bucket: usize| f64::from_bits((FIRST + bucket as u64) << SHIFT);
    let least = if bucket == 0 { 0.0 } else { edge(bucket) };
    let most = if bucket + 1 == BUCKETS {
        f64::INFINITY
    } else {
        edge(bucket + 1)
    };
    [least, most]
}

/// The ranks of tests by buckets.
struct Ranks {
    counts: Vec<u64>,
    /// The number of tests with a p below 1, which have the first ranks.
    below_1: u64,
    /// What p is multiplied by, before it is divided by its rank.
    factor: f64,
}

impl Ranks {
    /// The last rank of each bucket that may have a smaller value than all before it.
    fn open(&self) -> Vec<Option<u64>> {
        let mut rank = self.below_1;
        // At least the least value so far.
        let mut most = 0.0_f64;
        let of_bucket = |(bucket, &count): (usize, &u64)| {
            if count == 0 {
                return None;
            }
            let last_rank = rank;
            rank -= count;
            let [smaller, larger] = edges(bucket);
            let times = libm::log(self.factor / last_rank as f64);
            let least = times - larger;
            // With room for the rounding of either.
            let room = 1e-12 * (1.0 + times + smaller);
            let is_open = least - room < most;
            most = most.min(times - smaller + room);
            is_open.then_some(last_rank)
        };
        self.counts.iter().enumerate().map(of_bucket).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Adjusted;
    use crate::stats::inference::multiplicity::Family;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rayon::prelude::*;

    #[test]
    fn adjusted_has_the_bits_of_a_sorted_family() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for (tests, family, power) in [
            (0, 0, 1),
            (1, 0, 1),
            (1000, 0, 1),
            (1000, 0, 3),
            (1000, 2500, 1),
            (5000, 5100, 9),
            (3000, 1_000_000, 40),
        ] {
            let mut ln_p = |_| match random.random_range(0..10) {
                0 => f64::NAN,
                1 => 0.0,
                2 => -1e5,
                3 => f64::NEG_INFINITY,
                // With ties.
                _ => f64::ln((random.random_range(1..=200) as f64 / 200.0_f64).powi(power)),
            };
            let ln_p: Vec<f64> = (0..tests).map(&mut ln_p).collect();
            let sorted = Family::of_ln(ln_p.par_iter().copied());
            let expected = sorted.into_benjamini_hochberg_ln_among(family);
            let adjusted = Adjusted::of(&ln_p, family);
            let reaches = adjusted.reaches(0.05);
            for (ln_p, expected) in ln_p.iter().zip(&expected) {
                let is_reached = *ln_p < 0.0 && ln_p.abs().to_bits() >= reaches;
                assert_eq!(is_reached, expected.exp() <= 0.05, "{ln_p}");
            }
            let bits = |all: Vec<f64>| all.into_iter().map(f64::to_bits).collect::<Vec<_>>();
            assert_eq!(
                bits(ln_p.iter().map(|&ln_p| adjusted.ln(ln_p)).collect()),
                bits(expected),
                "{tests} of {family}"
            );
        }
    }

    #[test]
    fn adjusted_of_chance_sorts_few_tests() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let mut ln_p = |_| f64::ln(random.random_range(f64::MIN_POSITIVE..1.0));
        let ln_p: Vec<f64> = (0..200_000).map(&mut ln_p).collect();
        let adjusted = Adjusted::of(&ln_p, 0);
        let sorted = Family::of_ln(ln_p.par_iter().copied());
        let expected = sorted.into_benjamini_hochberg_ln();
        for (ln_p, expected) in ln_p.iter().zip(expected) {
            assert_eq!(adjusted.ln(*ln_p).to_bits(), expected.to_bits());
        }
        assert!(adjusted.sorted.len() < 100_000, "{}", adjusted.sorted.len());
    }
}
