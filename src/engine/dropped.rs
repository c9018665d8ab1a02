//! Rows with a NaN or an infinity: an error that names them, or dropped.

use super::Nonfinite;
use crate::error::{Error, Result};
use crate::rows::Rows;

/// How many offending rows an error names.
const ROWS_NAMED: usize = 10;

/// Ends the run for its `bad_rows`, or takes them out of `atoms`, \[rows, k\]; gives them back in
/// ascending order.
pub(super) fn settle(
    rows: &dyn Rows,
    nonfinite: Nonfinite,
    mut bad_rows: Vec<usize>,
    atoms: &mut Vec<u32>,
    k: usize,
) -> Result<Vec<usize>> {
    bad_rows.sort_unstable();
    if nonfinite == Nonfinite::Error && !bad_rows.is_empty() {
        let count = bad_rows.len();
        bad_rows.truncate(ROWS_NAMED);
        return Err(Error::NonFinite {
            file: rows.name(),
            count,
            total: rows.count(),
            rows: bad_rows,
        });
    }
    remove_rows(atoms, k, &bad_rows);
    Ok(bad_rows)
}

/// Closes the gaps that dropped rows leave among rows of `width`.
fn remove_rows(numbers: &mut Vec<u32>, width: usize, dropped: &[usize]) {
    let Some(&first) = dropped.first() else {
        return;
    };
    let mut dropped = dropped.iter().copied().peekable();
    let mut to = first;
    for from in first..numbers.len() / width {
        if dropped.next_if_eq(&from).is_none() {
            numbers.copy_within(from * width..(from + 1) * width, to * width);
            to += 1;
        }
    }
    numbers.truncate(to * width);
}
