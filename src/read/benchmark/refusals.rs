//! Errors of files that are of the truth's side, or of another sample.

use std::path::Path;

use crate::error::{Choice, Error, Proposal};
use crate::read::vcf::Header;

/// The error of the truth's file in place of the calls'.
pub(super) fn swapped(path: &Path, place: &str, found: &str) -> Error {
    Error::input(
        path.display().to_string(),
        place,
        found,
        "the caller's calls",
        "this is the truth's side: give the file of the calls that were compared with it",
    )
}

/// The error of a sample that is not in a file.
pub(super) fn no_sample(path: &Path, header: &Header, named: &str) -> Error {
    const SHOWN: usize = 8;
    let names: Vec<&str> = header
        .samples
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect();
    let more = if header.samples.len() > SHOWN {
        ", …"
    } else {
        ""
    };
    let found = if names.is_empty() {
        "no samples".to_owned()
    } else {
        format!("the samples {}{more}", names.join(", "))
    };
    Error::input(
        path.display().to_string(),
        "the header",
        found,
        format!("the sample {named}"),
        "name the sample that was compared",
    )
    .proposing([Proposal::of(Choice::Sample)])
}
