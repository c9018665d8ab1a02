//! Calls and their labels: VCF, what benchmarks write, and the command that shows them.

#[path = "../common/mod.rs"]
mod common;

mod annotated;
mod annotated_results;
mod benchmarks;
mod folders;
mod joined;
mod program;
mod reasons;
mod refused;
mod regions;
mod regions_program;
mod simulated;
mod tabular;
mod vcf;
mod written;
