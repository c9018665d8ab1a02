//! Zip archives: entries that are stored are read where they lie, compressed ones are inflated
//! into files without a name.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};

use zip::read::ZipFile;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::source::Source;
use super::tensor::Storage;
use crate::error::{Error, Result};

type Zip = ZipArchive<BufReader<File>>;

/// An open archive.
#[derive(Debug)]
pub(crate) struct Archive {
    source: Source,
    zip: RefCell<Zip>,
    /// Entries that were compressed, by name.
    inflated: RefCell<HashMap<String, Storage>>,
}

/// How much an entry may grow by inflating: deflate cannot shrink anything by more than the
/// first; what has to be in memory, by more than the second is no data.
const MOST: u64 = 1032;
const MOST_IN_MEMORY: u64 = 64;
/// What has to be in memory may grow to this size in any case.
const SMALL: u64 = 64 << 20;

impl Archive {
    pub(crate) fn open(source: &Source) -> Result<Self> {
        let file = source
            .file()
            .try_clone()
            .map_err(|e| Error::reading(source.path(), e))?;
        let zip = ZipArchive::new(BufReader::new(file)).map_err(|e| no_directory(source, &e))?;
        Ok(Self {
            source: source.clone(),
            zip: RefCell::new(zip),
            inflated: RefCell::default(),
        })
    }

    /// The names of the entries, in the directory's order.
    pub(crate) fn names(&self) -> Vec<String> {
        let zip = self.zip.borrow();
        let names = zip.file_names();
        names
            .filter_map(|name| Some(name.ok()?.into_owned()))
            .collect()
    }

    /// The first bytes of an entry, at most `most`; `None` if there is none of this name.
    pub(crate) fn head(&self, name: &str, most: u64) -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let entry = self.with(name, |entry| {
            entry.take(most).read_to_end(&mut bytes)?;
            Ok(())
        })?;
        Ok(entry.map(|()| bytes))
    }

    /// A whole entry in memory; `None` if there is none of this name.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let entry = self.with(name, |entry| {
            let size = check_sizes(&self.source, name, entry, MOST_IN_MEMORY);
            if let Ok(size) = size {
                bytes.reserve_exact(size.min(self.source.len()) as usize);
                entry.take(size.saturating_add(1)).read_to_end(&mut bytes)?;
            }
            Ok(size)
        })?;
        entry.transpose().map(|size| size.map(|_| bytes))
    }

    fn with<T>(
        &self,
        name: &str,
        read: impl FnOnce(&mut ZipFile<'_, BufReader<File>>) -> io::Result<T>,
    ) -> Result<Option<T>> {
        let mut zip = self.zip.borrow_mut();
        let Some(index) = zip.index_for_name(name) else {
            return Ok(None);
        };
        let bad = |error| bad_entry(&self.source, name, &error);
        let mut entry = zip.by_index(index).map_err(bad)?;
        read(&mut entry).map(Some).map_err(|e| bad(e.into()))
    }

    /// Where an entry's bytes lie; compressed ones are inflated once. `None` if there is none of
    /// this name.
    pub(crate) fn storage(&self, name: &str) -> Result<Option<Storage>> {
        if let Some(storage) = self.inflated.borrow().get(name) {
            return Ok(Some(storage.clone()));
        }
        let found = self.with(name, |entry| Ok(locate(&self.source, name, entry)))?;
        let Some(located) = found else {
            return Ok(None);
        };
        let (storage, inflated) = located?;
        if inflated {
            let mut all = self.inflated.borrow_mut();
            all.insert(name.to_owned(), storage.clone());
        }
        Ok(Some(storage))
    }
}

/// Where an entry's bytes lie, and whether they had to be inflated.
fn locate<R: Read + Seek>(
    source: &Source,
    name: &str,
    entry: &mut ZipFile<'_, R>,
) -> Result<(Storage, bool)> {
    let length = check_sizes(source, name, entry, MOST)?;
    if entry.compression() != CompressionMethod::Stored {
        return Ok((inflate(source, name, entry, length)?, true));
    }
    let start = entry.data_start().unwrap_or(u64::MAX);
    if start
        .checked_add(length)
        .is_none_or(|end| end > source.len())
    {
        return Err(Error::input(
            source.name(),
            format!("zip entry {name}"),
            format!("{length} bytes from byte {start} on"),
            format!("an end within the file's {} bytes", source.len()),
            "the file is cut short or damaged: copy it again from where it was whole",
        ));
    }
    let storage = Storage {
        source: source.clone(),
        start,
        length,
    };
    Ok((storage, false))
}

fn no_directory(source: &Source, error: &ZipError) -> Error {
    match error {
        ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            let error = io::Error::new(error.kind(), error.to_string());
            Error::reading(source.path(), error)
        }
        _ => Error::input(
            source.name(),
            format!("byte {}, the end", source.len()),
            "no directory of the zip archive",
            "the directory at the archive's end",
            "the file is cut short or damaged: copy it again from where it was whole",
        ),
    }
}

fn bad_entry(source: &Source, name: &str, error: &ZipError) -> Error {
    Error::input(
        source.name(),
        format!("zip entry {name}"),
        error.to_string(),
        "a whole entry, stored or deflated",
        "the file is damaged: copy it again, or save it again",
    )
}

/// Checks an entry's sizes against the bytes that are there; gives the size of its content.
fn check_sizes<R: Read + Seek>(
    source: &Source,
    name: &str,
    entry: &ZipFile<'_, R>,
    most: u64,
) -> Result<u64> {
    let (packed, size) = (entry.compressed_size(), entry.size());
    let fits = match entry.compression() {
        CompressionMethod::Stored => size == packed,
        _ => size <= packed.saturating_mul(most) || most == MOST_IN_MEMORY && size <= SMALL,
    };
    if fits && packed <= source.len() {
        return Ok(size);
    }
    Err(Error::input(
        source.name(),
        format!("zip entry {name}"),
        format!(
            "{size} bytes from {packed} packed in a file of {}",
            source.len()
        ),
        "sizes that the file can hold",
        "the file is cut short or damaged: copy it again from where it was whole",
    ))
}

/// Inflates an entry into a file without a name, which goes when it is closed.
fn inflate(source: &Source, name: &str, entry: &mut impl Read, length: u64) -> Result<Storage> {
    let folder = std::env::temp_dir();
    let failed = |error| Error::writing(&folder, error);
    let mut file = tempfile::tempfile().map_err(failed)?;
    let mut chunk = vec![0; 1 << 16];
    let mut written = 0;
    loop {
        let count = entry
            .read(&mut chunk)
            .map_err(|e| bad_entry(source, name, &e.into()))?;
        let bytes = chunk.get(..count).unwrap_or_default();
        written += count as u64;
        if count == 0 || written > length {
            break;
        }
        file.write_all(bytes).map_err(failed)?;
    }
    if written != length {
        let found = format!("{written} bytes or more after inflating");
        return Err(Error::input(
            source.name(),
            format!("zip entry {name}"),
            found,
            format!("{length} bytes"),
            "the file is damaged: copy it again",
        ));
    }
    Ok(Storage {
        source: source.standing_in(file, length),
        start: 0,
        length,
    })
}
