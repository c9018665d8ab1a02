//! Files that appear whole or not at all.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use tempfile::{NamedTempFile, TempPath};

use crate::digest::Digest;
use crate::error::{Error, Result};

/// A file being written next to its final place, under a temporary name. It is removed when it is
/// dropped, and takes its place when it is [published](Self::publish).
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    temporary: NamedTempFile,
}

impl WholeFile {
    /// Opens a temporary file in the folder of `path`, which must exist.
    pub fn create(path: &Path) -> Result<Self> {
        let folder = folder_of(path);
        let temporary = temporary(folder).map_err(|e| Error::writing(path, e))?;
        Ok(Self {
            path: path.to_owned(),
            temporary,
        })
    }

    /// Returns the file's final path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the file's path while it is written.
    pub(super) fn temporary_path(&self) -> &Path {
        self.temporary.path()
    }

    /// Returns the file to write to.
    pub fn file(&self) -> &File {
        self.temporary.as_file()
    }

    /// Syncs the file to the disk.
    pub fn sync(&self) -> Result<()> {
        self.file()
            .sync_all()
            .map_err(|e| Error::writing(&self.path, e))
    }

    /// [Syncs](Self::sync) the file. It is closed unless it is to be `kept_open`: many may wait for
    /// their places, and a process may have only so many files open. But another run in the same
    /// folder may take a closed one for abandoned.
    pub(super) fn finish(self, kept_open: bool) -> Result<FinishedFile> {
        self.sync()?;
        let (file, temporary) = self.temporary.into_parts();
        Ok(FinishedFile {
            path: self.path,
            temporary,
            _open: kept_open.then_some(file),
        })
    }

    /// Moves the file to its place, over an older one, without waiting for the disk. After a power
    /// cut the file may have other bytes, so this is for files that are checked when they are read.
    pub fn persist(self) -> Result<()> {
        let moved = self.temporary.persist(&self.path);
        moved
            .map(drop)
            .map_err(|failed| Error::writing(&self.path, failed.error))
    }

    /// [Syncs](Self::sync) the file and moves it to its place, over an older one.
    pub fn publish(self) -> Result<()> {
        self.finish(true)?.place()
    }
}

/// A file that is on the disk in full, under a temporary name. It is removed when it is dropped.
#[derive(Debug)]
pub(super) struct FinishedFile {
    path: PathBuf,
    temporary: TempPath,
    _open: Option<File>,
}

impl FinishedFile {
    /// Returns the file's final path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the file to its place, over an older one.
    pub(super) fn place(self) -> Result<()> {
        let path = self.path;
        let moved = self.temporary.persist(&path);
        moved.map_err(|failed| Error::writing(&path, failed.error))
    }
}

/// Returns the folder that a file is in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes the folder that a file is in, if it does not exist.
///
/// # Errors
/// Fails with [`Error::Io`] if the folder cannot be made.
pub fn create_folder_of(path: &Path) -> Result<&Path> {
    let folder = folder_of(path);
    create_folder(folder)?;
    Ok(folder)
}

/// Makes a folder and its missing parents.
pub(crate) fn create_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|source| Error::Io {
        path: folder.to_owned(),
        doing: "create the folder",
        action: match source.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                "a file has this name, or that of a folder above it: choose a folder where none has"
            }
            _ => "choose a folder that can be written, with space left",
        },
        source,
    })
}

/// The beginning of temporary files' names.
const PREFIX: &str = ".atomscope-";

/// The number of digits that identify a temporary file's machine, and of the letters and digits
/// that are drawn.
const MACHINE: usize = 8;
const DRAWN: usize = 6;

/// The age from which other machines' files count as abandoned, since their locks may not show
/// here.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns the beginning of the names of this machine's temporary files.
fn own_prefix() -> &'static str {
    static OWN: LazyLock<String> = LazyLock::new(|| {
        let name = fs::read("/proc/sys/kernel/hostname").unwrap_or_default();
        let digest = Digest::of(&name).to_string();
        format!("{PREFIX}{}-", &digest[..MACHINE])
    });
    &OWN
}

