//! What tells a file that was changed from what it was, without reading it.

use std::fs::{self, Metadata};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// What a file is, as far as the system tells without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
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
    pub(super) fn of(path: &Path) -> Option<Self> {
        let facts = fs::symlink_metadata(path).ok()?;
        Some(Self {
            length: facts.len(),
            modified: facts.modified().ok(),
            changed: changed(&facts),
            identity: identity(&facts),
        })
    }

    /// Whether any change after `looked`, when this was seen, would show.
    pub(super) fn is_past(&self, looked: SystemTime) -> bool {
        let changed = self.changed.and_then(|at| u64::try_from(at).ok());
        let changed = changed.map(|at| SystemTime::UNIX_EPOCH + Duration::from_secs(at));
        let before = |time: SystemTime| looked.duration_since(time).is_ok_and(|age| age > TICK);
        self.modified.is_some_and(before) && changed.is_none_or(before)
    }
}

// Elsewhere there is none.
#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)]
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
