//! Looks whether the files of a folder are those of one run, as its record lists them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

use super::lock::is_at_work;
use super::record::{self, Found, WrittenFile};
use super::whole::is_temporary;
use crate::control::Control;
use crate::digest::Digest;
use crate::error::{Choice, Error, Proposal, Result};
use crate::outputs::{LOCK, PLACING, RECORD, TRUTH};

/// What to do about a folder whose files are not of one run.
const RUN_AGAIN: &str = "run the command again, which puts all files in place";
/// What to do about a file that is not as it was written.
const RESTORE: &str = "copy it again from where it was whole, or run the command again";

/// What was found in a folder of outputs.
#[derive(Debug, Default)]
pub struct Verified {
    /// The records that were found.
    pub records: Vec<&'static str>,
    /// The number of files that they list.
    pub files: usize,
    /// The bytes that they list.
    pub bytes: u64,
    /// All that is wrong, a file at a time; nothing if the folder is one run's.
    pub faults: Vec<Error>,
}

/// Compares the files of a folder with its records, `run.json` and `truth.json`: each listed file must be
/// there with its length and its SHA-256, and no other file may be. With `others` files that no record
/// lists are passed over, but for those under a name of ours. Folders without a listed file are passed over.
///
/// # Errors
/// A folder that cannot be read; cancellation. What is wrong with the files is in [`Verified::faults`].
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let found = atomscope::write::verify::verify(folder.path(), false, &Default::default())?;
/// assert!(found.faults[0].to_string().contains("neither run.json nor truth.json"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn verify(folder: &Path, others: bool, control: &Control) -> Result<Verified> {
    let there = files_in(folder)?;
    let mut found = Verified::default();
    if is_at_work(folder) {
        let action = "wait for it, and look again";
        found.add(fault(
            folder,
            "the lock",
            "a run at work here",
            "none",
            action,
        ));
    }
    let mut listed = Vec::new();
    for name in [RECORD, TRUTH] {
        listed.extend(found.record(folder, name));
    }
    if found.records.is_empty() && found.faults.is_empty() {
        found.add(without_record(folder, &there));
    }
    let checked = listed.par_iter().map(|file| {
        control.check()?;
        Ok(check(folder, file).err())
    });
    let checked: Vec<Option<Error>> = checked.collect::<Result<_>>()?;
    control.check()?;
    found.files = listed.len();
    found.bytes = listed.iter().map(|file| file.bytes).sum();
    checked
        .into_iter()
        .flatten()
        .for_each(|error| found.add(error));
    if !found.records.is_empty() && !others {
        found.add_unlisted(folder, &listed, there)?;
    }
    Ok(found)
}

impl Verified {
    fn add(&mut self, fault: Error) {
        self.faults.push(fault);
    }

    /// Reads a record, and returns the files that it lists.
    fn record(&mut self, folder: &Path, name: &'static str) -> Vec<WrittenFile> {
        let path = folder.join(name);
        let what = match record::read(&path) {
            Found::Nothing => return Vec::new(),
            Found::Whole(files) => {
                self.records.push(name);
                return files;
            }
            Found::Changed => "a record that was changed after it was written",
            Found::WithoutDigests => "a record without digests, as of an earlier version",
            Found::Other => "something that is no record",
        };
        self.add(fault(
            &path,
            "the record",
            what,
            "the sealed list of all files",
            RESTORE,
        ));
        Vec::new()
    }

    /// Adds a fault for each file that no record lists.
    fn add_unlisted(
        &mut self,
        folder: &Path,
        listed: &[WrittenFile],
        mut there: BTreeSet<PathBuf>,
    ) -> Result<()> {
        let known: BTreeSet<&Path> = listed.iter().map(|file| Path::new(&file.name)).collect();
        let inner = known.iter().filter(|name| is_inside(name));
        let folders: BTreeSet<&Path> = inner.filter_map(|name| name.parent()).collect();
        for inner in folders
            .into_iter()
            .filter(|inner| inner.components().count() > 0)
        {
            let files = match fs::symlink_metadata(folder.join(inner)) {
                Ok(facts) if facts.is_dir() => files_in(&folder.join(inner))?,
                _ => continue,
            };
            there.extend(files.into_iter().map(|name| inner.join(name)));
        }
        let is_own = |name: &Path| {
            let text = name.to_string_lossy();
            self.records.iter().any(|record| *record == text)
                || text == LOCK
                || text == PLACING
                || is_temporary(&text)
        };
        let unlisted = there
            .iter()
            .filter(|name| !known.contains(&***name) && !is_own(name));
        let expected = format!("a file that {} lists", self.records.join(" or "));
        let unlisted: Vec<_> = unlisted
            .map(|name| {
                let what = "a file of another run, or of yours";
                let action = "move it elsewhere, or let it be there";
                fault(&folder.join(name), "the name", what, &expected, action)
                    .proposing([Proposal::of(Choice::AllowOthers)])
            })
            .collect();
        self.faults.extend(unlisted);
        Ok(())
    }
}

/// Names of all that is in a folder, but for folders.
fn files_in(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let failed = |e| Error::reading(folder, e);
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_type().map_err(failed)?.is_dir() {
            found.insert(PathBuf::from(entry.file_name()));
        }
    }
    Ok(found)
}

fn without_record(folder: &Path, there: &BTreeSet<PathBuf>) -> Error {
    let expected = "the record of a run, beside its files";
    if there.contains(Path::new(PLACING)) {
        let found = "files of a run that was ended while it put them in place";
        return fault(folder, "the record", found, expected, RUN_AGAIN);
    }
    let found = format!("neither {RECORD} nor {TRUTH}");
    let action = "give the folder that was written to, or run the command again";
    fault(folder, "the record", &found, expected, action)
}

/// Says whether a name leads to a place in the folder, and nowhere else.
fn is_inside(name: &Path) -> bool {
    let mut parts = name.components();
    name.components().count() > 0 && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// Checks one listed file.
fn check(folder: &Path, file: &WrittenFile) -> Result<()> {
    let path = folder.join(&file.name);
    let bad = |place: &str, found: &str, expected: &str| {
        Err(fault(&path, place, found, expected, RESTORE))
    };
    if !is_inside(Path::new(&file.name)) {
        return bad(
            "the name",
            "a name that leads elsewhere",
            "the name of a file in the folder",
        );
    }
    let facts = match fs::metadata(&path) {
        Ok(facts) => facts,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return bad("the file", "no such file", "the file that the record lists");
        }
        Err(error) => return Err(Error::reading(&path, error)),
    };
    if !facts.is_file() {
        return bad(
            "the file",
            "a folder, a pipe or a device",
            "the file that the record lists",
        );
    }
    let length = |bytes| format!("{bytes} bytes");
    if facts.len() != file.bytes {
        return bad("its length", &length(facts.len()), &length(file.bytes));
    }
    let (bytes, sha256) = Digest::of_file(&path).map_err(|e| Error::reading(&path, e))?;
    if bytes != file.bytes {
        return bad("its length", &length(bytes), &length(file.bytes));
    }
    if sha256 != file.sha256 {
        return bad("its SHA-256", &sha256.to_string(), &file.sha256.to_string());
    }
    Ok(())
}

fn fault(path: &Path, place: &str, found: &str, expected: &str, action: &str) -> Error {
    Error::input(path.display().to_string(), place, found, expected, action)
}
