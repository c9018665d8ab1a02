//! vcfdist's summary: the VCF of GA4GH with a credit beside the label.

use super::super::plan::{LabelAt, SampleIs};
use super::super::reason::How;
use super::{Tool, is_vcf, one_file};

pub(super) const TOOL: Tool = Tool {
    name: "vcfdist",
    looked_at: "by its source",
    files: "`P summary.vcf`",
    known_by: "FORMAT/BD and BC",
    label: "FORMAT/BD of sample QUERY",
    reasons: "FORMAT/BK, as of GA4GH",
    claims: |candidate| {
        is_vcf(candidate, |header| {
            header.has_format("BD") && header.has_format("BC")
        })
    },
    plan: |candidate| {
        let mut plan = one_file(
            &TOOL,
            candidate.path.clone(),
            LabelAt::Format("BD"),
            How::Ga4gh,
        );
        plan.sample = SampleIs::Named("QUERY".to_owned());
        plan.notes.push(
            "vcfdist writes a homozygous call as two records, which may have two labels".to_owned(),
        );
        Ok(plan)
    },
};
