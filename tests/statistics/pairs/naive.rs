//! Every column against a double loop over dense booleans, with the formulas as textbooks have them.

use atomscope::cohort::Label;
use atomscope::stats::pairs::AssociationColumns;

use super::cohort::{Cohort, all, settings};

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

/// What chance leaves of two atoms: the share of calls on which both fire, and the odds ratio.
#[derive(Clone, Copy)]
struct Chance {
    both: f64,
    odds_ratio: f64,
}

/// The chance that sets of k atoms leave, from how often each fires. Weights by steps that halve what
/// the odds are off; sums over sets anew without each atom, and without each two.
struct Sets {
    k: usize,
    /// Of atoms that fire on some calls and not on all.
    atoms: Vec<usize>,
    weights: Vec<f64>,
}

impl Sets {
    /// The sum over all sets of so many of the atoms but those left out of the products of weights.
    fn sum(&self, size: usize, left_out: &[usize]) -> f64 {
        let mut sums = vec![0.0; size + 1];
        sums[0] = 1.0;
        for (atom, weight) in self.weights.iter().enumerate() {
            if !left_out.contains(&atom) {
                for at in (1..=size).rev() {
                    sums[at] += weight * sums[at - 1];
                }
            }
        }
        sums[size]
    }

    fn of(fires: &[f64], calls: f64, k: usize) -> Option<Self> {
        let always = fires.iter().filter(|&&n| n == calls).count();
        let atoms: Vec<usize> = (0..fires.len())
            .filter(|&atom| fires[atom] > 0.0 && fires[atom] < calls)
            .collect();
        let k = k - always.min(k);
        if k < 2 || atoms.len() < k + 2 {
            return None;
        }
        let shares: Vec<f64> = atoms.iter().map(|&atom| fires[atom] / calls).collect();
        let weights = shares.iter().map(|p| p / (1.0 - p)).collect();
        let mut sets = Self { k, atoms, weights };
        for _ in 0..20_000 {
            let all = sets.sum(k, &[]);
            let others = (0..shares.len()).map(|atom| sets.sum(k - 1, &[atom]) / all);
            let others: Vec<f64> = others.collect();
            let weights: Vec<f64> = (0..shares.len())
                .map(|atom| {
                    let (share, old) = (shares[atom], sets.weights[atom]);
                    let found = old * others[atom];
                    old * (share * (1.0 - found) / (found * (1.0 - share))).sqrt()
                })
                .collect();
            let moves = weights
                .iter()
                .zip(&sets.weights)
                .map(|(new, old)| (new / old - 1.0).abs());
            let moved = moves.fold(0.0, f64::max);
            sets.weights = weights;
            if moved < 4e-13 {
                break;
            }
        }
        Some(sets)
    }

    fn chance(&self, a: usize, b: usize) -> Option<Chance> {
        let place = |atom: usize| self.atoms.iter().position(|&known| known == atom);
        let (a, b) = (place(a)?, place(b)?);
        let left_out = [a, b];
        let product = self.weights[a] * self.weights[b];
        let [both, one, neither] = [2, 1, 0].map(|fire| self.sum(self.k - fire, &left_out));
        Some(Chance {
            both: product * both / self.sum(self.k, &[]),
            odds_ratio: both * neither / (one * one),
        })
    }
}

/// ln n!
fn factorial(n: f64) -> f64 {
    libm::lgamma(n + 1.0)
}

/// ln of the number of ways to have this table, given its margins.
fn ways(cells: Cells) -> f64 {
    -cells.map(factorial).iter().sum::<f64>()
}

/// The table with the same margins and another first cell; `None` if there is none.
fn moved([a, b, c, d]: Cells, to: f64) -> Option<Cells> {
    let table = [to, a + b - to, a + c - to, d - a + to];
    table.iter().all(|&x| x >= 0.0).then_some(table)
}

/// −log₁₀ p of the counts that are at most as probable as the observed one, from logarithms of weights.
fn two_sided(weights: &[f64], observed: f64) -> f64 {
    let largest = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum = |of: &mut dyn Iterator<Item = f64>| of.map(|w| (w - largest).exp()).sum::<f64>();
    let all = sum(&mut weights.iter().copied());
    let at_most = weights.iter().copied().filter(|&w| w <= observed + 1e-10);
    let mut at_most: Vec<f64> = at_most.collect();
    at_most.sort_by(f64::total_cmp);
    let top = at_most[at_most.len() - 1];
    let sum_at_most: f64 = at_most.iter().map(|w| (w - top).exp()).sum();
    (all.ln() - sum_at_most.ln() - (top - largest)) / std::f64::consts::LN_10
}

