//! Atoms that have nothing to do with each other.

use atomscope::cohort::Label;
use atomscope::stats::pairs::PairColumns;
use rand::seq::index;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::cohort::{Cohort, all, settings};

/// The pairs that fire together often are those that chance made do so: they are no family of their own.
#[test]
fn pairs_that_chance_puts_together_are_not_found() {
    let (features, k) = (300, 15);
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let rows = (0..2000).map(|_| {
        let mut set: Vec<u32> = index::sample(&mut random, features, k)
            .iter()
            .map(|atom| atom as u32)
            .collect();
        set.sort_unstable();
        let label = if random.random_bool(0.5) {
            Label::Tp
        } else {
            Label::Fp
        };
        (label, Some(set))
    });
    let cohort = Cohort {
        features,
        k: Some(k),
        rows: rows.collect(),
        block: 2000,
    };
    let pairs = cohort.pairs(&settings(10));
    assert!(pairs.len() > 300, "{} pairs", pairs.len());
    let found = pairs.numbers().significant;
    assert!(found.associated < 5 && found.different < 5, "{found:?}");
    // By their p-values alone half of them would be.
    let p = all(&pairs).all.neg_log10_p;
    let small = p.iter().filter(|&&p| p > 1.3).count();
    assert!(small * 4 > pairs.len(), "{small} of {}", pairs.len());
}

/// A cohort whose atoms' scores have nothing to do with one another or with the label; the k largest
/// fire. `spread` is how far their means lie apart, in standard deviations of a score.
fn scored(calls: usize, spread: f64, true_share: f64, seed: u64) -> Cohort {
    let (features, k) = (64, 8);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = || {
        let uniform: f64 = 1.0 - random.random::<f64>();
        let angle: f64 = random.random();
        (-2.0 * uniform.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    };
    let means: Vec<f64> = (0..features).map(|_| spread * normal()).collect();
    let sets: Vec<Vec<u32>> = (0..calls)
        .map(|_| {
            let scores: Vec<f64> = means.iter().map(|mean| mean + normal()).collect();
            let mut atoms: Vec<u32> = (0..features as u32).collect();
            atoms.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]));
            atoms.truncate(k);
            atoms.sort_unstable();
            atoms
        })
        .collect();
    let mut label = || {
        if random.random_bool(true_share) {
            Label::Tp
        } else {
            Label::Fp
        }
    };
    Cohort {
        features,
        k: Some(k),
        rows: sets.into_iter().map(|set| (label(), Some(set))).collect(),
        block: calls,
    }
}

/// Of pairs that are expected on ten calls or more: how many there are, the share with p < 0.05, the
/// share of these that fire together more often than expected, and the mean lift.
fn figures(columns: &PairColumns) -> [f64; 4] {
    let all = &columns.all;
    let frequent = (0..columns.a.len()).filter(|&pair| all.expected[pair] >= 10.0);
    let frequent: Vec<usize> = frequent.collect();
    let small = |pair: &&usize| all.neg_log10_p[**pair] > 0.05_f64.log10().abs();
    let found: Vec<&usize> = frequent.iter().filter(small).collect();
    let more = found.iter().filter(|&&&pair| all.lift[pair] > 1.0).count();
    let lift: f64 = frequent.iter().map(|&pair| all.lift[pair]).sum();
    let count = frequent.len() as f64;
    [
        count,
        found.len() as f64 / count,
        more as f64 / found.len() as f64,
        lift / count,
    ]
}

/// Independent scores leave pairs that fire together on 0.89 of `n_a·n_b/n` calls, since atoms share the
/// places; against that half of all pairs would be significant.
#[test]
fn independent_scores_are_what_chance_expects() {
    for (seed, spread) in [(1, 0.0), (2, 0.3), (3, 0.6)] {
        let pairs = scored(6000, spread, 0.5, seed).pairs(&settings(1));
        let columns = all(&pairs);
        let [count, small, more, lift] = figures(&columns);
        println!(
            "spread {spread}: {count} pairs, p < 0.05 {small:.4}, more {more:.2}, lift {lift:.4}"
        );
        assert!(count > 1000.0);
        assert!((0.03..0.07).contains(&small), "{small}");
        assert!((0.3..0.75).contains(&more), "{more}");
        assert!((lift - 1.0).abs() < 0.01, "{lift}");
        let below = columns.all.phi.iter().filter(|&&phi| phi < 0.0).count();
        assert!(
            below * 3 > columns.a.len() * 2,
            "independence is not the null"
        );
    }
}

/// Where nearly all calls are true, a test from large numbers finds differences in most cohorts.
#[test]
fn labels_without_meaning_make_no_difference_among_few_false_calls() {
    let cohorts = 120;
    let found = (0..cohorts).filter(|&seed| {
        let pairs = scored(1200, 0.6, 0.95, 100 + seed).pairs(&settings(5));
        pairs.numbers().significant.different > 0
    });
    let found = found.count();
    println!("{found} of {cohorts} cohorts have a difference");
    // 5 %, and two standard errors.
    assert!(found <= 10, "{found} of {cohorts}");
}
