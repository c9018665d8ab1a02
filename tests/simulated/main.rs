//! Cohorts whose truth is known: the same bytes for a seed, in one file or in pieces.

#[path = "../common/mod.rs"]
mod common;

mod activations;
mod cohorts;
mod pieces;
