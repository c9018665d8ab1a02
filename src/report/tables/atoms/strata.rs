//! The columns for what is left of an atom's effect within strata, and for permutations within
//! them.

use super::column;
use crate::report::table::{Column, Values};
use crate::report::tables::{counts, numbers, p_values};
use crate::stats::evidence::{AtomCounts, ExtendedTables, Within};
use crate::stats::inference::exact_strata::ExactStrata;
use crate::stats::inference::{PValue, Test};
use crate::stats::resampling::permutation::MaxT;

pub(super) fn strata(evidence: &ExtendedTables) -> Vec<Column> {
    let mut columns = odds_ratio(&evidence.atoms);
    columns.extend(no_effect(evidence));
    columns.extend(homogeneity(evidence));
    columns.extend(within(evidence));
    columns
}

fn odds_ratio(rows: &[AtomCounts]) -> Vec<Column> {
    let adjusted = |row: &AtomCounts| row.stratified.adjusted;
    vec![
        column(
            "strata",
            "Strata (see --strata) in which neither margin is 0: those that inform.",
            counts(rows, |row| row.stratified.informative.into()),
        ),
        column(
            "cmh_or",
            "Mantel and Haenszel's (1959) common odds ratio over strata: sum of ad/n over sum of \
             bc/n. Infinite where the second is 0.",
            numbers(rows, |row| Some(libm::exp(row.stratified.ln_odds_ratio?))),
        ),
        column(
            "cmh_or_lo",
            "Lower end of its 95 % interval (Robins, Breslow and Greenland 1986). Missing where \
             either sum is 0.",
            numbers(rows, |row| Some(libm::exp(adjusted(row)?.low))),
        ),
        column(
            "cmh_or_hi",
            "Upper end of it.",
            numbers(rows, |row| Some(libm::exp(adjusted(row)?.high))),
        ),
    ]
}

/// The tests of an odds ratio of 1 in all strata.
fn no_effect(evidence: &ExtendedTables) -> Vec<Column> {
    let rows = &evidence.atoms;
    let exact = |of: fn(ExactStrata) -> f64| {
        numbers(rows, move |row| Some(of(row.conditional.no_effect?)))
    };
    let chi2 = |of: fn(Test) -> f64| numbers(rows, move |row| Some(of(row.stratified.cmh?)));
    vec![
        column(
            "cmh_p",
            "The exact conditional test of an odds ratio of 1 in all strata, two-sided: given all margins, \
             the probability of all sums of a over strata at most as probable as this one; R's \
             mantelhaen.test(exact = TRUE), and fisher_p where one stratum informs. It holds however few \
             calls or firings there are. Missing where no stratum informs.",
            exact(|test| test.p.p()),
        ),
        column(
            "cmh_midp",
            "Its mid-p (Lancaster 1961): sums exactly as probable as this one count half.",
            exact(|test| test.mid_p.p()),
        ),
        column(
            "cmh_neg_log10_p",
            "-log10 of cmh_p, from its logarithm, so that it goes on where cmh_p is 0.",
            exact(|test| test.p.neg_log10()),
        ),
        column(
            "cmh_fdr_bh",
            "cmh_p adjusted by Benjamini and Hochberg, among the tested atoms of which a stratum informs: what \
             survives adjustment for the strata.",
            p_values(&evidence.cmh.bh),
        ),
        column(
            "cmh_fdr_by",
            "The same by Benjamini and Yekutieli, for any dependence.",
            p_values(&evidence.cmh.by),
        ),
        column(
            "cmh_holm",
            "The same by Holm: the chance of any false discovery within strata.",
            p_values(&evidence.cmh.holm),
        ),
        column(
            "cmh_chi2",
            "The Cochran-Mantel-Haenszel statistic of the same question, without continuity correction; \
             statsmodels' StratifiedTable.test_null_odds. Nothing is claimed by it.",
            chi2(|test| test.statistic),
        ),
        column(
            "cmh_chi2_p",
            "Its p-value by the chi-square distribution: close to cmh_p where many are expected to fire on \
             either label, and far too small where true or false calls, or firings, are few.",
            chi2(|test| test.p.p()),
        ),
        column(
            "cmh_chi2_neg_log10_p",
            "-log10 of cmh_chi2_p, from the tail in log space.",
            chi2(|test| test.p.neg_log10()),
        ),
    ]
}

