//! Truvari's folders, from version 2 on: the file says the label, and after `refine` FORMAT/BD does.

use std::path::PathBuf;

use super::super::candidate::Candidate;
use super::super::params::{Params, Summary, log, version_of_log};
use super::super::plan::{LabelAt, Part, Plan, SampleIs};
use super::super::reason::How;
use super::{Tool, is_vcf};
use crate::cohort::Label;
use crate::error::{Choice, Error, Proposal, Result};

pub(super) const TOOL: Tool = Tool {
    name: "Truvari bench, refine",
    looked_at: "3.5.0, 4.3.1, 5.3, 5.4.0; 2.x by its source",
    files: "`tp-comp.vcf.gz` (`tp-call.vcf` up to 3.x) and `fp.vcf.gz`; `refine.comp.vcf.gz` where it is",
    known_by: "these names",
    label: "the file; FORMAT/BD of `refine.comp.vcf.gz`",
    reasons: "INFO and `params.json`, or `log.txt` up to 3.x",
    claims: |candidate| any(candidate) || is_half(candidate),
    plan,
};

/// The stems of the caller's calls that are true, and of the truth's.
const TRUE: [&str; 2] = ["tp-comp", "tp-call"];

fn tp(candidate: &Candidate) -> Option<PathBuf> {
    TRUE.iter().find_map(|stem| candidate.vcf(stem))
}

fn any(candidate: &Candidate) -> bool {
    tp(candidate).is_some()
        || candidate.vcf("refine.comp").is_some()
        || candidate.vcf("tp-base").is_some()
}

/// Says whether a file is one of Truvari's, of which the label is in the name alone.
fn is_half(candidate: &Candidate) -> bool {
    is_vcf(candidate, |header| {
        let has_match = header.has_info("TruScore") && header.has_info("MatchId");
        has_match && !header.has_format("BD")
    })
}

fn plan(candidate: &Candidate) -> Result<Plan> {
    if is_half(candidate) {
        return Err(half_file(candidate));
    }
    let parts = parts(candidate)?;
    let mut plan = Plan::new(TOOL.name, parts, How::Truvari);
    let text = candidate
        .file("log.txt")
        .map(|path| log(&path))
        .unwrap_or_default();
    let text = match candidate.file("refine.log.txt") {
        Some(path) if version_of_log(&text).is_none() => text + &log(&path),
        _ => text,
    };
    plan.version = version_of_log(&text);
    plan.params = match candidate.file("params.json") {
        Some(path) => Some(Params::read(&path)?),
        None => Params::of_log(&text),
    };
    if plan.params.is_none() {
        plan.notes.push(
            "neither params.json nor log.txt says the thresholds, so that of a false call near a true one \
             the reason is not known, nor which calls are below sizemin"
                .to_owned(),
        );
    }
    plan.truth_sample = plan.params.as_ref().and_then(|params| params.truth.clone());
    if let Some(name) = plan
        .params
        .as_ref()
        .and_then(|params| params.comparison.clone())
    {
        plan.sample = SampleIs::Named(name);
    }
    let is_refined = plan
        .parts
        .iter()
        .any(|part| matches!(part.label, LabelAt::Format(_)));
    plan.summary = summary(candidate, is_refined)?;
    if !is_refined && candidate.file("refine.variant_summary.json").is_some() {
        plan.notes.push(
            "refine was run, and its labels are not in the folder: truvari ga4gh -w writes them; these are \
             bench's"
                .to_owned(),
        );
    }
    Ok(plan)
}

fn parts(candidate: &Candidate) -> Result<Vec<Part>> {
    if let Some(path) = candidate.vcf("refine.comp") {
        let label = LabelAt::Format("BD");
        return Ok(vec![Part { path, label }]);
    }
    let part = |path, label| Part {
        path,
        label: LabelAt::File(label),
    };
    match (tp(candidate), candidate.vcf("fp")) {
        (Some(tp), Some(fp)) => Ok(vec![part(tp, Label::Tp), part(fp, Label::Fp)]),
        (Some(_), None) => Err(half_folder(candidate, "fp.vcf.gz, the false calls")),
        (None, Some(_)) => Err(half_folder(candidate, "tp-comp.vcf.gz, the true calls")),
        (None, None) => Err(half_folder(
            candidate,
            "tp-comp.vcf.gz and fp.vcf.gz, the caller's calls",
        )),
    }
}

fn summary(candidate: &Candidate, is_refined: bool) -> Result<Option<Summary>> {
    let names: &[&str] = if is_refined {
        &["refine.variant_summary.json"]
    } else {
        &["summary.json", "summary.txt"]
    };
    let path = names.iter().find_map(|name| candidate.file(name));
    path.map_or(Ok(None), |path| Summary::read(&path))
}

fn half_folder(candidate: &Candidate, missing: &str) -> Error {
    Error::input(
        candidate.name(),
        "the folder",
        candidate.listed(),
        format!("also {missing}"),
        "copy the whole folder; half of it would make all calls true or all false",
    )
}

fn half_file(candidate: &Candidate) -> Error {
    Error::input(
        candidate.name(),
        "the header",
        "one file of a Truvari folder, which does not say whether its calls are true",
        "the folder",
        "give the folder that the file is in, or the file of true and that of false calls",
    )
    .proposing([
        Proposal::of(Choice::TrueCalls),
        Proposal::of(Choice::FalseCalls),
    ])
}
