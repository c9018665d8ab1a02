//! The arithmetic against scipy, statsmodels, numpy, Python and mpmath, by golden files that
//! `tests/golden/make_statistics.py` made.

use std::fmt::Debug;
use std::path::Path;
use std::str::FromStr;

use atomscope::python;
use atomscope::stats::notebook::{chi2, describe, exact, fdr};

/// A golden file's lines, cut at the tabs, without its head. Never none.
fn golden(name: &str) -> Vec<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/statistics");
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    let cut = |line: &str| line.split('\t').map(str::to_owned).collect();
    let lines: Vec<Vec<String>> = text.lines().skip(1).map(cut).collect();
    assert!(lines.len() > 5, "{name} is nearly empty");
    lines
}

fn parse<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn list(text: &str) -> Vec<f64> {
    text.split(' ').map(parse).collect()
}

/// Relative distance; 0 for equal numbers.
fn distance(a: f64, b: f64) -> f64 {
    if a == b { 0.0 } else { (a - b).abs() / b.abs() }
}

#[test]
fn the_tail_is_scipy_s_and_the_exact_one() {
    let (mut from_scipy, mut from_exact) = (0.0_f64, 0.0_f64);
    for line in golden("survival.tsv") {
        let [x, scipy, exact] = [0, 1, 2].map(|i| parse::<f64>(&line[i]));
        let p = chi2::survival(x);
        assert!((0.0..=1.0).contains(&p), "{x}");
        // Below the smallest normal number a digit is worth more than the tolerance.
        let printed = chi2::survival_as_scipy(x);
        assert_eq!(printed == 0.0, scipy == 0.0, "{x}");
        assert!(
            (printed - scipy).abs() <= 1e-12 * scipy + 1e-323,
            "{x}: {printed:e} {scipy:e}"
        );
        if exact >= 1e-300 {
            from_scipy = from_scipy.max(distance(p, scipy));
            from_exact = from_exact.max(distance(p, exact));
        }
    }
    println!("largest relative distance: {from_scipy:e} from scipy, {from_exact:e} from mpmath");
    assert!(from_scipy < 1e-12, "{from_scipy:e} from scipy");
    assert!(from_exact < 2e-15, "{from_exact:e} from the exact tail");
}

#[test]
fn tables_give_scipy_s_statistic_to_the_bit() {
    for line in golden("contingency.tsv") {
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| parse::<u64>(&line[i]));
        let Some(test) = chi2::contingency([[a, b], [c, d]]) else {
            assert_eq!(line[4], "none", "{line:?}");
            continue;
        };
        assert_eq!(test.statistic, parse::<f64>(&line[4]), "{line:?}");
        assert!(distance(test.p, parse(&line[5])) < 1e-12, "{line:?}");
        let product = |x: u64, y: u64| u128::from(x) * u128::from(y);
        let odds = exact::ratio(product(a, d), product(b, c).max(1));
        assert_eq!(odds, parse::<f64>(&line[6]), "{line:?}");
    }
}

#[test]
fn quotients_are_python_s() {
    for line in golden("quotients.tsv") {
        let quotient = exact::ratio(parse(&line[0]), parse(&line[1]));
        assert_eq!(quotient, parse::<f64>(&line[2]), "{line:?}");
    }
}

#[test]
fn adjusted_p_values_are_statsmodels_to_the_bit() {
    for line in golden("adjusted.tsv") {
        assert_eq!(fdr::benjamini_hochberg(&list(&line[0])), list(&line[1]));
    }
}

#[test]
fn descriptions_are_numpy_s_to_the_bit() {
    for line in golden("described.tsv") {
        let values = list(&line[0]);
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let [mean, median, upper, low] = [1, 2, 3, 4].map(|i| parse::<f64>(&line[i]));
        assert_eq!(describe::mean(&values), mean, "{} values", values.len());
        assert_eq!(describe::median(&sorted), median);
        assert_eq!(describe::quantile(&sorted, 0.75), upper);
        assert_eq!(describe::quantile(&sorted, 0.1), low);
    }
}

#[test]
fn numbers_are_written_as_python_writes_them() {
    for line in golden("numbers.tsv") {
        let x = f64::from_bits(u64::from_str_radix(&line[0], 16).unwrap());
        assert_eq!(python::repr(x), line[1]);
        assert_eq!(python::exponent(x, 2), line[2], "{x:e}");
        for (digits, fixed) in line[3..].iter().enumerate() {
            if fixed != "-" && !x.is_nan() {
                assert_eq!(
                    &format!("{x:.digits$}"),
                    fixed,
                    "{x:e} with {digits} digits"
                );
            }
        }
    }
}
