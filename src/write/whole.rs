//! Files that appear whole or not at all.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use crate::error::{Error, Result};

/// A file being written beside its final place, under a temporary name. It is removed when it
/// is dropped, and takes its place when it is [published](Self::publish).
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    temporary: NamedTempFile,
}

impl WholeFile {
    /// Opens a temporary file in the folder of `path`, which must exist.
    pub fn create(path: &Path) -> Result<Self> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let temporary = temporary(folder).map_err(|e| Error::writing(path, e))?;
        Ok(Self {
            path: path.to_owned(),
            temporary,
        })
    }

    /// Where the file will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file to write to.
    pub fn file(&self) -> &File {
        self.temporary.as_file()
    }

    /// Brings what was written to the disk.
    pub fn sync(&self) -> Result<()> {
        self.file()
            .sync_all()
            .map_err(|e| Error::writing(&self.path, e))
    }

    /// [Syncs](Self::sync) the file and closes it: many may wait for their places, and a process
    /// may have only so many files open.
    pub(super) fn finish(self) -> Result<FinishedFile> {
        self.sync()?;
        Ok(FinishedFile {
            path: self.path,
            temporary: self.temporary.into_temp_path(),
        })
    }

    /// [Syncs](Self::sync) the file and moves it to its place, over an older one.
    pub fn publish(self) -> Result<()> {
        self.finish()?.place()
    }
}

/// A file that is on the disk in full, under a temporary name. It is removed when it is dropped.
#[derive(Debug)]
pub(super) struct FinishedFile {
    path: PathBuf,
    temporary: TempPath,
}

impl FinishedFile {
    /// Where the file will be.
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

/// A temporary file in a folder. It is private by default; a result is not: what the umask
/// allows.
pub(super) fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".atomscope-");
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
    use std::fs;
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_appears_when_it_is_published_and_not_before() -> Result<()> {
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
    fn a_folder_that_does_not_exist_is_an_error_that_names_the_file() {
        let error = WholeFile::create(Path::new("/no such folder/result.txt"));
        let message = error.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(
            message.starts_with("/no such folder/result.txt"),
            "{message}"
        );
    }
}
