//! RTG Tools: vcfeval and bndeval. In `split` mode the file says the label, in others INFO/CALL does.

use super::super::candidate::Candidate;
use super::super::plan::{LabelAt, Part, Plan, SampleIs};
use super::super::reason::How;
use super::{Tool, is_folder, is_vcf, one_file};
use crate::cohort::Label;
use crate::error::Result;

pub(super) const TOOL: Tool = Tool {
    name: "RTG vcfeval, bndeval",
    looked_at: "its test files",
    files: "`tp.vcf.gz` and `fp.vcf.gz` (split), `calls.vcf.gz` (annotate), `output.vcf.gz` (combine), or their folder",
    known_by: "INFO/CALL; `tp` and `fp` with `tp-baseline` or `fn`; `calls` with `baseline`",
    label: "the file; INFO/CALL (`IGN`, `OUT`, `HARD` and calls without it are left out)",
    reasons: "`FP_CA`, `fp-ca.vcf.gz`: genotype",
    claims: |candidate| {
        is_vcf(candidate, |header| header.has_info("CALL"))
            || is_split(candidate)
            || annotated(candidate).is_some()
    },
    plan,
};

fn is_split(candidate: &Candidate) -> bool {
    let has = |stem| candidate.vcf(stem).is_some();
    has("tp") && has("fp") && (has("tp-baseline") || has("fn"))
}

fn annotated(candidate: &Candidate) -> Option<std::path::PathBuf> {
    let calls = candidate
        .vcf("calls")
        .filter(|_| candidate.vcf("baseline").is_some());
    let combined = || {
        candidate
            .vcf("output")
            .filter(|_| candidate.file("summary.txt").is_some())
    };
    calls.or_else(combined)
}

fn plan(candidate: &Candidate) -> Result<Plan> {
    if is_split(candidate) {
        let label = |stem, label| {
            candidate.vcf(stem).map(|path| Part {
                path,
                label: LabelAt::File(label),
            })
        };
        let parts = [
            label("tp", Label::Tp),
            label("fp", Label::Fp),
            label("fp-ca", Label::Fp),
        ];
        return Ok(Plan::new(
            TOOL.name,
            parts.into_iter().flatten().collect(),
            How::Rtg,
        ));
    }
    if is_folder(candidate)
        && let Some(path) = annotated(candidate)
    {
        return super::plan(&Candidate::of(&path)?);
    }
    let mut plan = one_file(
        &TOOL,
        candidate.path.clone(),
        LabelAt::Info("CALL"),
        How::Rtg,
    );
    if candidate
        .header()
        .is_some_and(|header| header.sample("CALLS").is_some())
    {
        plan.sample = SampleIs::Named("CALLS".to_owned());
    }
    Ok(plan)
}
