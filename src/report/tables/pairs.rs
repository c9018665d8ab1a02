//! `atom_pairs`: which atoms fire together.

use crate::report::table::{Column, Table, Values};
use crate::stats::pairs::{AssociationColumns, DifferenceColumns, PairColumns};

/// Names of an association's columns: on all calls, on true ones, on false ones.
const NAMES: [[&str; 7]; 3] = [
    [
        "count",
        "expected",
        "lift",
        "jaccard",
        "phi",
        "neg_log10_p",
        "fdr_bh",
    ],
    [
        "tp_count",
        "tp_expected",
        "tp_lift",
        "tp_jaccard",
        "tp_phi",
        "tp_neg_log10_p",
        "tp_fdr_bh",
    ],
    [
        "fp_count",
        "fp_expected",
        "fp_lift",
        "fp_jaccard",
        "fp_phi",
        "fp_neg_log10_p",
        "fp_fdr_bh",
    ],
];

/// What they are, on all calls.
const ABOUT: [&str; 7] = [
    "Calls on which both fire.",
    "n_a x n_b / n: calls on which both would, had they nothing to do with one another.",
    "count / expected.",
    "count / (n_a + n_b - count): calls on which both fire by those on which either does.",
    "Correlation of their firing, -1 to 1.",
    "-log10 p of Pearson's chi-square (n x phi^2, one degree of freedom), from the tail in log \
     space. Rough where expected is below 5: rare atoms that meet a few times look surer than they \
     are.",
    "p adjusted by Benjamini and Hochberg over all pairs of atoms that fire on at least \
     --min-coactivation calls each: those that could be in this table. Pairs that are not count as if \
     their p were 1.",
];

/// And on calls of one label.
const ABOUT_WITHIN: [[&str; 7]; 2] = [
    [
        "The same as count, on true calls alone; so with the columns that follow.",
        "As expected, on true calls.",
        "As lift, on true calls.",
        "As jaccard, on true calls.",
        "As phi, on true calls.",
        "As neg_log10_p, on true calls.",
        "As fdr_bh, on true calls.",
    ],
    [
        "The same as count, on false calls alone; so with the columns that follow.",
        "As expected, on false calls.",
        "As lift, on false calls.",
        "As jaccard, on false calls.",
        "As phi, on false calls.",
        "As neg_log10_p, on false calls.",
        "As fdr_bh, on false calls.",
    ],
];

/// Some rows of the table of pairs.
pub fn pairs(columns: PairColumns) -> Table {
    let mut all = vec![
        Column::new("atom_a", "The pair's first atom.", Values::U32(columns.a)),
        Column::new(
            "atom_b",
            "Its second, a larger number.",
            Values::U32(columns.b),
        ),
    ];
    let abouts = [ABOUT, ABOUT_WITHIN[0], ABOUT_WITHIN[1]];
    let groups = [columns.all, columns.tp, columns.fp];
    for ((names, about), group) in NAMES.into_iter().zip(abouts).zip(groups) {
        all.extend(association(names, about, group));
    }
    all.extend(difference(columns.difference));
    Table {
        name: "atom_pairs",
        about: "Which atoms fire together: one row for every two atoms that fire together on at least \
                --min-coactivation calls (or on as many as leave 16,777,216 pairs: the threshold that \
                was used is in run.json), by descending count, equal counts by atoms. n_a and n_b are \
                the calls on which each fires, n all calls.",
        columns: all,
    }
}

fn association(
    names: [&'static str; 7],
    about: [&'static str; 7],
    columns: AssociationColumns,
) -> impl Iterator<Item = Column> {
    let values = [
        Values::U32(columns.count),
        Values::F64(columns.expected),
        Values::F64(columns.lift),
        Values::F64(columns.jaccard),
        Values::F64(columns.phi),
        Values::F64(columns.neg_log10_p),
        Values::F64(columns.fdr),
    ];
    let named = names.into_iter().zip(about).zip(values);
    named.map(|((name, about), values)| Column::new(name, about, values))
}

fn difference(columns: DifferenceColumns) -> [Column; 3] {
    [
        Column::new(
            "log_or_difference",
            "Natural logarithm of the odds ratio of firing together on true calls over that on false \
             calls, 0.5 added to every cell: positive where they hold together more on true calls.",
            Values::F64(columns.log_odds_ratio_difference),
        ),
        Column::new(
            "difference_neg_log10_p",
            "-log10 p of Breslow and Day's test, with Tarone's correction, that both odds ratios are \
             one.",
            Values::F64(columns.neg_log10_p),
        ),
        Column::new(
            "difference_fdr_bh",
            "Its p adjusted by Benjamini and Hochberg over all pairs of this table.",
            Values::F64(columns.fdr),
        ),
    ]
}
