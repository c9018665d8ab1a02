//! `atom_values`: atoms against quantities of the calls.

use super::{atom_column, counts, numbers, p_values};
use crate::report::table::{Column, Table, Values};
use crate::stats::evidence::values::ValueTables;
use crate::stats::inference::PValue;

/// The table of quantities: one row a quantity and an atom.
pub fn atom_values(found: &ValueTables) -> Table {
    let rows = &found.atoms;
    let column = Column::new;
    let spearman = |of: fn(PValue) -> f64| numbers(rows, |row| Some(of(row.spearman?.p)));
    let features = rows.len() / found.values.len().max(1);
    let value_of = |row: usize| row / features.max(1);
    let median = |row: usize| found.values.get(value_of(row))?.median;
    let medians = (0..rows.len()).map(|row| median(row).unwrap_or(f64::NAN));
    Table {
        name: "atom_values",
        about: "Of what quantity the calls are on which an atom fires, for each quantity that \
                --describe names: one row a quantity and an atom. Calls without a number count nowhere \
                in the quantity's rows.",
        columns: vec![
            column(
                "value",
                "The quantity: a column of the table of calls (col:), or a key of the records (info:, \
                 fmt:).",
                Values::Category {
                    codes: (0..rows.len()).map(|row| value_of(row) as u32).collect(),
                    names: found
                        .values
                        .iter()
                        .map(|value| value.name.clone())
                        .collect(),
                },
            ),
            atom_column((0..rows.len()).map(|row| (row % features.max(1)) as u32)),
            column(
                "fires_with_value",
                "Calls with the quantity on which it fires.",
                counts(rows, |row| row.calls),
            ),
            column(
                "median",
                "The quantity's median on them; of an even number the mean of the two in the middle.",
                numbers(rows, |row| row.median),
            ),
            column(
                "median_of_all",
                "Its median on all calls that have it.",
                Values::F64(medians.collect()),
            ),
            column(
                "spearman_rho",
                "Spearman's rank correlation of firing (1 or 0) with the quantity: positive where the atom \
                 fires on the larger values; scipy.stats.spearmanr.",
                numbers(rows, |row| Some(row.spearman?.rho)),
            ),
            column(
                "spearman_p",
                "Its two-sided p-value, as in atom_sizes.",
                spearman(PValue::p),
            ),
            column(
                "spearman_neg_log10_p",
                "-log10 of it, from the tail in log space.",
                spearman(PValue::neg_log10),
            ),
            column(
                "spearman_fdr_bh",
                "spearman_p adjusted by Benjamini and Hochberg over all rows of the table that have one \
                 and whose atom fires on at least --min-support calls; missing for the others.",
                p_values(&found.spearman.bh),
            ),
        ],
    }
}
