//! Columns that tables of one 2 × 2 table a row share: the odds ratio, of all calls and within strata,
//! with its tests.

use super::{numbers, p_values};
use crate::report::table::Column;
use crate::stats::evidence::{Adjusted, AtomCounts};
use crate::stats::inference::Estimate;

/// An estimate with both ends of its 95 % interval.
pub(super) fn interval<T>(
    rows: &[T],
    [value, low, high]: [&'static str; 3],
    about: &'static str,
    about_low: &'static str,
    of: impl Fn(&T) -> Option<Estimate>,
) -> [Column; 3] {
    let each = |name, about, pick: fn(Estimate) -> f64| {
        Column::new(name, about, numbers(rows, |row| of(row).map(pick)))
    };
    [
        each(value, about, |estimate| estimate.value),
        each(low, about_low, |estimate| estimate.low),
        each(high, "Upper end of it.", |estimate| estimate.high),
    ]
}

/// The odds ratio of something, of all calls and within strata, with their tests.
pub(super) fn effects<T>(rows: &[T], of: impl Fn(&T) -> AtomCounts) -> Vec<Column> {
    let number = |name, about, pick: &dyn Fn(AtomCounts) -> Option<f64>| {
        Column::new(name, about, numbers(rows, |row| pick(of(row))))
    };
    let mut columns = Vec::from(interval(
        rows,
        ["log_or", "log_or_lo", "log_or_hi"],
        "Natural logarithm of the odds ratio, with 0.5 added to each of the four cells (Haldane 1956, \
         Anscombe 1956); missing where a margin is 0.",
        "Lower end of its 95 % interval (Woolf 1955).",
        |row| of(row).log_odds,
    ));
    let informs = |counts: &AtomCounts| !counts.table.is_degenerate();
    columns.extend([
        number(
            "fisher_p",
            "Fisher's exact test, two-sided as scipy.stats.fisher_exact.",
            &|counts| informs(&counts).then(|| counts.fisher.p.p()),
        ),
        number(
            "neg_log10_p",
            "-log10 of it, from the tail in log space.",
            &|counts| informs(&counts).then(|| counts.fisher.p.neg_log10()),
        ),
        number(
            "strata",
            "Strata in which neither margin is 0: those that inform.",
            &|counts| Some(f64::from(counts.stratified.informative)),
        ),
        number(
            "cmh_or",
            "Mantel and Haenszel's (1959) common odds ratio over strata.",
            &|counts| Some(libm::exp(counts.stratified.ln_odds_ratio?)),
        ),
        number(
            "cmh_or_lo",
            "Lower end of its 95 % interval (Robins, Breslow and Greenland 1986).",
            &|counts| Some(libm::exp(counts.stratified.adjusted?.low)),
        ),
        number(
            "cmh_or_hi",
            "Upper end of it.",
            &|counts| Some(libm::exp(counts.stratified.adjusted?.high)),
        ),
        number(
            "cmh_p",
            "The exact conditional test of an odds ratio of 1 in all strata, two-sided, given all margins: \
             R's mantelhaen.test(exact = TRUE). Missing where no stratum informs.",
            &|counts| Some(counts.conditional.no_effect?.p.p()),
        ),
        number(
            "bd_tarone_p",
            "Breslow and Day's test of one odds ratio in all strata, given their margins and sum: as the column \
             of this name in the table atoms.",
            &|counts| Some(counts.conditional.homogeneity?.p()),
        ),
    ]);
    columns
}

/// Both tests' p-values, adjusted over all rows.
pub(super) fn adjusted(fisher: &Adjusted, cmh: &Adjusted) -> [Column; 2] {
    [
        Column::new(
            "fdr_bh",
            "fisher_p adjusted by Benjamini and Hochberg over all rows of this table that have one.",
            p_values(&fisher.bh),
        ),
        Column::new(
            "cmh_fdr_bh",
            "cmh_p adjusted likewise: what survives adjustment for the strata.",
            p_values(&cmh.bh),
        ),
    ]
}
