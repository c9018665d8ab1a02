//! Whose the files are that have an output's name: nobody's, an earlier run's, or a user's.
//!
//! A file is an earlier run's if the folder's record, or the list of what a run that was killed was
//! putting in place, names it with the digest of what it holds now. All others are a user's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rayon::prelude::*;

use super::inputs::Inputs;
use super::record::{self, Found, WrittenFile};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::outputs::PLACING;

/// The most names that a message tells.
const SHOWN: usize = 8;

/// A folder that a run writes to.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder, which need not exist.
    pub folder: PathBuf,
    /// Every name that a run of this kind may write there, its record's among them: an earlier run's
    /// files of these names are replaced, or removed where this run does not write them.
    pub names: BTreeSet<String>,
    /// The name of the record, which lists the others.
    pub record: &'static str,
    /// What the run reads.
    pub inputs: Inputs,
    /// Whether a user's files are replaced too; inputs never are.
    pub force: bool,
}

/// What a file is, as far as the system tells without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    /// The last change of any kind, in seconds, where the system tells.
    changed: Option<i64>,
    /// Device, inode, and nanoseconds of that change, where the system has such.
    identity: [u64; 3],
}

/// A file that was changed so short a time ago may be changed again without another time to show for
/// it: clocks of file systems tick as seldom as that.
const TICK: Duration = Duration::from_secs(2);

impl Stamp {
    /// Of the file at a path itself, be it a link; `None` where there is none.
    fn of(path: &Path) -> Option<Self> {
        let facts = fs::symlink_metadata(path).ok()?;
        Some(Self {
            length: facts.len(),
            modified: facts.modified().ok(),
            changed: changed(&facts),
            identity: identity(&facts),
        })
    }

    /// Whether any change after `looked`, when this was seen, would show.
    fn is_settled(&self, looked: SystemTime) -> bool {
        let changed = self.changed.and_then(|at| u64::try_from(at).ok());
        let changed = changed.map(|at| SystemTime::UNIX_EPOCH + Duration::from_secs(at));
        let before = |time: SystemTime| looked.duration_since(time).is_ok_and(|age| age > TICK);
        self.modified.is_some_and(before) && changed.is_none_or(before)
    }
}

#[cfg(unix)]
fn changed(facts: &Metadata) -> Option<i64> {
    use std::os::unix::fs::MetadataExt;
    Some(facts.ctime())
}

#[cfg(unix)]
fn identity(facts: &Metadata) -> [u64; 3] {
    use std::os::unix::fs::MetadataExt;
    [facts.dev(), facts.ino(), facts.ctime_nsec().cast_unsigned()]
}

