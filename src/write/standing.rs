//! The owner of a file that has an output's name: nobody, an earlier run, or a user.
//!
//! A file is an earlier run's if a list names it with the digest of its present content: the
//! folder's record, or the list that a killed run was putting in place. All others are a user's.

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
    /// Every name that a run of this kind may write there, its record's among them. An earlier
    /// run's files of these names are replaced, or removed if this run does not write them.
    pub names: BTreeSet<String>,
    /// The name of the record, which lists the others.
    pub record: &'static str,
    /// The files that the run reads.
    pub inputs: Inputs,
    /// True if a user's files are replaced too. Inputs never are.
    pub force: bool,
}

/// The reason why a file is not known to be an earlier run's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    NotListed,
    Changed,
    RecordWithoutDigests,
    RecordChanged,
    NoRecord,
    Unreadable,
}

/// The owner of a file.
#[derive(Debug)]
enum Standing {
    Absent,
    Ours,
    /// A user's file, and why it is not an earlier run's.
    Users(Reason),
    /// An input, by its path.
    Input(PathBuf),
    /// Something that is not a file.
    Never(&'static str),
}

/// A folder whose files were checked.
#[derive(Debug)]
pub(super) struct Standings {
    pub(super) place: Place,
    /// The files that records list. A name has several contents if a run was killed between two.
    vouched: BTreeMap<String, Vec<WrittenFile>>,
    record: Found,
    /// The stamp of the file under each name when it was first checked.
    seen: BTreeMap<String, Option<Stamp>>,
    looked: SystemTime,
    /// Names of a user's files that may be replaced all the same.
    users: BTreeSet<String>,
}

impl Standings {
    /// Checks all files of these names.
    ///
    /// # Errors
    /// Fails if one of them is an input, is not a file, or is a user's that must not be replaced.
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

    /// Checks again, right before files are put in their place: every file must be the one of the
    /// first check, or else an earlier run's too.
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

    /// Returns the names of earlier runs' files that exist and are not among those `written`.
    pub(super) fn left_over(&self, written: &[WrittenFile]) -> Vec<String> {
        let others = self.others(written);
        let ours = others.filter(|name| !self.users.contains(*name));
        ours.map(ToOwned::to_owned).collect()
    }

    /// Returns the names of a user's files that exist and are not among those `written`. They stay.
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

    /// Returns all files that are known to be runs': these `written` ones, and earlier ones.
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
            // A run must not touch other names, whoever lists them.
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

    /// Checks the files of some names.
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
            // A missing folder is reported when it is to be made.
            Err(error) if is_nothing(&error) => return Standing::Absent,
            Err(_) => return Standing::Users(Reason::Unreadable),
        }
        let facts = match fs::metadata(path) {
            Ok(facts) if facts.is_dir() => return Standing::Never("a folder"),
            Ok(facts) if !facts.is_file() => return Standing::Never("a pipe or device"),
            Ok(facts) => facts,
            // This is a dangling link.
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
