//! `truvari vcf2df -b`: a table with the column `state`.

use super::super::candidate::{Candidate, Content};
use super::Tool;
use crate::error::Error;

pub(super) const TOOL: Tool = Tool {
    name: "truvari vcf2df",
    looked_at: "5.4.0",
    files: "Parquet; a joblib file is a pickle, and is not loaded",
    known_by: "Parquet with the column `state`",
    label: "column `state`: `tp`, `fp`; rows of the truth are left out",
    reasons: "none",
    claims: |candidate| matches!(candidate.content, Content::Parquet),
    plan: |candidate| Err(no_plan(candidate)),
};

/// A table is read as such, and needs no plan.
fn no_plan(candidate: &Candidate) -> Error {
    let expected = "a benchmark's folder or VCF";
    Error::input(
        candidate.name(),
        "the file",
        "a Parquet table",
        expected,
        "give the folder",
    )
}
