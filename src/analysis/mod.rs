//! The application: plan, count, make tables, write. The command line, the library's front door and
//! other languages all go this way.
//!
//! ```text
//! Plan ──count()──► Counted ──tables()──► Tables ──write()──► files
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `builder` | [`Analysis`]: what is analyzed, and how |
//! | `run` | [`Analysis::run`], the whole way in one call, and its [`Results`] |
//! | `shards` | [`Plan`]: a cohort in files, counted shard by shard |
//! | `batches` | batch top-k over the rows given together |
//! | `session` | [`Session`]: an engine at work on one part after another |
//! | `counted` | [`Counted`]: counts and firing sets, from files, from memory, or from a tally |
//! | `tables` | [`Tables`]: every table |
//! | `page_file` | [`PageFile`]: the page in a file of its own |
//! | `outputs` | the one list of the files that are written |
//! | `record` | `run.json` |
//! | `tally_files`, `merge` | the files of one shard; tallies to one |
//! | `named` | counts of rows in memory as a shard |
//! | `annotate` | a caller's VCF with what an analysis says of its records |
//! | `calls` | a file of the calls on which chosen atoms fire |
//! | `labelled` | files of the calls that a benchmark labelled |
//! | `place` | what these may be written over |
//! | `warnings` | what is odd about the calls |
//! | `pairs` | pairs of atoms on the GPU that encoded the calls |

mod annotate;
mod batches;
mod builder;
mod calls;
pub mod convert;
mod counted;
#[cfg(feature = "parquet")]
mod earlier;
mod labelled;
mod merge;
mod named;
pub mod outputs;
mod page_file;
#[cfg(feature = "cuda")]
mod pairs;
pub mod place;
pub mod record;
mod run;
mod session;
pub mod shards;
mod tables;
mod tally_files;
pub mod warnings;

pub use annotate::{Annotated, AnnotatedFile, annotate, annotation_inputs};
pub use batches::{BatchTopK, ESTIMATE_ROWS};
pub use builder::Analysis;
pub use calls::CallsFile;
pub use counted::{CompareScores, Counted, Run};
pub use labelled::{LabelledCallsFiles, account_table, calls_table};
pub use merge::{merge, merge_into};
pub use outputs::ResultsFolder;
pub use page_file::PageFile;
pub use run::Results;
pub use session::{CountOptions, Encoder, MEMORY, Session};
pub use shards::Plan;
pub use tables::{TableOptions, Tables};
pub use tally_files::{TallyFiles, firing_files};
