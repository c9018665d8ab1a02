//! Every column against a double loop over dense booleans, with the formulas as textbooks have them.

use atomscope::cohort::Label;
use atomscope::stats::pairs::AssociationColumns;

use crate::cohort::{Cohort, all, settings};

/// Calls on which both atoms fire, only the first, only the second, neither.
type Cells = [f64; 4];

/// A pair as it is found by looking at every call.
struct Naive {
    a: u32,
    b: u32,
    /// On true and on false calls.
    tables: [Cells; 2],
}

impl Naive {
    fn count(&self) -> u64 {
        (self.tables[0][0] + self.tables[1][0]) as u64
    }

    fn both(&self) -> Cells {
        std::array::from_fn(|i| self.tables[0][i] + self.tables[1][i])
    }
}

/// All pairs that fire together so often, in the order that is promised.
fn pairs(cohort: &Cohort, at_least: u64) -> Vec<Naive> {
    let dense: Vec<(Label, Vec<bool>)> = cohort
        .kept()
        .map(|(label, set)| {
            let fires = (0..cohort.features as u32).map(|atom| set.contains(&atom));
            (label, fires.collect())
        })
        .collect();
    let mut pairs = Vec::new();
    for a in 0..cohort.features {
        for b in a + 1..cohort.features {
            let mut tables = [[0.0; 4]; 2];
            for (label, fires) in &dense {
                let table = &mut tables[usize::from(*label == Label::Fp)];
                table[2 * usize::from(!fires[a]) + usize::from(!fires[b])] += 1.0;
            }
            pairs.push(Naive {
                a: a as u32,
                b: b as u32,
                tables,
            });
        }
    }
    pairs.retain(|pair| pair.count() >= at_least);
    pairs.sort_by(|x, y| y.count().cmp(&x.count()).then((x.a, x.b).cmp(&(y.a, y.b))));
    pairs
}

fn log_tail(chi2: f64) -> f64 {
    -libm::erfc((chi2 / 2.0).sqrt()).log10()
}

fn expected([a, b, c, d]: Cells) -> [f64; 4] {
    let n = a + b + c + d;
    [
        (a + b) * (a + c) / n,
        (a + b) * (b + d) / n,
        (c + d) * (a + c) / n,
        (c + d) * (b + d) / n,
    ]
}

fn neg_log10_p(cells: Cells) -> f64 {
    let expected = expected(cells);
    let term = |(x, e): (f64, f64)| (x - e) * (x - e) / e;
    log_tail(cells.into_iter().zip(expected).map(term).sum())
}

fn phi([a, b, c, d]: Cells) -> f64 {
    (a * d - b * c) / ((a + b) * (c + d) * (a + c) * (b + d)).sqrt()
}

/// Breslow and Day's test with Tarone's correction. The fit is found by halving.
fn difference(tables: [Cells; 2]) -> f64 {
    let n = tables.map(|t| t.iter().sum::<f64>());
    let r: f64 = tables
        .iter()
        .zip(n)
        .map(|([a, _, _, d], n)| a * d / n)
        .sum();
    let s: f64 = tables
        .iter()
        .zip(n)
        .map(|([_, b, c, _], n)| b * c / n)
        .sum();
    let [mut statistic, mut residual, mut variance] = [0.0; 3];
    for [a, b, c, d] in tables {
        let [mut low, mut high] = [(a - d).max(0.0), (a + b).min(a + c)];
        for _ in 0..200 {
            let x = f64::midpoint(low, high);
            if x * (d - a + x) * s < r * (a + b - x) * (a + c - x) {
                low = x;
            } else {
                high = x;
            }
        }
        let v = 1.0 / (1.0 / low + 1.0 / (a + b - low) + 1.0 / (a + c - low) + 1.0 / (d - a + low));
        statistic += (a - low) * (a - low) / v;
        residual += a - low;
        variance += v;
    }
    if r * s == 0.0 {
        return f64::NAN;
    }
    log_tail((statistic - residual * residual / variance).max(0.0))
}

/// Benjamini and Hochberg's definition, of those that have a p-value; others of the family have 1.
fn adjusted(neg_log10: &[f64], family: usize) -> Vec<f64> {
    let mut p: Vec<f64> = neg_log10.iter().map(|x| 10_f64.powf(-x)).collect();
    p.retain(|p| !p.is_nan());
    p.resize(family.max(p.len()), 1.0);
    let rank = |q: f64| p.iter().filter(|&&p| p <= q * (1.0 + 1e-9)).count() as f64;
    let of = |x: &f64| {
        let own = 10_f64.powf(-x);
        let not_less = p.iter().filter(|&&q| q >= own * (1.0 - 1e-9));
        let least = not_less.map(|&q| q * p.len() as f64 / rank(q));
        least.fold(if own.is_nan() { f64::NAN } else { 1.0 }, |a, b| {
            if a.is_nan() { a } else { a.min(b) }
        })
    };
    neg_log10.iter().map(of).collect()
}

