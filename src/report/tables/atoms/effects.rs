//! The columns for how strongly an atom leans to true or to false calls, and for the tests of that.

use super::column;
use crate::report::table::Column;
use crate::report::tables::{numbers, p_values};
use crate::stats::evidence::{AtomCounts, ExtendedTables};
use crate::stats::inference::{Estimate, Test};

pub(super) fn effects(rows: &[AtomCounts]) -> Vec<Column> {
    let log_or = [
        (
            "log_or",
            "ln((a + 0.5)(d + 0.5) / ((b + 0.5)(c + 0.5))): the log odds ratio with 0.5 added to \
             all four cells of every table (Haldane 1956, Anscombe 1956); positive where the atom \
             leans to true calls. statsmodels' Table2x2(table + 0.5).log_oddsratio; its shift_zeros \
             corrects only tables with a zero cell. Missing where a margin is 0 (the atom never fires, or \
             always; all calls are true, or none): there is nothing to estimate.",
        ),
        (
            "log_or_lo",
            "Lower end of its 95 % interval (Woolf 1955), on the corrected cells.",
        ),
        ("log_or_hi", "Upper end of it."),
    ];
    let difference = [
        (
            "risk_difference",
            "a/(a + b) - c/(c + d): by how much the share of true calls is higher where the atom \
             fires. Missing where a margin is 0, as log_or.",
        ),
        (
            "risk_difference_lo",
            "Lower end of its 95 % interval (Newcombe 1998, method 10).",
        ),
        ("risk_difference_hi", "Upper end of it."),
    ];
    let precision = [
        (
            "precision",
            "P(TP | fires) = a/(a + b). Missing where it never fires.",
        ),
        (
            "precision_lo",
            "Lower end of its 95 % interval (Wilson 1927).",
        ),
        ("precision_hi", "Upper end of it."),
    ];
    let mut columns = Vec::from(estimate(rows, log_or, |row| row.log_odds));
    columns.extend(estimate(rows, difference, |row| row.risk_difference));
    columns.extend(estimate(rows, precision, |row| row.precision));
    columns
}

/// The three columns of an estimate and its interval.
fn estimate<T>(
    rows: &[T],
    [value, low, high]: [(&'static str, &'static str); 3],
    of: impl Fn(&T) -> Option<Estimate>,
) -> [Column; 3] {
    let each = |(name, about), pick: fn(Estimate) -> f64| {
        column(name, about, numbers(rows, |row| of(row).map(pick)))
    };
    [
        each(value, |estimate| estimate.value),
        each(low, |estimate| estimate.low),
        each(high, |estimate| estimate.high),
    ]
}

pub(super) fn tests(evidence: &ExtendedTables) -> Vec<Column> {
    let rows = &evidence.atoms;
    let chi2 = |of: fn(Test) -> f64| numbers(rows, move |row| Some(of(row.pearson?.test)));
    let fisher = |of: fn(&AtomCounts) -> f64| numbers(rows, move |row| Some(of(row)));
    let adjusted = &evidence.fisher;
    vec![
        column(
            "chi2",
            "Pearson's chi-square without correction, n(ad - bc)^2 / product of the margins; one \
             degree of freedom.",
            chi2(|test| test.statistic),
        ),
        column("chi2_p", "Its p-value.", chi2(|test| test.p.p())),
        column(
            "chi2_neg_log10_p",
            "-log10 of it, from the tail in log space.",
            chi2(|test| test.p.neg_log10()),
        ),
        column(
            "least_expected",
            "The smallest of the four expected counts; below 5 chi2_p is rough, and fisher_p is the \
             one to read (Cochran 1954).",
            numbers(rows, |row| Some(row.pearson?.least_expected)),
        ),
        column(
            "fisher_p",
            "Fisher's exact test, two-sided: the probability of all tables at most as probable as \
             this one; scipy.stats.fisher_exact.",
            fisher(|row| row.fisher.p.p()),
        ),
        column(
            "fisher_midp",
            "Its mid-p (Lancaster 1961): tables exactly as probable as this one count half.",
            fisher(|row| row.fisher.mid_p.p()),
        ),
        column(
            "fisher_midp_neg_log10_p",
            "-log10 of the mid-p.",
            fisher(|row| row.fisher.mid_p.neg_log10()),
        ),
        column(
            "neg_log10_p",
            "-log10 of fisher_p, from the tail in log space, so that it goes on where fisher_p is 0: \
             the one to rank by.",
            fisher(|row| row.fisher.p.neg_log10()),
        ),
        column(
            "fdr_bh",
            "fisher_p of the tested atoms adjusted by Benjamini and Hochberg (1995).",
            p_values(&adjusted.bh),
        ),
        column(
            "fdr_by",
            "By Benjamini and Yekutieli (2001), for any dependence.",
            p_values(&adjusted.by),
        ),
        column(
            "holm",
            "By Holm (1979): the chance of any false discovery.",
            p_values(&adjusted.holm),
        ),
        column(
            "storey_q",
            "Storey's q-value: fdr_bh times the estimated share of true null hypotheses, with \
             lambda = 0.5 (Storey, Taylor and Siegmund 2004).",
            p_values(&adjusted.storey),
        ),
    ]
}
