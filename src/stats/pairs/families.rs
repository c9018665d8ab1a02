//! Tests of all pairs, and their adjusted p-values.

use rayon::prelude::*;

use super::Listed;
use super::difference::test_of_difference;
use super::kept::{Kept, Pair};
use super::lanes::test_each;
use super::law::Want;
use super::listed::{Rows, Shown, is_significant};
use super::margins::{Group, Margins};
use crate::control::Control;
use crate::error::Result;
use crate::stats::inference::LEVEL;

/// The results of a test, in the order of the pairs; NaN where there is none.
#[derive(Debug, Clone)]
pub(super) struct Tests {
    pub(super) ln_p: Vec<f64>,
    /// The same adjusted.
    pub(super) ln_fdr: Vec<f64>,
}

/// Computes `ln p` of pairs, NaN where there is none.
type LnP<'a> = &'a (dyn Fn(&[Pair], Want, &mut [f64]) + Sync);

/// Pairs that a thread tests at a time.
const AT_ONCE: usize = 1 << 12;

/// A test of pairs.
pub(super) struct Test<'a> {
    pub(super) pairs: &'a [Pair],
    /// The number of pairs that could have been tested; these are some of them.
    pub(super) family: u64,
    pub(super) ln_p: LnP<'a>,
}

impl Test<'_> {
    /// Tests all pairs.
    pub(super) fn all(&self) -> Tests {
        let ln_p = self.ln_p(self.pairs, Want::Exact);
        let ln_fdr = adjusted(&ln_p, self.family);
        Tests { ln_p, ln_fdr }
    }

    /// `ln p` of some pairs.
    fn ln_p(&self, pairs: &[Pair], want: Want) -> Vec<f64> {
        let mut ln_p = vec![f64::NAN; pairs.len()];
        let chunks = pairs.par_chunks(AT_ONCE).zip(ln_p.par_chunks_mut(AT_ONCE));
        chunks.for_each(|(pairs, ln_p)| (self.ln_p)(pairs, want, ln_p));
        ln_p
    }

    /// The adjusted p-values alone: p itself is exact only where it bears on them. Those up to `level`
    /// have the bits that they have by [`all`](Self::all); larger ones are larger than `level`.
    ///
    /// Let m be the size of the family, and n at least the number of its tests that are made. The j-th
    /// smallest p is multiplied by m/j. So a p of at least level·n/m becomes at least `level`, and so
    /// do those above it: whatever it is, it changes nothing that is smaller.
    pub(super) fn adjusted_alone(&self, level: f64) -> Vec<f64> {
        let share = self.pairs.len() as f64 / self.family.max(1) as f64;
        // With room for the rounding of logarithms.
        let limit = level * share.min(1.0) * (1.0 + 1e-9);
        let want = if limit < 1.0 {
            Want::Below(limit)
        } else {
            Want::Exact
        };
        adjusted(&self.ln_p(self.pairs, want), self.family)
    }

    /// Tests the table's pairs, where the adjusted p-values of all are known.
    pub(super) fn of_rows(&self, rows: &Rows, ln_fdr: &[f64]) -> Tests {
        let places = (0..rows.len()).into_par_iter().map(|row| rows.place(row));
        let of_place = |place: usize| (self.pairs[place], ln_fdr[place]);
        let (pairs, ln_fdr): (Vec<_>, _) = places.map(of_place).unzip();
        let ln_p = self.ln_p(&pairs, Want::Exact);
        Tests { ln_p, ln_fdr }
    }

    /// The same, where only adjusted p-values up to [`LEVEL`] are known.
    fn of_rows_to_level(&self, rows: &Rows, mut ln_fdr: Vec<f64>) -> Tests {
        let is_known = |row: usize| {
            let ln_fdr = ln_fdr[rows.place(row)];
            ln_fdr.is_nan() || is_significant(ln_fdr)
        };
        if !(0..rows.len()).into_par_iter().all(is_known) {
            // Pairs that differ between true and false calls, without an association on all.
            ln_fdr = self.adjusted_alone(1.0);
        }
        self.of_rows(rows, &ln_fdr)
    }
}

/// The pairs of a table, with all their tests.
pub(super) struct Tested {
    pub(super) rows: Rows,
    pub(super) shown: Shown,
    /// Of association on all, on true and on false calls; and of a difference.
    pub(super) tests: [Tests; 4],
}

