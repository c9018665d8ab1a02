//! numpy's archives of arrays: a zip archive of `.npy` files.

use super::npy::{Array, HEAD, Header};
use super::plain::utf32;
use super::source::Source;
use super::tensor::Tensor;
use super::zipped::Archive;
use crate::cohort::IdColumn;
use crate::error::{Error, Result};

/// The embeddings' name, if there are several matrices.
const EMBEDDINGS: &str = "embeddings.npy";
const ID_NAMES: [&str; 2] = ["id.npy", "ids.npy"];

/// The embeddings of an archive.
pub(super) fn embeddings(source: &Source, archive: &Archive) -> Result<Tensor> {
    let (name, array) = match array(archive, EMBEDDINGS)? {
        Some(array) => (EMBEDDINGS.to_owned(), array),
        None => only_matrix(source, archive)?,
    };
    array.matrix(&place(&name))
}

fn place(name: &str) -> String {
    format!("array {}", name.trim_end_matches(".npy"))
}

fn array(archive: &Archive, name: &str) -> Result<Option<Array>> {
    let storage = archive.storage(name)?;
    storage
        .map(|storage| Array::read(&storage, &place(name)))
        .transpose()
}

/// What the arrays' headers say, by name.
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

fn only_matrix(source: &Source, archive: &Archive) -> Result<(String, Array)> {
    const SHOWN: usize = 12;
    let (mut matrices, mut described) = (Vec::new(), Vec::new());
    for (name, header) in headers(source, archive)? {
        let short = name.trim_end_matches(".npy");
        described.push(format!("{short} ({})", header.describe()));
        if header.is_matrix() {
            matrices.push(name);
        }
    }
    let only = match matrices.as_slice() {
        [only] => array(archive, only)?,
        _ => None,
    };
    if let Some(array) = only {
        return Ok((matrices.remove(0), array));
    }
    described.truncate(SHOWN);
    let what = if matrices.is_empty() { "no" } else { "several" };
    Err(Error::input(
        source.name(),
        "the arrays",
        format!("{what} matrices among {}", described.join(", ")),
        "an array embeddings, or one two-dimensional array of <f2, <f4 or <f8",
        "save them with numpy.savez(file, embeddings=...)",
    ))
}

/// The calls' IDs, if the archive has them as text, and what is odd about them.
pub(super) fn ids(source: &Source, archive: &Archive) -> Result<(Option<IdColumn>, Vec<String>)> {
    for name in ID_NAMES {
        let Some(array) = array(archive, name)? else {
            continue;
        };
        let file = source.name();
        let short = name.trim_end_matches(".npy");
        let text = array.header.descr.trim_start_matches(['<', '>', '|', '=']);
        let width = match text.split_at_checked(1) {
            Some(("U", digits)) => digits.parse::<u64>().ok().and_then(|n| n.checked_mul(4)),
            Some(("S", digits)) => digits.parse().ok(),
            _ => None,
        };
        let (&[count], Some(width)) = (array.header.shape.as_slice(), width) else {
            let found = array.header.describe();
            let warning = format!(
                "the array {short} is of {found}, not of text, so that it is not compared with the \
                 calls' IDs: save it with .astype(str)"
            );
            return Ok((None, vec![warning]));
        };
        if (count as u64).checked_mul(width) != Some(array.elements.length) {
            return Err(Error::input(
                file,
                place(name),
                format!("{} bytes after the header", array.elements.length),
                format!("those of {}", array.header.describe()),
                "the file is cut short or damaged: copy it again from where it was whole",
            ));
        }
        return read_texts(&array, count, width, &place(name)).map(|ids| (Some(ids), Vec::new()));
    }
    Ok((None, Vec::new()))
}

fn read_texts(array: &Array, count: usize, width: u64, place: &str) -> Result<IdColumn> {
    let mut ids = IdColumn::default();
    // Elements of no bytes, of which any number costs nothing, are no IDs.
    if width == 0 {
        return Ok(ids);
    }
    let source = &array.elements.source;
    let mut bytes = vec![0; width.min(array.elements.length) as usize];
    for row in 0..count {
        source.read_at(&mut bytes, array.elements.start + row as u64 * width)?;
        let text = if array.header.descr.contains('U') {
            utf32(&bytes, array.header.descr.starts_with('>'))
        } else {
            let text = std::str::from_utf8(&bytes).ok();
            text.map(|text| text.trim_end_matches('\0').to_owned())
        };
        let Some(text) = text else {
            return Err(Error::input(
                source.name(),
                format!("{place}[{row}]"),
                "bytes that are no text",
                "text",
                "save the IDs as text: numpy.array(ids, dtype=str)",
            ));
        };
        ids.push(Some(&text));
    }
    Ok(ids)
}
