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

/// What chance leaves of two atoms.
#[derive(Clone, Copy)]
struct Chance {
    /// Calls on which both fire.
    both: f64,
    odds_ratio: f64,
    /// Calls that could not be another, on which both fire, and on which neither does.
    set_aside: [f64; 2],
}

/// The chance that sets of given sizes leave, from how often each atom fires. Weights by steps that
/// halve what the odds are off; sums over sets anew without each atom, and without each two.
struct Sets {
    /// Calls of each size.
    sizes: Vec<f64>,
    /// Calls on which all of the atoms fire, and on which none does.
    set_aside: [f64; 2],
    /// Of atoms that fire on some of the other calls and not on all.
    atoms: Vec<usize>,
    weights: Vec<f64>,
}

impl Sets {
    /// For each size: the sum over all sets of so many of the atoms but those left out of the products
    /// of weights.
    fn sums(&self, left_out: &[usize]) -> Vec<f64> {
        let mut sums = vec![0.0; self.sizes.len()];
        sums[0] = 1.0;
        for (atom, weight) in self.weights.iter().enumerate() {
            if !left_out.contains(&atom) {
                for at in (1..sums.len()).rev() {
                    sums[at] += weight * sums[at - 1];
                }
            }
        }
        sums
    }

    /// Calls, over all sizes, in which the sets are so many atoms larger than `sums` are of.
    fn calls(&self, sums: &[f64], all: &[f64], more: usize) -> f64 {
        let of_size = |size: usize| self.sizes[size] * sums[size - more] / all[size];
        let some = (more..self.sizes.len()).filter(|&size| self.sizes[size] > 0.0);
        some.map(of_size).sum()
    }

    /// `None` where no pair could fire together on more calls or fewer.
    fn of(rows: &[&[u32]], features: usize) -> Option<Self> {
        let mut rows: Vec<Vec<bool>> = rows
            .iter()
            .map(|set| {
                (0..features as u32)
                    .map(|atom| set.contains(&atom))
                    .collect()
            })
            .collect();
        let mut atoms: Vec<usize> = (0..features).collect();
        let mut set_aside = [0.0; 2];
        loop {
            let on = |atom: usize| rows.iter().filter(|row| row[atom]).count();
            atoms.retain(|&atom| on(atom) > 0 && on(atom) < rows.len());
            let before = rows.len();
            rows.retain(|row| {
                let fire = atoms.iter().filter(|&&atom| row[atom]).count();
                let (all, none) = (fire == atoms.len(), fire == 0);
                set_aside[0] += f64::from(u8::from(all));
                set_aside[1] += f64::from(u8::from(none));
                !all && !none
            });
            if rows.len() == before {
                break;
            }
        }
        let mut sizes = vec![0.0; atoms.len() + 1];
        for row in &rows {
            sizes[atoms.iter().filter(|&&atom| row[atom]).count()] += 1.0;
        }
        let calls = rows.len() as f64;
        if sizes[1..].first() == Some(&calls) || sizes[atoms.len() - 1] == calls {
            return None;
        }
        let last = sizes.iter().rposition(|&calls| calls > 0.0)?;
        sizes.truncate(last + 1);
        let on = |&atom: &usize| rows.iter().filter(|row| row[atom]).count() as f64;
        let fires: Vec<f64> = atoms.iter().map(on).collect();
        let weights = fires.iter().map(|on| on / (calls - on)).collect();
        let mut sets = Self {
            sizes,
            set_aside,
            atoms,
            weights,
        };
        for _ in 0..20_000 {
            let all = sets.sums(&[]);
            let moved = |atom: usize| {
                let old = sets.weights[atom];
                let found = old * sets.calls(&sets.sums(&[atom]), &all, 1);
                old * (fires[atom] * (calls - found) / (found * (calls - fires[atom]))).sqrt()
            };
            let weights: Vec<f64> = (0..fires.len()).map(moved).collect();
            let moves = weights.iter().zip(&sets.weights);
            let most = moves
                .map(|(new, old)| (new / old - 1.0).abs())
                .fold(0.0, f64::max);
            sets.weights = weights;
            if most < 4e-13 {
                break;
            }
        }
        Some(sets)
    }

