//! The exact distribution of an atom's number of true calls, if it is spread over few numbers.
//!
//! For single calls that change places within strata, the number is the sum of one hypergeometric
//! number a stratum. Its probabilities are the convolution of theirs. All terms are positive, so
//! nothing cancels. Probabilities are kept as multiples of the largest; those that are too small
//! for any permutation to meet are left out.

use std::ops::Range;

/// The share of the most probable number's probability below which numbers are left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Floor(f64);

impl Floor {
    /// The floor for permutations: no more than 10^25 of them are made.
    pub(super) const MET: Self = Self(1e-25);
    /// The floor for an observed number: all that binary64 holds.
    pub(super) const ALL: Self = Self(1e-280);

    /// Returns the floor of convolutions, so far below the kept probabilities that the omitted
    /// terms make no difference.
    fn of_terms(self) -> f64 {
        self.0 * 1e-12
    }
}

/// The relative difference up to which two probabilities are equal, as in the exact test within
/// strata.
const TIE: f64 = 1e-7;

/// `−ln p` of each number of true calls, two-sided: the probability of all numbers that are at most
/// as probable, as in Fisher's exact test.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Law {
    /// The smallest number that is kept.
    pub(super) first: u32,
    /// `−ln p` of that number and of those after it.
    pub(super) neg_ln_p: Vec<f64>,
}

/// Probabilities of consecutive numbers, as multiples of the largest.
struct Weights {
    first: u64,
    of: Vec<f64>,
}

impl Law {
    /// Computes the law of an atom that fires on so many calls of each stratum, whose size and true
    /// calls are `strata`.
    pub(super) fn of(fires: &[u64], strata: &[(u64, u64)], floor: Floor) -> Self {
        let mut sum = Weights {
            first: 0,
            of: vec![1.0],
        };
        for (&fires, &(size, tp)) in fires.iter().zip(strata) {
            let of_stratum = Weights::hypergeometric(fires, size, tp, floor.of_terms());
            sum = sum.plus(&of_stratum);
            sum.trim(floor.of_terms());
        }
        // Tails are summed before ends are left out, so that kept numbers have all of theirs.
        let neg_ln_p = two_sided(&sum.of);
        let kept = sum.kept(floor.0);
        Self {
            first: (sum.first + kept.start as u64) as u32,
            neg_ln_p: neg_ln_p[kept].to_vec(),
        }
    }

    /// Returns `−ln p` of a number; `None` if the number is left out.
    pub(super) fn get(&self, tp: u32) -> Option<f64> {
        let place = tp.checked_sub(self.first)?;
        self.neg_ln_p.get(place as usize).copied()
    }
}

impl Weights {
    /// Computes the weights of the true ones among `fires` calls of a stratum, by ratios of
    /// neighbours from the mode.
    fn hypergeometric(fires: u64, size: u64, tp: u64, floor: f64) -> Self {
        let (least, most) = ((fires + tp).saturating_sub(size), fires.min(tp));
        let mode = (u128::from(fires) + 1) * (u128::from(tp) + 1) / (u128::from(size) + 2);
        let mode = (mode as u64).clamp(least, most);
        let [m, t, n] = [fires, tp, size].map(|count| count as f64);
        // P(x + 1) / P(x).
        let ratio = |x: u64| {
            let x = x as f64;
            (m - x) * (t - x) / ((x + 1.0) * (n - m - t + x + 1.0))
        };
        let mut below = Vec::new();
        let (mut weight, mut at) = (1.0, mode);
        while at > least {
            weight /= ratio(at - 1);
            if weight < floor {
                break;
            }
            at -= 1;
            below.push(weight);
        }
        let mut of: Vec<f64> = below.into_iter().rev().collect();
        of.push(1.0);
        weight = 1.0;
        for x in mode..most {
            weight *= ratio(x);
            if weight < floor {
                break;
            }
            of.push(weight);
        }
        Self { first: at, of }
    }

    /// Computes the weights of the sum of two independent numbers.
    fn plus(&self, other: &Self) -> Self {
        let (few, many) = if self.of.len() < other.of.len() {
            (&self.of, &other.of)
        } else {
            (&other.of, &self.of)
        };
        let mut of = vec![0.0; few.len() + many.len() - 1];
        for (start, weight) in few.iter().enumerate() {
            for (sum, other) in of[start..].iter_mut().zip(many) {
                *sum += weight * other;
            }
        }
        Self {
            first: self.first + other.first,
            of,
        }
    }

    /// Returns the numbers whose weight is at least so large a part of the largest.
    fn kept(&self, part: f64) -> Range<usize> {
        let largest = self.of.iter().copied().fold(0.0, f64::max);
        let is_kept = |weight: &f64| *weight >= part * largest;
        let start = self.of.iter().position(is_kept).unwrap_or(0);
        let end = self.of.iter().rposition(is_kept);
        start..end.map_or(start, |last| last + 1)
    }

    /// Scales the largest to 1, and leaves out ends below the floor.
    fn trim(&mut self, floor: f64) {
        let kept = self.kept(floor);
        self.first += kept.start as u64;
        self.of.truncate(kept.end);
        self.of.drain(..kept.start);
        let largest = self.of.iter().copied().fold(0.0, f64::max);
        for weight in &mut self.of {
            *weight /= largest;
        }
    }
}

