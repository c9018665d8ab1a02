//! Rows with a NaN or an infinity: an error that names them, or dropped.

use super::Nonfinite;
use crate::error::{Error, Result};
use crate::rows::Rows;

/// The number of offending rows that an error names.
const ROWS_NAMED: usize = 10;

/// Ends the run for its `bad_rows`, or hands them back, ascending, to be dropped.
pub(super) fn reject_or_drop(
    rows: &dyn Rows,
    nonfinite: Nonfinite,
    mut bad_rows: Vec<usize>,
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
    Ok(bad_rows)
}
