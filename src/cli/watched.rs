//! FiringStore that Ctrl-C ends.

use super::progress;
use crate::error::Result;
use crate::fires::{FiringBlock, FiringStore};

/// The same details; asked between blocks whether Ctrl-C was pressed.
pub(super) struct Watched<'a>(pub(super) &'a dyn FiringStore);

impl FiringStore for Watched<'_> {
    fn blocks(&self, take: &mut dyn FnMut(FiringBlock<'_>) -> Result<()>) -> Result<()> {
        self.0.blocks(&mut |block| {
            progress::check_interrupt()?;
            take(block)
        })
    }
}
