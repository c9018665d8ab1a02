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

/// The meaning of the columns, on all calls.
const ABOUT: [&str; 7] = [
    "Calls on which both fire.",
    "Calls on which both would by chance, where the k places of a call go to atoms that are each as \
     frequent as they are and have nothing else to do with one another (conditional Bernoulli sampling; \
     Chen, Dempster & Liu 1994). Less than n_a x n_b / n: who takes a place leaves one fewer to others.",
    "count / expected.",
    "count / (n_a + n_b - count): calls on which both fire by those on which either does.",
    "Correlation of their firing, -1 to 1: count against n_a x n_b / n, so that by chance it is a little \
     below 0. Missing where an atom fires on every call.",
    "-log10 p of the exact test that both fire together as chance has it, given n_a and n_b: count has \
     Fisher's noncentral hypergeometric distribution, with the odds ratio that shared places give; \
     two-sided by point probability. Missing where an atom fires on every call.",
    "p adjusted by Benjamini and Hochberg over all pairs of atoms that fire on at least \
     --min-coactivation calls each and not on all: those that could fire together so often and be \
     tested. Pairs that do not fire together so often count as if their p were 1; those that cannot be \
     tested do not count.",
];

/// The meaning of the columns on calls of one label.
const ABOUT_WITHIN: [[&str; 7]; 2] = [
    [
        "The same as count, on true calls alone; so with the columns that follow.",
        "As expected, on true calls.",
        "As lift, on true calls.",
        "As jaccard, on true calls.",
        "As phi, on true calls; missing where an atom fires on none or all of them.",
        "As neg_log10_p, on true calls; missing where an atom fires on none or all of them.",
        "As fdr_bh, on true calls: a family of its own, of all pairs of atoms that fire on at least \
         --min-coactivation calls each, and on some and not all true calls.",
    ],
    [
        "The same as count, on false calls alone; so with the columns that follow.",
        "As expected, on false calls.",
        "As lift, on false calls.",
        "As jaccard, on false calls.",
        "As phi, on false calls; missing where an atom fires on none or all of them.",
        "As neg_log10_p, on false calls; missing where an atom fires on none or all of them.",
        "As fdr_bh, on false calls: a family of its own, of all pairs of atoms that fire on at least \
         --min-coactivation calls each, and on some and not all false calls.",
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
                was used is in run.json) and that tell something, by descending count, equal counts by \
                atoms. They tell something where fdr_bh or difference_fdr_bh is at most 0.05. Of more \
                than --max-pairs such pairs those with the largest |phi| are here, of equal ones those \
                with the lower first atom, then the lower second one; --pairs all writes all pairs. How \
                many pairs there were, how many tell something, and how many are here is in run.json, \
                and in the file's metadata (atomscope.pairs). n_a and n_b are the calls on which each \
                fires, n all calls.",
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
        single(columns.expected),
        single(columns.lift),
        single(columns.jaccard),
        single(columns.phi),
        Values::F64(columns.neg_log10_p),
        Values::F64(columns.fdr),
    ];
    let named = names.into_iter().zip(about).zip(values);
    named.map(|((name, about), values)| Column::new(name, about, values))
}

/// Figures that describe, in single precision; p-values keep all digits.
fn single(figures: Vec<f64>) -> Values {
    Values::F32(figures.into_iter().map(|x| x as f32).collect())
}

fn difference(columns: DifferenceColumns) -> [Column; 3] {
    [
        Column::new(
            "log_or_difference",
            "Natural logarithm of the odds ratio of firing together on true calls over that on false \
             calls, 0.5 added to every cell: positive where they hold together more on true calls.",
            single(columns.log_odds_ratio_difference),
        ),
        Column::new(
            "difference_neg_log10_p",
            "-log10 p of Zelen's exact test (1971) that both odds ratios are one, given on how many true \
             and false calls each atom fires and on how many in all both do; two-sided by point \
             probability. Missing where an atom fires on none or all of a label's calls, or these numbers \
             leave no other tables.",
            Values::F64(columns.neg_log10_p),
        ),
        Column::new(
            "difference_fdr_bh",
            "Its p adjusted by Benjamini and Hochberg over all pairs that fire together on at least \
             --min-coactivation calls and have one. The number of calls on which both fire, by which they \
             do, is given in the test.",
            Values::F64(columns.fdr),
        ),
    ]
}
