//! numpy's archives of arrays: a zip archive of `.npy` files.

use super::budget::Budget;
use super::matrices::{EMBEDDINGS, Matrix};
use super::npy::{Array, HEAD, Header};
use super::pickle;
use super::plain::{object_texts, utf32};
use super::source::Source;
use super::tensor::Dtype;
use super::zipped::Archive;
use crate::cohort::IdColumn;
use crate::error::{Error, Result};
use crate::memory::zeros;

const ID_NAMES: [&str; 2] = ["id.npy", "ids.npy"];

/// Returns the matrices of an archive that can be embeddings, and `embeddings` whatever it is.
pub(super) fn matrices(source: &Source, archive: &Archive) -> Result<Vec<Matrix>> {
    let all = headers(source, archive)?.into_iter();
    let may_be = |(name, header): &(String, Header)| {
        header.is_matrix() || name.trim_end_matches(".npy") == EMBEDDINGS
    };
    let matrix = |(name, header): (String, Header)| Matrix {
        key: name.trim_end_matches(".npy").to_owned(),
        described: header.describe(),
        dimensions: header.shape.len(),
    };
    Ok(all.filter(may_be).map(matrix).collect())
}

/// The entry of an array's name.
pub(super) fn entry(key: &str) -> String {
    format!("{key}.npy")
}

pub(super) fn place(name: &str) -> String {
    format!("array {}", name.trim_end_matches(".npy"))
}

/// Returns an array of an archive by its entry's name; `None` if there is no such entry.
pub(super) fn array(archive: &Archive, name: &str) -> Result<Option<Array>> {
    let storage = archive.storage(name)?;
    storage
        .map(|storage| Array::read(&storage, &place(name)))
        .transpose()
}

/// Reads the arrays' headers, by name.
pub(super) fn headers(source: &Source, archive: &Archive) -> Result<Vec<(String, Header)>> {
    let mut all = Vec::new();
    for name in archive.names() {
        if super::sniff::is_array(&name)
            && let Some(head) = archive.head(&name, HEAD)?
        {
            let header = Header::read(&head, &source.name(), &place(&name))?;
            all.push((name, header));
        }
    }
    Ok(all)
}

/// Makes the error of an archive without a matrix that can be embeddings.
pub(super) fn no_matrix(source: &Source, archive: &Archive) -> Error {
    const SHOWN: usize = 12;
    let all = match headers(source, archive) {
        Ok(all) => all.into_iter(),
        Err(error) => return error,
    };
    let described = all
        .take(SHOWN)
        .map(|(name, header)| format!("{} ({})", name.trim_end_matches(".npy"), header.describe()));
    let described: Vec<_> = described.collect();
    Error::input(
        source.name(),
        "the arrays",
        format!("no matrices among {}", described.join(", ")),
        "an array embeddings, or one two-dimensional array of <f2, <f4 or <f8",
        "save them with numpy.savez(file, embeddings=...)",
    )
}

/// Reads the calls' IDs, if the archive has them: text, whole numbers, or objects that are text.
pub(super) fn ids(source: &Source, archive: &Archive) -> Result<Option<IdColumn>> {
    for name in ID_NAMES {
        if let Some(array) = array(archive, name)? {
            return read_ids(source, &array, &place(name)).map(Some);
        }
    }
    Ok(None)
}

/// Reads the texts, or whole numbers as texts, of an array with one value for each call; `None` if the
/// archive has no such array.
pub(super) fn texts(source: &Source, archive: &Archive, name: &str) -> Result<Option<IdColumn>> {
    let name = format!("{name}.npy");
    let array = array(archive, &name)?;
    array
        .map(|array| read_ids(source, &array, &place(&name)))
        .transpose()
}

fn read_ids(source: &Source, array: &Array, place: &str) -> Result<IdColumn> {
    let code = array.header.descr.trim_start_matches(['<', '>', '|', '=']);
    let bad = |found: String, expected: String, action: &str| {
        Error::input(source.name(), place, found, expected, action)
    };
    let unread = || {
        let found = format!("an array of {}", array.header.describe());
        let expected = "text, with one value for each call".to_owned();
        bad(
            found,
            expected,
            "save the IDs as text: numpy.array(ids, dtype=str)",
        )
    };
    let &[count] = array.header.shape.as_slice() else {
        return Err(unread());
    };
    let width = match code.split_at_checked(1) {
        Some(("O", _)) => return object_ids(array, count).ok_or_else(unread),
        Some(("U", digits)) => digits.parse::<u64>().ok().and_then(|n| n.checked_mul(4)),
        Some(("S", digits)) => digits.parse().ok(),
        Some(("i" | "u", _)) => Dtype::of_numpy(code).map(|dtype| dtype.size() as u64),
        _ => None,
    };
    let Some(width) = width else {
        return Err(unread());
    };
    if (count as u64).checked_mul(width) != Some(array.elements.length) {
        return Err(bad(
            format!("{} bytes after the header", array.elements.length),
            format!("those of {}", array.header.describe()),
            "the file is cut short or damaged: copy it again from where it was whole",
        ));
    }
    read_texts(array, count, width, place)
}

/// Reads IDs from an array of objects, which numpy writes as a pickle.
fn object_ids(array: &Array, count: usize) -> Option<IdColumn> {
    const LONGEST: u64 = 1 << 31;
    let elements = &array.elements;
    let most = Budget::of(&elements.source).left();
    if elements.length > LONGEST.min(most) {
        return None;
    }
    let mut bytes = zeros(elements.length, "an array of objects").ok()?;
    elements.source.read_at(&mut bytes, elements.start).ok()?;
    let document = pickle::load(bytes, most).ok()?;
    let texts = object_texts(&document)?;
    let mut ids = IdColumn::default();
    for text in &texts {
        ids.push(text.as_deref());
    }
    (texts.len() == count).then_some(ids)
}

fn read_texts(array: &Array, count: usize, width: u64, place: &str) -> Result<IdColumn> {
    /// The bytes of a text besides its letters.
    const SHORT: u64 = 16;
    let mut ids = IdColumn::default();
    // Elements of no bytes are not IDs, since any number of them costs nothing.
    if width == 0 {
        return Ok(ids);
    }
    let source = &array.elements.source;
    let budget = Budget::of(source);
    budget.check(width, place, "the first text")?;
    let mut bytes = zeros(width.min(array.elements.length), "a text")?;
    for row in 0..count {
        source.read_at(&mut bytes, array.elements.start + row as u64 * width)?;
        let Some(text) = text_of(&array.header.descr, &mut bytes) else {
            return Err(Error::input(
                source.name(),
                format!("{place}[{row}]"),
                "bytes that are no text",
                "text",
                "save the IDs as text: numpy.array(ids, dtype=str)",
            ));
        };
        ids.push(Some(&text));
        let held = ids.spelled().saturating_add(row as u64 * SHORT);
        budget.check(held, format_args!("{place}[{row}]"), "texts")?;
    }
    Ok(ids)
}

/// Writes an element as text: its characters, or a whole number's digits.
fn text_of(descr: &str, bytes: &mut [u8]) -> Option<String> {
    let big_endian = descr.starts_with('>');
    if descr.contains('U') {
        return utf32(bytes, big_endian);
    }
    if descr.contains('S') {
        let text = std::str::from_utf8(bytes).ok()?;
        return Some(text.trim_end_matches('\0').to_owned());
    }
    if big_endian {
        bytes.reverse();
    }
    let negative = descr.contains('i') && bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut wide = [if negative { 0xff } else { 0 }; 16];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i128::from_le_bytes(wide).to_string())
}
