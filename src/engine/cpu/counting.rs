//! The inputs that counting a block of rows needs.

use crate::control::Control;
use crate::engine::Cuts;
use crate::engine::choose::RowCut;
use crate::tally::SharedTally;

/// The inputs that counting a block needs.
#[derive(Clone, Copy)]
pub(super) struct Counting<'a> {
    /// The strata of all of the block's rows.
    pub(super) strata: &'a [u16],
    /// The cuts of batches, for batch top-k.
    pub(super) cuts: Option<&'a Cuts>,
    /// The number of the block's first row.
    pub(super) first: usize,
    pub(super) tally: &'a SharedTally,
    pub(super) control: &'a Control<'a>,
    /// The number of threads that work on the run.
    pub(super) threads: usize,
}

impl Counting<'_> {
    /// The cut of the block's row, for batch top-k.
    pub(super) fn cut(&self, row: usize) -> RowCut {
        self.cuts.map(|cuts| cuts.of_row(self.first + row))
    }
}
