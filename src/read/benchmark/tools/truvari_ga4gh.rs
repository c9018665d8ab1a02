//! What `truvari ga4gh` writes: one file of the caller's calls, with FORMAT/BD in its one sample.

use std::path::PathBuf;

use super::super::candidate::Candidate;
use super::super::plan::{LabelAt, Plan};
use super::super::reason::How;
use super::{Tool, is_vcf, one_file};
use crate::error::{Error, Result};

pub(super) const TOOL: Tool = Tool {
    name: "truvari ga4gh",
    looked_at: "4.3.1, 5.4.0",
    files: "`P.comp.vcf.gz` (`P_query.vcf.gz` up to 4.x), or its folder",
    known_by: "FORMAT/BD, INFO/MatchId",
    label: "FORMAT/BD",
    reasons: "INFO; without `params.json` a false call near a true one is `nearby`",
    claims: |candidate| {
        let is_file = is_vcf(candidate, |header| {
            header.has_format("BD") && header.has_info("MatchId")
        });
        is_file || !pairs(candidate).is_empty()
    },
    plan,
};

/// The files of the caller's calls that have a file of the truth's beside them.
fn pairs(candidate: &Candidate) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (own, truth) in [(".comp", ".base"), ("_query", "_truth")] {
        let truths = candidate.vcfs_ending(truth);
        let prefix = |path: &PathBuf, end: &str| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            name.rfind(end)
                .map(|at| name.get(..at).unwrap_or_default().to_owned())
        };
        let of_truth: Vec<_> = truths.iter().map(|path| prefix(path, truth)).collect();
        let owns = candidate.vcfs_ending(own).into_iter();
        found.extend(owns.filter(|path| of_truth.contains(&prefix(path, own))));
    }
    found
}

fn plan(candidate: &Candidate) -> Result<Plan> {
    let label = LabelAt::Format("BD");
    if candidate.header().is_some() {
        return Ok(one_file(&TOOL, candidate.path.clone(), label, How::Ga4gh));
    }
    let mut pairs = pairs(candidate);
    match (pairs.pop(), pairs.is_empty()) {
        (Some(path), true) => Ok(one_file(&TOOL, path, label, How::Ga4gh)),
        _ => Err(Error::input(
            candidate.name(),
            "the folder",
            candidate.listed(),
            "one file of the caller's calls with one of the truth's",
            "give the one that is meant",
        )),
    }
}