fn neg_log10_p(cells: Cells, chance: Option<Chance>) -> f64 {
    let Some(Chance { odds_ratio, .. }) = chance else {
        return f64::NAN;
    };
    let weight = |table: Cells| ways(table) + table[0] * odds_ratio.ln();
    let most = (cells[0] + cells[1]).min(cells[0] + cells[2]) as usize;
    let tables = (0..=most).filter_map(|x| moved(cells, x as f64));
    two_sided(&tables.map(weight).collect::<Vec<_>>(), weight(cells))
}

fn phi([a, b, c, d]: Cells) -> f64 {
    (a * d - b * c) / ((a + b) * (c + d) * (a + c) * (b + d)).sqrt()
}

/// Zelen's exact test: all pairs of tables with these margins and this number of calls on which both
/// fire.
fn difference([tp, fp]: [Cells; 2]) -> f64 {
    let both = tp[0] + fp[0];
    let tables = (0..=both as usize).filter_map(|x| {
        let x = x as f64;
        Some(ways(moved(tp, x)?) + ways(moved(fp, both - x)?))
    });
    let weights: Vec<f64> = tables.collect();
    if weights.len() < 2 {
        return f64::NAN;
    }
    two_sided(&weights, ways(tp) + ways(fp))
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

/// One group of calls.
struct Group<'a> {
    name: &'a str,
    found: &'a AssociationColumns,
    tables: Vec<Cells>,
    /// Of all atoms, and of all atoms on all calls.
    fires: Vec<f64>,
    fires_on_all: &'a [f64],
    calls: f64,
}

fn compare(group: &Group<'_>, pairs: &[Naive], k: usize, at_least: u64) {
    let Group { name, found, .. } = *group;
    let of = |figure: &dyn Fn(Cells) -> f64| -> Vec<f64> {
        group.tables.iter().map(|&cells| figure(cells)).collect()
    };
    let counts: Vec<f64> = found.count.iter().map(|&n| f64::from(n)).collect();
    assert_eq!(counts, of(&|cells| cells[0]), "{name}");
    near(
        name,
        &found.jaccard,
        &of(&|[a, b, c, _]| a / (a + b + c)),
        0.0,
    );
    near(name, &found.phi, &of(&phi), 1e-3);
    let sets = Sets::of(&group.fires, group.calls, k);
    let chance = |pair: &Naive| sets.as_ref()?.chance(pair.a as usize, pair.b as usize);
    let of_pairs = |figure: &dyn Fn(&Naive, Cells) -> f64| -> Vec<f64> {
        let both = pairs.iter().zip(&group.tables);
        both.map(|(pair, &cells)| figure(pair, cells)).collect()
    };
    let expected = of_pairs(&|pair, [a, b, c, d]| {
        let calls = a + b + c + d;
        chance(pair).map_or((a + b).min(a + c), |chance| chance.both * calls)
    });
    near(name, &found.expected, &expected, 0.0);
    let lift: Vec<f64> = counts.iter().zip(&expected).map(|(x, e)| x / e).collect();
    near(name, &found.lift, &lift, 0.0);
    let tests = of_pairs(&|pair, cells| neg_log10_p(cells, chance(pair)));
    near(name, &found.neg_log10_p, &tests, 1e-3);
    let could = group.fires.iter().zip(group.fires_on_all);
    let could = could.filter(|&(&fires, &on_all)| {
        on_all >= at_least as f64 && fires > 0.0 && fires < group.calls
    });
    let could = could.count();
    let family = could * could.saturating_sub(1) / 2;
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
    let fires = |label: Option<Label>| -> Vec<f64> {
        let of_label = |(of, _): &(Label, &[u32])| label.is_none_or(|label| label == *of);
        let on = |atom: u32| {
            cohort
                .kept()
                .filter(of_label)
                .filter(move |(_, set)| set.contains(&atom))
        };
        (0..cohort.features as u32)
            .map(|atom| on(atom).count() as f64)
            .collect()
    };
    let fires_on_all = fires(None);
    let of = |table: &dyn Fn(&Naive) -> Cells| expected.iter().map(table).collect::<Vec<_>>();
    for (name, label, found, tables) in [
        ("all", None, &columns.all, of(&Naive::both)),
        (
            "TP",
            Some(Label::Tp),
            &columns.tp,
            of(&|pair| pair.tables[0]),
        ),
        (
            "FP",
            Some(Label::Fp),
            &columns.fp,
            of(&|pair| pair.tables[1]),
        ),
    ] {
        let calls = tables[0].iter().sum();
        let group = Group {
            name,
            found,
            tables,
            fires: fires(label),
            fires_on_all: &fires_on_all,
            calls,
        };
        compare(&group, &expected, cohort.k, at_least);
    }
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
    near("Zelen", &of_difference.neg_log10_p, &tests, 1e-3);
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
