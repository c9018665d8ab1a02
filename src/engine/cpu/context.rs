//! What encoding a block of rows needs to know of its run.

use crate::control::Control;
use crate::engine::Cuts;
use crate::engine::choose::RowCut;

/// What encoding a block needs to know of its run.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// The cuts of batches, for batch top-k.
    pub(super) cuts: Option<&'a Cuts>,
    /// The number of the block's first row.
    pub(super) first: usize,
    pub(super) control: &'a Control<'a>,
    /// The number of threads that work on the run.
    pub(super) threads: usize,
}

impl Context<'_> {
    /// The cut of the block's row, for batch top-k.
    pub(super) fn cut(&self, row: usize) -> RowCut {
        self.cuts.map(|cuts| cuts.of_row(self.first + row))
    }
}
