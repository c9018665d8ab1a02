//! safetensors files with a checksum: the SHA-256 of the whole file, in which the checksum's own 64
//! digits are zeros.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::error::{Choice, Error, Proposal, Result};
use crate::read::{HEAD, LONGEST_HEADER, SafeTensors, Source, describe, is_safetensors};

/// The checksum's key in the header's text.
const CHECKSUM: &str = "checksum";
/// The placeholder of the checksum while it is computed.
const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The advice for a file that is not as it was written.
pub(super) const DAMAGED: &str =
    "the file is cut short or damaged: copy it again from where it was whole, or make it again";

/// A tensor to be written: row-major, little-endian.
pub(super) struct Tensor<'a> {
    name: &'static str,
    dtype: &'static str,
    shape: Vec<u64>,
    data: Data<'a>,
}

enum Data<'a> {
    Bytes(Cow<'a, [u8]>),
    Stream(Box<Stream<'a>>),
}

/// A function that writes a tensor's bytes piece by piece.
type Stream<'a> = dyn Fn(&mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> + 'a;

/// A number type that safetensors has.
pub(super) trait Number: bytemuck::NoUninit {
    const DTYPE: &'static str;
}

macro_rules! numbers {
    ($($type:ty = $name:literal),*) => {
        $(impl Number for $type { const DTYPE: &'static str = $name; })*
    };
}
numbers!(
    u8 = "U8",
    u16 = "U16",
    u32 = "U32",
    u64 = "U64",
    i32 = "I32",
    i64 = "I64",
    f64 = "F64"
);

impl<'a> Tensor<'a> {
    /// Makes a tensor of one dimension.
    pub(super) fn line<T: Number>(name: &'static str, numbers: &'a [T]) -> Self {
        Self::new(name, vec![numbers.len() as u64], numbers)
    }

    /// Makes a tensor of numbers in memory.
    pub(super) fn new<T: Number>(name: &'static str, shape: Vec<u64>, numbers: &'a [T]) -> Self {
        Self {
            name,
            dtype: T::DTYPE,
            shape,
            data: Data::Bytes(Cow::Borrowed(bytemuck::cast_slice(numbers))),
        }
    }

    /// Makes a tensor of one dimension that owns its numbers.
    pub(super) fn owned<T: Number>(name: &'static str, numbers: &[T]) -> Self {
        Self {
            name,
            dtype: T::DTYPE,
            shape: vec![numbers.len() as u64],
            data: Data::Bytes(Cow::Owned(bytemuck::cast_slice(numbers).to_vec())),
        }
    }

    /// Makes a tensor whose numbers come piece by piece.
    pub(super) fn streamed<T: Number>(
        name: &'static str,
        shape: Vec<u64>,
        stream: impl Fn(&mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> + 'a,
    ) -> Self {
        Self {
            name,
            dtype: T::DTYPE,
            shape,
            data: Data::Stream(Box::new(stream)),
        }
    }

    /// The bytes of a number.
    pub(super) fn width(&self) -> u64 {
        match self.dtype {
            "U8" => 1,
            "U16" => 2,
            "U32" | "I32" => 4,
            _ => 8,
        }
    }

    fn bytes(&self) -> u64 {
        self.shape.iter().product::<u64>() * self.width()
    }
}

/// Writes the header: its length, JSON, and spaces up to a multiple of eight bytes.
fn header(text: Vec<(&'static str, String)>, tensors: &[Tensor]) -> Vec<u8> {
    // The text comes first, so that a reader finds it at once.
    let mut metadata = Map::new();
    metadata.insert(CHECKSUM.to_owned(), ZEROS.into());
    metadata.extend(
        text.into_iter()
            .map(|(key, text)| (key.to_owned(), text.into())),
    );
    let mut header = Map::new();
    header.insert("__metadata__".to_owned(), Value::Object(metadata));
    let mut end = 0;
    for tensor in tensors {
        let start = end;
        end += tensor.bytes();
        let entry =
            json!({"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [start, end]});
        header.insert(tensor.name.to_owned(), entry);
    }
    let mut json = Value::Object(header).to_string().into_bytes();
    json.resize(json.len().next_multiple_of(8), b' ');
    [&(json.len() as u64).to_le_bytes(), &json[..]].concat()
}

/// A file and the hash of the bytes written to it.
struct Hashed<'a> {
    out: BufWriter<&'a File>,
    hash: Sha256,
}

impl Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.out.write_all(bytes)
    }
}

/// Writes a whole file. `path` is for messages.
pub(super) fn write(
    mut file: &File,
    path: &Path,
    text: Vec<(&'static str, String)>,
    tensors: &[Tensor],
) -> Result<()> {
    let failed = |e| Error::writing(path, e);
    let header = header(text, tensors);
    if header.len() as u64 > LONGEST_HEADER {
        return Err(Error::input(
            path.display().to_string(),
            "the header",
            format!("{} bytes", header.len()),
            format!("at most {LONGEST_HEADER}, as the format has it"),
            "count fewer shards in one file, or call them by shorter names",
        ));
    }
    let mut out = Hashed {
        out: BufWriter::with_capacity(1 << 20, file),
        hash: Sha256::new(),
    };
    out.write(&header).map_err(failed)?;
    for tensor in tensors {
        match &tensor.data {
            Data::Bytes(bytes) => out.write(bytes).map_err(failed)?,
            Data::Stream(stream) => stream(&mut |bytes| out.write(bytes).map_err(failed))?,
        }
    }
    out.out.flush().map_err(failed)?;
    let checksum = Digest::finish(out.hash).to_string();
    let place = find(&header, ZEROS).unwrap_or_default() as u64;
    let mut patch = || {
        file.seek(SeekFrom::Start(place))?;
        file.write_all(checksum.as_bytes())
    };
    patch().map_err(failed)
}

/// Finds the checksum's digits.
fn find(header: &[u8], checksum: &str) -> Option<usize> {
    let entry = format!("\"{CHECKSUM}\":\"{checksum}\"");
    let place = header
        .windows(entry.len())
        .position(|at| at == entry.as_bytes())?;
    Some(place + entry.len() - 1 - checksum.len())
}

/// Checks that a file may be replaced by a sealed one: there is none, it is empty, or it is sealed
/// itself.
///
/// # Errors
/// Fails if the file is something else.
pub(super) fn check_replaceable(path: &Path, what: &str) -> Result<()> {
    // A dangling link counts as something else: it cannot be read.
    if std::fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    let source = Source::open(path)?;
    let head = source.head(HEAD)?;
    if begins_as_sealed(&head) || head.is_empty() {
        return Ok(());
    }
    Err(Error::input(
        source.name(),
        "the output",
        format!(
            "a file that is there already: {}",
            describe(&head, source.len())
        ),
        format!("a new name, or {what}, which is replaced"),
        "choose another name, move the file elsewhere, or let it be replaced",
    )
    .proposing([Proposal::of(Choice::Force)]))
}

/// Says whether a file begins as those of [`write`] do, whole or not.
fn begins_as_sealed(head: &[u8]) -> bool {
    let beginning = format!("{{\"__metadata__\":{{\"{CHECKSUM}\":\"");
    head.get(8..)
        .is_some_and(|json| json.starts_with(beginning.as_bytes()))
}

/// Says whether there is such a file at a path, whole or not.
pub(super) fn is_sealed(path: &Path) -> bool {
    let is_file = std::fs::metadata(path).is_ok_and(|facts| facts.is_file());
    let head = || Source::open(path).and_then(|source| source.head(HEAD));
    is_file && head().is_ok_and(|head| begins_as_sealed(&head))
}

/// Opens a file whose header has this `format`. The checksum is not verified.
pub(super) fn open(path: &Path, format: &str, what: &str) -> Result<SafeTensors> {
    let source = Source::open(path)?;
    let head = source.head(HEAD)?;
    if !is_safetensors(&head, source.len()) {
        return Err(Error::input(
            source.name(),
            "the file's beginning",
            describe(&head, source.len()),
            what,
            "give the file that it wrote",
        ));
    }
    let file = SafeTensors::open(&source)?;
    match file.metadata.get("format").map(String::as_str) {
        Some(found) if found == format => Ok(file),
        found => Err(Error::input(
            file.source.name(),
            "the header's format",
            found.map_or("none".to_owned(), |found| format!("{found:?}")),
            format!("{format:?}"),
            format!("give {what}"),
        )),
    }
}

/// Reads a file to its end, and compares its checksum. `take` sees all bytes, piece by piece.
pub(super) fn verify(file: &SafeTensors, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    const PIECE: usize = 1 << 20;
    let checksum = file.metadata.get(CHECKSUM).map_or("", String::as_str);
    let mut hash = Sha256::new();
    let mut at = 0;
    let mut buffer = Vec::new();
    let starts = file.tensors.values().map(|entry| entry.start);
    let header_end = starts.min().unwrap_or(file.source.len());
    while at < file.source.len() {
        // The first piece is the header's, in which the checksum's digits are blanked.
        let piece = if at == 0 { header_end as usize } else { PIECE };
        buffer.resize(piece.min((file.source.len() - at) as usize), 0);
        file.source.read_at(&mut buffer, at)?;
        take(&buffer)?;
        if at == 0
            && let Some(place) = find(&buffer, checksum)
            && let Some(digits) = buffer.get_mut(place..place + checksum.len())
        {
            digits.fill(b'0');
        }
        hash.update(&buffer);
        at += buffer.len() as u64;
    }
    file.source.check_unchanged()?;
    let found = Digest::finish(hash).to_string();
    if found == checksum {
        return Ok(());
    }
    Err(Error::input(
        file.source.name(),
        "the checksum",
        found,
        format!("{checksum:?}, as the header has it"),
        DAMAGED,
    ))
}
