//! The columns for how strongly an atom fires.

use super::column;
use crate::report::table::Column;
use crate::report::tables::numbers;
use crate::stats::evidence::{Activation, AtomFirings, ExtendedTables};
use crate::stats::inference::PValue;

pub(super) fn activation(evidence: &ExtendedTables) -> Vec<Column> {
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
            "Mann and Whitney's test of the activation, two-sided and conditional on the activations \
             with all their ties: min(1, 2 min(P(U <= u), P(U >= u))) where every choice of the true \
             calls is equally likely. Counted where that is cheap (1e-10), else by a saddlepoint (some \
             percent). scipy.stats.permutation_test of the rank sum over all permutations.",
            of(|activation| Some(activation.rank_sum?.p.p())),
        ),
        column(
            "mwu_neg_log10_p",
            "-log10 of it, from the tail in log space.",
            of(|activation| Some(activation.rank_sum?.p.neg_log10())),
        ),
        column(
            "mwu_asymptotic_p",
            "The same test by the normal law, with tie correction and a continuity correction of 0.5: \
             scipy.stats.mannwhitneyu(method='asymptotic'). Too small or too large where true or \
             false calls are rare or nearly all are tied: for comparison; no list rests on it.",
            of(|activation| Some(activation.rank_sum?.asymptotic.p.p())),
        ),
        column(
            "mwu_fdr_bh",
            "mwu_p of the tested atoms adjusted by Benjamini and Hochberg.",
            numbers(&atoms, fdr),
        ),
    ]
}
