//! Witty.er: FORMAT/WIT in samples TRUTH and QUERY.

use super::super::plan::{LabelAt, SampleIs};
use super::super::reason::How;
use super::{Tool, is_vcf, one_file};

pub(super) const TOOL: Tool = Tool {
    name: "Witty.er",
    looked_at: "by its source",
    files: "`Wittyer.*.vcf.gz`",
    known_by: "FORMAT/WIT",
    label: "FORMAT/WIT of sample QUERY, or of the last sample",
    reasons: "FORMAT/WHY",
    claims: |candidate| is_vcf(candidate, |header| header.has_format("WIT")),
    plan: |candidate| {
        let mut plan = one_file(
            &TOOL,
            candidate.path.clone(),
            LabelAt::Format("WIT"),
            How::Wittyer,
        );
        let samples = candidate
            .header()
            .map(|header| header.samples.as_slice())
            .unwrap_or_default();
        let query = samples
            .iter()
            .find(|name| *name == "QUERY")
            .or(samples.last());
        if let Some(name) = query {
            plan.sample = SampleIs::Named(name.clone());
        }
        Ok(plan)
    },
};
