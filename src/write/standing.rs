//! Whose the files are that have an output's name: nobody's, an earlier run's, or a user's.
//!
//! A file is an earlier run's if the folder's record, or the list of what a run that was killed was
//! putting in place, names it with the digest of what it holds now. All others are a user's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayon::prelude::*;

use super::inputs::Inputs;
use super::record::{self, Found, WrittenFile};
use super::stamp::Stamp;
use crate::digest::Digest;
use crate::error::Result;
use crate::outputs::PLACING;

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

/// Why a file is not known to be an earlier run's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    NotListed,
    Changed,
    RecordWithoutDigests,
    RecordChanged,
    NoRecord,
    Unreadable,
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
                now.is_some_and(|stamp| !stamp.is_past(self.looked))
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

    pub(super) fn path(&self, name: &str) -> PathBuf {
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
            // Where there is no folder either, that is told when it is to be made.
            Err(error) if is_nothing(&error) => return Standing::Absent,
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
}

fn of_record(found: &Found) -> Standing {
    match found {
        Found::Nothing => Standing::Absent,
        Found::Whole(_) => Standing::Ours,
        Found::Changed => Standing::Users(Reason::RecordChanged),
        Found::WithoutDigests | Found::Other => Standing::Users(Reason::RecordWithoutDigests),
    }
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
