//! Details that Ctrl-C ends.

use super::progress;
use crate::details::{Block, Details};
use crate::error::Result;

/// The same details; asked between blocks whether Ctrl-C was pressed.
pub(super) struct Watched<'a>(pub(super) &'a dyn Details);

impl Details for Watched<'_> {
    fn blocks(&self, take: &mut dyn FnMut(Block<'_>) -> Result<()>) -> Result<()> {
        self.0.blocks(&mut |block| {
            progress::check_interrupt()?;
            take(block)
        })
    }
}
