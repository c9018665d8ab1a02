//! The conditional test of one odds ratio: against all tables there are, and in simulated cohorts.

use atomscope::stats::inference::{Table2x2, exact_homogeneity};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// True and false calls of a stratum, and firings.
type Margins = (u64, u64, u64);

fn choose(n: u64, k: u64) -> f64 {
    (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product()
}

/// All sets of tables with these margins and that sum of first cells, with their probabilities.
fn all_sets(margins: &[Margins], sum: u64) -> Vec<(Vec<Table2x2>, f64)> {
    let Some((&(tp, fp, fires), rest)) = margins.split_first() else {
        return if sum == 0 {
            vec![(vec![], 1.0)]
        } else {
            vec![]
        };
    };
    let mut found = Vec::new();
    for a in fires.saturating_sub(fp)..=fires.min(tp).min(sum) {
        let table = Table2x2::of_totals(a, fires - a, tp, fp).unwrap();
        for (mut tables, ways) in all_sets(rest, sum - a) {
            tables.insert(0, table);
            found.push((tables, ways * choose(tp, a) * choose(fp, fires - a)));
        }
    }
    found
}

fn weighed(margins: &[Margins], sum: u64) -> Vec<(Vec<Table2x2>, f64)> {
    let mut sets = all_sets(margins, sum);
    let all: f64 = sets.iter().map(|(_, ways)| ways).sum();
    for (_, ways) in &mut sets {
        *ways /= all;
    }
    sets
}

/// The fits that add up to the sum, by bisection twice, with the inverse of each one's variance.
fn fits(tables: &[Table2x2], sum: u64) -> Vec<(f64, f64)> {
    let fit = |table: &Table2x2, psi: f64| {
        let [fires, tp, fp] = [table.fires(), table.tp(), table.fp()].map(|x| x as f64);
        let over = |a: f64| a * (fp - fires + a) - psi * (tp - a) * (fires - a);
        bisect((fires - fp).max(0.0), fires.min(tp), over)
    };
    let total = |ln_psi: f64| {
        tables
            .iter()
            .map(|table| fit(table, ln_psi.exp()))
            .sum::<f64>()
    };
    let psi = bisect(-40.0, 40.0, |ln_psi| total(ln_psi) - sum as f64).exp();
    let one = |table: &Table2x2| {
        let a = fit(table, psi);
        let [fires, tp, fp] = [table.fires(), table.tp(), table.fp()].map(|x| x as f64);
        let inverse: f64 = [a, fires - a, tp - a, fp - fires + a]
            .map(|x| 1.0 / x)
            .iter()
            .sum();
        (a, inverse)
    };
    tables.iter().map(one).collect()
}

/// Breslow and Day's statistic at those fits.
fn statistic_at(fits: &[(f64, f64)], tables: &[Table2x2]) -> f64 {
    let each = tables.iter().zip(fits);
    each.map(|(table, (fit, inverse))| (table.tp_on as f64 - fit).powi(2) * inverse)
        .sum()
}

fn statistic(tables: &[Table2x2]) -> f64 {
    let sum: u64 = tables.iter().map(|table| table.tp_on).sum();
    statistic_at(&fits(tables, sum), tables)
}

fn bisect(mut low: f64, mut high: f64, rising: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..200 {
        let middle = low.midpoint(high);
        *(if rising(middle) > 0.0 {
            &mut high
        } else {
            &mut low
        }) = middle;
    }
    low
}

#[test]
fn two_strata_have_the_p_of_all_their_tables() {
    let cases: [([Margins; 2], u64); 4] = [
        ([(9, 4, 5), (7, 8, 6)], 6),
        ([(95, 5, 8), (40, 2, 3)], 9),
        ([(3, 3, 2), (200, 100, 40)], 30),
        ([(20, 30, 15), (12, 9, 11)], 9),
    ];
    for (margins, sum) in cases {
        let sets = weighed(&margins, sum);
        let q: Vec<f64> = sets.iter().map(|(tables, _)| statistic(tables)).collect();
        for ((tables, _), &observed) in sets.iter().zip(&q) {
            let least = observed - 1e-7 * observed.max(1.0);
            let large = sets.iter().zip(&q).filter(|(_, q)| **q >= least);
            let right: f64 = large.map(|((_, p), _)| p).sum();
            let found = exact_homogeneity::of_tables(tables).unwrap().p();
            assert!(
                (found / right - 1.0).abs() < 1e-9,
                "{tables:?}: {found} {right}"
            );
        }
    }
}

/// Of all tables with the same margins and sum, those with a p of at most α have at most α of the
/// probability, for any α; and p is near that of the statistic itself.
#[test]
fn p_keeps_its_level_over_all_tables() {
    let cases: [(&[Margins], u64); 4] = [
        (&[(9, 4, 5), (7, 8, 6), (5, 5, 3)], 8),
        (&[(19, 1, 3), (38, 2, 4), (10, 1, 2), (57, 3, 3)], 10),
        (
            &[
                (3, 3, 1),
                (3, 3, 1),
                (3, 3, 2),
                (2, 4, 2),
                (9, 1, 2),
                (1, 5, 1),
            ],
            4,
        ),
        (&[(40, 30, 12), (25, 35, 14), (30, 30, 9)], 17),
    ];
    for (margins, sum) in cases {
        let sets = weighed(margins, sum);
        let p = |tables: &[Table2x2]| exact_homogeneity::of_tables(tables).unwrap().p();
        let found: Vec<f64> = sets.iter().map(|(tables, _)| p(tables)).collect();
        for &level in &found {
            let below = sets.iter().zip(&found).filter(|(_, p)| **p <= level);
            let chance: f64 = below.map(|((_, chance), _)| chance).sum();
            assert!(chance <= level * (1.0 + 1e-9), "{chance} at {level}");
        }
        let q: Vec<f64> = sets.iter().map(|(tables, _)| statistic(tables)).collect();
        for (observed, p) in q.iter().zip(&found) {
            let at_least = |q_least: f64| -> f64 {
                let large = sets.iter().zip(&q).filter(|(_, q)| **q >= q_least);
                large.map(|((_, p), _)| p).sum()
            };
            // Steps move Q by no more than this.
            let step =
                0.5 * margins.len() as f64 * (2.0 * (margins.len() - 1) as f64).sqrt() / 16.0;
            let [low, high] = [
                at_least(observed + 2.0 * step),
                at_least(observed - 2.0 * step),
            ];
            assert!(
                low * 0.999_999 <= *p && *p <= high * 1.000_001,
                "{low} {p} {high}"
            );
        }
    }
}

/// A cohort's tables of an atom: so many strata and calls, a share of them true, firing with a
/// probability on false calls, with an odds ratio on true ones.
fn drawn(
    random: &mut ChaCha8Rng,
    (strata, calls): (usize, usize),
    (share, rate): (f64, f64),
    odds: impl Fn(usize) -> f64,
) -> Vec<Table2x2> {
    let one = |stratum: usize| {
        let ratio = odds(stratum) * rate / (1.0 - rate);
        let mut table = Table2x2::default();
        for _ in 0..calls {
            let is_true = random.random_bool(share);
            let on = random.random_bool(if is_true { ratio / (1.0 + ratio) } else { rate });
            match (is_true, on) {
                (true, true) => table.tp_on += 1,
                (true, false) => table.tp_off += 1,
                (false, true) => table.fp_on += 1,
                (false, false) => table.fp_off += 1,
            }
        }
        table
    };
    (0..strata).map(one).collect()
}

/// Where the strata agree 5 % and two standard errors at most are found to disagree: few firings,
/// too many for steps, and dense strata just above the bound.
#[test]
fn strata_that_agree_are_found_to_in_95_percent() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for (sizes, rates, odds, cohorts) in [
        ((64, 60), (0.95, 0.016), 1.0, 600),
        ((64, 60), (0.6, 0.03), 4.0, 300),
        ((8, 400), (0.9, 0.01), 1.0, 600),
        ((40, 400), (0.9, 0.06), 2.0, 300),
        ((30, 1000), (0.4, 0.03), 1.5, 600),
        ((3, 60), (0.5, 0.4), 1.5, 600),
        ((20, 160), (0.5, 0.5), 1.0, 1500),
    ] {
        let (mut tests, mut found) = (0.0, 0.0);
        for _ in 0..cohorts {
            let tables = drawn(&mut random, sizes, rates, |_| odds);
            let p = exact_homogeneity::of_tables(&tables);
            tests += f64::from(u8::from(p.is_some()));
            found += f64::from(u8::from(p.is_some_and(|p| p.p() <= 0.05)));
        }
        let limit = 0.05 + 2.0 * (0.05_f64 * 0.95 / tests).sqrt();
        println!(
            "{sizes:?} {rates:?}: {:.1} % of {tests}",
            100.0 * found / tests
        );
        assert!(
            tests > 200.0 && found / tests <= limit,
            "{sizes:?}: {found} of {tests}"
        );
    }
}

