//! safetensors: the header's length (8 bytes, little-endian), the header (JSON: for each tensor
//! its type, its shape, and its first byte and last in what follows), then the tensors' bytes.
//!
//! <https://github.com/huggingface/safetensors#format>

use std::fmt;

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use super::source::Source;
use crate::control;
use crate::error::{Error, Result};
use crate::memory::zeros;

/// The greatest length of a header that the format allows.
pub(crate) const LONGEST_HEADER: u64 = 100_000_000;
/// The number of bytes before the header.
const PREFIX: u64 = 8;
/// The most dimensions of a tensor.
const MOST_DIMENSIONS: usize = 64;
/// The key under which a header keeps text about the file.
const METADATA: &str = "__metadata__";
/// The most texts of it, each of which takes far more memory than bytes of the file.
const MOST_TEXTS: usize = 1 << 20;

/// An open file. Every tensor was checked to lie within it.
#[derive(Debug)]
pub(crate) struct SafeTensors {
    /// The file.
    pub(crate) source: Source,
    /// The tensors by name, in the header's order.
    pub(crate) tensors: IndexMap<String, Entry>,
    /// Text about the file, in the header's order.
    pub(crate) metadata: IndexMap<String, String>,
}

/// A tensor: row-major, little-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The element type in the format's words: `F32`, `BF16`, …
    pub(crate) dtype: String,
    /// The size of each dimension.
    pub(crate) shape: Vec<usize>,
    /// The tensor's first byte in the file.
    pub(crate) start: u64,
    /// The number of its bytes.
    pub(crate) length: u64,
}

/// Says whether a file's first bytes are those of this format: a header's length that fits the
/// file, and the header's first character.
pub(crate) fn is_safetensors(head: &[u8], length: u64) -> bool {
    head.first_chunk().is_some_and(|size| {
        let size = u64::from_le_bytes(*size);
        head.get(PREFIX as usize) == Some(&b'{') && size > 1 && size < length
    })
}

impl SafeTensors {
    /// Reads and checks the header, and no tensor.
    pub(crate) fn open(source: &Source) -> Result<Self> {
        let left = source.len().saturating_sub(PREFIX);
        let mut size = [0; PREFIX as usize];
        source.read_at(&mut size, 0)?;
        let size = u64::from_le_bytes(size);
        if size > left.min(LONGEST_HEADER) {
            return Err(Error::input(
                source.name(),
                "the header's length in the first 8 bytes",
                format!("{size} bytes"),
                format!("at most {}", left.min(LONGEST_HEADER)),
                DAMAGED,
            ));
        }
        let mut bytes = zeros(size, "the header of a safetensors file")?;
        source.read_at(&mut bytes, PREFIX)?;
        let header: Header = serde_json::from_slice(&bytes).map_err(|error| {
            let expected = "JSON that gives each tensor's dtype, shape and data_offsets, once";
            bad(source, "the header", error.to_string(), expected)
        })?;
        let file = Self {
            source: source.clone(),
            tensors: located(source, header.tensors, PREFIX + size)?,
            metadata: header.metadata,
        };
        file.check_gaps(PREFIX + size)?;
        Ok(file)
    }

    /// Checks that tensors follow one another without gaps, up to the file's end.
    fn check_gaps(&self, first: u64) -> Result<()> {
        let mut inside: Vec<_> = self.tensors.iter().collect();
        inside.sort_by_key(|(_, entry)| (entry.start, entry.length));
        let mut end = first;
        for (name, entry) in inside {
            if entry.start != end {
                let found = format!("its first byte at byte {} of the file", entry.start);
                let expected = format!("{end}, where the tensor before it ends");
                return Err(bad(&self.source, &place(name), found, expected));
            }
            end += entry.length;
        }
        if end == self.source.len() {
            return Ok(());
        }
        Err(Error::input(
            self.source.name(),
            "the file's end",
            format!("{} bytes", self.source.len()),
            format!("{end}, where the last tensor ends"),
            DAMAGED,
        ))
    }
}

const DAMAGED: &str =
    "the file is cut short or damaged: copy it again from where it was whole, or save it again";

fn bad(source: &Source, place: &str, found: String, expected: impl Into<String>) -> Error {
    Error::input(source.name(), place, found, expected, DAMAGED)
}

fn place(name: &str) -> String {
    format!("tensor {name}")
}

