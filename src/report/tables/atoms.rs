//! `atoms`: one row an atom.

mod activation;
mod displacement;
mod effects;
mod strata;

use super::{atom_column, counts, numbers};
use crate::report::table::{Column, Table, Values};
use crate::stats::evidence::ExtendedTables;

/// The table of atoms.
pub fn atoms(evidence: &ExtendedTables) -> Table {
    let mut columns = cells(evidence);
    columns.extend(effects::effects(&evidence.atoms));
    columns.extend(displacement::displacement(evidence));
    columns.extend(effects::tests(evidence));
    columns.extend(activation::activation(evidence));
    columns.extend(strata::strata(evidence));
    columns.extend(strata::permutation(evidence));
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
        name: name.into(),
        about,
        values,
    }
}

fn cells(evidence: &ExtendedTables) -> Vec<Column> {
    let rows = &evidence.atoms;
    let tested = evidence.fisher.bh.iter().map(|p| Some(p.is_some()));
    vec![
        atom_column(0..rows.len() as u32),
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

/// The place of each tested atom by its strength.
fn ranks(evidence: &ExtendedTables) -> Vec<Option<f64>> {
    let mut ranks = vec![None; evidence.atoms.len()];
    for (place, atom) in evidence.by_strength().into_iter().enumerate() {
        ranks[atom as usize] = Some((place + 1) as f64);
    }
    ranks
}
