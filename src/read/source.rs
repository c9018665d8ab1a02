//! Files that are read at offsets, from several threads at once, and bytes in memory that stand for one.
//!
//! Files are not mapped: a mapped file that shrinks while it is read would end the process.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::control::{self, Control};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::regular;

/// An open file that is read at offsets.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    content: Content,
    path: Arc<Path>,
    length: u64,
    /// The bytes of the file that was given, of which this may be some that were inflated.
    packed: u64,
    /// The stamp of the file at the path when it was opened; `None` if there is no such file.
    stamp: Option<Stamp>,
}

/// The place of the bytes.
#[derive(Debug, Clone)]
enum Content {
    File(Arc<File>),
    Memory(Bytes),
}

/// The facts by which a replaced, grown or rewritten file differs from the one that was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    /// Device and inode, if the system has them.
    identity: (u64, u64),
}

impl Stamp {
    fn of(facts: &Metadata) -> Self {
        Self {
            length: facts.len(),
            modified: facts.modified().ok(),
            identity: identity(facts),
        }
    }
}

/// Returns an error if the stamps `before` and `now` of a file of this name differ.
pub(crate) fn check_same(name: &str, before: Option<Stamp>, now: Option<Stamp>) -> Result<()> {
    let (Some(before), Some(now)) = (before, now) else {
        return Ok(());
    };
    let found = match now {
        now if now == before => return Ok(()),
        now if now.identity != before.identity => "another file in its place".to_owned(),
        now if now.length != before.length => format!("{} bytes", now.length),
        _ => "another time of change".to_owned(),
    };
    Err(changed(name, &found, before))
}

fn changed(name: &str, found: &str, before: Stamp) -> Error {
    Error::input(
        name,
        "the whole file",
        found,
        format!("the file of {} bytes that was opened before", before.length),
        "it changed while it was read: wait until it is written, and run again",
    )
}

#[cfg(unix)]
fn identity(facts: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (facts.dev(), facts.ino())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

fn is_folder(path: &Path) -> Error {
    super::folders::folder(path).unwrap_or_else(|| {
        Error::input(
            path.display().to_string(),
            "the path",
            "a folder",
            "a file",
            "give the file in it",
        )
    })
}

impl Source {
    /// Opens a regular file, and waits for nothing else.
    ///
    /// # Errors
    /// A file that is not there, or cannot be read; a folder, a pipe or a device.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = regular::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::IsADirectory => is_folder(path),
            io::ErrorKind::InvalidInput => Error::input(
                path.display().to_string(),
                "the file",
                "a pipe or device",
                "a regular file, which can be read at any place",
                "save it to a file first",
            ),
            _ => Error::reading(path, error),
        })?;
        if let Some(error) = super::folders::part(path) {
            return Err(error);
        }
        let facts = file.metadata();
        let facts = facts.map_err(|error| Error::reading(path, error))?;
        Ok(Self {
            content: Content::File(Arc::new(file)),
            path: path.into(),
            length: facts.len(),
            packed: facts.len(),
            stamp: Some(Stamp::of(&facts)),
        })
    }

    /// Makes a source of bytes in memory. Messages call it `name`.
    pub(crate) fn in_memory(name: &str, bytes: Bytes) -> Self {
        Self {
            length: bytes.len() as u64,
            packed: bytes.len() as u64,
            content: Content::Memory(bytes),
            path: Path::new(name).into(),
            stamp: None,
        }
    }

    /// Makes a source of a file without a name. Messages call it `path`.
    pub(crate) fn unnamed(file: File, path: std::path::PathBuf, length: u64) -> Self {
        Self {
            content: Content::File(Arc::new(file)),
            path: path.into(),
            length,
            packed: length,
            stamp: None,
        }
    }

    /// Makes a source of an unnamed file that stands in for part of this one.
    pub(crate) fn standing_in(&self, file: File, length: u64) -> Self {
        Self {
            content: Content::File(Arc::new(file)),
            length,
            ..self.clone()
        }
    }

    /// Returns an error if the file at the path is no longer the one that was opened.
    pub(crate) fn check_unchanged(&self) -> Result<()> {
        let Some(before) = self.stamp else {
            return Ok(());
        };
        match std::fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(changed(&self.name(), "no file any more", before))
            }
            Err(error) => Err(Error::reading(&self.path, error)),
            Ok(facts) => check_same(&self.name(), self.stamp, Some(Stamp::of(&facts))),
        }
    }

    /// Returns the file's stamp when it was opened.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    /// Computes the digest of the whole file, which must not change meanwhile. `control` is asked
    /// now and then, and `also` gets all bytes in order. An error of either ends the reading.
    pub(crate) fn digest(
        &self,
        control: &Control,
        also: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Digest> {
        const PIECE: u64 = 1 << 20;
        let mut hash = Sha256::new();
        let mut buffer = Vec::new();
        for at in (0..self.length).step_by(PIECE as usize) {
            control.check()?;
            buffer.resize(PIECE.min(self.length - at) as usize, 0);
            self.read_at(&mut buffer, at)?;
            hash.update(&buffer);
            also(&buffer)?;
        }
        self.check_unchanged()?;
        Ok(Digest::finish(hash))
    }

    /// Returns the file from its beginning, as a stream with a position of its own.
    pub(crate) fn stream(&self) -> Stream {
        self.stream_from(0)
    }

    /// Returns the same stream from a byte on.
    pub(crate) fn stream_from(&self, position: u64) -> Stream {
        Stream {
            source: self.clone(),
            position,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the file's name in messages.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// Returns the bytes of the file that was given, whatever was inflated of it.
    pub(crate) fn packed(&self) -> u64 {
        self.packed
    }

    /// Fills `buffer` from `offset` on. Once the process is to end, this fails.
    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        if control::is_interrupted() {
            return Err(Error::Cancelled);
        }
        let read = self.content.read_exact_at(buffer, offset);
        read.map_err(|source| match source.kind() {
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

    /// Reads the file's first bytes, at most `length`.
    pub(crate) fn head(&self, length: u64) -> Result<Vec<u8>> {
        let mut bytes = vec![0; self.length.min(length) as usize];
        self.read_at(&mut bytes, 0)?;
        Ok(bytes)
    }
}

/// A reader that continues at its last position.
#[derive(Debug)]
pub(crate) struct Stream {
    source: Source,
    position: u64,
}

/// The most bytes that a stream reads before it hears again whether all is to end.
const PIECE: usize = 1 << 22;

impl io::Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.source.length.saturating_sub(self.position);
        let count = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX))
            .min(PIECE);
        let part = buffer.get_mut(..count).unwrap_or_default();
        control::hear()?;
        self.source.content.read_exact_at(part, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl io::Seek for Stream {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let to = match to {
            io::SeekFrom::Start(at) => Some(at),
            io::SeekFrom::End(by) => self.source.length.checked_add_signed(by),
            io::SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = to.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

impl Content {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let bytes = match self {
            Self::File(file) => return read_exact_at(file, buffer, offset),
            Self::Memory(bytes) => bytes,
        };
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(buffer.len());
        let part = bytes.get(start..end);
        buffer.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
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
