//! Cohorts in many files: tallies, merges, and runs that are killed and go on.

#[path = "../common/mod.rs"]
mod common;

mod activations;
mod changing;
mod empty;
mod merges;
mod resume;
mod strata;
mod tally_files;
mod tally_places;
