//! Which atoms of a sparse autoencoder fire on true and on false structural-variant calls.

pub mod analysis;
pub mod cli;
pub mod cohort;
pub mod engine;
pub mod error;
pub mod fires;
pub mod python;
pub mod read;
pub mod report;
pub mod rows;
pub mod sae;
pub mod simulate;
pub mod stats;
pub mod tally;
pub mod write;
