//! The engine on the processor.

#[path = "../common/mod.rs"]
mod common;

mod activations;
mod batch_topk;
mod exactness;
mod manners;
#[path = "../../benches/stages/peaks.rs"]
mod peaks;
mod ragged;
mod reading_ahead;
