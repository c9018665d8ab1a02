//! The analysis of a cohort.

pub mod encode;
pub mod shards;

pub use encode::*;
