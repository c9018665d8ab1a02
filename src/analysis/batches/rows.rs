//! The rows of a cohort that is in memory, and the trait for those that are elsewhere.

use std::ops::Range;

use crate::analysis::session::in_file;
use crate::error::Result;
use crate::rows::{RowRange, Rows};

/// Takes consecutive rows of one source, and the cohort's number of the first.
pub(in crate::analysis) type TakeRows<'a> = dyn FnMut(&RowRange, u64) -> Result<()> + 'a;

/// The rows of a cohort, to be read as often as needed.
pub(in crate::analysis) trait CohortRows {
    /// The number of rows of each source, in the cohort's order.
    fn counts(&self) -> Vec<u64>;

    /// Hands over some of the cohort's rows, source by source, in order. Rows that an error names are
    /// the source's.
    ///
    /// # Errors
    /// Those of reading them, and those of `take`.
    fn read(&self, rows: Range<u64>, take: &mut TakeRows) -> Result<()>;
}

/// The rows of one source.
pub(in crate::analysis) struct OneSource<'a>(pub(in crate::analysis) &'a dyn Rows);

impl CohortRows for OneSource<'_> {
    fn counts(&self) -> Vec<u64> {
        vec![self.0.count() as u64]
    }

    fn read(&self, rows: Range<u64>, take: &mut TakeRows) -> Result<()> {
        let range = rows.start as usize..rows.end as usize;
        let first = range.start;
        let taken = take(&RowRange::new(self.0, range), rows.start);
        taken.map_err(|error| in_file(error, first))
    }
}
