//! The choice of batches.

use std::num::NonZeroU64;

/// The rows of a batch from which a threshold is estimated, where nothing else is asked for.
pub const ESTIMATE_ROWS: NonZeroU64 = NonZeroU64::new(4096).expect("not 0");

/// The batches of a model of batch top-k. Other models have none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatchTopK {
    /// The rows of a batch, of the cohort's in order; `None` if the whole cohort is one batch, or for
    /// [`ESTIMATE_ROWS`] where a threshold is estimated.
    pub rows: Option<NonZeroU64>,
    /// `true` if scores above one threshold fire instead. It is estimated: the mean, over all batches,
    /// of the least score that fires. A last batch that is short counts only if it is the only one.
    pub threshold: bool,
    /// Bytes that scores may take meanwhile; [`MEMORY`](crate::analysis::MEMORY) where `None`.
    pub memory: Option<u64>,
}
