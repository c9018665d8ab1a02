//! What is computed from counts and firing sets, against other libraries, twins and known truths.

#[path = "../common/mod.rs"]
mod common;

mod arithmetic;
mod displacement;
mod evidence;
mod evidence_speed;
mod evidence_within;
mod inference;
mod pairs;
mod prediction;
mod ragged;
mod replication;
mod score_comparison;
mod validation;
