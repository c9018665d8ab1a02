//! Files that are read at offsets, from several threads at once.
//!
//! Not mapped: a mapped file that shrinks while it is read would end the process.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};

/// An open file that is read at offsets.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    file: Arc<File>,
    path: Arc<Path>,
    length: u64,
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let failed = |source| Error::reading(path, source);
        let file = File::open(path).map_err(failed)?;
        let facts = file.metadata().map_err(failed)?;
        if facts.is_dir() {
            return Err(Error::input(
                path.display().to_string(),
                "the path",
                "a folder",
                "a file",
                "give the .pt file in it",
            ));
        }
        if !facts.is_file() {
            return Err(Error::input(
                path.display().to_string(),
                "the file",
                "a pipe or device",
                "a regular file, which can be read at any place",
                "save it to a file first",
            ));
        }
        Ok(Self {
            file: Arc::new(file),
            path: path.into(),
            length: facts.len(),
        })
    }

    /// A file without a name that stands in for (part of) another one.
    pub(crate) fn unnamed(file: File, path: PathBuf, length: u64) -> Self {
        Self {
            file: Arc::new(file),
            path: path.into(),
            length,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What messages call the file.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Fills `buffer` from `offset` on.
    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        read_exact_at(&self.file, buffer, offset).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => Error::input(
                self.name(),
                format!("byte {offset}"),
                "the end of the file",
                format!("{} bytes more", buffer.len()),
                "the file is cut short or has changed while it was read: copy it again",
            ),
            _ => Error::reading(&self.path, source),
        })
    }

    /// The file's first bytes, at most `length`.
    pub(crate) fn head(&self, length: u64) -> Result<Vec<u8>> {
        let mut bytes = vec![0; self.length.min(length) as usize];
        self.read_at(&mut bytes, 0)?;
        Ok(bytes)
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                buffer = buffer.get_mut(count..).unwrap_or_default();
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