#[test]
fn strata_that_disagree_are_found() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    for (sizes, rates) in [
        ((30, 60), (0.8, 0.1)),
        ((40, 400), (0.8, 0.06)),
        ((4, 900), (0.5, 0.3)),
    ] {
        let odds = |stratum| if stratum % 2 == 0 { 8.0 } else { 0.2 };
        let tables = drawn(&mut random, sizes, rates, odds);
        let p = exact_homogeneity::of_tables(&tables).unwrap().p();
        assert!(p < 1e-4, "{sizes:?}: {p}");
        assert_eq!(exact_homogeneity::of_tables(&tables).unwrap().p(), p);
    }
}

#[test]
fn nothing_to_compare_has_no_p() {
    let table = |tp_on, fp_on| Table2x2::of_totals(tp_on, fp_on, 9, 7).unwrap();
    for tables in [
        vec![],
        vec![table(3, 2)],
        vec![table(3, 2), table(0, 0), table(9, 7)],
        vec![table(3, 0), table(2, 0)],
        vec![table(0, 3), table(0, 1)],
    ] {
        assert_eq!(exact_homogeneity::of_tables(&tables), None, "{tables:?}");
    }
}

/// A count of true calls among so many firings, drawn without replacement.
fn without_replacement(random: &mut ChaCha8Rng, (tp, fp, fires): Margins) -> u64 {
    let mut found = 0;
    for drawn in 0..fires {
        found += u64::from(random.random_range(0..tp + fp - drawn) < tp - found);
    }
    found
}

