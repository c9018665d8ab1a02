//! How long it all takes for 65,536 atoms: `cargo test --release --test statistics
//! inference::speed:: -- --ignored --nocapture`.

use std::hint::black_box;
use std::time::Instant;

use atomscope::cohort::Label;
use atomscope::stats::inference::conditional;
use atomscope::stats::inference::multiplicity::Family;
use atomscope::stats::inference::rank_sum::{Silent, mann_whitney};
use atomscope::stats::inference::spearman::MidRanks;
use atomscope::stats::inference::stratified::{self, StratumCounts};
use atomscope::stats::inference::{
    PValue, Table2x2, effect, exact_homogeneity, exact_strata, fisher, pearson,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

const ATOMS: usize = 65_536;
const STRATA: usize = 64;
const CALLS: u64 = 1_000_000;

pub(crate) fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = black_box(work());
    println!("{what}: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    result
}

/// Tables of a million calls, 60 % of them true, of atoms that fire on `share(atom)` of them and
/// lean to either side.
fn tables(share: impl Fn(f64) -> f64) -> Vec<Table2x2> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let (tp, fp) = (CALLS * 3 / 5, CALLS * 2 / 5);
    let mut one = |_| {
        let fires = share(random.random()) * CALLS as f64;
        let lean = 0.6 + 0.02 * (random.random::<f64>() - 0.5);
        let on = |x: f64, most| (x as u64).min(most);
        Table2x2::of_totals(on(fires * lean, tp), on(fires * (1.0 - lean), fp), tp, fp).unwrap()
    };
    (0..ATOMS).map(&mut one).collect()
}

#[test]
#[ignore = "a measurement"]
fn tables_of_a_million_calls() {
    for (name, tables) in [
        ("a thousand firings an atom", tables(|_| 0.001)),
        ("any number of firings", tables(|x| x * x * x)),
        ("half of the calls, the worst", tables(|_| 0.5)),
    ] {
        println!(
            "{name}, {ATOMS} atoms, {CALLS} calls, {} threads",
            rayon::current_num_threads()
        );
        let effects = |t: &Table2x2| {
            (
                effect::log_odds_ratio(t),
                effect::precision_when_firing(t),
                effect::risk_difference(t),
            )
        };
        timed("  effects", || {
            tables.par_iter().map(effects).collect::<Vec<_>>()
        });
        timed("  chi-square", || {
            tables
                .par_iter()
                .map(pearson::independence)
                .collect::<Vec<_>>()
        });
        let tests = timed("  Fisher's p and mid-p", || {
            tables
                .par_iter()
                .map(fisher::exact_test)
                .collect::<Vec<_>>()
        });
        let p: Vec<Option<PValue>> = tests.iter().map(|test| Some(test.p)).collect();
        timed("  four adjustments", || {
            let family = Family::of(&p);
            (
                family.benjamini_hochberg(),
                family.benjamini_yekutieli(),
                family.holm(),
                family.storey(),
            )
        });
    }
}

#[test]
#[ignore = "a measurement"]
fn strata_of_all_atoms() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let totals: Vec<u64> = (0..2 * STRATA)
        .map(|_| random.random_range(100..30_000))
        .collect();
    let mut counts = |s: usize| {
        (0..ATOMS)
            .map(|_| random.random_range(0..=totals[s] / 8))
            .collect()
    };
    let counts: Vec<Vec<u64>> = (0..2 * STRATA).map(&mut counts).collect();
    let strata: Vec<_> = (0..STRATA)
        .map(|s| StratumCounts {
            tp_on: &counts[s],
            fp_on: &counts[s + STRATA],
            tp: totals[s],
            fp: totals[s + STRATA],
        })
        .collect();
    println!(
        "{ATOMS} atoms, {STRATA} strata, {} threads",
        rayon::current_num_threads()
    );
    timed("  CMH, interval, Breslow–Day–Tarone, sign flip", || {
        stratified::of_atoms(&strata)
    });
}

/// Tables of atoms that fire on `rate` of the calls of each stratum, of which 30 to 90 % are true.
fn strata_of(atoms: usize, strata: usize, calls: u64, rate: f64) -> Vec<Vec<Table2x2>> {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let each = calls / strata as u64;
    let true_calls: Vec<u64> = (0..strata)
        .map(|_| random.random_range(3 * each / 10..9 * each / 10))
        .collect();
    // Nearly Poisson's, or nearly a normal distribution's.
    let mut on = |n: u64| {
        let mean = n as f64 * rate;
        let sum: f64 = (0..12).map(|_| random.random::<f64>()).sum();
        let spread = (mean * (1.0 - rate)).sqrt();
        let whole = mean + spread * (sum - 6.0) + random.random::<f64>() - 0.5;
        (whole.round().max(0.0) as u64).min(n)
    };
    let mut one = |&tp: &u64| Table2x2::of_totals(on(tp), on(each - tp), tp, each - tp).unwrap();
    (0..atoms)
        .map(|_| true_calls.iter().map(&mut one).collect())
        .collect()
}

#[test]
#[ignore = "a measurement"]
fn conditional_tests_of_all_atoms() {
    for (atoms, strata, calls, k) in [(ATOMS, STRATA, 100_000, 64.0), (512, 24, 10_000_000, 8.0)] {
        let all = strata_of(atoms, strata, calls, k / atoms as f64);
        println!(
            "{atoms} atoms, {strata} strata, {calls} calls, k = {k}, {} threads",
            rayon::current_num_threads()
        );
        timed("  exact p and mid-p within strata", || {
            let each = all.par_iter().with_min_len(64);
            each.map(|tables| exact_strata::of_tables(tables))
                .collect::<Vec<_>>()
        });
        timed("  homogeneity given the margins", || {
            let each = all.par_iter().with_min_len(64);
            each.map(|tables| exact_homogeneity::of_tables(tables))
                .collect::<Vec<_>>()
        });
        let both = conditional::of_tables(&all[0]);
        assert_eq!(both.no_effect, exact_strata::of_tables(&all[0]));
    }
}

#[test]
#[ignore = "a measurement"]
fn ranks_of_all_atoms() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let each = 100;
    let label = |tp| if tp { Label::Tp } else { Label::Fp };
    let mut calls: Vec<Vec<(f64, Label)>> = (0..ATOMS)
        .map(|_| {
            (0..each)
                .map(|_| (random.random_range(0.0..9.0), label(random.random())))
                .collect()
        })
        .collect();
    println!(
        "{ATOMS} atoms, {each} firings each, {} threads",
        rayon::current_num_threads()
    );
    timed("  sorting", || {
        calls
            .par_iter_mut()
            .for_each(|calls| calls.sort_unstable_by(|a, b| a.0.total_cmp(&b.0)));
    });
    let silent = Silent {
        tp: 600_000,
        fp: 400_000,
    };
    timed("  Mann–Whitney", || {
        calls
            .par_iter()
            .map(|calls| mann_whitney(calls, silent))
            .collect::<Vec<_>>()
    });
    let lengths: Vec<f64> = (0..CALLS)
        .map(|_| random.random_range(50..40_000).into())
        .collect();
    let ranks = timed("  ranks of a million lengths", || MidRanks::of(&lengths));
    let sums: Vec<u128> = (0..ATOMS)
        .map(|_| random.random_range(80_000_000..120_000_000))
        .collect();
    timed("  Spearman", || {
        sums.par_iter()
            .map(|&sum| ranks.correlate_sum(each, sum))
            .collect::<Vec<_>>()
    });
}
