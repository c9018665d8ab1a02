//! What is asked of pairs, and the numbers that answer.

use serde::Serialize;

/// The largest number of pairs that are kept. With all their columns they take some 4 GB, more than
/// anyone reads.
pub const MOST_PAIRS: usize = 1 << 24;

/// The choice of pairs to keep, and the memory to spend on counting them.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The fewest calls on which both atoms fire; 0 counts as 1.
    pub min_coactivation: u64,
    /// The largest number of pairs that are kept. Where more pairs fire together so often, the
    /// threshold is raised until there are no more; [`MOST_PAIRS`].
    pub most_pairs: usize,
    /// The pairs that the table has.
    pub listed: Listed,
    /// Bytes of memory for counting, beside the pairs that are kept (24 bytes each meanwhile). Less
    /// of it makes for more passes over the firing sets, and changes no result.
    pub memory: u64,
}

/// The pairs that a table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// All that fire together often enough.
    All,
    /// Those with an adjusted p-value of at most [`LEVEL`](crate::stats::inference::LEVEL): of the test on all
    /// calls, or of that of a difference between true and false calls. What is tested, and with what
    /// it is adjusted, is the same as for all.
    Significant {
        /// The largest number of pairs. Where there are more, those with the largest |φ| on all
        /// calls are taken; of equal ones those with the lower first atom, then with the lower
        /// second one.
        most: usize,
    },
}

/// Numbers of pairs with an adjusted p-value of at most [`LEVEL`](crate::stats::inference::LEVEL).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Significant {
    /// The number of pairs that fire together more or less often than by chance.
    pub associated: usize,
    /// The number of pairs whose odds ratios differ between true and false calls.
    pub different: usize,
    /// The number of pairs that do either.
    pub either: usize,
}

/// The numbers of pairs, from all that were counted to those of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PairNumbers {
    /// The number of pairs that fire together on at least as many calls as were asked for.
    pub found: u64,
    /// The fewest calls on which the tested pairs fire together; more than what was asked for where
    /// those were too many.
    pub threshold: u64,
    /// The number of pairs that fire together so often.
    pub at_threshold: usize,
    /// The number of these that have a p-value.
    pub tested: usize,
    /// What the tests show.
    #[serde(flatten)]
    pub significant: Significant,
    /// The number of pairs of the table.
    pub listed: usize,
}

/// Two atoms that fire together, without tests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairFigures {
    /// The atoms.
    pub atoms: [u32; 2],
    /// The number of calls on which both fire.
    pub count: u32,
    /// The ratio of that to the number expected by chance.
    pub lift: f64,
    /// φ on all, on true and on false calls; NaN where it is undefined.
    pub phi: [f64; 3],
}