/// Draws sets of tables with these margins and that sum: those that have it by chance.
fn sets_with_the_sum(
    random: &mut ChaCha8Rng,
    margins: &[Margins],
    (sum, count): (u64, usize),
) -> Vec<Vec<Table2x2>> {
    let mut sets = Vec::new();
    while sets.len() < count {
        let tables: Vec<Table2x2> = margins
            .iter()
            .map(|&margins| {
                let on = without_replacement(random, margins);
                let (tp, fp, fires) = margins;
                Table2x2::of_totals(on, fires - on, tp, fp).unwrap()
            })
            .collect();
        if tables.iter().map(|table| table.tp_on).sum::<u64>() == sum {
            sets.push(tables);
        }
    }
    sets
}

/// Where combinations are too many to be looked at one by one, p is that of drawn tables: within
/// a tenth if it is clear, and if it is small and there are too many steps, too; within a third if
/// it is in steps.
#[test]
fn p_of_many_combinations_is_that_of_drawn_tables() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    for (strata, calls, fires, within) in [(30, 40..90, 1..7, 0.33), (20, 200..400, 8..40, 0.1)] {
        let margins: Vec<Margins> = (0..strata)
            .map(|_| {
                let n: u64 = random.random_range(calls.clone());
                let tp = n * random.random_range(3..8) / 10;
                (tp, n - tp, random.random_range(fires.clone()))
            })
            .collect();
        let mean: f64 = margins
            .iter()
            .map(|&(tp, fp, fires)| (fires * tp) as f64 / (tp + fp) as f64)
            .sum();
        let draws = 8000;
        let sum = mean.round() as u64 + 1;
        let sets = sets_with_the_sum(&mut random, &margins, (sum, draws));
        // Tables of the same margins and sum have the same fits.
        let fits = fits(&sets[0], sum);
        let mut each: Vec<(f64, &Vec<Table2x2>)> = sets
            .iter()
            .map(|tables| (statistic_at(&fits, tables), tables))
            .collect();
        each.sort_by(|a, b| b.0.total_cmp(&a.0));
        for place in [40, 80, 160, 320, 800, 2000, 4000, 6500] {
            let right = place as f64 / draws as f64;
            let found = exact_homogeneity::of_tables(each[place - 1].1).unwrap().p();
            let sd = (right * (1.0 - right) / draws as f64).sqrt();
            let limit = 4.0 * sd + if right > 0.07 { 0.1 } else { within } * right;
            assert!(
                (found - right).abs() < limit,
                "{strata} strata: {found} {right}"
            );
        }
    }
}
