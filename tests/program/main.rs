//! The program, started as its users start it.

#[path = "../common/mod.rs"]
mod common;

mod doctor;
mod end_to_end;
mod inputs;
mod labels;
mod printed;
mod refusals;
mod results;
mod user_files;
