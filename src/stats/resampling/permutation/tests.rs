//! Tests against the textbook's algorithm, one permutation and one atom at a time.

use super::labels::Labels;
use super::{Exchange, MaxT, Permutation, max_t};
use crate::fires::by_atom::FiringsByAtom;
use crate::fires::{FiringSets, FiringSetsBuilder};
use crate::stats::inference::tails::ln_normal_two_sided;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CALLS: usize = 240;
const ATOMS: usize = 30;
const K: usize = 4;

struct Cohort {
    sets: Vec<Vec<u32>>,
    is_tp: Vec<bool>,
    strata: Vec<u32>,
}

/// Makes calls whose labels depend on the stratum, and on whether atom 0 fires.
fn cohort(seed: u64) -> Cohort {
    cohort_of(seed, |_| K)
}

/// The same with sets of any size, empty ones among them.
fn ragged(seed: u64) -> Cohort {
    cohort_of(seed, |row| [0, 1, K, 0, 12, 2 * K][row % 6])
}

/// As many atoms fire on each call as is said of its row.
fn cohort_of(seed: u64, size: impl Fn(usize) -> usize) -> Cohort {
    let mut draw = ChaCha8Rng::seed_from_u64(seed);
    let mut sets = Vec::new();
    let mut is_tp = Vec::new();
    let strata: Vec<u32> = (0..CALLS).map(|row| (row % 3) as u32).collect();
    for (row, &stratum) in strata.iter().enumerate() {
        let mut all: Vec<u32> = (0..ATOMS as u32).collect();
        all.shuffle(&mut draw);
        all.truncate(size(row));
        all.sort_unstable();
        let share = if all.first() == Some(&0) {
            0.95
        } else {
            [0.2, 0.5, 0.7][stratum as usize]
        };
        is_tp.push(draw.random_bool(share));
        sets.push(all);
    }
    Cohort {
        sets,
        is_tp,
        strata,
    }
}

/// The difference below which two statistics, sums of rounded terms, are equal.
const TIE: f64 = 1e-8;

fn choose(n: usize, k: usize) -> f64 {
    if k > n {
        return 0.0;
    }
    (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product()
}

/// Computes −ln p of the exact test within strata from its definition: all numbers of true calls
/// that are at most as probable.
fn surprise(strata: &[[usize; 3]], tp: usize) -> f64 {
    let mut ways = vec![1.0];
    for &[fires, size, of_stratum] in strata {
        let mut sum = vec![0.0; ways.len() + fires];
        for (before, ways) in ways.iter().enumerate() {
            for more in 0..=fires {
                let own = choose(of_stratum, more) * choose(size - of_stratum, fires - more);
                sum[before + more] += ways * own;
            }
        }
        ways = sum;
    }
    let rare = ways
        .iter()
        .filter(|&&other| other <= ways[tp] * (1.0 + TIE));
    -(rare.sum::<f64>() / ways.iter().sum::<f64>()).ln()
}

/// Computes the statistic of every atom.
fn statistics(cohort: &Cohort, is_tp: &[bool]) -> Vec<f64> {
    let of = |atom: u32| {
        let fires = |row: usize| cohort.sets[row].contains(&atom);
        let strata = [0, 1, 2].map(|stratum| {
            let rows = (0..CALLS).filter(|&row| cohort.strata[row] == stratum);
            rows.fold([0; 3], |[m, n, t], row| {
                [
                    m + usize::from(fires(row)),
                    n + 1,
                    t + usize::from(is_tp[row]),
                ]
            })
        });
        let tp = (0..CALLS).filter(|&row| fires(row) && is_tp[row]).count();
        surprise(&strata, tp)
    };
    (0..ATOMS as u32).map(of).collect()
}

/// Computes adjusted p-values from the statistics of every permutation: Ge, Dudoit and Speed
/// (2003), box 3, with the observed labels as one of the permutations.
pub(super) fn textbook(observed: &[f64], permuted: &[Vec<f64>]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..observed.len()).collect();
    // By the observed statistic, the largest first.
    order.sort_by(|&i, &j| observed[j].total_cmp(&observed[i]));
    let mut reached = vec![1; observed.len()];
    for statistics in permuted {
        let mut maximum = 0.0_f64;
        for (place, &atom) in order.iter().enumerate().rev() {
            maximum = maximum.max(statistics[atom]);
            reached[place] += u32::from(maximum >= observed[atom] - TIE);
        }
    }
    let mut p = vec![0.0; observed.len()];
    let mut most: u32 = 0;
    for (&atom, &reached) in order.iter().zip(&reached) {
        most = most.max(reached);
        p[atom] = f64::from(most) / (permuted.len() + 1) as f64;
    }
    p
}

