//! One body for each fuzzing target: it reads bytes in every way that there is for them. Bytes must
//! not make reading panic. Every error is one line without control characters. Where there is a cheap oracle,
//! the body asks it: what is read twice, or in another container, is the same.
//!
//! Bytes that begin with `=` are put into a container first: an archive with its checksums, a header
//! with its length, a file with its seal. A fuzzer cannot make these, and would never get past them.

#![allow(unreachable_pub, reason = "tests include this as a private module")]

mod shared;

pub mod bed;
pub mod columnar;
pub mod delimited;
pub mod json_lines;
pub mod npy;
pub mod npz;
pub mod records;
pub mod safetensors;
pub mod tallies;
pub mod torch;
pub mod vcf;

/// A target: its name, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// The targets by name.
pub const ALL: [Target; 11] = [
    ("bed", bed::run),
    ("columnar", columnar::run),
    ("delimited", delimited::run),
    ("json_lines", json_lines::run),
    ("npy", npy::run),
    ("npz", npz::run),
    ("records", records::run),
    ("safetensors", safetensors::run),
    ("tallies", tallies::run),
    ("torch", torch::run),
    ("vcf", vcf::run),
];
