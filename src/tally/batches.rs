//! The batches in which a model of batch top-k was given its rows.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The batches of a model of batch top-k, as far as what fires depends on them.
///
/// Counts go together only if they are of the same batches, so that this is a part of the model's
/// identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Batches {
    /// The `k · N` largest scores of the N rows of each batch fire.
    Cut {
        /// The number of atoms that fire on a row, on average.
        k: u64,
        /// The rows of each batch but the last; `None` if the whole cohort is one batch.
        rows: Option<u64>,
        /// The digest of the rows' cuts, and of what they were found in. `None` if each shard is made
        /// of whole batches: then they are the same whatever other shards there are.
        cuts: Option<Digest>,
    },
    /// The scores above a threshold fire, which was estimated from batches.
    Estimated {
        /// The number of atoms that fire on a row of these batches, on average.
        k: u64,
        /// The rows of each of these batches.
        rows: u64,
        /// The threshold, as the bits of a binary64 number.
        threshold_bits: u64,
    },
}

impl Batches {
    /// The estimated threshold.
    pub fn threshold(&self) -> Option<f64> {
        match *self {
            Self::Cut { .. } => None,
            Self::Estimated { threshold_bits, .. } => Some(f64::from_bits(threshold_bits)),
        }
    }

    /// The number of atoms that fire on a row, on average.
    pub fn k(&self) -> u64 {
        match *self {
            Self::Cut { k, .. } | Self::Estimated { k, .. } => k,
        }
    }

    /// The rows of a batch; `None` if the whole cohort is one.
    pub fn rows(&self) -> Option<u64> {
        match *self {
            Self::Cut { rows, .. } => rows,
            Self::Estimated { rows, .. } => Some(rows),
        }
    }

    /// Says whether these can be a run's: a tally may say anything.
    pub(crate) fn is_possible(&self) -> bool {
        let threshold = self.threshold().unwrap_or(0.0);
        let is_threshold = threshold.is_finite() && threshold >= 0.0;
        self.k() > 0 && self.rows() != Some(0) && is_threshold
    }
}

impl fmt::Display for Batches {
    /// The batches in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let k = self.k();
        match *self {
            Self::Cut { rows, cuts, .. } => {
                write!(f, "batch top-k, k = {k}, over ")?;
                match rows {
                    None => f.write_str("a whole cohort")?,
                    Some(1) => f.write_str("each row")?,
                    Some(rows) => write!(f, "{rows} rows at a time")?,
                }
                match cuts {
                    None => f.write_str(", which each file is made of"),
                    Some(digest) => write!(f, " (cut {})", &digest.to_string()[..8]),
                }
            }
            Self::Estimated { rows, .. } => {
                let threshold = self.threshold().unwrap_or_default();
                write!(
                    f,
                    "scores above {threshold}, estimated from the batch top-k, k = {k}, of {rows} rows at a \
                     time"
                )
            }
        }
    }
}
