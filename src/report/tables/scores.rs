//! `atom_scores`: one row an atom.

use super::{atom_column, numbers, p_values};
use crate::report::table::{Column, Table, Values};
use crate::stats::score_comparison::{AtomScores, ScoreComparison};

/// The table of scores.
pub fn scores(found: &ScoreComparison) -> Table {
    let mut columns = vec![atom_column(0..found.atoms.len() as u32)];
    columns.extend(means(&found.atoms));
    columns.extend(ranks(&found.atoms));
    columns.extend(adjusted(found));
    Table {
        name: "atom_scores",
        about: "With --compare scores: one row an atom, its canonical score on true against false calls, \
                on every call whether it fires or not, so that atoms do not compete for the k places of \
                a call. Within strata means --strata, over strata with calls of both labels. All atoms \
                are tested.",
        columns,
    }
}

fn means(rows: &[AtomScores]) -> Vec<Column> {
    let column = Column::new;
    vec![
        column(
            "mean_tp",
            "Mean score over all true calls.",
            numbers(rows, |row| row.means.mean[0]),
        ),
        column(
            "mean_fp",
            "The same over false calls.",
            numbers(rows, |row| row.means.mean[1]),
        ),
        column(
            "difference",
            "Mean score of true less that of false calls within strata: the sum of w d over that of w, \
             d a stratum's difference and w = tp fp/(tp + fp): the label's coefficient in a linear \
             regression of the score on label and stratum.",
            numbers(rows, |row| row.means.difference),
        ),
        column(
            "difference_lo",
            "Lower end of its 95 % interval: Student's t with Welch and Satterthwaite's degrees of \
             freedom, one variance of true and one of false calls, each within strata. Missing where \
             either has no degree of freedom.",
            numbers(rows, |row| row.means.interval.map(|ends| ends[0])),
        ),
        column(
            "difference_hi",
            "Upper end of it.",
            numbers(rows, |row| row.means.interval.map(|ends| ends[1])),
        ),
    ]
}

fn ranks(rows: &[AtomScores]) -> Vec<Column> {
    let column = Column::new;
    vec![
        column(
            "auroc",
            "Area under the ROC curve of the score for TP against FP, over all calls at once: the \
             chance that a true call has the larger score. sklearn.metrics.roc_auc_score.",
            numbers(rows, |row| row.ranks.auroc),
        ),
        column(
            "auroc_within",
            "The same over pairs of a true and a false call of one stratum.",
            numbers(rows, |row| row.ranks.auroc_within),
        ),
        column(
            "rank_z",
            "van Elteren's statistic: Wilcoxon's rank sums of the strata with weights 1/(n + 1), less \
             their mean, over their standard deviation, which is corrected for ties; no continuity \
             correction. Positive where true calls have the larger scores. Missing where no stratum \
             has calls of both labels with scores that differ.",
            numbers(rows, |row| Some(row.ranks.test?.statistic)),
        ),
        column(
            "rank_p",
            "Its two-sided p-value, by the normal law.",
            numbers(rows, |row| Some(row.ranks.test?.p.p())),
        ),
        column(
            "rank_neg_log10_p",
            "-log10 of it, from the tail in log space.",
            numbers(rows, |row| Some(row.ranks.test?.p.neg_log10())),
        ),
        column(
            "rank_rough",
            "Whether the normal law is rough: the statistic's excess kurtosis is below -0.12 (as with \
             ten calls of the rarer label or fewer; small p-values are then larger than the exact ones, \
             not smaller), or ties take over 10 % of its variance.",
            Values::Bool(rows.iter().map(|row| Some(row.ranks.is_rough)).collect()),
        ),
    ]
}

fn adjusted(found: &ScoreComparison) -> Vec<Column> {
    let column = Column::new;
    vec![
        column(
            "rank_fdr_bh",
            "rank_p of all atoms adjusted by Benjamini and Hochberg (1995).",
            p_values(&found.adjusted.bh),
        ),
        column(
            "rank_fdr_by",
            "By Benjamini and Yekutieli (2001).",
            p_values(&found.adjusted.by),
        ),
        column(
            "rank_holm",
            "By Holm (1979).",
            p_values(&found.adjusted.holm),
        ),
    ]
}
