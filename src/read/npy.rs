//! numpy's array files: a magic number, a version, the header's length, the header (a Python dict
//! of three keys), then the numbers.
//!
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>
//!
//! The header is parsed by hand: it is tiny, and its bytes may be hostile, of any length and any
//! depth of brackets.

use super::tensor::{Dtype, Storage, Tensor, shape_text};
use crate::error::{Error, Result};

pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// The number of an array's first bytes in which its header must end. The header of a usable array
/// has some 120 bytes.
pub(super) const HEAD: u64 = 1 << 16;

/// The contents of an array's header.
#[derive(Debug, Clone)]
pub(super) struct Header {
    /// The element type in numpy's notation: `<f4`, `<U12`, …
    pub(super) descr: String,
    pub(super) shape: Vec<usize>,
    /// True if elements lie column after column.
    pub(super) fortran: bool,
    /// The number of bytes before the elements.
    before: u64,
}

impl Header {
    /// Reads a header from an array's first bytes. `file` and `place` are for messages.
    pub(super) fn read(head: &[u8], file: &str, place: &str) -> Result<Self> {
        let bad = |found: String, expected: &str| {
            let action =
                "the file is cut short or damaged: copy it again, or save it with numpy.save";
            Error::input(file, place, found, expected, action)
        };
        let Some((text, before)) = header(head) else {
            let found = "no whole header of a known version".to_owned();
            return Err(bad(found, "numpy's header, of version 1, 2 or 3"));
        };
        let Some((descr, fortran, shape)) = std::str::from_utf8(text).ok().and_then(dict) else {
            let text = String::from_utf8_lossy(text);
            let found = format!("the header {}", text.trim_end());
            return Err(bad(found, "a dict of descr, fortran_order and shape"));
        };
        Ok(Self {
            descr,
            shape,
            fortran,
            before,
        })
    }

    /// Returns the element type if it is a floating-point type.
    fn floats(&self) -> Option<Dtype> {
        let code = self.descr.strip_prefix('<')?;
        Dtype::of_numpy(code).filter(|dtype| dtype.is_float())
    }

    /// Returns the element type if it is one of plain numbers, little-endian.
    pub(super) fn dtype(&self) -> Option<Dtype> {
        let code = self.descr.strip_prefix(['<', '|'])?;
        let dtype = Dtype::of_numpy(code)?;
        (self.descr.starts_with('<') || dtype.size() == 1).then_some(dtype)
    }

    /// Says whether the elements can be activations: floating-point numbers, or whether atoms fire.
    pub(super) fn is_of_activations(&self) -> bool {
        self.floats().is_some() || self.dtype() == Some(Dtype::Bool)
    }

    /// Says whether the array can be embeddings: calls and numbers, or calls, tokens and numbers.
    pub(super) fn is_matrix(&self) -> bool {
        matches!(self.shape.len(), 2 | 3) && self.floats().is_some()
    }

    /// Returns the code that converts an array of another type. numpy writes types that it has no
    /// name for as bytes and casts these to nothing, so they have to be named first.
    pub(super) fn conversion(&self) -> &'static str {
        let code = self.descr.trim_start_matches(['<', '>', '|', '=']);
        match code {
            "V2" => {
                "numpy has no bfloat16, and calls it V2: if that is what it is, save \
                 array.view(ml_dtypes.bfloat16).astype('<f4')"
            }
            "V1" => {
                "numpy has no 8-bit floats, and calls them V1: name the type that was saved, as in \
                 array.view(ml_dtypes.float8_e4m3fn).astype('<f4')"
            }
            _ if code.starts_with('[') => {
                "save its numbers as a matrix: \
                 numpy.lib.recfunctions.structured_to_unstructured(array).astype('<f4')"
            }
            _ if code.starts_with('V') => "save numbers: numpy.save(file, matrix.astype('<f4'))",
            _ if code.starts_with('c') => {
                "save real numbers: numpy.save(file, array.real.astype('<f4')), where the imaginary \
                 parts are 0"
            }
            _ if code.starts_with('O') => {
                "save a matrix of numbers: numpy.save(file, numpy.stack(list(array)).astype('<f4'))"
            }
            _ => "save it as numbers: numpy.save(file, array.astype('<f4'))",
        }
    }

    /// Writes type and shape for a message.
    pub(super) fn describe(&self) -> String {
        format!("{} {}", self.descr, shape_text(&self.shape))
    }
}

/// An array in a file.
#[derive(Debug)]
pub(super) struct Array {
    pub(super) header: Header,
    /// The bytes after the header.
    pub(super) elements: Storage,
}

impl Array {
    /// Reads the header of an array that lies in `storage`. `place` is for messages.
    pub(super) fn read(storage: &Storage, place: &str) -> Result<Self> {
        let mut head = vec![0; storage.length.min(HEAD) as usize];
        storage.source.read_at(&mut head, storage.start)?;
        let header = Header::read(&head, &storage.source.name(), place)?;
        let elements = Storage {
            source: storage.source.clone(),
            start: storage.start + header.before,
            length: storage.length - header.before,
        };
        Ok(Self { header, elements })
    }

