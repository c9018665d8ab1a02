//! The intermediate VCF of GA4GH: samples TRUTH and QUERY with FORMAT/BD and BK. QUERY counts.

use super::super::plan::{LabelAt, SampleIs};
use super::super::reason::How;
use super::{Tool, is_vcf, one_file};

pub(super) const TOOL: Tool = Tool {
    name: "GA4GH (hap.py, vcfeval's ga4gh mode)",
    looked_at: "test files of hap.py and RTG Tools",
    files: "`P.vcf.gz`, `output.vcf.gz`",
    known_by: "FORMAT/BD",
    label: "FORMAT/BD of sample QUERY, or of the only sample",
    reasons: "FORMAT/BK: `am` genotype, `lm` nearby, none no_candidate",
    claims: |candidate| is_vcf(candidate, |header| header.has_format("BD")),
    plan: |candidate| {
        let mut plan = one_file(
            &TOOL,
            candidate.path.clone(),
            LabelAt::Format("BD"),
            How::Ga4gh,
        );
        if candidate
            .header()
            .is_some_and(|header| header.sample("QUERY").is_some())
        {
            plan.sample = SampleIs::Named("QUERY".to_owned());
        }
        Ok(plan)
    },
};
