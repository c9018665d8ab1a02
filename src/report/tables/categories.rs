//! Atoms against types, chromosomes and datasets: each category against the rest.

use super::{atom_column, counts, numbers};
use crate::report::table::{Column, Table, Values};
use crate::stats::evidence::{CategoryAtom, Enrichment};
use crate::stats::inference::PValue;

/// The table of SV types: all atoms, all types.
pub fn types(enrichment: &Enrichment) -> Table {
    let about = "Atoms against SV types: one row for every atom and type, each type against all other \
                 calls (not insertions against everything). Atoms that fire on every call, and a type \
                 that all calls are of, have no rows, as there is nothing to compare with. Types \
                 outside a fixed list (INS, DEL, DUP, INV, BND, TRA, CNV, CPX and the like: see \
                 docs/CONVENTIONS.md) share one row.";
    table("atom_types", "svtype", about, enrichment)
}

/// The table of chromosomes: atoms with enough support.
pub fn chromosomes(enrichment: &Enrichment) -> Table {
    let about = "Atoms against chromosomes: one row for every atom that fires on at least \
                 --min-support calls and not on all, and chromosome, each chromosome against all \
                 others; none where all calls are of one. The 64 chromosomes with the most calls have \
                 rows of their own, the others share one.";
    table("atom_chromosomes", "chrom", about, enrichment)
}

/// The table of datasets: atoms with enough support.
pub fn datasets(enrichment: &Enrichment) -> Table {
    let about = "Atoms against datasets: one row for every atom that fires on at least --min-support \
                 calls and not on all, and dataset, each dataset against all others; none where all \
                 calls are of one. The 64 datasets with the most calls have rows of their own, the \
                 others share one.";
    table("atom_datasets", "dataset", about, enrichment)
}

fn table(
    name: &'static str,
    category: &'static str,
    about: &'static str,
    enrichment: &Enrichment,
) -> Table {
    let rows = &enrichment.rows;
    let of = |row: &CategoryAtom| &enrichment.categories[row.category as usize];
    let column = Column::new;
    let names = enrichment.categories.iter();
    let category = column(
        category,
        "The category.",
        Values::Category {
            codes: rows.iter().map(|row| row.category).collect(),
            names: names.map(|category| category.name.clone()).collect(),
        },
    );
    let mut columns = vec![
        atom_column(rows.iter().map(|row| row.atom)),
        category,
        column(
            "fires_in",
            "Calls of the category on which the atom fires.",
            counts(rows, |row| row.table.tp_on),
        ),
        column(
            "fires",
            "All calls on which it fires.",
            counts(rows, |row| row.table.fires()),
        ),
        column(
            "calls",
            "Calls of the category.",
            counts(rows, |row| of(row).calls()),
        ),
        column(
            "tp",
            "True calls of the category.",
            counts(rows, |row| of(row).tp),
        ),
        column(
            "expected",
            "fires x calls / all calls: what fires_in would be if the atom did not care.",
            numbers(rows, |row| {
                let table = &row.table;
                let n = table.n();
                (n > 0).then(|| table.fires() as f64 * table.tp() as f64 / n as f64)
            }),
        ),
    ];
    columns.extend(tests(rows));
    Table {
        name,
        about,
        columns,
    }
}

fn tests(rows: &[CategoryAtom]) -> Vec<Column> {
    let column = Column::new;
    vec![
        column(
            "log_or",
            "Natural logarithm of the odds ratio of firing, the category's calls against all \
             others, with 0.5 added to each of the four cells (Haldane 1956, Anscombe 1956); \
             missing, as are its interval and p, for an atom that never fires.",
            numbers(rows, |row| Some(row.log_odds?.value)),
        ),
        column(
            "log_or_lo",
            "Lower end of its 95 % interval (Woolf 1955).",
            numbers(rows, |row| Some(row.log_odds?.low)),
        ),
        column(
            "log_or_hi",
            "Upper end of it.",
            numbers(rows, |row| Some(row.log_odds?.high)),
        ),
        column(
            "fisher_p",
            "Fisher's exact test, two-sided as scipy.stats.fisher_exact.",
            numbers(rows, |row| Some(row.p?.p())),
        ),
        column(
            "neg_log10_p",
            "-log10 of it, from the tail in log space.",
            numbers(rows, |row| Some(row.p?.neg_log10())),
        ),
        column(
            "fdr_bh",
            "fisher_p adjusted by Benjamini and Hochberg over all rows of this table whose atom fires \
             on at least --min-support calls and whose category has at least as many; missing for the \
             others, which are in no family.",
            numbers(rows, |row| row.fdr.map(PValue::p)),
        ),
    ]
}
