//! The program, started as its users start it.

#[path = "../common/mod.rs"]
mod common;

mod activations;
mod doctor;
mod embeddings;
mod end_to_end;
mod flags;
mod gate;
mod inputs;
mod investigate;
mod labels;
mod messages;
mod page;
mod prediction;
mod printed;
mod refusals;
mod results;
mod user_files;
mod verify;
mod waiting;
