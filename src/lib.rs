//! Which atoms of a sparse autoencoder fire on true and on false structural-variant calls, and
//! what these calls are: exact, and the same bytes on every machine.
//!
//! # The flow, and who imports whom
//!
//! ```text
//! read ──► sae, cohort, rows ──► engine ──► tally, fires ──► stats ──► report
//! files    the data              fires,      integers        tables    what people see
//!                                counts        │  ▲
//!                                              ▼  │
//!                                             store: files of them, to be merged
//! ```
//!
//! [`read`] turns files into a [`Sae`](sae::Sae), [`Rows`](rows::Rows) that are read as
//! they are needed, and [`Calls`](cohort::Calls). An [`engine`], on the processor or on GPUs, finds the
//! [firing set](fires::FiringSets) of every row and counts it into a [`Tally`](tally::Tally).
//! [`stats`] computes tables from these, [`report`] writes them. [`analysis`] is all of it in one
//! function, on data in memory; [`run`] takes a cohort in files, shard by shard, in bounded memory,
//! and goes on where an earlier run was killed; [`details`] are firing sets with their calls,
//! wherever they are. A shard's tally is a commutative monoid ([`tally::Merger`]): the same parts, in
//! any order, are the same whole. [`simulate`] makes cohorts whose truth is known, [`mod@write`] files
//! that appear whole or not at all, [`cli`] is the program. Nobody imports what is to its right but
//! `read`, which imports the data that it fills; all import [`error`] and [`python`] (text and
//! numbers as Python writes them). `unsafe` is in `engine` alone.
//!
//! Start at [`read::read_model`] and [`read::read_cohort`] with files, at
//! [`sae::Sae::new`] and [`rows::SliceRows`] without; then [`analysis::analyze`]; the table is
//! `findings.bias.atoms`. What a paper needs besides is in [`stats::evidence`].
//!
//! # Example
//!
//! ```
//! use atomscope::analysis::{AnalyzeOptions, analyze};
//! use atomscope::engine::Control;
//! use atomscope::rows::SliceRows;
//! use atomscope::simulate::{SimulateOptions, simulate_in_memory};
//!
//! let cohort = simulate_in_memory(&SimulateOptions::new(2000, 32, 128, 8, 1))?;
//! let rows = SliceRows::new(&cohort.embeddings, 32)?;
//! let options = AnalyzeOptions::default();
//! let found = analyze(&cohort.sae, &rows, &cohort.calls, &options, &Control::default())?;
//!
//! let (call, atoms) = found.fires.iter().next().ok_or("no call")?;
//! println!("on call {call} fire the atoms {atoms:?}");
//! for atom in &found.findings.top_fp_biased {
//!     println!("atom {} fires on {} false calls, {} true ones", atom.atom, atom.fp_on, atom.tp_on);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(unsafe_code)]

pub mod analysis;
pub mod cli;
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
pub mod report;
pub mod rows;
pub mod sae;
pub mod scores;
pub mod simulate;
pub mod stats;
pub mod store;
pub mod tally;
pub mod write;

/// The README's example is run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