    /// Returns the array as a tensor of floating-point numbers. `place` is for messages.
    pub(super) fn tensor(&self, place: &str) -> Result<Tensor> {
        let Self { header, elements } = self;
        let described = header.describe();
        let bad = |found: String, expected: &str, action: &str| {
            Error::input(elements.source.name(), place, found, expected, action)
        };
        let Some(dtype) = header.floats() else {
            let found = format!("an array of {described}");
            return Err(bad(
                found,
                "an array of <f2, <f4 or <f8",
                header.conversion(),
            ));
        };
        let tensor = Tensor::dense(
            dtype,
            header.shape.clone(),
            header.fortran,
            elements.clone(),
        );
        tensor.ok_or_else(|| {
            let found = format!("{} bytes after the header", elements.length);
            let action = "the file is cut short or damaged: copy it again from where it was whole";
            bad(found, &format!("those of {described}"), action)
        })
    }

    /// The same bytes as an array of the other order, with its dimensions reversed.
    pub(super) fn transposed(&self) -> Self {
        let mut header = self.header.clone();
        header.shape.reverse();
        header.fortran = !header.fortran;
        Self {
            header,
            elements: self.elements.clone(),
        }
    }

    /// Returns the array as embeddings, of two or three dimensions. `place` is for messages.
    pub(super) fn embeddings(&self, place: &str) -> Result<Tensor> {
        let Self { header, elements } = self;
        let has_dimensions = matches!(header.shape.len(), 2 | 3);
        if has_dimensions && header.floats().is_some() {
            return self.tensor(place);
        }
        let action = if has_dimensions {
            header.conversion()
        } else {
            "save a row for each call: numpy.save(file, array.reshape(calls, -1)), where that is \
             what the numbers mean"
        };
        Err(Error::input(
            elements.source.name(),
            place,
            format!("an array of {}", header.describe()),
            "a two-dimensional array of <f2, <f4 or <f8, one row for each call",
            action,
        ))
    }
}

/// Returns the header's text, and the number of bytes before the elements.
fn header(head: &[u8]) -> Option<(&[u8], u64)> {
    let rest = head.strip_prefix(MAGIC)?;
    let (length, text) = match rest.split_first_chunk()? {
        ([1, 0], rest) => {
            let (length, text) = rest.split_first_chunk()?;
            (u32::from(u16::from_le_bytes(*length)), text)
        }
        ([2 | 3, 0], rest) => {
            let (length, text) = rest.split_first_chunk()?;
            (u32::from_le_bytes(*length), text)
        }
        _ => return None,
    };
    let text = text.get(..length as usize)?;
    let before = text.as_ptr() as usize - head.as_ptr() as usize + text.len();
    Some((text, before as u64))
}

/// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`: keys in any order, each
/// once, no others. A `descr` that is not text (of records) is kept as written.
fn dict(text: &str) -> Option<(String, bool, Vec<usize>)> {
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut rest = inner.trim_start();
    while !rest.is_empty() {
        let (key, after) = quoted(rest)?;
        let value = after.trim_start().strip_prefix(':')?.trim_start();
        let after = match key {
            "descr" if descr.is_none() => {
                let (text, after) = quoted(value).or_else(|| bracketed(value))?;
                descr = Some(text.to_owned());
                after
            }
            "fortran_order" if fortran.is_none() => {
                let after = value.strip_prefix("True");
                fortran = Some(after.is_some());
                after.or_else(|| value.strip_prefix("False"))?
            }
            "shape" if shape.is_none() => {
                let (sizes, after) = value.strip_prefix('(')?.split_once(')')?;
                shape = Some(self::sizes(sizes)?);
                after
            }
            _ => return None,
        };
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(more) => more.trim_start(),
            None if after.is_empty() => after,
            None => return None,
        };
    }
    Some((descr?, fortran?, shape?))
}

fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| ['\'', '"'].contains(c))?;
    text.get(1..)?.split_once(quote)
}

/// Splits off a list in brackets, up to the bracket that closes it.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return (at > 0).then(|| text.split_at_checked(at + 1))?;
        }
    }
    None
}

/// Reads the sizes of `3, 4` and of `3,`; Python 2 wrote `3L`.
fn sizes(text: &str) -> Option<Vec<usize>> {
    let mut parts: Vec<_> = text.split(',').map(str::trim).collect();
    if parts.last() == Some(&"") {
        parts.pop();
    }
    parts
        .into_iter()
        .map(|size| size.trim_end_matches('L').parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::dict;

    #[test]
    fn header_reads_valid_headers_only() {
        for (text, shape) in [
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }   \n",
                vec![3, 4],
            ),
            (
                "{\"shape\":(3,),\"fortran_order\":False,\"descr\":\"<f4\"}",
                vec![3],
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': ()}",
                vec![],
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 4L)}",
                vec![3, 4],
            ),
        ] {
            assert_eq!(dict(text), Some(("<f4".to_owned(), false, shape)), "{text}");
        }
        let records =
            "{'descr': [('a', '<f4'), ('b', '<i8', (2,))], 'fortran_order': True, 'shape': (1,)}";
        let (descr, fortran, _) = dict(records).unwrap();
        assert_eq!(
            (descr.as_str(), fortran),
            ("[('a', '<f4'), ('b', '<i8', (2,))]", true)
        );
        let deep = "[".repeat(60_000);
        for text in [
            "",
            "{}",
            "{'descr': '<f4', 'fortran_order': False}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 4)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), 'shape': (3, 4)}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (3, 4)}",
            "{'descr': '<f4' 'fortran_order': False, 'shape': (3, 4)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 4)}",
            "{'descr': '",
            &format!("{{'descr': {deep}"),
        ] {
            assert_eq!(dict(text), None, "{text}");
        }
    }
}