/// Returns the labels of each permutation.
pub(super) fn permuted_labels(permutation: &Permutation<'_>) -> Vec<Vec<bool>> {
    let labels = Labels::new(permutation);
    let of = |number: usize| -> Vec<bool> {
        let words = labels.draw::<2>((number / 128) as u64);
        let bit = |words: &[u64; 2]| words[number % 128 / 64] >> (number % 64) & 1 == 1;
        words.iter().map(bit).collect()
    };
    (0..permutation.count).map(of).collect()
}

#[test]
fn max_t_matches_the_textbook_on_the_same_labels() {
    let (mut ties, mut smaller, mut between) = (0, 0, 0);
    for (seed, count) in [(1, 300), (2, 64), (3, 1), (4, 130)] {
        let mut cohort = cohort(seed);
        // Two atoms that fire together, so that their statistics are ties in every permutation.
        for set in &mut cohort.sets {
            set.retain_pairs();
        }
        let permutation = Permutation {
            is_tp: &cohort.is_tp,
            strata: &cohort.strata,
            exchange: Exchange::Calls,
            count,
            seed,
        };
        let labels = permuted_labels(&permutation);
        let observed = statistics(&cohort, &cohort.is_tp);
        let permuted: Vec<_> = labels
            .iter()
            .map(|labels| statistics(&cohort, labels))
            .collect();
        let expected = textbook(&observed, &permuted);
        let found = adjusted(&cohort, count, seed);
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found.p, *expected);
        }
        let largest = |statistics: &Vec<f64>| statistics.iter().copied().fold(0.0, f64::max);
        for (own, step_down) in observed.iter().zip(&expected) {
            let reached = permuted
                .iter()
                .filter(|all| largest(all) >= own - TIE)
                .count();
            smaller += usize::from(*step_down < (reached + 1) as f64 / (count + 1) as f64);
            ties += observed.iter().filter(|other| *other == own).count() - 1;
            between += usize::from(*step_down < 0.9 && *step_down > 1.5 / (count + 1) as f64);
        }
    }
    assert!(
        ties >= 8 && smaller > 10 && between > 10,
        "{ties} {smaller} {between}"
    );
}

/// The places of a firing set.
trait Pairs {
    /// Makes atom 28 fire where atom 29 does and nowhere else, and leaves k atoms, ascending.
    fn retain_pairs(&mut self);
}

impl Pairs for [u32] {
    fn retain_pairs(&mut self) {
        let other = |set: &[u32]| {
            (0..28)
                .find(|atom| !set.contains(atom))
                .expect("k is below 28")
        };
        match (self.contains(&28), self.contains(&29)) {
            (true, false) => {
                let free = other(self);
                self.iter_mut()
                    .filter(|atom| **atom == 28)
                    .for_each(|atom| *atom = free);
            }
            (false, true) => self[0] = 28,
            _ => {}
        }
        self.sort_unstable();
    }
}

fn adjusted(cohort: &Cohort, count: usize, seed: u64) -> Vec<MaxT> {
    let permutation = Permutation {
        is_tp: &cohort.is_tp,
        strata: &cohort.strata,
        exchange: Exchange::Calls,
        count,
        seed,
    };
    let mut sets = FiringSetsBuilder::default();
    cohort.sets.iter().for_each(|set| sets.push(set));
    max_t(&FiringsByAtom::new(sets.rows(), ATOMS), &permutation).expect("one cohort")
}

