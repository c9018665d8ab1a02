//! Finds which atoms of a sparse autoencoder fire on true and on false structural-variant calls,
//! and what these calls are. Results are exact, and the same bytes on every machine.
//!
//! ```no_run
//! use atomscope::Analysis;
//!
//! let found = Analysis::of_files(["embeddings.pt"], "sae.pt").permutations(10_000).run()?;
//! found.write("results")?;
//! # Ok::<(), atomscope::Error>(())
//! ```
//!
//! [`Analysis`] takes a cohort in files, in bounded memory, or in memory, and makes every table:
//!
//! ```
//! use atomscope::Analysis;
//! use atomscope::rows::SliceRows;
//! use atomscope::simulate::{SimulateOptions, simulate_in_memory};
//!
//! let cohort = simulate_in_memory(&SimulateOptions::new(2000, 32, 128, 8, 1))?;
//! let rows = SliceRows::new(&cohort.embeddings, 32)?;
//! let found = Analysis::of(&cohort.sae, &rows, &cohort.calls).permutations(100).run()?;
//!
//! for atom in &found.tables.notebook.top_fp_biased {
//!     println!("atom {} fires on {} false calls, {} true ones", atom.atom, atom.fp_on, atom.tp_on);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | atom | a feature of the sparse autoencoder (SAE) |
//! | call, row | a variant record, and its embedding: row i of the embeddings is call i |
//! | firing set | the atoms that fire on one call |
//! | support | the number of calls on which an atom fires |
//! | stratum | calls alike in SV type, size and dataset, as far as these are told apart |
//! | shard | one embeddings file of a cohort (`analysis`, `store`) |
//! | part | some rows of a shard that are encoded, and kept, at a time (`analysis::shards`) |
//! | block | consecutive rows that one thread works on (`engine`), or calls that are resampled together (`stats`) |
//! | tile | rows × atoms whose scores are in a cache together (`engine`) |
//!
//! # The flow, and who imports whom
//!
//! ```text
//! Plan ──count()──► Counted ──tables()──► Tables ──write()──► files
//!
//! cli                           the program
//! analysis                      the application: the four steps above
//! report     store              what people see; files of tallies and firing sets
//! stats                         tables from counts and firing sets
//! engine     read   simulate    firing sets and counts; files in; cohorts of known truth
//! tally      fires              integers; the atoms that fire on each call
//! rows  sae  cohort  scores     the data
//! write                         files that appear whole or not at all
//! control  digest  error  memory  natural  outputs  python
//! ```
//!
//! A module imports what stands below it, and nothing above it; no two files import each other in a
//! circle. `scripts/check-imports` holds this, with each module's list. `unsafe` is in [`engine`] alone.
//!
//! # Features
//!
//! `cli` (the program), `cuda` (the engine on GPUs), and `parquet` (tables as Parquet, in and out) are
//! all on by default. Without them the crate links neither clap nor cudarc nor parquet.

#![deny(unsafe_code)]

pub mod analysis;
#[cfg(feature = "cli")]
pub mod cli;
mod clock;
pub mod cohort;
pub mod control;
pub mod digest;
#[allow(unsafe_code)]
pub mod engine;
pub mod error;
pub mod fires;
mod memory;
pub mod natural;
pub mod outputs;
pub mod python;
pub mod read;
pub mod regions;
mod regular;
pub mod report;
pub mod rows;
pub mod sae;
pub mod scores;
pub mod simulate;
pub mod stats;
pub mod store;
pub mod tally;
mod visible;
pub mod write;

pub use analysis::{Analysis, Results};
pub use cohort::{Call, Calls};
pub use control::{Control, Progress};
pub use engine::Device;
pub use error::{Error, Result};
pub use read::read_model;
pub use rows::{Rows, SliceRows};
pub use sae::{Activation, Sae, SaeParts};

/// The examples of README and guide are run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../docs/LIBRARY.md")]
struct Guides;
