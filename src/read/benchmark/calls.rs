//! The result: calls in the order of their files, labels, reasons, and the account.

use std::path::PathBuf;

use super::account::Account;
use crate::cohort::{Calls, IdColumn, TextColumn};
use crate::error::Warning;
use crate::read::vcf::Span;

/// The calls that a benchmark labelled. All columns have one value a call, in the order of the files
/// and, in a file, of its records.
#[derive(Debug, Clone, Default)]
pub struct BenchmarkCalls {
    /// Chromosome, position, type, length (never negative), ID, the other end, the first reason why a
    /// call is false, and the class: `TP`, `FP`, or none in a file without labels. The dataset is the
    /// sample.
    pub calls: Calls,
    /// The last base on the reference, from 1.
    pub end: Vec<i64>,
    /// REF and ALT, as [`allele_key`](crate::cohort::allele_key) makes them: of long ones a digest.
    pub alleles: [IdColumn; 2],
    /// The interval that regions are compared with.
    pub span: Vec<Span>,
    /// The ID of the record of the other end.
    pub mate_id: IdColumn,
    /// All reasons, divided by commas.
    pub reasons: TextColumn,
    /// The file that the call is in.
    pub file: TextColumn,
    /// The values of keys that were asked for, by the key's text.
    pub kept: Vec<(String, TextColumn)>,
    /// What became of every record.
    pub account: Account,
    /// What wrote the calls, its version, and where labels are.
    pub source: String,
    /// The sample whose labels and genotypes were read.
    pub sample: Option<String>,
    /// The files that were read.
    pub paths: Vec<PathBuf>,
    /// Sentences about what is odd.
    pub warnings: Vec<Warning>,
}

impl BenchmarkCalls {
    /// Returns the number of calls.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Says whether there are no calls.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }
}
