//! What is left of an atom's effect within strata, and what permutations within them say.

use super::column;
use crate::report::table::{Column, Values};
use crate::report::tables::{counts, numbers, p_values};
use crate::stats::evidence::{AtomCounts, Evidence};
use crate::stats::inference::Test;
use crate::stats::permutation::MaxT;

pub(super) fn strata(evidence: &Evidence) -> Vec<Column> {
    let rows = &evidence.atoms;
    let cmh = |of: fn(Test) -> f64| numbers(rows, move |row| Some(of(row.stratified.cmh?)));
    let homogeneity = |of: fn(Test) -> f64| {
        numbers(rows, move |row| {
            Some(of(row.stratified.breslow_day_tarone?))
        })
    };
    let flip = |row: &AtomCounts| {
        let stratified = &row.stratified;
        (stratified.informative > 0).then_some(stratified.sign_flip)
    };
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
        column(
            "cmh_p",
            "The Cochran-Mantel-Haenszel test of a common odds ratio of 1, without continuity \
             correction; statsmodels' StratifiedTable.test_null_odds.",
            cmh(|test| test.p.p()),
        ),
        column(
            "cmh_neg_log10_p",
            "-log10 of it, from the tail in log space.",
            cmh(|test| test.p.neg_log10()),
        ),
        column(
            "cmh_fdr_bh",
            "cmh_p of the tested atoms adjusted by Benjamini and Hochberg: what survives adjustment \
             for the strata.",
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
            "bd_tarone_p",
            "Breslow and Day's (1980) test of one odds ratio in all strata, with Tarone's correction \
             (1985). Small: the strata disagree, and cmh_or is an average of unlike things.",
            homogeneity(|test| test.p.p()),
        ),
        column(
            "bd_tarone_neg_log10_p",
            "-log10 of it, from the tail in log space.",
            homogeneity(|test| test.p.neg_log10()),
        ),
        column(
            "bd_tarone_fdr_bh",
            "bd_tarone_p of the tested atoms adjusted by Benjamini and Hochberg. With many sparse strata \
             the test itself is rough, and finds that they disagree too often.",
            p_values(&evidence.homogeneity.bh),
        ),
        column(
            "sign_flip",
            "Whether the strata together lean to the other side than all calls at once do (Simpson's \
             paradox): a confounder.",
            Values::Bool(rows.iter().map(flip).collect()),
        ),
    ]
}

pub(super) fn permutation(evidence: &Evidence) -> Vec<Column> {
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
            "The statistic of max-T: |a - E|/sqrt(V), with the mean and the variance that permuting has; \
             of single calls the Cochran-Mantel-Haenszel z without sign. To nine digits. This and maxt_p need firing sets and --permutations.",
            of(|max_t| max_t.statistic),
        ),
        column(
            "maxt_p",
            "Westfall and Young's (1993) single-step max-T: (1 + permutations whose largest maxt_z \
             over the tested atoms is at least this one) / (1 + permutations). The chance of any \
             false discovery, with the dependence of atoms taken as it is.",
            of(|max_t| max_t.p),
        ),
    ]
}
