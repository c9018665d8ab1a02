//! `truvari vcf2df -b`: a table with the column `state`. It is read as a table of calls.

use super::super::candidate::{Candidate, Content};
use super::Tool;
use crate::error::{Choice, Error, Proposal};

pub(super) const TOOL: Tool = Tool {
    name: "truvari vcf2df",
    looked_at: "5.4.0",
    files: "Parquet; a joblib file is a pickle, and is not loaded",
    known_by: "Parquet",
    label: "column `state`: `tp`, `fp`",
    reasons: "none",
    claims: |candidate| matches!(candidate.content, Content::Parquet),
    plan: |candidate| Err(as_table(candidate)),
};

fn as_table(candidate: &Candidate) -> Error {
    Error::input(
        candidate.name(),
        "the file",
        "a Parquet table",
        "a benchmark's folder or VCF",
        "give it as the table of calls: of vcf2df the column of classes is state, and tp is true",
    )
    .proposing([
        Proposal::new(Choice::Metadata, [candidate.name()]),
        Proposal::new(Choice::ClassColumn, ["state"]),
        Proposal::new(Choice::TrueClass, ["tp"]),
    ])
}
