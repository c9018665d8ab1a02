//! The exact conditional test within strata, against whole-number arithmetic.

use atomscope::stats::inference::{Table2x2, exact_strata, fisher};

use super::golden::{Distances, golden};
use super::strata::tables;

#[test]
fn p_and_mid_p_are_those_of_whole_numbers() {
    let mut distances = Distances::default();
    let lines = golden("exact_strata.tsv");
    assert!(lines.len() >= 500);
    let mut deep = 0;
    for line in lines {
        let found = exact_strata::of_tables(&tables(&line)).unwrap();
        deep += usize::from(found.p.ln() < -690.0);
        distances.ln_p("ln p", found.p.ln(), line.must("ln_p"), 1e-11);
        distances.ln_p("ln mid-p", found.mid_p.ln(), line.must("ln_mid_p"), 1e-11);
    }
    assert!(deep > 10, "{deep} beyond 1e-300");
    distances.finish(500);
}

#[test]
fn one_stratum_that_informs_is_fisher_s_test() {
    let idle = [(0, 0, 3, 4), (2, 3, 0, 0), (0, 0, 0, 0)].map(table);
    for cells in [
        (3, 2, 977, 18),
        (0, 7, 9, 1),
        (5, 5, 5, 5),
        (4000, 1000, 3000, 9000),
    ] {
        let only = table(cells);
        let [first, second, third] = idle;
        let found = exact_strata::of_tables(&[first, only, second, third]).unwrap();
        let right = fisher::exact_test(&only);
        assert_eq!(
            (found.informative, found.p, found.mid_p),
            (1, right.p, right.mid_p)
        );
    }
    assert_eq!(exact_strata::of_tables(&idle), None);
    assert_eq!(exact_strata::of_tables(&[]), None);
}

fn table((tp_on, fp_on, tp_off, fp_off): (u64, u64, u64, u64)) -> Table2x2 {
    Table2x2 {
        tp_on,
        fp_on,
        tp_off,
        fp_off,
    }
}

/// A stratum in which one call fires and one of two is true shifts a sum by 0 or 1, evenly: the
/// distribution of two strata is Fisher's folded with itself, whatever the size.
#[test]
fn millions_of_calls_fold_as_fisher_s_probabilities_do() {
    for (a, b, c, d) in [
        (300_000, 200_000, 700_000, 460_000),
        (300_900, 200_000, 700_000, 470_000),
        (200_000, 240_000, 600_000, 560_000),
        (5_000, 9_000, 4_000_000, 4_000_000),
    ] {
        let large = table((a, b, c, d));
        for coin in [table((1, 0, 0, 1)), table((0, 1, 1, 0))] {
            let found = exact_strata::of_tables(&[large, coin]).unwrap();
            let sum = a + coin.tp_on;
            let right = folded(&large, sum);
            let apart = if right > -690.0 {
                (found.p.ln() - right).abs()
            } else {
                (found.p.ln() / right - 1.0).abs()
            };
            assert!(apart < 1e-10, "{large:?}: {} {right}", found.p.ln());
        }
    }
}

/// ln of the two-sided p of the sum of a hypergeometric and a fair coin, point by point.
fn folded(large: &Table2x2, sum: u64) -> f64 {
    use atomscope::stats::inference::hypergeometric::Hypergeometric;
    let all = Hypergeometric::of_margins(large).unwrap();
    let ln = |s: u64| {
        let [one, two] = [all.ln_probability(s), all.ln_probability(s.wrapping_sub(1))];
        let most = one.max(two);
        if most == f64::NEG_INFINITY {
            return most;
        }
        most + (0.5 * ((one - most).exp() + (two - most).exp())).ln()
    };
    let observed = ln(sum);
    let mean = all.mean() as u64;
    let spread = sum.abs_diff(mean) + 12_000;
    let range = mean.saturating_sub(spread).max(all.least())..=(mean + spread).min(all.most() + 1);
    let points = range.map(ln).filter(|p| *p <= observed + 1e-9);
    let total: f64 = points.map(|p| (p - observed).exp()).sum();
    observed + total.ln()
}
