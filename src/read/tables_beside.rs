//! The table of calls that nobody named: the one beside the embeddings, or the embeddings' own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::embeddings::File;
use super::metadata::SUFFIXES;
use super::naming::{ID, Naming};
use crate::cohort::ClassRule;
use crate::error::{Choice, Error, Proposal, Result};

/// Lists the paths at which an unnamed table of calls is looked for. None of them need exist.
pub fn tables_beside(embeddings: &Path) -> Vec<PathBuf> {
    let suffixes = SUFFIXES.iter();
    suffixes
        .flat_map(|suffix| [(*suffix).to_owned(), format!("{suffix}.gz")])
        .map(|suffix| {
            let mut name = OsString::from(embeddings.file_stem().unwrap_or_default());
            name.push(suffix);
            embeddings.with_file_name(name)
        })
        .filter(|path| path != embeddings)
        .collect()
}

/// Says whether a table of embeddings is the table of calls too: it has a field of calls other than their
/// ID, and there is no other table beside it.
pub(super) fn is_own_table(file: &File, embeddings: &Path, rule: &ClassRule) -> bool {
    let naming = Naming::of(rule);
    let is_field = |name: &String| naming.field(name).is_some_and(|(field, _)| field != ID);
    let is_alone = !tables_beside(embeddings).iter().any(|path| path.is_file());
    is_alone && file.columns().iter().any(is_field)
}

/// Finds the only table in the embeddings' folder that has their name.
pub(super) fn find_beside(embeddings: &Path, file: Option<&File>) -> Result<PathBuf> {
    let candidates: Vec<PathBuf> = tables_beside(embeddings)
        .into_iter()
        .filter(|path| path.is_file())
        .collect();
    if let [only] = candidates.as_slice() {
        return Ok(only.clone());
    }
    let names: Vec<_> = candidates
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy()))
        .collect();
    let found = match names.as_slice() {
        [] => "no table of calls beside it".to_owned(),
        names => format!("several tables beside it ({})", names.join(", ")),
    };
    let stem = embeddings.file_stem().unwrap_or_default().to_string_lossy();
    let one = format!("one of {stem}.csv, .tsv, .jsonl, .ndjson or .parquet");
    let action = if file.is_some_and(|file| !file.columns().is_empty()) {
        "name the calls' file, or keep columns like svtype and truvari_class in this one"
    } else {
        "name the calls' file"
    };
    Err(match file {
        Some(File::Torch(file)) if file.document.entries(file.document.root).is_some() => file.bad(
            "the top level",
            format!("{}, and {found}", file.keys(file.document.root)),
            format!("a key sv_info, or {one}"),
            "save the calls as sv_info beside the embeddings, or name their file",
        ),
        _ => Error::input(
            embeddings.display().to_string(),
            "the calls",
            found,
            one,
            action,
        ),
    }
    .proposing([Proposal::of(Choice::Metadata)]))
}