impl Tested {
    /// Tests all pairs, and chooses those of a table. Two families at a time, so that one core's work
    /// alone is not waited for; a family takes at most 40 bytes a pair meanwhile.
    ///
    /// # Errors
    /// Cancellation.
    pub(super) fn of(
        kept: &Kept,
        margins: &Margins,
        listed: Listed,
        control: &Control,
    ) -> Result<Self> {
        let ln_p = Group::EACH.map(|group| {
            move |pairs: &[Pair], want, ln_p: &mut [f64]| {
                test_each(pairs, |pair| margins.test(group, pair), want, ln_p);
            }
        });
        let of_difference = |pairs: &[Pair], want, ln_p: &mut [f64]| {
            test_each(pairs, |pair| test_of_difference(margins, pair), want, ln_p);
        };
        let pairs = &kept.pairs[..];
        let [all, tp, fp] = Group::EACH.map(|group| Test {
            pairs,
            family: margins.pairs_that_could(group, kept.threshold),
            ln_p: &ln_p[group as usize],
        });
        let difference = Test {
            pairs,
            family: 0,
            ln_p: &of_difference,
        };
        control.check()?;
        if listed == Listed::All {
            let (all, difference) = rayon::join(|| all.all(), || difference.all());
            control.check()?;
            let (tp, fp) = rayon::join(|| tp.all(), || fp.all());
            let choice = [&all.ln_fdr[..], &difference.ln_fdr];
            let (rows, shown) = Rows::of(listed, (pairs, margins), choice);
            return Ok(Self {
                rows,
                shown,
                tests: [all, tp, fp, difference],
            });
        }
        let (of_all, of_difference) = rayon::join(
            || all.adjusted_alone(LEVEL),
            || difference.adjusted_alone(1.0),
        );
        let (rows, shown) = Rows::of(listed, (pairs, margins), [&of_all, &of_difference]);
        let all = all.of_rows_to_level(&rows, of_all);
        let difference = difference.of_rows(&rows, &of_difference);
        control.check()?;
        let of_label = |test: &Test<'_>| test.of_rows(&rows, &test.adjusted_alone(1.0));
        let (tp, fp) = rayon::join(|| of_label(&tp), || of_label(&fp));
        Ok(Self {
            rows,
            shown,
            tests: [all, tp, fp, difference],
        })
    }
}

/// The bits of a logarithm that tell buckets apart: all of the exponent, and the first of the digits.
const SHIFT: u32 = 47;

/// `ln p` adjusted by Benjamini and Hochberg, as
/// [`Family`](crate::stats::inference::multiplicity::Family) does, among `family` tests, of which these
/// are some; NaN for tests that were not made. It sorts only what does not become 1.
fn adjusted(ln_p: &[f64], family: u64) -> Vec<f64> {
    // The bits of numbers without their sign ascend with the size: the first bucket has p of 1.
    let bucket = |ln_p: f64| (ln_p.abs().to_bits() >> SHIFT) as usize;
    let mut counts = vec![0_usize; 1 << (63 - SHIFT)];
    let (mut ones, mut ranks) = (0, 0);
    for &ln_p in ln_p {
        if ln_p < 0.0 {
            counts[bucket(ln_p)] += 1;
            ranks += 1;
        } else if ln_p == 0.0 {
            ones += 1;
        }
    }
    let factor = family.max(ones + ranks as u64) as f64;
    // From the largest p on. The p of a bucket have at most the ranks that are left, and become 1
    // where the smallest that could be in it does with the last of these.
    let mut first = 0;
    for (bucket, &count) in counts.iter().enumerate() {
        let most = f64::from_bits((bucket as u64 + 1) << SHIFT);
        let becomes_1 = libm::log(factor / ranks as f64) >= most + 1e-9;
        if ranks == 0 || !becomes_1 {
            break;
        }
        ranks -= count;
        first = bucket + 1;
    }
    let mut ranked: Vec<(f64, u32)> = Vec::with_capacity(ranks);
    ranked.extend((0..).zip(ln_p).filter_map(|(place, &ln_p)| {
        let is_ranked = ln_p < 0.0 && bucket(ln_p) >= first;
        is_ranked.then_some((ln_p, place))
    }));
    ranked.par_sort_unstable_by_key(|&(ln_p, _)| std::cmp::Reverse(ln_p.abs().to_bits()));
    let each = ranked.par_iter_mut().enumerate();
    each.for_each(|(rank, (ln_p, _))| *ln_p += libm::log(factor / (rank + 1) as f64));
    let ones = ln_p
        .par_iter()
        .map(|ln_p| if ln_p.is_nan() { f64::NAN } else { 0.0 });
    let mut all: Vec<f64> = ones.collect();
    let mut least = 0.0_f64;
    for &(ln_p, place) in ranked.iter().rev() {
        least = least.min(ln_p);
        all[place as usize] = least;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::adjusted;
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
            let bits = |all: Vec<f64>| all.into_iter().map(f64::to_bits).collect::<Vec<_>>();
            assert_eq!(
                bits(adjusted(&ln_p, family)),
                bits(expected),
                "{tests} of {family}"
            );
        }
    }
}
