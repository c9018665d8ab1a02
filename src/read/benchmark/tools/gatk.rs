//! GATK `SVConcordance`: the evaluated calls with INFO/STATUS and the truth's ID.

use super::super::plan::LabelAt;
use super::super::reason::How;
use super::{Tool, is_vcf, one_file};

pub(super) const TOOL: Tool = Tool {
    name: "GATK SVConcordance",
    looked_at: "by its source",
    files: "the VCF of the evaluated calls",
    known_by: "INFO/STATUS and TRUTH_VID",
    label: "INFO/STATUS",
    reasons: "none",
    claims: |candidate| {
        is_vcf(candidate, |header| {
            header.has_info("STATUS") && header.has_info("TRUTH_VID")
        })
    },
    plan: |candidate| {
        Ok(one_file(
            &TOOL,
            candidate.path.clone(),
            LabelAt::Info("STATUS"),
            How::None,
        ))
    },
};