#[test]
fn adjusted_p_with_sets_of_any_size_is_the_textbook_s() {
    let (mut between, mut empty) = (0, 0);
    for (seed, count) in [(1, 300), (2, 64), (3, 1), (4, 130)] {
        let cohort = ragged(seed);
        empty += cohort.sets.iter().filter(|set| set.is_empty()).count();
        let permutation = Permutation {
            is_tp: &cohort.is_tp,
            strata: &cohort.strata,
            exchange: Exchange::Calls,
            count,
            seed,
        };
        let labels = permuted_labels(&permutation);
        let permuted = labels.iter().map(|labels| statistics(&cohort, labels));
        let permuted: Vec<_> = permuted.collect();
        let expected = textbook(&statistics(&cohort, &cohort.is_tp), &permuted);
        for (found, expected) in adjusted(&cohort, count, seed).iter().zip(&expected) {
            assert_eq!(found.p, *expected);
            between += usize::from(*expected < 0.9 && *expected > 1.5 / (count + 1) as f64);
        }
    }
    assert!(between > 10 && empty == 4 * CALLS / 3, "{between} {empty}");
}

#[test]
fn max_t_matches_shuffling_one_permutation_at_a_time() {
    let cohort = cohort(1);
    let found = adjusted(&cohort, 4000, 2);
    let observed = statistics(&cohort, &cohort.is_tp);
    let mut draw = ChaCha8Rng::seed_from_u64(3);
    let mut permuted = Vec::new();
    for _ in 0..1500 {
        let mut is_tp = cohort.is_tp.clone();
        for stratum in 0..3 {
            let rows: Vec<usize> = (0..CALLS)
                .filter(|&row| cohort.strata[row] == stratum)
                .collect();
            let mut labels: Vec<bool> = rows.iter().map(|&row| is_tp[row]).collect();
            labels.shuffle(&mut draw);
            rows.iter()
                .zip(labels)
                .for_each(|(&row, label)| is_tp[row] = label);
        }
        permuted.push(statistics(&cohort, &is_tp));
    }
    let naive = textbook(&observed, &permuted);
    for ((found, observed), naive) in found.iter().zip(&observed).zip(naive) {
        let p = (-ln_normal_two_sided(found.statistic) - observed).abs();
        assert!(p < 1e-7 * observed.max(1.0), "{found:?}, {observed}");
        // Five standard deviations of the difference of two shares.
        let sd = (naive * (1.0 - naive) * (1.0 / 1500.0 + 1.0 / 4000.0)).sqrt();
        assert!(
            (found.p - naive).abs() <= 5.0 * sd + 2e-3,
            "{} {naive}",
            found.p
        );
    }
    assert!(
        found[0].p < 0.05,
        "what is planted is found: {:?}",
        found[0]
    );
}

#[test]
fn max_t_depends_on_seed_not_on_threads() {
    let cohort = cohort(4);
    let with = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads")
            .install(|| adjusted(&cohort, 700, seed))
    };
    let one = with(1, 9);
    assert_eq!(with(3, 9), one);
    assert_ne!(with(1, 10), one);
}

#[test]
fn max_t_without_a_statistic_has_p_of_one() {
    // One label in each stratum: nothing can change places.
    let mut cohort = cohort(5);
    for (is_tp, stratum) in cohort.is_tp.iter_mut().zip(&cohort.strata) {
        *is_tp = *stratum == 1;
    }
    assert!(
        adjusted(&cohort, 100, 1)
            .iter()
            .all(|a| a.statistic.is_nan() && a.p == 1.0)
    );
    let permutation = Permutation {
        is_tp: &[true],
        strata: &[],
        exchange: Exchange::Calls,
        count: 1,
        seed: 0,
    };
    assert!(
        max_t(
            &FiringsByAtom::new(FiringSets::uniform(1, vec![0], vec![]).all(), 1),
            &permutation
        )
        .is_err()
    );
}

/// Checks labels that are independent of atoms: a share of at most 5 % of cohorts may have an atom
/// below 0.05, here within four standard deviations.
#[test]
fn max_t_family_wise_error_is_the_nominal_one() {
    let cohorts = 300;
    let false_ones = (0..cohorts)
        .filter(|&seed| {
            let mut cohort = cohort(100 + seed);
            let mut draw = ChaCha8Rng::seed_from_u64(seed);
            for (is_tp, stratum) in cohort.is_tp.iter_mut().zip(&cohort.strata) {
                *is_tp = draw.random_bool([0.2, 0.5, 0.7][*stratum as usize]);
            }
            adjusted(&cohort, 511, seed)
                .iter()
                .any(|atom| atom.p <= 0.05)
        })
        .count();
    let most = 0.05 * cohorts as f64 + 4.0 * (0.05 * 0.95 * cohorts as f64).sqrt();
    assert!((false_ones as f64) < most, "{false_ones} of {cohorts}");
}