fn located(
    source: &Source,
    tensors: IndexMap<String, Description>,
    first: u64,
) -> Result<IndexMap<String, Entry>> {
    tensors
        .into_iter()
        .enumerate()
        .map(|(turn, (name, described))| {
            control::hear_at(turn)?;
            let entry = locate(source, &name, described, first)?;
            Ok((name, entry))
        })
        .collect()
}

fn locate(source: &Source, name: &str, described: Description, first: u64) -> Result<Entry> {
    if described.shape.len() > MOST_DIMENSIONS {
        let found = format!("{} dimensions", described.shape.len());
        let expected = format!("at most {MOST_DIMENSIONS}, as torch and NumPy have them");
        return Err(bad(source, &place(name), found, expected));
    }
    let [start, end] = described.data_offsets;
    let room = source.len().saturating_sub(first);
    let Some(length) = end.checked_sub(start).filter(|_| end <= room) else {
        let found = format!("bytes {start} to {end}");
        let expected = format!("an ascending range within the {room} bytes after the header");
        return Err(bad(source, &place(name), found, expected));
    };
    let Some(bits) = element_bits(&described.dtype) else {
        return Err(Error::input(
            source.name(),
            place(name),
            format!("the type {}", described.dtype),
            "a type of safetensors: F16, BF16, F32, F64, …",
            "save it again as F32",
        ));
    };
    let wanted = described
        .shape
        .iter()
        .try_fold(1, |n: u64, &size| n.checked_mul(size as u64))
        .and_then(|count| count.checked_mul(bits));
    if wanted != length.checked_mul(8) {
        let found = format!("{length} bytes");
        let expected = match wanted {
            Some(bits) => format!("{} for {}", bits.div_ceil(8), described.name()),
            None => format!("a shape that 64 bits can count, not {}", described.name()),
        };
        return Err(bad(source, &place(name), found, expected));
    }
    Ok(Entry {
        dtype: described.dtype,
        shape: described.shape,
        start: first + start,
        length,
    })
}

/// Returns the bits of an element of a type.
fn element_bits(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "F4" => 4,
        "F6_E2M3" | "F6_E3M2" => 6,
        "BOOL" | "U8" | "I8" | "F8_E4M3" | "F8_E5M2" | "F8_E8M0" | "F8_E4M3FNUZ"
        | "F8_E5M2FNUZ" => 8,
        "U16" | "I16" | "F16" | "BF16" => 16,
        "U32" | "I32" | "F32" => 32,
        "U64" | "I64" | "F64" | "C64" => 64,
        _ => return None,
    })
}

/// A tensor as the header describes it, unchecked.
#[derive(Debug, Deserialize)]
struct Description {
    dtype: String,
    shape: Vec<usize>,
    /// The first byte and the one after the last, counted from the header's end.
    data_offsets: [u64; 2],
}

impl Description {
    fn name(&self) -> String {
        format!("{} {:?}", self.dtype, self.shape)
    }
}

/// The whole header. It is read key by key, since a map would silently keep only the last of equal
/// keys.
#[derive(Debug, Default)]
struct Header {
    tensors: IndexMap<String, Description>,
    metadata: IndexMap<String, String>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        from.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with an entry for each tensor")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<Header, M::Error> {
        let mut header = Header::default();
        let mut described = false;
        let mut turn = 0_usize;
        while let Some(name) = map.next_key::<String>()? {
            turn += 1;
            control::hear_at(turn).map_err(M::Error::custom)?;
            let twice = if name == METADATA {
                let Texts(texts) = map.next_value()?;
                header.metadata = texts;
                std::mem::replace(&mut described, true)
            } else {
                let tensor = map.next_value()?;
                header.tensors.insert(name.clone(), tensor).is_some()
            };
            if twice {
                return Err(M::Error::custom(format_args!("the name {name} twice")));
            }
        }
        Ok(header)
    }
}

/// Text by unique keys.
struct Texts(IndexMap<String, String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        from.deserialize_map(TextsVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of text")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<Texts, M::Error> {
        let mut texts = IndexMap::new();
        let mut turn = 0_usize;
        while let Some((key, text)) = map.next_entry::<String, String>()? {
            turn += 1;
            control::hear_at(turn).map_err(M::Error::custom)?;
            if turn > MOST_TEXTS {
                return Err(M::Error::custom(format_args!(
                    "more than {MOST_TEXTS} texts in {METADATA}"
                )));
            }
            if texts.insert(key.clone(), text).is_some() {
                return Err(M::Error::custom(format_args!("the key {key} twice")));
            }
        }
        Ok(Texts(texts))
    }
}

#[cfg(test)]
#[path = "safetensors/tests.rs"]
mod tests;
