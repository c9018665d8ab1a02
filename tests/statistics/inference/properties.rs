//! Laws that hold for every table, and small tables by enumeration.

use atomscope::cohort::Label;
use atomscope::stats::inference::multiplicity::Family;
use atomscope::stats::inference::rank_sum::{Silent, mann_whitney};
use atomscope::stats::inference::spearman::MidRanks;
use atomscope::stats::inference::{PValue, Table2x2, effect, fisher, pearson, stratified};
use proptest::prelude::*;

fn choose(n: u128, k: u128) -> u128 {
    (1..=k).fold(1, |product, i| product * (n - k + i) / i)
}

/// Both p-values by counting, in whole numbers, all tables with these margins: ways to pick the
/// calls on which the atom fires.
fn counted(table: &Table2x2) -> (f64, f64) {
    let [tp, fp, fires] = [table.tp(), table.fp(), table.fires()].map(u128::from);
    let ways = |x: u128| choose(tp, x) * choose(fp, fires - x);
    let observed = ways(u128::from(table.tp_on));
    let (mut less, mut equal, mut all) = (0, 0, 0);
    for x in fires.saturating_sub(fp)..=fires.min(tp) {
        let ways = ways(x);
        all += ways;
        if ways < observed {
            less += ways;
        } else if ways == observed {
            equal += ways;
        }
    }
    let all = all as f64;
    (
        (less + equal) as f64 / all,
        (less as f64 + equal as f64 / 2.0) / all,
    )
}

#[test]
fn fisher_s_test_counts_tables() {
    let mut worst = 0.0_f64;
    let mut check = |table: Table2x2| {
        let found = fisher::exact_test(&table);
        let (p, mid_p) = counted(&table);
        for (found, expected) in [(found.p, p), (found.mid_p, mid_p)] {
            worst = worst.max((found.p() / expected - 1.0).abs());
        }
        assert!(
            worst < 1e-13,
            "{table:?}: {found:?}, counted {p} and {mid_p}"
        );
    };
    // Every table of up to 26 calls, ties by the dozen among them.
    for n in 0..=26_u64 {
        for tp_on in 0..=n {
            for fp_on in 0..=n - tp_on {
                for tp_off in 0..=n - tp_on - fp_on {
                    let fp_off = n - tp_on - fp_on - tp_off;
                    check(Table2x2 {
                        tp_on,
                        fp_on,
                        tp_off,
                        fp_off,
                    });
                }
            }
        }
    }
    // Larger ones of up to 100 calls, whose counts still fit.
    for seed in 0..4000_u64 {
        let cell = |i: u64| (seed * 48_271 + i * 7919 + seed * seed % 1013 * i) % 26;
        check(Table2x2 {
            tp_on: cell(1),
            fp_on: cell(2),
            tp_off: cell(3),
            fp_off: cell(4),
        });
    }
    println!("largest distance of Fisher's p and mid-p from counting: {worst:.1e}");
}

fn any_table(most: u64) -> impl Strategy<Value = Table2x2> {
    let cell = || prop_oneof![0..=most, 0..20_u64.min(most + 1)];
    (cell(), cell(), cell(), cell()).prop_map(|(tp_on, fp_on, tp_off, fp_off)| Table2x2 {
        tp_on,
        fp_on,
        tp_off,
        fp_off,
    })
}

/// True and false calls exchanged.
fn labels_exchanged(t: &Table2x2) -> Table2x2 {
    Table2x2 {
        tp_on: t.fp_on,
        fp_on: t.tp_on,
        tp_off: t.fp_off,
        fp_off: t.tp_off,
    }
}

fn transposed(t: &Table2x2) -> Table2x2 {
    Table2x2 {
        fp_on: t.tp_off,
        tp_off: t.fp_on,
        ..*t
    }
}

fn near(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-11 * a.abs().max(1.0)
}

