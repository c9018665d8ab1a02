//! True and false calls in a file each, and tools that write no more than that.

use super::super::candidate::{Candidate, Content};
use super::Tool;
use crate::error::{Choice, Error, Proposal};

pub(super) const TOOL: Tool = Tool {
    name: "a pair (SVbenchmark, bcftools isec, svpack match, any other)",
    looked_at: "any",
    files: "one VCF of true and one of false calls; or all calls, and one of the two",
    known_by: "what is given",
    label: "the file; of all calls, those that are not in the file that is given have the other label",
    reasons: "Truvari's where its keys are",
    claims: |_| false,
    plan: |candidate| Err(false_alone(candidate)),
};

/// The error of a folder by `SVbenchmark` or minda; `None` of another.
pub(super) fn folder(candidate: &Candidate) -> Option<Error> {
    let Content::Folder(names) = &candidate.content else {
        return None;
    };
    if !candidate.vcfs_ending(".falsepositives").is_empty() {
        return Some(false_alone(candidate));
    }
    let is_minda = |name: &String| name.ends_with("_tp.tsv");
    names.iter().any(is_minda).then(|| {
        Error::input(
            candidate.name(),
            "the folder",
            "tables of minda, with IDs and no records",
            "VCF",
            "take the records of the caller's VCF by the IDs in ID_x: bcftools view -i 'ID=@ids.txt'",
        )
    })
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
