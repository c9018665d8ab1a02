//! The check that a file is one archive whose entries have distinct names.

use std::collections::HashSet;

use super::Zip;
use crate::error::{Error, Result};
use crate::read::source::Source;

/// The bytes of an archive's end record without its comment.
const END: u64 = 22;

/// Returns an error if the archive that ends the file does not begin with the file.
///
/// The start is computed here and handed to the crate. The crate alone takes a directory for one 76
/// bytes further on if torch's first entry has a name of 30 bytes, and for the first archive's if
/// two archives of the same sizes follow one another.
pub(super) fn check_start(source: &Source) -> Result<()> {
    match end_record(source)?.and_then(|at| start_of(source, at)) {
        None | Some(0) => Ok(()),
        Some(start) => Err(several(source, start)),
    }
}

/// Returns an error if anything lies before the first entry, or if two entries have one name.
pub(super) fn check_names(source: &Source, zip: &Zip) -> Result<()> {
    if zip.has_duplicate_names() {
        let name = repeated(source, zip.central_directory_start())?;
        return Err(Error::input(
            source.name(),
            format!("zip entry {name}"),
            "two entries of this name",
            "names that differ: which of the two is meant cannot be known",
            "save the file again, with one array or storage of each name",
        ));
    }
    // NumPy accepts an array's name with and without its ending.
    let names = zip.file_names().filter_map(std::result::Result::ok);
    let mut names: Vec<String> = names
        .map(|name| name.strip_suffix(".npy").unwrap_or(&name).to_owned())
        .collect();
    names.sort_unstable();
    let twice = names.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(one),
        _ => None,
    });
    if let Some(name) = twice {
        return Err(Error::input(
            source.name(),
            format!("zip entry {name}"),
            "two entries of this name, one with .npy",
            "names that differ: which of the two is meant cannot be known",
            "save the file again, with one array of each name",
        ));
    }
    let first = (0..zip.len())
        .filter_map(|index| Some(zip.by_index_data(index).ok()?.header_start()))
        .min();
    match first {
        None | Some(0) => Ok(()),
        Some(start) => Err(several(source, start)),
    }
}

/// Finds the record that ends the file's last archive: 22 bytes and a comment.
fn end_record(source: &Source) -> Result<Option<u64>> {
    const LONGEST: u64 = END + u16::MAX as u64;
    let from = source.len().saturating_sub(LONGEST);
    let mut tail = vec![0; (source.len() - from) as usize];
    source.read_at(&mut tail, from)?;
    let starts = (0..tail.len().saturating_sub(END as usize - 1)).rev();
    let ends_file = |&at: &usize| {
        let record = tail.get(at..).unwrap_or_default();
        let comment = match record.get(20..22) {
            Some(&[low, high]) => usize::from(u16::from_le_bytes([low, high])),
            _ => return false,
        };
        record.starts_with(b"PK\x05\x06") && record.len() == END as usize + comment
    };
    let found = starts.into_iter().find(ends_file);
    Ok(found.map(|at| from + at as u64))
}

/// Returns the start of the archive whose end record lies at byte `at`; `None` if it is unknown.
fn start_of(source: &Source, at: u64) -> Option<u64> {
    /// Zip64's end record, and the record that locates it.
    const LONG: u64 = 56;
    const LOCATOR: u64 = 20;
    let read = |at: u64, length: u64| {
        let mut bytes = vec![0; length as usize];
        source.read_at(&mut bytes, at).ok()?;
        Some(bytes)
    };
    let record = read(at, END)?;
    let word = |bytes: &[u8], at: usize| {
        Some(u64::from(u32::from_le_bytes(
            *bytes.get(at..)?.first_chunk()?,
        )))
    };
    let long = at
        .checked_sub(LONG + LOCATOR)
        .and_then(|at| Some((at, read(at, LONG + LOCATOR)?)))
        .filter(|(_, bytes)| {
            bytes.starts_with(b"PK\x06\x06")
                && bytes
                    .get(LONG as usize..)
                    .is_some_and(|b| b.starts_with(b"PK\x06\x07"))
        });
    let (end, size, start) = match &long {
        Some((at, bytes)) => {
            let number = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
            (*at, number(40)?, number(48)?)
        }
        None => (at, word(&record, 12)?, word(&record, 16)?),
    };
    end.checked_sub(size.checked_add(start)?)
}

/// Makes the error of a file whose last archive begins at byte `last`.
fn several(source: &Source, last: u64) -> Error {
    let before = count_before(source, last);
    let found = match before {
        Some(count) => format!(
            "{} zip archives one after another, the last from byte {last} on",
            count + 1
        ),
        None => format!("a zip archive that begins at byte {last}, after something else"),
    };
    // Under its own name it was told before.
    let shard = source.path().with_file_name(".metadata").is_file();
    let action = if shard {
        "it is a shard of torch.distributed.checkpoint: make one file of its folder with \
         python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER FILE.pt"
    } else if before.is_some() {
        "torch.save or numpy.savez wrote several times to one open file: save what is meant to a \
         file of its own"
    } else {
        "save it again with torch.save or numpy.savez, to a file of its own"
    };
    Error::input(
        source.name(),
        "the whole file",
        found,
        "one archive, from the file's first byte on",
        action,
    )
}

/// Counts the archives that fill the bytes before `end`; `None` if something else is among them.
fn count_before(source: &Source, mut end: u64) -> Option<u64> {
    let mut count = 0;
    while end > 0 {
        let at = end.checked_sub(END)?;
        let mut record = [0; END as usize];
        source.read_at(&mut record, at).ok()?;
        // The record must have no comment.
        if !record.starts_with(b"PK\x05\x06") || !record.ends_with(&[0, 0]) {
            return None;
        }
        // Each step goes back at least 22 bytes, so this ends.
        end = start_of(source, at)?;
        count += 1;
    }
    Some(count)
}

/// Returns the first name that the directory has twice.
fn repeated(source: &Source, mut at: u64) -> Result<String> {
    const RECORD: usize = 46;
    let mut seen = HashSet::new();
    loop {
        let mut record = [0; RECORD];
        source.read_at(&mut record, at)?;
        let length = |at: usize| match record.get(at..at + 2) {
            Some(&[low, high]) => u16::from_le_bytes([low, high]),
            _ => 0,
        };
        if !record.starts_with(b"PK\x01\x02") {
            return Ok("that is not shown".to_owned());
        }
        let mut name = vec![0; usize::from(length(28))];
        source.read_at(&mut name, at + RECORD as u64)?;
        if seen.contains(&name) {
            return Ok(String::from_utf8_lossy(&name).into_owned());
        }
        seen.insert(name);
        let lengths = [28, 30, 32].map(|at| u64::from(length(at)));
        at += RECORD as u64 + lengths.iter().sum::<u64>();
    }
}
