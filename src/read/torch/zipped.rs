//! The container since torch 1.6: a zip archive with `data.pkl` and one entry a storage, in a
//! folder of any name.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

use zip::read::ZipFile;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::super::pickle::{self, Document};
use super::super::source::Source;
use super::sniff;
use super::storage::Storage;
use crate::error::{Error, Result};

type Zip = ZipArchive<BufReader<File>>;

/// An open archive.
#[derive(Debug)]
pub(crate) struct Archive {
    source: Source,
    zip: RefCell<Zip>,
    /// The folder in the archive, with its slash.
    prefix: String,
    /// Storages that were compressed, inflated into files without a name.
    inflated: RefCell<HashMap<String, Storage>>,
}

/// The pickle of an archive, and the archive for its storages.
pub(super) fn open(source: &Source) -> Result<(Document, Archive)> {
    let file = source
        .file()
        .try_clone()
        .map_err(|e| Error::reading(source.path(), e))?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|e| no_directory(source, &e))?;
    let prefix = find_prefix(source, &zip)?;
    check_byte_order(source, &mut zip, &format!("{prefix}byteorder"))?;
    let name = format!("{prefix}data.pkl");
    let bytes = read_pickle(source, &mut zip, &name)?;
    let document = pickle::load(bytes).map_err(|error| error.in_file(&source.name(), &name, 0))?;
    let archive = Archive {
        source: source.clone(),
        zip: RefCell::new(zip),
        prefix,
        inflated: RefCell::default(),
    };
    Ok((document, archive))
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

/// The folder that `data.pkl` is in, the least deep if there are several.
fn find_prefix(source: &Source, zip: &Zip) -> Result<String> {
    let names: Vec<String> = zip
        .file_names()
        .filter_map(|name| Some(name.ok()?.into_owned()))
        .collect();
    let prefix = names
        .iter()
        .filter_map(|name| name.strip_suffix("data.pkl"))
        .filter(|prefix| prefix.is_empty() || prefix.ends_with('/'))
        .min_by_key(|prefix| (prefix.matches('/').count(), prefix.len()));
    let Some(prefix) = prefix else {
        let is_array = |name: &String| Path::new(name).extension().is_some_and(|e| e == "npy");
        let kind = if names.iter().any(is_array) {
            "a NumPy archive (.npz)".to_owned()
        } else {
            let first = names.first().map_or("nothing", String::as_str);
            format!("a zip archive without data.pkl (it holds {first})")
        };
        return Err(sniff::not_torch(source, &kind));
    };
    if names
        .iter()
        .any(|name| name.strip_prefix(prefix) == Some("constants.pkl"))
    {
        return Err(Error::input(
            source.name(),
            format!("{prefix}constants.pkl"),
            "a TorchScript program (torch.jit.save)",
            "data written by torch.save",
            "save the state_dict and the config with torch.save",
        ));
    }
    Ok(prefix.to_owned())
}

fn check_byte_order(source: &Source, zip: &mut Zip, name: &str) -> Result<()> {
    let Some(index) = zip.index_for_name(name) else {
        return Ok(());
    };
    let mut order = String::new();
    let entry = zip
        .by_index(index)
        .map_err(|e| bad_entry(source, name, &e))?;
    entry
        .take(16)
        .read_to_string(&mut order)
        .map_err(|e| bad_entry(source, name, &e.into()))?;
    if order.trim() == "little" {
        return Ok(());
    }
    Err(Error::input(
        source.name(),
        name,
        format!("byte order {order:?}"),
        "little",
        "load it with torch and save it again on a little-endian machine",
    ))
}

fn bad_entry(source: &Source, name: &str, error: &ZipError) -> Error {
    Error::input(
        source.name(),
        format!("zip entry {name}"),
        error.to_string(),
        "a whole entry, stored or deflated",
        "the file is damaged: copy it again, or save it again with torch.save",
    )
}

/// How much an entry may grow by inflating: deflate cannot shrink anything by more than the
/// first; a pickle, which has to be in memory, by more than the second is no data.
const MOST: u64 = 1032;
const MOST_PICKLE: u64 = 64;
/// A pickle may grow to this size in any case.
const SMALL_PICKLE: u64 = 64 << 20;

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
        _ => size <= packed.saturating_mul(most) || most == MOST_PICKLE && size <= SMALL_PICKLE,
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

fn read_pickle(source: &Source, zip: &mut Zip, name: &str) -> Result<Vec<u8>> {
    let entry = zip.by_name(name).map_err(|e| bad_entry(source, name, &e))?;
    let size = check_sizes(source, name, &entry, MOST_PICKLE)?;
    let mut bytes = Vec::with_capacity(size.min(source.len()) as usize);
    entry
        .take(size.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| bad_entry(source, name, &e.into()))?;
    Ok(bytes)
}

impl Archive {
    /// The storage of a key; compressed ones are inflated once.
    pub(super) fn storage(&self, key: &str) -> Result<Option<Storage>> {
        if let Some(storage) = self.inflated.borrow().get(key) {
            return Ok(Some(storage.clone()));
        }
        let name = format!("{}data/{key}", self.prefix);
        let source = &self.source;
        let mut zip = self.zip.borrow_mut();
        let Some(index) = zip.index_for_name(&name) else {
            return Ok(None);
        };
        let mut entry = zip
            .by_index(index)
            .map_err(|e| bad_entry(source, &name, &e))?;
        let length = check_sizes(source, &name, &entry, MOST)?;
        if entry.compression() != CompressionMethod::Stored {
            let storage = inflate(source, &name, &mut entry, length)?;
            self.inflated
                .borrow_mut()
                .insert(key.to_owned(), storage.clone());
            return Ok(Some(storage));
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
        Ok(Some(Storage {
            source: source.clone(),
            start,
            length,
        }))
    }
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
        source: Source::unnamed(file, source.path().to_owned(), length),
        start: 0,
        length,
    })
}
