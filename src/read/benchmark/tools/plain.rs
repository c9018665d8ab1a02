//! A VCF without labels: calls to be annotated.

use super::super::plan::LabelAt;
use super::super::reason::How;
use super::{Tool, is_vcf, one_file};

pub(super) const TOOL: Tool = Tool {
    name: "a VCF without labels",
    looked_at: "4.1 to 4.5",
    files: "the VCF",
    known_by: "none of the above",
    label: "none",
    reasons: "none",
    claims: |candidate| is_vcf(candidate, |_| true),
    plan: |candidate| {
        Ok(one_file(
            &TOOL,
            candidate.path.clone(),
            LabelAt::Nowhere,
            How::None,
        ))
    },
};
