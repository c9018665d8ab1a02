//! What is read: every format against files that other programs made, and every bad input.

#[path = "../common/mod.rs"]
mod common;

mod activations;
mod bad_input;
mod bad_tables;
mod checkpoints;
mod damaged;
mod damaged_inputs;
mod delly_mims;
mod embeddings;
mod families;
mod fuzzed;
mod goldens;
mod in_memory;
mod inputs;
mod objects;
mod tables;
