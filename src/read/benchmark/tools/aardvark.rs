//! Aardvark: `query.vcf.gz` with FORMAT/BD. The caller's ID, QUAL, FILTER and INFO are gone.

use super::super::plan::LabelAt;
use super::super::reason::How;
use super::{Tool, is_vcf, one_file};

pub(super) const TOOL: Tool = Tool {
    name: "Aardvark",
    looked_at: "1.1.0",
    files: "`query.vcf.gz`, or its folder",
    known_by: "`query.vcf.gz` and `truth.vcf.gz`; FORMAT/BD, EA, OA",
    label: "FORMAT/BD",
    reasons: "FORMAT/EA: where alleles were expected, genotype",
    claims: |candidate| {
        let is_file = is_vcf(candidate, |header| {
            ["BD", "EA", "OA"].iter().all(|key| header.has_format(key))
        });
        is_file || candidate.vcf("query").is_some() && candidate.vcf("truth").is_some()
    },
    plan: |candidate| {
        let path = candidate
            .vcf("query")
            .unwrap_or_else(|| candidate.path.clone());
        Ok(one_file(&TOOL, path, LabelAt::Format("BD"), How::Aardvark))
    },
};
