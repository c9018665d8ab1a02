//! A cohort in files, shard by shard, in bounded memory.
//!
//! ```text
//! plan         a cohort in files, and how it is counted
//! run          the plan carried out
//! inputs       paths and patterns ──► shards, in the cohort's order
//! ahead        the next shard's calls and digests, while this one is encoded
//! cohort_rows  the rows of all shards, for what needs them before they are encoded
//! content      the rows of a shard: embeddings, or activations
//! maker        what makes firing sets of them: an encoder, or a reader
//! shard        one shard, part by part: counted, or found among what an earlier run has finished
//! input_file   a file that was read, by its content
//! identity     the digests by which model and shards are known
//! checkpoint   finished parts on disk, recognised by the digests of what they were made from
//! levels       the levels of properties by which calls are stratified
//! labels       whether the calls' classes are understood, before anything is encoded
//! parts        the parts' firing sets: in memory up to a limit, beyond it in files
//! rows         the rows read again, for scores of all atoms
//! length       how many rows there are in all, before all files are open
//! cover        which of many files hold each row once
//! ```

mod ahead;
#[cfg(test)]
mod batch_tests;
mod checkpoint;
mod cohort_rows;
mod content;
mod cover;
mod identity;
mod input_file;
mod inputs;
mod labels;
mod length;
mod levels;
mod maker;
mod parts;
mod picked;
mod plan;
mod rows;
mod run;
mod shard;

pub use checkpoint::{Checkpoints, Output};
pub use input_file::InputFile;
pub use inputs::{ShardInput, expand, shards, shards_of};
pub use levels::{add_levels, no_column};
pub use parts::{CohortFirings, Part};
pub use plan::{KeepFirings, PART_ROWS, Plan, SetsFrom};
