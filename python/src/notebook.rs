//! The notebook's tables, in its files' columns.

use atomscope::report::table::{Column, Table, Values};
use atomscope::stats::notebook::{AtomBias, BiasTable, NotebookTables};

/// The notebook's table of atoms, in its file's columns.
pub(crate) fn bias_table(bias: &BiasTable) -> Table {
    let all = &bias.atoms;
    let count = |get: fn(&AtomBias) -> u64| Values::U64(all.iter().map(get).collect());
    let number = |get: fn(&AtomBias) -> f64| Values::F64(all.iter().map(get).collect());
    let columns = [
        (
            "atom",
            "The atom.",
            Values::U32(all.iter().map(|atom| atom.atom).collect()),
        ),
        (
            "TP_on",
            "True calls on which it fires.",
            count(|atom| atom.tp_on),
        ),
        (
            "FP_on",
            "False calls on which it fires.",
            count(|atom| atom.fp_on),
        ),
        (
            "TP_off",
            "True calls on which it does not.",
            count(|atom| atom.tp_off),
        ),
        (
            "FP_off",
            "False calls on which it does not.",
            count(|atom| atom.fp_off),
        ),
        (
            "odds",
            "TP_on FP_off / max(1, FP_on TP_off), as the notebook computes it.",
            number(|atom| atom.odds),
        ),
        (
            "support",
            "Calls on which it fires.",
            count(|atom| atom.support),
        ),
        ("p", "Chi-square without correction.", number(|atom| atom.p)),
        (
            "fdr_corrected",
            "p adjusted by Benjamini and Hochberg.",
            number(|atom| atom.fdr_corrected),
        ),
        (
            "significant",
            "fdr_corrected below 0.05.",
            Values::Bool(all.iter().map(|atom| Some(atom.significant)).collect()),
        ),
    ];
    table(
        "sae_feature_bias_analysis",
        "One row is an atom of the notebook's table.",
        columns,
    )
}

/// The notebook's pairs of the most biased atoms.
pub(crate) fn coactivation_table(notebook: &NotebookTables) -> Table {
    let all = &notebook.coactivation.all;
    let columns = [
        (
            "atom_a",
            "One atom.",
            Values::U32(all.iter().map(|pair| pair.atom_a).collect()),
        ),
        (
            "atom_b",
            "The other.",
            Values::U32(all.iter().map(|pair| pair.atom_b).collect()),
        ),
        (
            "count",
            "Calls on which both fire.",
            Values::U64(all.iter().map(|pair| pair.count).collect()),
        ),
        (
            "support_a",
            "Calls on which the one fires.",
            Values::U64(all.iter().map(|pair| pair.support_a).collect()),
        ),
        (
            "support_b",
            "Calls on which the other does.",
            Values::U64(all.iter().map(|pair| pair.support_b).collect()),
        ),
    ];
    table(
        "coactivation",
        "One row is two of the atoms with the ten highest and the ten lowest odds.",
        columns,
    )
}

fn table<const N: usize>(
    name: &'static str,
    about: &'static str,
    columns: [(&'static str, &'static str, Values); N],
) -> Table {
    let columns = columns.map(|(name, about, values)| Column::new(name, about, values));
    Table {
        name,
        about,
        columns: columns.into(),
    }
}
