//! Rows with a NaN or an infinity: an error that names them, or dropped.

use super::Nonfinite;
use crate::error::{Error, Result};
use crate::fires::FiringSets;
use crate::rows::Rows;

/// How many offending rows an error names.
const ROWS_NAMED: usize = 10;

/// Ends the run for its `bad_rows`, or makes firing sets of all others' `atoms` and `scores`,
/// \[rows, k\].
pub(super) fn reject_or_drop(
    rows: &dyn Rows,
    nonfinite: Nonfinite,
    mut bad_rows: Vec<usize>,
    mut atoms: Vec<u32>,
    scores: Option<Vec<f64>>,
    k: usize,
) -> Result<FiringSets> {
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
    remove_rows(&mut atoms, k, &bad_rows);
    let scores = scores.map(|mut scores| {
        remove_rows(&mut scores, k, &bad_rows);
        scores
    });
    let sets = FiringSets::uniform(k, atoms, bad_rows);
    Ok(match scores {
        Some(scores) => sets.with_scores(scores),
        None => sets,
    })
}

/// Closes the gaps that dropped rows leave among rows of `width`.
fn remove_rows<T: Copy>(numbers: &mut Vec<T>, width: usize, dropped: &[usize]) {
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
