//! The step from counts to tables: every section of the analysis, as plain results that `report`
//! writes.
//!
//! | folder | what it computes |
//! |---|---|
//! | `notebook` | what the notebook computes, in its arithmetic |
//! | `evidence` | the extended tables: what a paper needs beside the notebook's |
//! | `inference` | effects, tests and their multiplicity, in log space |
//! | `resampling` | permutation of labels, bootstrap by block, and what they share |
//! | `pairs` | which of all atoms fire together, and whether otherwise on true calls than on false ones |
//! | `replication` | what one part of the cohort shows, and another confirms |
//! | `score_comparison` | scores on true and on false calls, without competition for places |
//! | `prediction` | what atoms know of the label: a logistic model, never judged on what it was fitted to |
//! | `calls` | the calls on which chosen atoms fire, the strongest first |
//! | `total_order` | numbers as integers of the same order, which sort faster |
//! | `vectors` | the widest vector instructions of this machine, for plain Rust |
//!
//! Nothing here prints, reads a file, or knows an engine.

#![forbid(unsafe_code)]

pub mod calls;
pub mod evidence;
pub mod inference;
pub mod notebook;
pub mod pairs;
pub mod prediction;
pub mod replication;
pub mod resampling;
pub mod score_comparison;
pub(crate) mod total_order;
pub(crate) mod vectors;
