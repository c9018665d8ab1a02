//! True and false calls in a file each, and tools that write no more than that.

use super::super::candidate::{Candidate, Content};
use super::super::tabular::Form;
use super::Tool;
use crate::error::{Choice, Error, Proposal};

pub(super) const TOOL: Tool = Tool {
    name: "a pair (SVbenchmark, minda, bcftools isec, svpack match, any other)",
    looked_at: "any",
    files: "one VCF, or table of minda, of true and one of false calls; or all calls, and one of the two",
    known_by: "what is given",
    label: "the file; of all calls, those that are not in the file that is given have the other label",
    reasons: "Truvari's where its keys are",
    claims: |_| false,
    plan: |candidate| Err(false_alone(candidate)),
};

/// The error of a folder by `SVbenchmark` or minda, or of one table of minda; `None` of another path.
pub(super) fn half(candidate: &Candidate) -> Option<Error> {
    let names = match &candidate.content {
        Content::Folder(names) => names,
        Content::Table(Form::Minda) => return Some(minda(candidate)),
        _ => return None,
    };
    if !candidate.vcfs_ending(".falsepositives").is_empty() {
        return Some(false_alone(candidate));
    }
    let is_minda = |name: &String| name.ends_with("_tp.tsv");
    names.iter().any(is_minda).then(|| minda(candidate))
}

fn minda(candidate: &Candidate) -> Error {
    Error::input(
        candidate.name(),
        "the path",
        "what minda wrote",
        "its table of true and that of false calls of one caller",
        "give the two: S_CALLER_tp.tsv and S_CALLER_fp.tsv",
    )
    .proposing([
        Proposal::of(Choice::TrueCalls),
        Proposal::of(Choice::FalseCalls),
    ])
}

fn false_alone(candidate: &Candidate) -> Error {
    Error::input(
        candidate.name(),
        "the folder",
        "SVbenchmark's false calls, and no file of true ones",
        "all calls that were compared, and the false ones",
        "give the VCF that was compared in place of the folder, and the file of false calls",
    )
    .proposing([Proposal::of(Choice::FalseCalls)])
}
