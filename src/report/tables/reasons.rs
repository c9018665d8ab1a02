//! `atom_reasons`: one row an atom and reason.

use super::effects::{adjusted, effects};
use super::{atom_column, counts};
use crate::report::table::{Column, Table, Values};
use crate::stats::evidence::reasons::{AtomReason, ReasonTables};

/// The table of atoms and reasons.
pub fn atom_reasons(tables: &ReasonTables) -> Table {
    let rows = &tables.atoms;
    let names = tables.reasons.iter().map(|(name, _)| name.clone());
    let column = Column::new;
    let mut columns = vec![
        column(
            "reason",
            "Why calls are false: the first reason that the benchmark gives (docs/CALLS.md).",
            Values::Category {
                codes: rows.iter().map(|row| row.reason).collect(),
                names: names.collect(),
            },
        ),
        atom_column(rows.iter().map(|row| row.atom)),
        column(
            "tp_on",
            "True calls on which it fires.",
            counts(rows, |row| row.counts.table.tp_on),
        ),
        column(
            "fp_on",
            "False calls of this reason on which it fires.",
            counts(rows, |row| row.counts.table.fp_on),
        ),
        column(
            "tp_off",
            "True calls on which it does not.",
            counts(rows, |row| row.counts.table.tp_off),
        ),
        column(
            "fp_off",
            "False calls of this reason on which it does not.",
            counts(rows, |row| row.counts.table.fp_off),
        ),
    ];
    let of = |row: &AtomReason| row.counts;
    columns.extend(effects(rows, of));
    columns.extend(adjusted(&tables.fisher, &tables.cmh));
    Table {
        name: "atom_reasons",
        about: "Where false calls have reasons: the false calls of each reason against all true calls. One row for \
                every reason of at least --min-support calls, the most frequent first, and every atom that fires on \
                as many of them and the true ones. Odds ratios are above 1 where the atom leans to true calls. \
                Strata are SV type by size (Truvari's bins).",
        columns,
    }
}
