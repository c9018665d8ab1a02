//! Which atoms of a sparse autoencoder fire on true and on false structural-variant calls.

pub mod cohort;
pub mod error;
pub mod fires;
pub mod python;
pub mod read;
pub mod rows;
pub mod sae;
pub mod tally;