/// The tests of one odds ratio in all strata.
fn homogeneity(evidence: &ExtendedTables) -> Vec<Column> {
    let rows = &evidence.atoms;
    let conditional =
        |of: fn(PValue) -> f64| numbers(rows, move |row| Some(of(row.conditional.homogeneity?)));
    let chi2 = numbers(rows, |row| Some(row.stratified.breslow_day_tarone?.p.p()));
    vec![
        column(
            "bd_tarone_p",
            "Breslow and Day's (1980) statistic of one odds ratio in all strata, by its distribution given all \
             margins and the sum of a (Zelen 1971): exact for two strata and, in steps, for few firings; \
             chi-square where no fitted cell is below 4 times the root of the number of strata; else, from \
             0.06 on, by a gamma distribution with its three moments, and below, where steps would be too \
             many, by a saddlepoint (Skovgaard 1987). Small: the strata disagree, and cmh_or is an average \
             of unlike things. Missing where fewer than two strata inform, and where cmh_or is 0 or \
             infinite.",
            conditional(PValue::p),
        ),
        column(
            "bd_tarone_neg_log10_p",
            "-log10 of it, from its logarithm.",
            conditional(PValue::neg_log10),
        ),
        column(
            "bd_tarone_fdr_bh",
            "bd_tarone_p of the tested atoms that have one adjusted by Benjamini and Hochberg.",
            p_values(&evidence.homogeneity.bh),
        ),
        column(
            "bd_tarone_chi2_p",
            "Breslow and Day's test with Tarone's correction (1985) by the chi-square distribution; \
             statsmodels' StratifiedTable.test_equal_odds(adjust=True). Where strata are sparse it finds far \
             too often that they disagree; nothing is claimed by it.",
            chi2,
        ),
    ]
}

fn within(evidence: &ExtendedTables) -> Vec<Column> {
    let is = |what: Within| {
        let each = evidence.within.iter();
        Values::Bool(each.map(|found| found.map(|found| found == what)).collect())
    };
    vec![
        column(
            "sign_flip",
            "Simpson's paradox: fdr_bh and cmh_fdr_bh are both below 0.05, and the association within strata is \
             on the other side of that of all calls at once. Missing where no stratum informs.",
            is(Within::Paradox),
        ),
        column(
            "confounded",
            "Whether the association goes away within strata: fdr_bh is below 0.05, cmh_p is 0.05 or more. \
             Either the strata, not the label, make the atom fire, or too little is left within them to tell \
             (see cmh_or_lo, cmh_or_hi). Missing where no stratum informs.",
            is(Within::Confounded),
        ),
    ]
}

pub(super) fn permutation(evidence: &ExtendedTables) -> Vec<Column> {
    let permutations = evidence.permutations.as_ref();
    let atoms: Vec<usize> = (0..evidence.atoms.len()).collect();
    let of = |pick: fn(&MaxT) -> f64| {
        numbers(&atoms, |&atom| {
            permutations.map(|found| pick(&found.atoms[atom]))
        })
    };
    vec![
        column(
            "maxt_z",
            "The statistic of step-down max-T, as standard deviations of a normal distribution without sign, to \
             nine digits: those that have the two-sided p of the number of true calls on which the atom fires, \
             given the strata's margins. That is the exact one where its variance is below 25 (at most 36 \
             then), else by a shifted gamma distribution with its mean, variance and skewness (Wilson and \
             Hilferty 1931). Where --block keeps calls together, |a - E|/sqrt(V) with the mean and the \
             variance that permuting has. This and maxt_p need firing sets and --permutations.",
            of(|max_t| max_t.statistic),
        ),
        column(
            "maxt_p",
            "Westfall and Young's (1993) step-down max-T: (1 + permutations on which the largest maxt_z of \
             this atom and all with a smaller one is at least this one) / (1 + permutations), and no less than \
             that of any atom with a larger one. The chance of any false discovery, with the dependence of \
             atoms taken as it is.",
            of(|max_t| max_t.p),
        ),
    ]
}
