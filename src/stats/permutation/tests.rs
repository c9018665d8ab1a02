//! Against a naive permutation test that shares no code.

use super::super::firing_rows::FiringRows;
use super::{Exchange, MaxT, Permutation, max_t};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CALLS: usize = 240;
const ATOMS: usize = 30;
const K: usize = 4;

struct Cohort {
    atoms: Vec<u32>,
    is_tp: Vec<bool>,
    strata: Vec<u16>,
}

/// Calls whose labels depend on the stratum, and on whether atom 0 fires.
fn cohort(seed: u64) -> Cohort {
    let mut draw = ChaCha8Rng::seed_from_u64(seed);
    let mut atoms = Vec::new();
    let mut is_tp = Vec::new();
    let strata: Vec<u16> = (0..CALLS).map(|row| (row % 3) as u16).collect();
    for &stratum in &strata {
        let mut all: Vec<u32> = (0..ATOMS as u32).collect();
        all.shuffle(&mut draw);
        all.truncate(K);
        all.sort_unstable();
        let share = if all[0] == 0 {
            0.95
        } else {
            [0.2, 0.5, 0.7][usize::from(stratum)]
        };
        is_tp.push(draw.random_bool(share));
        atoms.extend(all);
    }
    Cohort {
        atoms,
        is_tp,
        strata,
    }
}

/// The statistic from its definition: true calls less their mean over their deviation, by stratum.
fn statistics(cohort: &Cohort, is_tp: &[bool]) -> Vec<f64> {
    let of = |atom: u32| {
        let fires = |row: usize| cohort.atoms[row * K..][..K].contains(&atom);
        let (mut a, mut mean, mut variance) = (0.0, 0.0, 0.0);
        for stratum in 0..3 {
            let rows: Vec<usize> = (0..CALLS)
                .filter(|&row| cohort.strata[row] == stratum)
                .collect();
            let count =
                |pick: &dyn Fn(usize) -> bool| rows.iter().filter(|&&r| pick(r)).count() as f64;
            let n = rows.len() as f64;
            let (m, t) = (count(&fires), count(&|row| is_tp[row]));
            a += count(&|row| fires(row) && is_tp[row]);
            mean += m * t / n;
            variance += m * (n - m) / n * (t / n) * ((n - t) / (n - 1.0));
        }
        (a - mean).abs() / f64::sqrt(variance)
    };
    (0..ATOMS as u32).map(of).collect()
}

fn adjusted(cohort: &Cohort, count: usize, seed: u64) -> Vec<MaxT> {
    let permutation = Permutation {
        is_tp: &cohort.is_tp,
        strata: &cohort.strata,
        exchange: Exchange::Calls,
        count,
        seed,
    };
    max_t(&FiringRows::new(&cohort.atoms, K, ATOMS), &permutation).expect("one cohort")
}

#[test]
fn the_same_as_shuffling_labels_one_permutation_at_a_time() {
    let cohort = cohort(1);
    let found = adjusted(&cohort, 4000, 2);
    let observed = statistics(&cohort, &cohort.is_tp);
    let mut draw = ChaCha8Rng::seed_from_u64(3);
    let mut reached = [0u32; ATOMS];
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
        let largest = statistics(&cohort, &is_tp).into_iter().fold(0.0, f64::max);
        for (reached, observed) in reached.iter_mut().zip(&observed) {
            *reached += u32::from(largest >= *observed);
        }
    }
    for ((found, observed), reached) in found.iter().zip(&observed).zip(reached) {
        assert!((found.statistic - observed).abs() < 1e-9 * observed.max(1.0));
        let naive = f64::from(reached) / 1500.0;
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
fn threads_do_not_show_and_seeds_do() {
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
fn what_has_no_statistic_has_a_p_of_one() {
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
    assert!(max_t(&FiringRows::new(&[0], 1, 1), &permutation).is_err());
}

/// Labels that have nothing to do with atoms: a share of at most 5 % of cohorts may have an atom
/// below 0.05, here within four standard deviations.
#[test]
fn the_family_wise_error_is_the_nominal_one() {
    let cohorts = 300;
    let false_ones = (0..cohorts)
        .filter(|&seed| {
            let mut cohort = cohort(100 + seed);
            let mut draw = ChaCha8Rng::seed_from_u64(seed);
            for (is_tp, stratum) in cohort.is_tp.iter_mut().zip(&cohort.strata) {
                *is_tp = draw.random_bool([0.2, 0.5, 0.7][usize::from(*stratum)]);
            }
            adjusted(&cohort, 511, seed)
                .iter()
                .any(|atom| atom.p <= 0.05)
        })
        .count();
    let most = 0.05 * cohorts as f64 + 4.0 * (0.05 * 0.95 * cohorts as f64).sqrt();
    assert!((false_ones as f64) < most, "{false_ones} of {cohorts}");
}
