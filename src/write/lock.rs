//! Locks on places where a run writes: no other run writes there meanwhile.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::whole::folder_of;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::outputs::LOCK;

/// The longest name of a lock, in bytes; file systems have names of 255.
const LONGEST_NAME: usize = 240;

/// A place that this run alone writes to, as long as this lives. Its empty file is removed at the end. One
/// that a killed run left is taken over.
#[derive(Debug)]
pub struct OutputLock {
    path: PathBuf,
    file: File,
}

impl OutputLock {
    /// Locks a folder of outputs, which must exist.
    ///
    /// # Errors
    /// Another run at work there; a link, or another thing that is no file, in the lock's place.
    pub fn of_folder(folder: &Path) -> Result<Self> {
        Self::acquire(folder.join(LOCK), folder)
    }

    /// Locks an output that is a file, in a folder that must exist.
    ///
    /// # Errors
    /// As [`of_folder`](Self::of_folder).
    pub fn of_file(output: &Path) -> Result<Self> {
        let name = output.file_name().unwrap_or_default();
        let mut lock = OsString::from(".");
        if name.len() > LONGEST_NAME {
            lock.push(Digest::of(name.as_encoded_bytes()).to_string());
        } else {
            lock.push(name);
        }
        lock.push(".lock");
        Self::acquire(folder_of(output).join(lock), output)
    }

    /// Locks the file at `path`, which is made where it does not exist; what it holds stays. Messages call
    /// the place that it guards `output`.
    ///
    /// # Errors
    /// As [`of_folder`](Self::of_folder).
    pub(crate) fn acquire(path: PathBuf, output: &Path) -> Result<Self> {
        loop {
            let file = open(&path)?;
            if is_taken(&file) {
                return Err(Error::input(
                    output.display().to_string(),
                    "the lock",
                    "another run at work on the same output",
                    "one at a time",
                    "wait for it, or choose another place for the output",
                ));
            }
            // The run before may have removed the file after it was opened here.
            if is_at(&file, &path) {
                return Ok(Self { path, file });
            }
        }
    }
}

impl Drop for OutputLock {
    fn drop(&mut self) {
        // The file is still locked, which shows others who have opened it that it was removed.
        let is_empty = self.file.metadata().is_ok_and(|facts| facts.len() == 0);
        if is_empty && is_at(&self.file, &self.path) {
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Says whether a run is at work on a folder of outputs. A folder that cannot be written has none.
pub(crate) fn is_at_work(folder: &Path) -> bool {
    let path = folder.join(LOCK);
    let is_file = fs::symlink_metadata(&path).is_ok_and(|facts| facts.is_file());
    is_file
        && plain()
            .read(true)
            .open(&path)
            .is_ok_and(|file| is_taken(&file))
}

/// Options by which no link is followed, and nothing is waited for.
fn plain() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        libc::O_NOFOLLOW | libc::O_NONBLOCK,
    );
    options.truncate(false);
    options
}

/// Opens the lock's file, which is made where it does not exist.
fn open(path: &Path) -> Result<File> {
    let failed = |error| Error::writing(path, error);
    let facts = fs::symlink_metadata(path);
    if facts.as_ref().is_ok_and(|facts| !facts.is_file()) {
        return Err(is_no_file(path));
    }
    let made = plain().read(true).write(true).create(true).open(path);
    let file = match made {
        // Another user's lock, which can be asked for all the same.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && facts.is_ok() => {
            plain().read(true).open(path)
        }
        made => made,
    };
    // A link that came since cannot be opened.
    let file = file.map_err(|error| match fs::symlink_metadata(path) {
        Ok(facts) if !facts.is_file() => is_no_file(path),
        _ => failed(error),
    })?;
    if file.metadata().map_err(failed)?.is_file() {
        return Ok(file);
    }
    Err(is_no_file(path))
}

fn is_no_file(path: &Path) -> Error {
    Error::input(
        path.display().to_string(),
        "the lock",
        "a link, a folder, a pipe or a device",
        "no such file, or an empty one that a run has left",
        "move it elsewhere, or choose another place for the output",
    )
}

/// Says whether an open file is the one at a path. Systems without inodes do not say.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let identity = |facts: fs::Metadata| (facts.dev(), facts.ino());
        let (open, there) = (file.metadata(), fs::symlink_metadata(path));
        open.is_ok_and(|open| there.is_ok_and(|there| identity(open) == identity(there)))
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}

/// Says whether another run has the lock. A program started by some thread of this process also has
/// the lock for the moment until it is under way. So this asks again for half a second. Where a file
/// system has no locks, nobody has one.
fn is_taken(lock: &File) -> bool {
    const TRIES: u32 = 20;
    const PAUSE: Duration = Duration::from_millis(25);
    let would_block = || matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
    (0..TRIES).all(|attempt| {
        if attempt > 0 {
            thread::sleep(PAUSE);
        }
        would_block()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(folder: &Path) -> usize {
        fs::read_dir(folder).map_or(0, Iterator::count)
    }

    #[test]
    fn lock_is_of_one_at_a_time_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("all.tally");
        let lock = OutputLock::of_file(&out).unwrap();
        let error = OutputLock::of_file(&out).unwrap_err().to_string();
        assert!(error.contains("another run at work"), "{error}");
        let other = OutputLock::of_file(&folder.path().join("b.tally")).unwrap();
        drop((lock, other));
        assert_eq!(count(folder.path()), 0);
        assert!(OutputLock::of_file(&out).is_ok());
    }

    #[test]
    fn lock_of_a_killed_run_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(LOCK), "").unwrap();
        assert!(!is_at_work(folder.path()));
        let lock = OutputLock::of_folder(folder.path()).unwrap();
        assert!(is_at_work(folder.path()));
        drop(lock);
        assert_eq!(count(folder.path()), 0);
    }

    #[cfg(unix)]
    #[test]
    fn lock_follows_no_link_and_empties_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let (mine, lock) = (folder.path().join("mine.txt"), folder.path().join(LOCK));
        fs::write(&mine, "mine").unwrap();
        std::os::unix::fs::symlink(&mine, &lock).unwrap();
        let error = OutputLock::of_folder(folder.path()).unwrap_err();
        assert!(error.to_string().contains("a link"), "{error}");
        assert_eq!(fs::read(&mine).unwrap(), b"mine");
        fs::remove_file(&lock).unwrap();
        fs::write(&lock, "mine too").unwrap();
        drop(OutputLock::of_folder(folder.path()).unwrap());
        assert_eq!(fs::read(&lock).unwrap(), b"mine too");
    }
}
