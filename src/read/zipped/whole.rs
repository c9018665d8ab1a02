//! Whether a file is one archive, each of whose entries has a name of its own.

use std::collections::HashSet;

use super::Zip;
use crate::error::{Error, Result};
use crate::read::source::Source;

/// An error if there is anything before the archive, or if two of its entries have one name.
pub(super) fn check(source: &Source, zip: &mut Zip) -> Result<()> {
    let first = (0..zip.len())
        .filter_map(|index| Some(zip.by_index_data(index).ok()?.header_start()))
        .min();
    let before = zip.offset().max(first.unwrap_or(0));
    if before > 0 {
        return Err(several(source, before));
    }
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
    Ok(())
}

/// The error of a file whose last archive begins at byte `last`.
fn several(source: &Source, last: u64) -> Error {
    let before = count_before(source, last);
    let found = match before {
        Some(count) => format!(
            "{} zip archives one after another, the last from byte {last} on",
            count + 1
        ),
        None => format!("a zip archive that begins at byte {last}, after something else"),
    };
    let shard = source.path().extension().is_some_and(|e| e == "distcp")
        || source.path().with_file_name(".metadata").is_file();
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

/// How many archives fill the bytes before `end`; `None` if something else is among them.
fn count_before(source: &Source, mut end: u64) -> Option<u64> {
    const END: u64 = 22;
    let mut count = 0;
    while end > 0 {
        let mut record = [0; END as usize];
        let at = end.checked_sub(END)?;
        source.read_at(&mut record, at).ok()?;
        let number = |at: usize| -> Option<u64> {
            let (bytes, _) = record.get(at..)?.split_first_chunk()?;
            Some(u64::from(u32::from_le_bytes(*bytes)))
        };
        // No comment, no 64-bit sizes: else it is not known where the archive begins.
        let plain = record.starts_with(b"PK\x05\x06") && record.ends_with(&[0, 0]);
        let (size, start) = (number(12)?, number(16)?);
        let length = size.checked_add(start).filter(|_| plain)?;
        // At least 22 bytes fewer each time, so this ends.
        end = at.checked_sub(length)?;
        count += 1;
    }
    Some(count)
}

/// The first name that the directory has twice.
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
