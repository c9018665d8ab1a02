//! The container before torch 1.6: five pickles in sequence (a magic number, a protocol version,
//! facts about the machine, the object, the keys of its storages), then for each key the number of
//! elements (64 bits) and the elements.

use std::collections::HashMap;

use super::super::budget::Budget;
use super::super::pickle::{self, Document, Value};
use super::super::source::Source;
use super::super::tensor::Storage;
use super::storage::{Reference, element_size};
use crate::error::{Error, Result};
use crate::memory::zeros;

/// 0x1950a86a20f9469cfc6c, little-endian.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// Says whether a file begins with the pickled magic number.
pub(in crate::read) fn is_legacy(head: &[u8]) -> bool {
    let Ok(document) = pickle::load(head.to_vec(), u64::MAX) else {
        return false;
    };
    match document.value(document.root) {
        Value::Long(start, len) => document.raw(start, len) == MAGIC,
        // Protocol 0 writes the number in digits.
        Value::Float(number) => number == 119_547_037_146_038_801_333_356.0,
        _ => false,
    }
}

/// Reads the object's pickle, and the places of the storages.
pub(super) fn open(source: &Source) -> Result<(Document, HashMap<String, Storage>)> {
    let mut stream = Stream {
        source,
        position: 0,
    };
    stream.next("the magic number")?;
    stream.next("the protocol version")?;
    let facts = stream.next("the machine's facts")?;
    if let Some(id) = facts.get(facts.root, "little_endian")
        && facts.value(id) == Value::Bool(false)
    {
        return Err(Error::input(
            source.name(),
            "little_endian",
            "False: numbers of a big-endian machine",
            "a little-endian file",
            "load it with torch and save it again on a little-endian machine",
        ));
    }
    let object = stream.next("the object")?;
    let keys = stream.next("the storages' keys")?;
    let storages = stream.storages(&object, &keys)?;
    let (end, length) = (stream.position, source.len());
    if end != length {
        return Err(Error::input(
            source.name(),
            format!("byte {end}, the object's end"),
            format!("{} bytes more, as of another object", length - end),
            "the end of the file",
            "torch.save wrote several times to one open file: save what is meant to a file of its own",
        ));
    }
    Ok((object, storages))
}

struct Stream<'a> {
    source: &'a Source,
    position: u64,
}

impl Stream<'_> {
    /// Reads a pickle of unknown length, in a window that grows while it is too short.
    fn next(&mut self, what: &str) -> Result<Document> {
        let left = self.source.len().saturating_sub(self.position);
        let mut window = 1 << 16;
        let most = Budget::of(self.source).left();
        loop {
            let mut bytes = zeros(window.min(left), "a pickle")?;
            self.source.read_at(&mut bytes, self.position)?;
            match pickle::load(bytes, most) {
                Ok(document) => {
                    self.position += document.end as u64;
                    return Ok(document);
                }
                Err(error) if error.truncated && window < left => window *= 8,
                Err(error) => {
                    return Err(error.in_file(&self.source.name(), what, self.position));
                }
            }
        }
    }

    fn storages(&mut self, object: &Document, keys: &Document) -> Result<HashMap<String, Storage>> {
        let mut sizes = HashMap::new();
        for id in 0..object.values.len() as u32 {
            if let Some(reference) = Reference::read(object, id)
                && let Some(size) = element_size(&reference.class)
            {
                sizes.entry(reference.key).or_insert(size);
            }
        }
        let mut table = HashMap::new();
        for key in keys.items(keys.root).into_iter().flatten() {
            let key = match keys.value(key) {
                Value::Int(key) => key.to_string(),
                _ => keys.text(key).unwrap_or_default().into_owned(),
            };
            let storage = self.storage(&key, sizes.get(&key).copied())?;
            table.insert(key, storage);
        }
        Ok(table)
    }

    fn storage(&mut self, key: &str, size: Option<u64>) -> Result<Storage> {
        let place = format!("storage {key} at byte {}", self.position);
        let bad = |found: String, expected: String, action: &str| {
            Error::input(self.source.name(), place.clone(), found, expected, action)
        };
        let Some(size) = size else {
            let found = "a storage that no tensor of a known type refers to".to_owned();
            return Err(bad(
                found,
                "a storage in use".to_owned(),
                "save the file again",
            ));
        };
        let left = self.source.len().saturating_sub(self.position);
        let cut = "the file is cut short: copy it again from where it was whole";
        if left < 8 {
            let found = format!("the end, with {left} bytes left");
            return Err(bad(
                found,
                "the storage's length in 8 bytes".to_owned(),
                cut,
            ));
        }
        let mut count = [0; 8];
        self.source.read_at(&mut count, self.position)?;
        let count = i64::from_le_bytes(count);
        let length = u64::try_from(count)
            .ok()
            .and_then(|count| count.checked_mul(size));
        match length.filter(|&length| length <= left - 8) {
            Some(length) => {
                let start = self.position + 8;
                self.position = start + length;
                Ok(Storage {
                    source: self.source.clone(),
                    start,
                    length,
                })
            }
            None => Err(bad(
                format!("the end at byte {}", self.source.len()),
                format!("{count} elements of {size} bytes"),
                cut,
            )),
        }
    }
}