    fn chance(&self, a: usize, b: usize) -> Option<Chance> {
        let place = |atom: usize| self.atoms.iter().position(|&known| known == atom);
        let (a, b) = (place(a)?, place(b)?);
        let (all, others) = (self.sums(&[]), self.sums(&[a, b]));
        let product = self.weights[a] * self.weights[b];
        let [neither, one, both] = [0, 1, 2].map(|fire| self.calls(&others, &all, fire));
        Some(Chance {
            both: self.set_aside[0] + product * both,
            odds_ratio: both * neither / (one * one),
            set_aside: self.set_aside,
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
    let Some(Chance {
        odds_ratio,
        set_aside: [all, none],
        ..
    }) = chance
    else {
        return f64::NAN;
    };
    let [both, a, b, neither] = cells;
    let cells = [both - all, a, b, neither - none];
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
    /// What chance leaves of the group's calls.
    sets: Option<Sets>,
    /// Of all atoms on all calls.
    fires_on_all: &'a [f64],
}

fn compare(group: &Group<'_>, pairs: &[Naive], at_least: u64) {
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
    let chance = |pair: &Naive| {
        group
            .sets
            .as_ref()?
            .chance(pair.a as usize, pair.b as usize)
    };
    let of_pairs = |figure: &dyn Fn(&Naive, Cells) -> f64| -> Vec<f64> {
        let both = pairs.iter().zip(&group.tables);
        both.map(|(pair, &cells)| figure(pair, cells)).collect()
    };
    let expected = of_pairs(&|pair, [a, b, c, _]| {
        chance(pair).map_or((a + b).min(a + c), |chance| chance.both)
    });
    near(name, &found.expected, &expected, 0.0);
    let lift: Vec<f64> = counts.iter().zip(&expected).map(|(x, e)| x / e).collect();
    near(name, &found.lift, &lift, 0.0);
    let tests = of_pairs(&|pair, cells| neg_log10_p(cells, chance(pair)));
    near(name, &found.neg_log10_p, &tests, 1e-3);
    let atoms = group.sets.iter().flat_map(|sets| &sets.atoms);
    let could = atoms.filter(|&&atom| group.fires_on_all[atom] >= at_least as f64);
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
    let fires_on_all: Vec<f64> = (0..cohort.features as u32)
        .map(|atom| cohort.kept().filter(|(_, set)| set.contains(&atom)).count() as f64)
        .collect();
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
        let of_label = |(of, _): &(Label, &[u32])| label.is_none_or(|label| label == *of);
        let rows: Vec<_> = cohort.kept().filter(of_label).map(|(_, set)| set).collect();
        let group = Group {
            name,
            found,
            tables,
            sets: Sets::of(&rows, cohort.features),
            fires_on_all: &fires_on_all,
        };
        compare(&group, &expected, at_least);
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
        // Most atoms are too rare for a pair.
        (100, 4, 150, 4, [2, 3, 4]),
    ] {
        let cohort = Cohort::random(features, k, calls, seed);
        let mut last = usize::MAX;
        for at_least in thresholds {
            let found = check(&cohort, at_least);
            assert!(found > 5 && found < last, "{found} pairs");
            last = found;
        }
    }
}

#[test]
fn every_column_of_sets_of_any_size_is_what_a_double_loop_makes() {
    for (features, calls, seed, thresholds) in
        [(30, 400, 1, [1, 20, 40]), (12, 250, 2, [1, 15, 30])]
    {
        let cohort = Cohort::ragged(features, calls, seed);
        assert!(cohort.kept().any(|(_, set)| set.is_empty()));
        assert!(cohort.kept().any(|(_, set)| set.len() == features));
        for at_least in thresholds {
            let found = check(&cohort, at_least);
            assert!(found > 5, "{found} pairs");
        }
    }
}