#[cfg(not(unix))]
fn changed(_: &Metadata) -> Option<i64> {
    None
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> [u64; 3] {
    [0; 3]
}

/// Whose a file is.
#[derive(Debug)]
enum Standing {
    Absent,
    Ours,
    /// A user's, and why it is not an earlier run's.
    Users(Reason),
    /// The input that it is.
    Input(PathBuf),
    /// What is no file.
    Never(&'static str),
}

/// Why a file is not known to be an earlier run's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    NotListed,
    Changed,
    RecordWithoutDigests,
    RecordChanged,
    NoRecord,
    Unreadable,
}

/// A folder whose files were looked at.
#[derive(Debug)]
pub(super) struct Standings {
    pub(super) place: Place,
    /// What records say: several contents of a name, where a run was killed between two.
    vouched: BTreeMap<String, Vec<WrittenFile>>,
    record: Found,
    /// What was there under each name, and when that was looked at first.
    seen: BTreeMap<String, Option<Stamp>>,
    looked: SystemTime,
    /// Names of a user's files, which may be replaced all the same.
    users: BTreeSet<String>,
}

impl Standings {
    /// Looks at all files of these names.
    ///
    /// # Errors
    /// One of them is an input, or no file; or is a user's, and not to be replaced.
    pub(super) fn look(place: Place) -> Result<Self> {
        let mut standings = Self {
            place,
            vouched: BTreeMap::new(),
            record: Found::Nothing,
            seen: BTreeMap::new(),
            looked: SystemTime::now(),
            users: BTreeSet::new(),
        };
        standings.read_records();
        let names = standings.place.names.clone();
        standings.check(&names)?;
        Ok(standings)
    }

    /// Looks again, right before files are put in their place: whether what is there is what was
    /// there before, or else is an earlier run's too.
    pub(super) fn look_again(&mut self) -> Result<()> {
        let names = self.place.names.clone();
        if let Some((name, input)) = names.iter().find_map(|name| {
            let found = self.place.inputs.find(&self.path(name))?;
            Some((name, found.to_owned()))
        }) {
            return Err(self.is_input(name, &input));
        }
        let changed = |name: &String| match (self.seen.get(name), Stamp::of(&self.path(name))) {
            (Some(before), now) if *before == now => {
                now.is_some_and(|stamp| !stamp.is_settled(self.looked))
            }
            _ => true,
        };
        let changed: BTreeSet<_> = names.into_iter().filter(changed).collect();
        if changed.is_empty() {
            return Ok(());
        }
        self.read_records();
        self.check(&changed)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.folder.join(name)
    }

    /// Names of earlier runs' files that are there and not among those `written`.
    pub(super) fn left_over(&self, written: &[WrittenFile]) -> Vec<String> {
        let others = self.others(written);
        let ours = others.filter(|name| !self.users.contains(*name));
        ours.map(ToOwned::to_owned).collect()
    }

    /// Names of a user's files that are there and not among those `written`: they stay.
    pub(super) fn staying(&self, written: &[WrittenFile]) -> Vec<String> {
        let others = self.others(written);
        let users = others.filter(|name| self.users.contains(*name));
        users.map(ToOwned::to_owned).collect()
    }

    fn others<'a>(&'a self, written: &[WrittenFile]) -> impl Iterator<Item = &'a str> {
        let written: BTreeSet<String> = written.iter().map(|file| file.name.clone()).collect();
        let there = self.seen.iter().filter(|(_, stamp)| stamp.is_some());
        let names = there.map(|(name, _)| name.as_str());
        names.filter(move |name| {
            !written.contains(*name) && *name != self.place.record && *name != PLACING
        })
    }

    /// All files that are known to be runs': these `written` ones, and earlier ones.
    pub(super) fn known(&self, written: &[WrittenFile]) -> Vec<WrittenFile> {
        let mut all = written.to_vec();
        let earlier = self.vouched.values().flatten();
        all.extend(earlier.filter(|file| !written.contains(file)).cloned());
        all
    }

    fn read_records(&mut self) {
        self.vouched.clear();
        self.record = record::read(&self.path(self.place.record));
        let placing = record::read(&self.path(PLACING));
        for found in [&self.record, &placing] {
            let Found::Whole(files) = found else { continue };
            // A name of another kind is not ours to touch, whoever lists it.
            let known = files
                .iter()
                .filter(|file| self.place.names.contains(&file.name));
            for file in known {
                let contents = self.vouched.entry(file.name.clone()).or_default();
                if !contents.contains(file) {
                    contents.push(file.clone());
                }
            }
        }
    }

    /// Looks at the files of some names.
    fn check(&mut self, names: &BTreeSet<String>) -> Result<()> {
        let look = |name: &String| {
            let path = self.path(name);
            let stamp = Stamp::of(&path);
            (name.clone(), stamp, self.standing(name, &path))
        };
        let found: Vec<_> = names.par_iter().map(look).collect();
        for (name, _, standing) in &found {
            match standing {
                Standing::Input(input) => return Err(self.is_input(name, input)),
                Standing::Never(what) => return Err(self.is_no_file(name, what)),
                _ => {}
            }
        }
        let mut users = BTreeMap::new();
        for (name, stamp, standing) in found {
            if let Standing::Users(reason) = standing {
                self.users.insert(name.clone());
                users.insert(name.clone(), reason);
            } else {
                self.users.remove(&name);
            }
            self.seen.insert(name, stamp);
        }
        if users.is_empty() || self.place.force {
            return Ok(());
        }
        Err(self.are_users(&users))
    }

    fn standing(&self, name: &str, path: &Path) -> Standing {
        if let Some(input) = self.place.inputs.find(path) {
            return Standing::Input(input.to_owned());
        }
        match fs::symlink_metadata(path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Standing::Absent,
            Err(_) => return Standing::Users(Reason::Unreadable),
        }
        let facts = match fs::metadata(path) {
            Ok(facts) if facts.is_dir() => return Standing::Never("a folder"),
            Ok(facts) if !facts.is_file() => return Standing::Never("a pipe or device"),
            Ok(facts) => facts,
            // A link that leads nowhere.
            Err(_) => return Standing::Users(Reason::Unreadable),
        };
        let standing = if name == self.place.record || name == PLACING {
            of_record(&record::read(path))
        } else {
            self.of_listed(name, path, facts.len())
        };
        match (standing, self.place.inputs.find_possible(path)) {
            (Standing::Users(_), Some(input)) => Standing::Input(input.to_owned()),
            (standing, _) => standing,
        }
    }

    fn of_listed(&self, name: &str, path: &Path, length: u64) -> Standing {
        let contents = self.vouched.get(name).map_or(&[][..], Vec::as_slice);
        if contents.is_empty() {
            return Standing::Users(match self.record {
                Found::Nothing => Reason::NoRecord,
                Found::Whole(_) => Reason::NotListed,
                Found::Changed => Reason::RecordChanged,
                Found::WithoutDigests | Found::Other => Reason::RecordWithoutDigests,
            });
        }
        if contents.iter().all(|file| file.bytes != length) {
            return Standing::Users(Reason::Changed);
        }
        match Digest::of_file(path) {
            Ok((_, digest)) if contents.iter().any(|file| file.sha256 == digest) => Standing::Ours,
            Ok(_) => Standing::Users(Reason::Changed),
            Err(_) => Standing::Users(Reason::Unreadable),
        }
    }

    fn is_input(&self, name: &str, input: &Path) -> Error {
        Error::input(
            self.path(name).display().to_string(),
            "the output",
            format!("an input of this run, {}", input.display()),
            "a place that nothing is read from",
            "choose another --out, or move the input elsewhere: --force does not replace it",
        )
    }

    fn is_no_file(&self, name: &str, what: &str) -> Error {
        Error::input(
            self.path(name).display().to_string(),
            "the output",
            what,
            "no such file, or a file of an earlier run",
            "choose another --out, or move it elsewhere: --force does not replace it",
        )
    }

    fn are_users(&self, users: &BTreeMap<String, Reason>) -> Error {
        let mut names: Vec<_> = users.keys().take(SHOWN).map(String::as_str).collect();
        let more = format!("{} more", users.len().saturating_sub(SHOWN));
        if users.len() > SHOWN {
            names.push(&more);
        }
        let reasons: BTreeSet<_> = users.values().copied().collect();
        let record = self.place.record;
        let reasons: Vec<_> = reasons.into_iter().map(|r| r.words(record)).collect();
        let file = if users.len() == 1 { "a file" } else { "files" };
        Error::input(
            self.place.folder.display().to_string(),
            names.join(", "),
            format!("{file} there already: {}", reasons.join("; ")),
            format!("none, or an earlier run's, as {record} lists them by name and SHA-256"),
            "nothing was written: choose another --out, move them elsewhere, or replace them with \
             --force",
        )
    }
}

fn of_record(found: &Found) -> Standing {
    match found {
        Found::Nothing => Standing::Absent,
        Found::Whole(_) => Standing::Ours,
        Found::Changed => Standing::Users(Reason::RecordChanged),
        Found::WithoutDigests | Found::Other => Standing::Users(Reason::RecordWithoutDigests),
    }
}

impl Reason {
    fn words(self, record: &str) -> String {
        match self {
            Self::NotListed => format!("{record} does not list it"),
            Self::Changed => format!("its content is not what {record} lists"),
            Self::RecordWithoutDigests => {
                format!("{record} has no digests (an earlier version's, or not atomscope's)")
            }
            Self::RecordChanged => format!("{record} was changed after it was written"),
            Self::NoRecord => format!("no {record} lists it"),
            Self::Unreadable => "it cannot be read".to_owned(),
        }
    }
}
