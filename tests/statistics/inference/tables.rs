//! One 2×2 table: effects, chi-square test, Fisher's test.

use atomscope::stats::inference::hypergeometric::{Hypergeometric, Side};
use atomscope::stats::inference::{Estimate, Table2x2, effect, fisher, pearson};

use super::golden::{Distances, Line, golden};

fn table(line: &Line) -> Table2x2 {
    Table2x2 {
        tp_on: line.must("a"),
        fp_on: line.must("b"),
        tp_off: line.must("c"),
        fp_off: line.must("d"),
    }
}

#[test]
fn fisher_s_test_is_the_exact_one_and_scipy_s() {
    let mut distances = Distances::default();
    for line in golden("fisher.tsv") {
        let table = table(&line);
        let found = fisher::exact_test(&table);
        distances.ln_p("Fisher's p", found.p.ln(), line.must("ln_p"), 1e-11);
        distances.ln_p("mid-p", found.mid_p.ln(), line.must("ln_mid_p"), 1e-11);
        distances.library_p("Fisher's p of scipy", found.p.ln(), line.get("scipy"));
        let Some(distribution) = Hypergeometric::of_margins(&table) else {
            assert_eq!(line.text("ln_lower"), "none");
            continue;
        };
        for (column, side) in [("ln_lower", Side::Lower), ("ln_upper", Side::Upper)] {
            let found = distribution.ln_tail(table.tp_on, side);
            distances.ln_p("one-sided", found, line.must(column), 1e-11);
        }
    }
    distances.finish(60);
}

#[test]
fn the_chi_square_test_is_the_exact_one_and_scipy_s() {
    let mut distances = Distances::default();
    for line in golden("effects.tsv") {
        let Some(found) = pearson::independence(&table(&line)) else {
            assert_eq!(line.text("statistic"), "none");
            continue;
        };
        let test = found.test;
        distances.number("statistic", test.statistic, line.must("statistic"), 1e-14);
        distances.ln_p("p", test.p.ln(), line.must("ln_p"), 1e-11);
        distances.number(
            "least",
            found.least_expected,
            line.must("least_expected"),
            1e-14,
        );
        if let Some(scipy) = line.get("scipy_statistic") {
            distances.number("statistic of scipy", test.statistic, scipy, 1e-10);
        }
    }
    distances.finish(60);
}

#[test]
fn effects_and_intervals_are_the_exact_ones() {
    let mut distances = Distances::default();
    for line in golden("effects.tsv") {
        let table = table(&line);
        let found = [
            ("log_or", Some(effect::log_odds_ratio(&table))),
            ("precision", effect::precision_when_firing(&table)),
            ("risk", effect::risk_difference(&table)),
        ];
        for (name, found) in found {
            let columns =
                [name, &format!("{name}_low"), &format!("{name}_high")].map(|c| line.get::<f64>(c));
            let Some(Estimate { value, low, high }) = found else {
                assert_eq!(columns, [None; 3], "{table:?}");
                continue;
            };
            distances.number("estimate", value, columns[0].unwrap(), 1e-13);
            // An end near 0 is a difference of larger numbers, here of a thousand million calls.
            let width = high - low;
            for (end, column) in [(low, columns[1]), (high, columns[2])] {
                distances.scaled("interval", (end, column.unwrap()), width, 1e-12);
            }
            assert!(low <= value && value <= high, "{table:?} {name}");
        }
    }
    distances.finish(100);
}