/// Relative to the larger of `scale` and what is expected; NaN is near NaN alone.
pub(crate) fn near(what: &str, found: &[f64], expected: &[f64], scale: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let apart = (found - expected).abs() / expected.abs().max(scale);
        let same = found == expected || found.is_nan() && expected.is_nan();
        assert!(
            same || apart < 1e-10,
            "{what} of pair {place}: {found}, expected {expected}"
        );
    }
}

fn compare(name: &str, found: &AssociationColumns, tables: &[Cells], family: usize) {
    let of = |figure: &dyn Fn(Cells) -> f64| -> Vec<f64> {
        tables.iter().map(|&cells| figure(cells)).collect()
    };
    let counts: Vec<f64> = found.count.iter().map(|&n| f64::from(n)).collect();
    assert_eq!(counts, of(&|cells| cells[0]), "{name}");
    near(name, &found.expected, &of(&|cells| expected(cells)[0]), 0.0);
    near(name, &found.lift, &of(&|t| t[0] / expected(t)[0]), 0.0);
    near(
        name,
        &found.jaccard,
        &of(&|[a, b, c, _]| a / (a + b + c)),
        0.0,
    );
    near(name, &found.phi, &of(&phi), 1e-3);
    let tests = of(&neg_log10_p);
    near(name, &found.neg_log10_p, &tests, 1e-3);
    near(name, &found.fdr, &adjusted(&tests, family), 0.0);
}

fn check(cohort: &Cohort, at_least: u64) -> usize {
    let expected = pairs(cohort, at_least);
    let found = cohort.pairs(&settings(at_least));
    assert_eq!(found.threshold_used(), at_least);
    assert_eq!(found.pairs_at_the_threshold_asked(), expected.len() as u64);
    let columns = all(&found);
    let atoms = columns.a.iter().zip(&columns.b);
    let order: Vec<_> = atoms.map(|(&a, &b)| (a, b)).collect();
    let naive: Vec<_> = expected.iter().map(|pair| (pair.a, pair.b)).collect();
    assert_eq!(order, naive);
    let fires = |atom: &u32| cohort.kept().filter(|(_, set)| set.contains(atom)).count() as u64;
    let could = (0..cohort.features as u32)
        .filter(|atom| fires(atom) >= at_least)
        .count();
    let family = could * could.saturating_sub(1) / 2;
    let of = |table: &dyn Fn(&Naive) -> Cells| expected.iter().map(table).collect::<Vec<_>>();
    compare("all", &columns.all, &of(&Naive::both), family);
    compare("TP", &columns.tp, &of(&|pair| pair.tables[0]), family);
    compare("FP", &columns.fp, &of(&|pair| pair.tables[1]), family);
    let says_nothing =
        |[a, b, c, d]: Cells| [a + b, c + d, a + c, b + d].into_iter().any(|x| x == 0.0);
    let tests: Vec<f64> = expected
        .iter()
        .map(|pair| {
            if pair.tables.into_iter().any(says_nothing) {
                f64::NAN
            } else {
                difference(pair.tables)
            }
        })
        .collect();
    let log_odds = |[a, b, c, d]: Cells| ((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5))).ln();
    let ratios: Vec<f64> = expected
        .iter()
        .map(|pair| {
            if pair.tables.into_iter().any(says_nothing) {
                f64::NAN
            } else {
                log_odds(pair.tables[0]) - log_odds(pair.tables[1])
            }
        })
        .collect();
    let of_difference = &columns.difference;
    near(
        "ratio",
        &of_difference.log_odds_ratio_difference,
        &ratios,
        1e-3,
    );
    near("Breslow-Day", &of_difference.neg_log10_p, &tests, 1e-3);
    near("its FDR", &of_difference.fdr, &adjusted(&tests, 0), 0.0);
    assert!(tests.iter().filter(|p| !p.is_nan()).count() * 2 >= expected.len());
    expected.len()
}

#[test]
fn every_column_is_what_a_double_loop_makes() {
    for (features, k, calls, seed, thresholds) in [
        (37, 5, 400, 1, [1, 3, 8]),
        (23, 11, 150, 2, [1, 20, 30]),
        (64, 3, 900, 3, [1, 3, 8]),
    ] {
        let cohort = Cohort::random(features, k, calls, seed);
        let mut last = usize::MAX;
        for at_least in thresholds {
            let found = check(&cohort, at_least);
            assert!(found > 20 && found < last, "{found} pairs");
            last = found;
        }
    }
}
