//! The number of calls that have firing sets of each size.

use std::collections::BTreeMap;

/// Calls by the size of their firing set.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sizes(BTreeMap<usize, u64>);

impl Sizes {
    /// Adds calls whose sets have this size.
    pub(super) fn add_calls(&mut self, size: usize, calls: u64) {
        if calls > 0 {
            *self.0.entry(size).or_default() += calls;
        }
    }

    /// The same with others' calls.
    pub(super) fn with(&self, others: &Self) -> Self {
        let mut sum = self.clone();
        for (size, calls) in others.iter() {
            sum.add_calls(size, calls);
        }
        sum
    }

    /// Leaves out the calls of a size; how many there were.
    pub(super) fn remove(&mut self, size: usize) -> u64 {
        self.0.remove(&size).unwrap_or(0)
    }

    /// Each size, ascending, and how many calls have it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, u64)> {
        self.0.iter().map(|(&size, &calls)| (size, calls))
    }
}