/// Computes `−ln` of the share of weights that are at most as large as each. The weights ascend to
/// their largest and descend from it, as those of a sum of hypergeometric numbers do. They are
/// visited from both ends, the smallest first.
fn two_sided(weights: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; weights.len()];
    let (mut low, mut high, mut sum) = (0, weights.len(), 0.0);
    while low < high {
        let limit = weights[low].min(weights[high - 1]) * (1.0 + TIE);
        let (from, to) = (low, high);
        while low < high && weights[low] <= limit {
            sum += weights[low];
            low += 1;
        }
        while low < high && weights[high - 1] <= limit {
            sum += weights[high - 1];
            high -= 1;
        }
        sums[from..low].fill(sum);
        sums[high..to].fill(sum);
    }
    let ln_all = libm::log(sum);
    let neg_ln = |sum: &f64| (ln_all - libm::log(*sum)).max(0.0);
    sums.iter().map(neg_ln).collect()
}

#[cfg(test)]
mod tests {
    use super::{Floor, Law};
    use crate::stats::inference::{Table2x2, exact_strata};

    /// Counts the ways in which so many of `fires` calls are true ones, in whole numbers.
    fn ways(fires: u64, size: u64, tp: u64) -> Vec<u128> {
        let choose = |n: u64, k: u64| -> u128 {
            if k > n {
                return 0;
            }
            (0..k).fold(1, |ways, i| ways * u128::from(n - i) / u128::from(i + 1))
        };
        let of = |x: u64| choose(tp, x) * choose(size - tp, fires - x);
        (0..=fires).map(of).collect()
    }

    fn convolved(a: &[u128], b: &[u128]) -> Vec<u128> {
        let mut sum = vec![0; a.len() + b.len() - 1];
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                sum[i + j] += x * y;
            }
        }
        sum
    }

    #[test]
    fn law_matches_counting_in_whole_numbers() {
        let cases: [&[(u64, u64, u64)]; 5] = [
            &[(5, 1000, 980)],
            &[(3, 20, 19), (4, 30, 12), (0, 7, 3)],
            &[(6, 6, 2), (5, 40, 39), (2, 9, 0)],
            &[(4, 16, 8), (4, 16, 8), (4, 16, 8)],
            &[(10, 25, 24), (1, 5, 1), (7, 30, 2)],
        ];
        for strata in cases {
            let fires: Vec<u64> = strata.iter().map(|stratum| stratum.0).collect();
            let sizes: Vec<(u64, u64)> = strata
                .iter()
                .map(|stratum| (stratum.1, stratum.2))
                .collect();
            let law = Law::of(&fires, &sizes, Floor::ALL);
            let ways = strata
                .iter()
                .map(|&(fires, size, tp)| ways(fires, size, tp))
                .reduce(|a, b| convolved(&a, &b))
                .expect("strata");
            let all: u128 = ways.iter().sum();
            for (tp, &own) in (0..).zip(&ways) {
                let rare: u128 = ways.iter().filter(|&&other| other <= own).sum();
                let p = rare as f64 / all as f64;
                match law.get(tp) {
                    Some(found) => assert!((found + p.ln()).abs() < 1e-11, "{tp}: {found}, {p}"),
                    None => assert_eq!(own, 0, "{tp} of {strata:?}"),
                }
            }
        }
    }

    /// Checks every number of true calls, spread over strata in some way.
    #[test]
    fn law_matches_the_exact_test_within_strata() {
        let (fires, sizes) = ([30, 3, 18], [(400, 385), (50, 20), (90, 88)]);
        let law = Law::of(&fires, &sizes, Floor::ALL);
        let least = |fires: u64, (size, tp): (u64, u64)| (fires + tp).saturating_sub(size);
        let both = || fires.iter().copied().zip(sizes);
        let all_least: u64 = both().map(|(fires, size)| least(fires, size)).sum();
        let all_most: u64 = both().map(|(fires, (_, tp))| fires.min(tp)).sum();
        assert_eq!((u64::from(law.first), all_most), (all_least, 51));
        for all_tp in all_least..=all_most {
            let mut more = all_tp - all_least;
            let table = |(fires, (size, tp)): (u64, (u64, u64))| {
                let least = least(fires, (size, tp));
                let own = more.min(fires.min(tp) - least);
                more -= own;
                let tp_on = least + own;
                Table2x2 {
                    tp_on,
                    fp_on: fires - tp_on,
                    tp_off: tp - tp_on,
                    fp_off: size + tp_on - fires - tp,
                }
            };
            let tables: Vec<Table2x2> = both().map(table).collect();
            let exact = exact_strata::of_tables(&tables);
            let exact = exact.expect("strata inform").p.ln();
            let found = law.get(all_tp as u32).expect("kept");
            let apart = (found + exact).abs();
            assert!(
                apart < 1e-10 * exact.abs().max(1.0),
                "{all_tp}: {found}, {exact}"
            );
        }
    }

    #[test]
    fn law_omissions_do_not_change_what_is_kept() {
        let (fires, sizes) = ([40, 25, 60], [(9000, 8700), (700, 300), (4000, 3990)]);
        let all = Law::of(&fires, &sizes, Floor::ALL);
        let met = Law::of(&fires, &sizes, Floor::MET);
        assert!(met.neg_ln_p.len() < all.neg_ln_p.len());
        for (tp, found) in (met.first..).zip(&met.neg_ln_p) {
            let exact = all.get(tp).expect("kept");
            assert!((found - exact).abs() < 1e-9, "{tp}: {found}, {exact}");
        }
        let end = met.first + met.neg_ln_p.len() as u32;
        for tp in [met.first - 1, end] {
            assert!(all.get(tp).is_none_or(|neg_ln_p| neg_ln_p > 50.0));
        }
    }
}
