//! The batches of a model of batch top-k.

use std::num::NonZeroU64;

use clap::{Args, ValueEnum};

use crate::analysis::BatchTopK;

/// Options of models of batch top-k.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Batch top-k")]
pub(in crate::cli) struct BatchTopKArgs {
    /// What fires by a model of batch top-k, which selects among calls given together [default:
    /// exact]
    #[arg(long, value_name = "WHAT")]
    batch_topk: Option<BatchArg>,

    /// Calls of a batch, in the cohort's order, across its files [default: the whole cohort, or 4096
    /// where a threshold is estimated]
    ///
    /// A call that is dropped keeps its place in its batch, and the batch fires k atoms fewer. Tallies
    /// of files that are made of whole batches can be merged; others are counted in one run.
    #[arg(long, value_name = "N")]
    batch_topk_rows: Option<NonZeroU64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BatchArg {
    /// The k times N largest scores of each batch of N calls, as far as they are above 0
    Exact,
    /// The scores above one threshold, estimated: the mean over batches of the least score that fires
    Threshold,
}

impl BatchTopKArgs {
    /// The options; `memory` is what scores may take meanwhile.
    pub(in crate::cli) fn options(&self, memory: u64) -> BatchTopK {
        BatchTopK {
            rows: self.batch_topk_rows,
            threshold: self.batch_topk == Some(BatchArg::Threshold),
            memory: Some(memory),
        }
    }
}
