//! `bcftools isec -p`: four files, whose numbers do not say which input was the truth.

use super::super::candidate::Candidate;
use super::Tool;
use crate::error::{Choice, Error, Proposal};

pub(super) const TOOL: Tool = Tool {
    name: "bcftools isec",
    looked_at: "1.16",
    files: "`0002.vcf` and `0000.vcf` where the calls were the first input, `0003.vcf` and `0001.vcf` where they were the second",
    known_by: "`0000.vcf` to `0003.vcf`",
    label: "the file: give it as a pair",
    reasons: "none",
    claims: |candidate| {
        ["0000", "0001", "0002", "0003"]
            .iter()
            .all(|stem| candidate.vcf(stem).is_some())
    },
    plan: |candidate| Err(ambiguous(candidate)),
};

fn ambiguous(candidate: &Candidate) -> Error {
    Error::input(
        candidate.name(),
        "the folder",
        "the four files of bcftools isec, which do not say which input was the truth",
        "a file of true and one of false calls",
        "give 0003.vcf and 0001.vcf if the calls were the second input, 0002.vcf and 0000.vcf if the first",
    )
    .proposing([Proposal::of(Choice::TrueCalls), Proposal::of(Choice::FalseCalls)])
}
