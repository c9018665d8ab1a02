//! The one-line message about files that are not replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::standing::{Reason, Standings};
use crate::error::{Choice, Error, Proposal, first_of};

/// The most names that a message lists.
const SHOWN: usize = 8;

impl Standings {
    pub(super) fn is_input(&self, name: &str, input: &Path) -> Error {
        Error::input(
            self.path(name).display().to_string(),
            "the output",
            format!("an input of this run, {}", input.display()),
            "a place that nothing is read from",
            "choose another folder, or move the input elsewhere: it is never replaced",
        )
    }

    pub(super) fn is_no_file(&self, name: &str, what: &str) -> Error {
        Error::input(
            self.path(name).display().to_string(),
            "the output",
            what,
            "no such file, or a file of an earlier run",
            "choose another folder, or move it elsewhere: it is never replaced",
        )
    }

    pub(super) fn are_users(&self, users: &BTreeMap<String, Reason>) -> Error {
        let reasons: BTreeSet<_> = users.values().copied().collect();
        let record = self.place.record;
        let reasons: Vec<_> = reasons.into_iter().map(|r| r.words(record)).collect();
        let file = if users.len() == 1 { "a file" } else { "files" };
        Error::input(
            self.place.folder.display().to_string(),
            first_of(users.keys(), SHOWN),
            format!("{file} there already: {}", reasons.join("; ")),
            format!("none, or an earlier run's, as {record} lists them by name and SHA-256"),
            "nothing was written: choose another folder, move them elsewhere, or let them be replaced",
        )
        .proposing([Proposal::of(Choice::Force)])
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
