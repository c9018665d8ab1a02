//! `atoms`: one row an atom.

use super::{counts, numbers, p_values};
use crate::report::table::{Column, Table, Values};
use crate::stats::evidence::{Activation, AtomCounts, AtomFirings, Evidence};
use crate::stats::inference::{Estimate, PValue, Test};
use crate::stats::permutation::MaxT;

/// The table of atoms.
pub fn atoms(evidence: &Evidence) -> Table {
    let mut columns = cells(evidence);
    columns.extend(effects(&evidence.atoms));
    columns.extend(tests(evidence));
    columns.extend(activation(evidence));
    columns.extend(strata(evidence));
    columns.extend(permutation(evidence));
    Table {
        name: "atoms",
        about: "One row an atom. In the 2 x 2 table of firing and label a = tp_on, b = fp_on, \
                c = tp_off, d = fp_off, n = a + b + c + d. All logarithms of odds are natural. An atom \
                is tested where it fires on at least --min-support calls and no margin is 0: only \
                tested atoms are in the families over which p-values are adjusted, and others have no \
                adjusted p-value.",
        columns,
    }
}

fn column(name: &'static str, about: &'static str, values: Values) -> Column {
    Column {
        name,
        about,
        values,
    }
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

fn cells(evidence: &Evidence) -> Vec<Column> {
    let rows = &evidence.atoms;
    let tested = evidence.fisher.bh.iter().map(|p| Some(p.is_some()));
    let atoms = (0..rows.len() as u32).collect();
    vec![
        column("atom", "The atom, from 0.", Values::U32(atoms)),
        column(
            "rank",
            "Place by neg_log10_p among the tested atoms, from 1; ties by |log_or|, then by atom. \
             Missing where it was not tested.",
            numbers(&ranks(evidence), |rank| *rank),
        ),
        column(
            "tested",
            "Whether it is in the families of tests.",
            Values::Bool(tested.collect()),
        ),
        column(
            "fires",
            "Calls on which it fires: a + b.",
            counts(rows, |row| row.table.fires()),
        ),
        column(
            "tp_on",
            "True calls on which it fires.",
            counts(rows, |row| row.table.tp_on),
        ),
        column(
            "fp_on",
            "False calls on which it fires.",
            counts(rows, |row| row.table.fp_on),
        ),
        column(
            "tp_off",
            "True calls on which it does not.",
            counts(rows, |row| row.table.tp_off),
        ),
        column(
            "fp_off",
            "False calls on which it does not.",
            counts(rows, |row| row.table.fp_off),
        ),
    ]
}

/// The place of each tested atom by its p-value.
fn ranks(evidence: &Evidence) -> Vec<Option<f64>> {
    let tested = |atom: &usize| evidence.fisher.bh[*atom].is_some();
    let mut order: Vec<usize> = (0..evidence.atoms.len()).filter(tested).collect();
    let key = |&atom: &usize| {
        let counts = &evidence.atoms[atom];
        (counts.fisher.p.ln(), -counts.log_odds.value.abs())
    };
    order.sort_by(|a, b| {
        let ((p, size), (other_p, other_size)) = (key(a), key(b));
        p.total_cmp(&other_p).then(size.total_cmp(&other_size))
    });
    let mut ranks = vec![None; evidence.atoms.len()];
    for (place, atom) in order.into_iter().enumerate() {
        ranks[atom] = Some((place + 1) as f64);
    }
    ranks
}

fn effects(rows: &[AtomCounts]) -> Vec<Column> {
    let log_or = [
        (
            "log_or",
            "ln((a + 0.5)(d + 0.5) / ((b + 0.5)(c + 0.5))): the log odds ratio with 0.5 added to \
             all four cells of every table (Haldane 1956, Anscombe 1956); positive where the atom \
             leans to true calls. statsmodels' Table2x2(table + 0.5).log_oddsratio; its shift_zeros \
             corrects only tables with a zero cell.",
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
             fires. Missing where it fires on no call, or on all.",
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
    let mut columns = Vec::from(estimate(rows, log_or, |row| Some(row.log_odds)));
    columns.extend(estimate(rows, difference, |row| row.risk_difference));
    columns.extend(estimate(rows, precision, |row| row.precision));
    columns
}

fn tests(evidence: &Evidence) -> Vec<Column> {
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

fn activation(evidence: &Evidence) -> Vec<Column> {
    let nothing = Vec::new();
    let firings = evidence.firings.as_ref();
    let rows = firings.map_or(&nothing, |firings| &firings.atoms);
    // Without firing sets the columns are there, and empty.
    let places: Vec<Option<&AtomFirings>> = (0..evidence.atoms.len())
        .map(|atom| rows.get(atom))
        .collect();
    let of = |pick: fn(Activation) -> Option<f64>| {
        numbers(&places, move |row| pick((*row)?.activation?))
    };
    let fdr = |atom: &usize| firings?.mann_whitney.bh[*atom].map(PValue::p);
    let atoms: Vec<usize> = (0..evidence.atoms.len()).collect();
    vec![
        column(
            "mean_score_tp",
            "Mean canonical score over the true calls on which it fires. This and what follows up \
             to mwu_fdr_bh needs firing sets with scores.",
            of(|activation| activation.mean_tp),
        ),
        column(
            "mean_score_fp",
            "The same over false calls.",
            of(|activation| activation.mean_fp),
        ),
        column(
            "auroc",
            "Area under the ROC curve of the activation for TP against FP: U/(tp fp). The activation \
             is the canonical score where the atom fires, and 0 where it does not; a score can be \
             negative. sklearn.metrics.roc_auc_score.",
            of(|activation| Some(activation.rank_sum?.auroc)),
        ),
        column(
            "mwu_p",
            "Mann and Whitney's test of the activation, two-sided, with tie correction and a \
             continuity correction of 0.5: scipy.stats.mannwhitneyu(method='asymptotic').",
            of(|activation| Some(activation.rank_sum?.test.p.p())),
        ),
        column(
            "mwu_neg_log10_p",
            "-log10 of it, from the tail in log space.",
            of(|activation| Some(activation.rank_sum?.test.p.neg_log10())),
        ),
        column(
            "mwu_fdr_bh",
            "mwu_p of the tested atoms adjusted by Benjamini and Hochberg.",
            numbers(&atoms, fdr),
        ),
    ]
}

fn strata(evidence: &Evidence) -> Vec<Column> {
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
            "sign_flip",
            "Whether the strata together lean to the other side than all calls at once do (Simpson's \
             paradox): a confounder.",
            Values::Bool(rows.iter().map(flip).collect()),
        ),
    ]
}

fn permutation(evidence: &Evidence) -> Vec<Column> {
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
            "The statistic of max-T: |a - E|/sqrt(V) over strata, the Cochran-Mantel-Haenszel z \
             without sign. This and maxt_p need firing sets and --permutations.",
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
