//! The exact conditional test of an odds ratio of 1 in all strata, and its mid-p.
//!
//! Given the margins of every stratum, and no association within any, the true calls on which an
//! atom fires are a sum of independent hypergeometric counts, S = Σ Xₛ. The p-value is two-sided as
//! Fisher's: the probability of all sums that are at most as probable as the observed one. It is
//! R's `mantelhaen.test(exact = TRUE)`, with R's tolerance for equally probable sums, 10⁻⁷ of the
//! probability. With one stratum it is Fisher's test, by [`fisher::exact_test`].
//!
//! | margins | way |
//! |---|---|
//! | S has at most 513 values (`SHORT` + 1) | all probabilities, by convolution: sums of positive terms |
//! | it has more, or the observed one is below 10⁻²⁸⁰ | the tilted distribution's characteristic function, `tilted` |
//!
//! The choice depends on the tables alone. Both ways are exact but for rounding, 10⁻¹⁰ of p at most
//! (10⁻¹² where measured) down to 10⁻³⁰⁰; below, `ln p` keeps 12 digits.

pub(super) mod stratum;
mod tilted;
pub(super) mod two_sided;

use std::f64::consts::LN_2;

use super::fisher;
use super::p_value::PValue;
use super::table::Table2x2;
use stratum::Stratum;

/// The result of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExactStrata {
    /// The number of informative strata: those without a zero margin.
    pub informative: u32,
    /// The probability of all sums that are at most as probable as the observed one.
    pub p: PValue,
    /// The same probability, with only half of the sums that are exactly as probable as the
    /// observed one, itself among them (Lancaster, J. Am. Statist. Assoc. 56, 1961).
    pub mid_p: PValue,
}

/// The relative difference below which two probabilities are equal, as in R.
const TIE: f64 = 1e-7;

/// The most values after the first for which a convolution is the faster way.
const SHORT: u64 = 512;

/// The probability of the observed sum below which a convolution in binary64 may have lost terms:
/// products below 10⁻³⁰⁸ vanish, and there are at most some millions of them.
const SAFE: f64 = 1e-280;

/// Computes the test of these strata; `None` if no stratum is informative, so that there is nothing
/// to test. Counts are exact up to 2⁵³ calls.
///
/// ```
/// use atomscope::stats::inference::{Table2x2, exact_strata};
///
/// let table = |tp_on, fp_on, tp_off, fp_off| Table2x2 { tp_on, fp_on, tp_off, fp_off };
/// let found = exact_strata::of_tables(&[table(3, 2, 4, 90), table(0, 1, 5, 60)]);
/// assert!(found.is_some_and(|found| (found.p.p() - 0.004_887_05).abs() < 1e-8));
/// assert_eq!(exact_strata::of_tables(&[table(0, 0, 5, 6)]), None);
/// ```
pub fn of_tables(tables: &[Table2x2]) -> Option<ExactStrata> {
    let informing = tables.iter().filter(|table| !table.is_degenerate());
    let strata: Vec<Stratum> = informing.map(Stratum::of).collect();
    let found = match strata.as_slice() {
        [] => return None,
        [only] => {
            let test = fisher::exact_test(&only.table());
            (test.p, test.mid_p)
        }
        several => of_several(several),
    };
    Some(ExactStrata {
        informative: strata.len() as u32,
        p: found.0,
        mid_p: found.1,
    })
}

fn of_several(strata: &[Stratum]) -> (PValue, PValue) {
    let values: u64 = strata
        .iter()
        .map(|stratum| stratum.most - stratum.least)
        .sum();
    let found = (values <= SHORT).then(|| of_all(strata)).flatten();
    found.unwrap_or_else(|| two_sided::test(strata))
}

/// Computes the p-values from the probabilities of all sums; `None` if that of the observed one is
/// not safe.
fn of_all(strata: &[Stratum]) -> Option<(PValue, PValue)> {
    let all = convolved(strata);
    let place: u64 = strata
        .iter()
        .map(|stratum| stratum.observed - stratum.least)
        .sum();
    let observed = all[place as usize];
    if observed < SAFE {
        return None;
    }
    let (limit, tie) = (observed * (1.0 + TIE), observed * (1.0 - TIE));
    let (mut below, mut ties, mut above) = (0.0, 0.0, 0.0);
    for &p in &all {
        if p > limit {
            above += p;
        } else if p < tie {
            below += p;
        } else {
            ties += p;
        }
    }
    Some(if above == 0.0 {
        let mid_p = PValue::from_ln(libm::log1p(-0.5 * ties.min(1.0)));
        (PValue::ONE, mid_p)
    } else {
        let ln = |sum| PValue::from_ln(libm::log(sum));
        (ln(below + ties), ln(below + 0.5 * ties))
    })
}

/// Returns the probabilities of all sums, ascending from the least.
fn convolved(strata: &[Stratum]) -> Vec<f64> {
    let (mut all, mut next, mut one) = (vec![1.0], Vec::new(), Vec::new());
    for stratum in strata {
        stratum.probabilities(&mut one);
        next.clear();
        next.resize(all.len() + one.len() - 1, 0.0);
        for (shift, &p) in one.iter().enumerate() {
            for (sum, &q) in next[shift..].iter_mut().zip(&all) {
                *sum += p * q;
            }
        }
        std::mem::swap(&mut all, &mut next);
    }
    all
}

/// Returns the p-values of a most probable observed sum. `ties` sums in all are as probable.
fn of_the_mode(ties: f64) -> (PValue, PValue) {
    let mid_p = if ties < 1.0 {
        libm::log1p(-0.5 * ties)
    } else {
        -LN_2
    };
    (PValue::ONE, PValue::from_ln(mid_p))
}
