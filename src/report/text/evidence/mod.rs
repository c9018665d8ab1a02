//! What the tables beside the notebook's say, in words: in order of strength, with the caution that
//! each deserves.

mod atoms;
mod calls;
mod displacement;
mod pairs;
mod replication;

use std::fmt::{Formatter, Result};

use super::title;
use crate::stats::evidence::{ExtendedTables, LEVEL};
use crate::stats::inference::{Estimate, PValue};

/// The whole section.
pub(super) fn section(f: &mut Formatter<'_>, evidence: &ExtendedTables) -> Result {
    writeln!(f)?;
    title(f, "Beside the notebook: what holds", 50)?;
    if evidence.fisher.tests == 0 {
        return writeln!(
            f,
            "Nothing can be tested: no atom fires on at least {} calls with calls of both labels on \
             either side.",
            evidence.options.min_support
        );
    }
    atoms::survivors(f, evidence)?;
    atoms::strongest(f, evidence)?;
    atoms::cautions(f, evidence)?;
    displacement::caution(f, evidence)?;
    displacement::scores(f, evidence)?;
    calls::types(f, evidence)?;
    calls::with_firings(f, evidence)?;
    pairs::section(f, evidence)?;
    replication::section(f, evidence)
}

/// Whether an adjusted p-value is below the level.
fn is_significant(p: Option<PValue>) -> bool {
    p.is_some_and(|p| p.p() < LEVEL)
}

/// How many are.
fn significant(adjusted: &[Option<PValue>]) -> usize {
    adjusted.iter().filter(|p| is_significant(**p)).count()
}

/// A p-value as people read it, however small it is.
fn p_text(p: PValue) -> String {
    let log = p.neg_log10();
    if log == f64::INFINITY {
        return "p = 0".to_owned();
    }
    if log < 3.0 {
        return format!("p = {:.3}", p.p());
    }
    // 10^(-log) = mantissa * 10^exponent with a mantissa of 1 to 10.
    let exponent = log.ceil();
    let mantissa = libm::pow(10.0, exponent - log);
    let (mantissa, exponent) = if mantissa >= 9.95 {
        (1.0, exponent - 1.0)
    } else {
        (mantissa, exponent)
    };
    format!("p = {mantissa:.1}e-{exponent:.0}")
}

/// An odds ratio with its interval, from logarithms.
fn odds_text(log_odds: &Estimate) -> String {
    let [value, low, high] = [log_odds.value, log_odds.low, log_odds.high].map(libm::exp);
    format!("{value:.2} (95 % {low:.2} to {high:.2})")
}

/// "1 atom", "2 atoms".
fn many(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