/// U by its definition: all pairs.
fn pairs_won(tp: &[f64], fp: &[f64]) -> f64 {
    let win = |x: f64, y: f64| f64::from(u8::from(x > y)) + f64::from(u8::from(x == y)) / 2.0;
    tp.iter()
        .map(|&x| fp.iter().map(|&y| win(x, y)).sum::<f64>())
        .sum()
}

/// Pearson's correlation of mid-ranks, each by counting what is smaller.
fn plain_spearman(x: &[f64], y: &[f64]) -> f64 {
    let rank = |v: &[f64], a: f64| {
        let count = |pick: &dyn Fn(f64) -> bool| v.iter().filter(|&&b| pick(b)).count() as f64;
        count(&|b| b < a) + f64::midpoint(count(&|b| b == a), 1.0)
    };
    let middle = f64::midpoint(x.len() as f64, 1.0);
    let ranks = |v: &[f64]| v.iter().map(|&a| rank(v, a) - middle).collect::<Vec<_>>();
    let (x, y) = (ranks(x), ranks(y));
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>();
    dot(&x, &y) / (dot(&x, &x) * dot(&y, &y)).sqrt()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p_values_do_not_mind_how_a_table_is_written(table in any_table(200_000)) {
        let found = fisher::exact_test(&table);
        for other in [labels_exchanged(&table), transposed(&table)] {
            let exchanged = fisher::exact_test(&other);
            prop_assert!(near(found.p.ln(), exchanged.p.ln()));
            prop_assert!(near(found.mid_p.ln(), exchanged.mid_p.ln()));
            let ln_p = |t: &Table2x2| pearson::independence(t).map(|found| found.test.p.ln());
            prop_assert!(near(ln_p(&table).unwrap_or(0.0), ln_p(&other).unwrap_or(0.0)));
        }
        prop_assert!(found.mid_p <= found.p);
        prop_assert!(found.p.ln() - found.mid_p.ln() <= std::f64::consts::LN_2 + 1e-9);
    }

    #[test]
    fn effects_change_sides_with_the_labels(table in any_table(1_000_000)) {
        let other = labels_exchanged(&table);
        let [one, exchanged] = [&table, &other].map(effect::log_odds_ratio);
        prop_assert_eq!(one.value, -exchanged.value);
        prop_assert!(near(one.low, -exchanged.high));
        let risks = [&table, &other].map(effect::risk_difference);
        if let [Some(one), Some(exchanged)] = risks {
            prop_assert_eq!(one.value, -exchanged.value);
            prop_assert!(near(one.low, -exchanged.high));
            prop_assert!(-1.0 <= one.low && one.high <= 1.0);
        }
    }

    #[test]
    fn a_farther_table_is_less_probable(fires in 1_u64..3000, tp in 1_u64..3000, fp in 1_u64..3000) {
        let fires = fires.min(tp + fp - 1);
        let (least, most) = (fires.saturating_sub(fp), fires.min(tp));
        let p = |x: u64| {
            let table = Table2x2::of_totals(x, fires - x, tp, fp).unwrap();
            (table.cross_difference(), fisher::exact_test(&table).p)
        };
        let step = ((most - least) / 40).max(1) as usize;
        let every: Vec<_> = (least..=most).step_by(step).map(p).collect();
        for pair in every.windows(2) {
            let [(from, one), (to, next)] = [pair[0], pair[1]];
            if from >= 0 && one < PValue::ONE {
                prop_assert!(next < one);
            } else if to <= 0 && next < PValue::ONE {
                prop_assert!(one < next);
            }
        }
    }

    #[test]
    fn one_stratum_is_a_table_and_strata_may_come_in_any_order(
        mut tables in prop::collection::vec(any_table(400), 1..12),
        scale in 2_u64..50,
    ) {
        let found = stratified::of_tables(&tables);
        tables.reverse();
        let reversed = stratified::of_tables(&tables);
        let ln = |test: Option<atomscope::stats::inference::Test>| test.map_or(1.0, |t| t.p.ln());
        prop_assert!((ln(found.cmh) - ln(reversed.cmh)).abs() <= 1e-9 * ln(found.cmh).abs().max(1.0));
        prop_assert!((ln(found.breslow_day_tarone) - ln(reversed.breslow_day_tarone)).abs() <= 1e-7);
        let single = stratified::of_tables(&tables[..1]);
        prop_assert_eq!(single.breslow_day, None);
        prop_assert!(!single.is_opposed);
        if let (Some(test), Some(pearson)) = (single.cmh, pearson::independence(&tables[0])) {
            // CMH of one table is Pearson's statistic times (n−1)/n.
            let n = tables[0].n() as f64;
            prop_assert!(near(test.statistic, pearson.test.statistic * (n - 1.0) / n));
        }
        // Copies of one table are homogeneous, with that table's odds ratio.
        let copies = stratified::of_tables(&vec![tables[0]; scale as usize]);
        if let Some(test) = copies.breslow_day {
            prop_assert!(test.statistic < 1e-12, "{}", test.statistic);
        }
        prop_assert_eq!(copies.ln_odds_ratio.is_some(), single.ln_odds_ratio.is_some());
        if let (Some(one), Some(many)) = (single.ln_odds_ratio, copies.ln_odds_ratio) {
            prop_assert!(near(one, many));
        }
    }

    #[test]
    fn the_rank_sum_counts_pairs(
        calls in prop::collection::vec((-3_i8..9, any::<bool>()), 0..40),
        silent in (0_u64..6, 0_u64..6),
    ) {
        let of = |tp: bool, silent: u64| -> Vec<f64> {
            let firing = calls.iter().filter(|call| call.1 == tp).map(|call| call.0.into());
            firing.chain((0..silent).map(|_| 0.0)).collect()
        };
        let (tp, fp) = (of(true, silent.0), of(false, silent.1));
        let label = |tp| if tp { Label::Tp } else { Label::Fp };
        let mut firing: Vec<(f64, Label)> = calls.iter().map(|&(value, tp)| (value.into(), label(tp))).collect();
        firing.sort_by(|a, b| a.0.total_cmp(&b.0));
        let found = mann_whitney(&firing, Silent { tp: silent.0, fp: silent.1 });
        prop_assert_eq!(found.is_some(), !tp.is_empty() && !fp.is_empty());
        if let Some(found) = found {
            prop_assert_eq!(found.u, pairs_won(&tp, &fp));
        }
    }

    #[test]
    fn the_rank_correlation_is_that_of_ranks(calls in prop::collection::vec((0_u8..9, any::<bool>()), 0..40)) {
        let lengths: Vec<f64> = calls.iter().map(|call| call.0.into()).collect();
        let fires: Vec<f64> = calls.iter().map(|call| u8::from(call.1).into()).collect();
        let on = (0..calls.len()).filter(|&call| calls[call].1);
        let plain = plain_spearman(&fires, &lengths);
        match MidRanks::of(&lengths).correlate(on) {
            Some(found) => prop_assert!((found.rho - plain).abs() < 1e-12),
            None => prop_assert!(plain.is_nan() || calls.len() < 3),
        }
    }

    #[test]
    fn adjusting_keeps_the_order(ln_p in prop::collection::vec(prop::option::of(-1e5_f64..0.0), 0..60)) {
        let p: Vec<_> = ln_p.iter().map(|ln| ln.map(PValue::from_ln)).collect();
        let family = Family::of(&p);
        let (bh, by, holm) = (family.benjamini_hochberg(), family.benjamini_yekutieli(), family.holm());
        for i in 0..p.len() {
            prop_assert!(p[i] <= bh[i] && bh[i] <= by[i] && bh[i] <= holm[i]);
            prop_assert!(family.storey()[i] <= bh[i]);
            for j in 0..p.len() {
                if let (Some(one), Some(other)) = (p[i], p[j]) {
                    prop_assert!(one > other || (bh[i] <= bh[j] && by[i] <= by[j] && holm[i] <= holm[j]));
                }
            }
        }
    }
}
