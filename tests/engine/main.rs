//! The engine on the processor.

#[path = "../common/mod.rs"]
mod common;

mod exactness;
mod manners;
mod ragged;
mod reading_ahead;
