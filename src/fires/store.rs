//! Firing sets with the calls that they are of, for what counts alone cannot tell.

use crate::cohort::Calls;
use crate::error::Result;
use crate::fires::FiringSets;

/// Consecutive calls of a cohort with their firing sets.
#[derive(Debug, Clone, Copy)]
pub struct FiringBlock<'a> {
    /// The cohort's row of the first call.
    pub first: u64,
    /// The calls.
    pub calls: &'a Calls,
    /// Their firing sets; dropped rows are counted from the block's first.
    pub sets: &'a FiringSets,
}

/// The firing sets and calls of a whole cohort, wherever they are: in memory, or in files.
pub trait FiringStore {
    /// Hands over every call once, in the cohort's order, block by block. How they are cut into
    /// blocks changes no result.
    ///
    /// # Errors
    /// Those of `take`, which end it, and of reading.
    fn blocks(&self, take: &mut dyn FnMut(FiringBlock<'_>) -> Result<()>) -> Result<()>;

    /// The same of the firing sets alone, which spares reading the calls.
    ///
    /// # Errors
    /// As [`Self::blocks`].
    fn sets(&self, take: &mut dyn FnMut(&FiringSets) -> Result<()>) -> Result<()> {
        self.blocks(&mut |block| take(block.sets))
    }
}

/// A cohort in memory: one block.
#[derive(Debug, Clone, Copy)]
pub struct InMemory<'a> {
    /// The calls.
    pub calls: &'a Calls,
    /// Their firing sets.
    pub sets: &'a FiringSets,
}

impl FiringStore for InMemory<'_> {
    fn blocks(&self, take: &mut dyn FnMut(FiringBlock<'_>) -> Result<()>) -> Result<()> {
        take(FiringBlock {
            first: 0,
            calls: self.calls,
            sets: self.sets,
        })
    }
}