/// Makes a temporary file in a folder. Its mode is what the umask allows, since a result is not
/// private. The file stays locked as long as it is open, so that one whose process was killed is
/// recognized.
pub(super) fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    loop {
        let file = unlocked(folder)?;
        match file.as_file().try_lock() {
            // Another run may have taken it for abandoned before it was locked.
            Ok(()) if !file.path().try_exists()? => {}
            // Another run is checking whether it is abandoned, and will remove it.
            Err(TryLockError::WouldBlock) => {}
            // If a file system has no locks, no file is taken for abandoned either.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

/// Removes temporary files in a folder that no process works on any more: those of killed runs.
/// Locks may be known to one machine alone, so other machines' files must be a day old.
pub(crate) fn remove_abandoned(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let Ok(facts) = entry.metadata() else {
            continue;
        };
        let age = facts.modified().ok().and_then(|time| time.elapsed().ok());
        let may_be = is_temporary(&name)
            && (name.starts_with(own_prefix()) || age.is_some_and(|age| age > A_DAY));
        if !may_be || !facts.is_file() {
            continue;
        }
        let file = OpenOptions::new().write(true).open(entry.path());
        if let Ok(file) = file
            && file.try_lock().is_ok()
        {
            // The file is still locked, which shows its maker of a moment ago that it was removed.
            drop(fs::remove_file(entry.path()));
        }
    }
}

/// Says whether a name is that of a temporary file: the prefix, the beginning of a digest, and
/// letters and digits that were drawn. Others' files may begin like that, but do not match in full.
pub(super) fn is_temporary(name: &str) -> bool {
    let parts = name
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(machine, drawn)| {
        machine.len() == MACHINE
            && machine.bytes().all(|c| c.is_ascii_hexdigit())
            && drawn.len() == DRAWN
            && drawn.bytes().all(|c| c.is_ascii_alphanumeric())
    })
}

fn unlocked(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(own_prefix()).rand_bytes(DRAWN);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // The temporary name would only be noise in a message.
    builder
        .tempfile_in(folder)
        .map_err(|error| match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => error.kind().into(),
        })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn file_appears_only_when_it_is_published() -> Result<()> {
        let folder = tempfile::tempdir().map_err(|e| Error::writing(Path::new("tmp"), e))?;
        let path = folder.path().join("result.txt");
        let names = || fs::read_dir(folder.path()).map_or(0, Iterator::count);

        let write_whole = |contents: &[u8]| {
            let file = WholeFile::create(&path)?;
            file.file()
                .write_all(contents)
                .map_err(|e| Error::writing(&path, e))?;
            Ok(file)
        };
        drop(write_whole(b"dropped")?);
        assert_eq!(names(), 0, "a dropped file leaves nothing behind");

        let file = write_whole(b"first")?;
        assert!(!path.exists());
        file.publish()?;
        write_whole(b"second")?.publish()?;
        assert_eq!(fs::read(&path).ok().as_deref(), Some(&b"second"[..]));
        assert_eq!(names(), 1, "no temporary file stays");
        Ok(())
    }

    #[test]
    fn remove_abandoned_removes_killed_runs_files_only() {
        let folder = tempfile::tempdir().unwrap();
        let at_work = temporary(folder.path()).unwrap();
        // A killed process keeps no lock.
        fs::write(
            folder.path().join(format!("{}killed", own_prefix())),
            "half",
        )
        .unwrap();
        fs::write(
            folder.path().join(".atomscope-elsewhere-x"),
            "another machine's",
        )
        .unwrap();
        fs::write(folder.path().join("report.txt"), "whole").unwrap();
        remove_abandoned(folder.path());
        let names = || {
            let mut names: Vec<_> = fs::read_dir(folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .collect();
            names.sort();
            names
        };
        assert_eq!(
            names(),
            [
                at_work.path().to_owned(),
                folder.path().join(".atomscope-elsewhere-x"),
                folder.path().join("report.txt")
            ]
        );
        drop(at_work);
        assert_eq!(names().len(), 2);
    }

    #[test]
    fn create_in_a_missing_folder_names_the_file() {
        let error = WholeFile::create(Path::new("/no such folder/result.txt"));
        let message = error.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(
            message.starts_with("/no such folder/result.txt"),
            "{message}"
        );
    }
}
