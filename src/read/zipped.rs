//! Zip archives. Stored entries are read in place; compressed ones are inflated into files without
//! a name. `whole` refuses files that are not one archive of entries with distinct names, and
//! `sums` checks the bytes read.

mod sums;
#[cfg(test)]
mod tests;
mod whole;

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, BufReader, Read};

use crc32fast::Hasher;
use zip::read::{ArchiveOffset, Config, ZipFile};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive, ZipReadOptions};

use super::source::{Source, Stream};
use super::spill::Spill;
use super::tensor::Storage;
use crate::error::{Error, Result};
use crate::memory::room;
pub(crate) use sums::digest;

type Zip = ZipArchive<BufReader<Stream>>;
type Entry<'a> = ZipFile<'a, BufReader<Stream>>;

/// An open archive.
#[derive(Debug)]
pub(crate) struct Archive {
    source: Source,
    zip: RefCell<Zip>,
    /// Entries that were compressed, by name.
    inflated: RefCell<HashMap<String, Storage>>,
}

/// The greatest factor by which an entry may grow when it is inflated: deflate cannot shrink
/// anything by more.
const MOST: u64 = 1032;
/// The same for an entry that has to be in memory: an entry that grows by more is not data.
const MOST_IN_MEMORY: u64 = 64;
/// The size to which an entry that has to be in memory may always grow.
const SMALL: u64 = 64 << 20;
/// The greatest size of a stored entry that is checked where it is found. A larger one is checked
/// while the file is read for its digest.
const CHECKED_AT_ONCE: u64 = 4 << 20;

impl Archive {
    pub(crate) fn open(source: &Source) -> Result<Self> {
        whole::check_start(source)?;
        let config = Config {
            archive_offset: ArchiveOffset::Known(0),
        };
        let zip = ZipArchive::with_config(config, BufReader::new(source.stream()))
            .map_err(|e| no_directory(source, &e))?;
        whole::check_names(source, &zip)?;
        Ok(Self {
            source: source.clone(),
            zip: RefCell::new(zip),
            inflated: RefCell::default(),
        })
    }

    /// Returns the names of the entries, in the directory's order.
    pub(crate) fn names(&self) -> Vec<String> {
        let zip = self.zip.borrow();
        let names = zip.file_names();
        names
            .filter_map(|name| Some(name.ok()?.into_owned()))
            .collect()
    }

    /// Reads the first bytes of an entry, at most `most`; `None` if there is no such entry.
    pub(crate) fn head(&self, name: &str, most: u64) -> Result<Option<Vec<u8>>> {
        self.with(name, |entry| {
            let mut bytes = Vec::new();
            let read = entry.take(most).read_to_end(&mut bytes);
            read.map_err(|e| bad_entry(&self.source, name, &e.into()))?;
            if entry.size() <= most {
                self.check(name, entry, &bytes)?;
            }
            Ok(bytes)
        })
    }

    /// Reads a whole entry into memory; `None` if there is no such entry.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.with(name, |entry| {
            let size = check_sizes(&self.source, name, entry, MOST_IN_MEMORY)?;
            let mut bytes = room(size.min(self.source.len()), "an entry of an archive")?;
            let read = entry.take(size.saturating_add(1)).read_to_end(&mut bytes);
            read.map_err(|e| bad_entry(&self.source, name, &e.into()))?;
            self.check(name, entry, &bytes)?;
            Ok(bytes)
        })
    }

    fn check(&self, name: &str, entry: &Entry<'_>, bytes: &[u8]) -> Result<()> {
        let mut sum = Hasher::new();
        sum.update(bytes);
        sums::check(&self.source, name, sum, entry.crc32())
    }

    fn with<T>(
        &self,
        name: &str,
        read: impl FnOnce(&mut Entry<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut zip = self.zip.borrow_mut();
        let Some(index) = zip.index_for_name(name) else {
            return Ok(None);
        };
        let bad = |error| bad_entry(&self.source, name, &error);
        let facts = zip.by_index_data(index).map_err(bad)?;
        if let Some(found) = unread(facts.compression(), facts.encrypted()) {
            return Err(Error::input(
                self.source.name(),
                format!("zip entry {name}"),
                found,
                "an entry that is stored or deflated",
                "save it again with torch.save, numpy.savez or numpy.savez_compressed",
            ));
        }
        // Sums are checked here, since the crate reports a sum that was not computed as damage.
        let options = ZipReadOptions::new().ignore_crc32(true);
        let mut entry = zip.by_index_with_options(index, options).map_err(bad)?;
        read(&mut entry).map(Some)
    }

    /// Returns the place of an entry's bytes; compressed ones are inflated once. Returns `None` if
    /// there is no such entry.
    pub(crate) fn storage(&self, name: &str) -> Result<Option<Storage>> {
        if let Some(storage) = self.inflated.borrow().get(name) {
            return Ok(Some(storage.clone()));
        }
        let found = self.with(name, |entry| locate(&self.source, name, entry))?;
        let Some((storage, inflated)) = found else {
            return Ok(None);
        };
        if inflated {
            let mut all = self.inflated.borrow_mut();
            all.insert(name.to_owned(), storage.clone());
        }
        Ok(Some(storage))
    }
}

/// Finds an entry's bytes. Also says whether they had to be inflated.
fn locate(source: &Source, name: &str, entry: &mut Entry<'_>) -> Result<(Storage, bool)> {
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
    if length <= CHECKED_AT_ONCE {
        let mut bytes = vec![0; length as usize];
        source.read_at(&mut bytes, start)?;
        let mut sum = Hasher::new();
        sum.update(&bytes);
        sums::check(source, name, sum, entry.crc32())?;
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

/// Returns the reason, from its packing, why an entry cannot be read; `None` if it can.
fn unread(method: CompressionMethod, encrypted: bool) -> Option<String> {
    if encrypted {
        return Some("an encrypted entry".to_owned());
    }
    let by = match method {
        CompressionMethod::Stored | CompressionMethod::Deflated => return None,
        CompressionMethod::BZIP2 => "bzip2",
        CompressionMethod::LZMA => "LZMA",
        CompressionMethod::ZSTD => "zstd",
        CompressionMethod::XZ => "xz",
        CompressionMethod::DEFLATE64 => "deflate64",
        other => return Some(format!("an entry compressed by {other}, which is not read")),
    };
    Some(format!("an entry compressed by {by}, which is not read"))
}

/// Checks an entry's sizes against its bytes. Returns the size of its content.
fn check_sizes(source: &Source, name: &str, entry: &Entry<'_>, most: u64) -> Result<u64> {
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

/// Inflates an entry into a file without a name.
fn inflate(source: &Source, name: &str, entry: &mut Entry<'_>, length: u64) -> Result<Storage> {
    let mut spill = Spill::new()?;
    let mut chunk = vec![0; 1 << 16];
    let mut sum = Hasher::new();
    loop {
        let count = entry
            .read(&mut chunk)
            .map_err(|e| bad_entry(source, name, &e.into()))?;
        let bytes = chunk.get(..count).unwrap_or_default();
        if count == 0 || spill.written() > length {
            break;
        }
        sum.update(bytes);
        spill.write(bytes)?;
    }
    if spill.written() != length {
        let found = format!("{} bytes or more after inflating", spill.written());
        return Err(Error::input(
            source.name(),
            format!("zip entry {name}"),
            found,
            format!("{length} bytes"),
            "the file is damaged: copy it again",
        ));
    }
    sums::check(source, name, sum, entry.crc32())?;
    spill.finish(source)
}
