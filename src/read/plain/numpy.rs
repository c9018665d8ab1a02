//! numpy's arrays and scalars in a pickle.

use std::borrow::Cow;

use super::super::pickle::{Document, Id, Value};
use super::super::tensor::Dtype;
use super::scalar::{Scalar, decode, raw_bytes};

/// An element type of numpy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number(Dtype),
    /// Unicode text of so many characters, 4 bytes each.
    Text(usize),
    /// Bytes of so many.
    Bytes(usize),
}

#[derive(Debug, Clone, Copy)]
struct Type {
    kind: Kind,
    big_endian: bool,
}

impl Type {
    fn size(self) -> usize {
        match self.kind {
            Kind::Number(dtype) => dtype.size(),
            Kind::Text(count) => count.saturating_mul(4),
            Kind::Bytes(count) => count,
        }
    }
}

/// Reads `numpy.dtype(code, …)` with its state `(version, byte order, …)`.
fn element_type(document: &Document, id: Id) -> Option<Type> {
    let object = document.object(id)?;
    if document.callable(object) != ("numpy", "dtype") {
        return None;
    }
    let code = document.text(*document.args(object).first()?)?;
    let in_code = code.starts_with('>');
    let code = code.trim_start_matches(['<', '>', '=', '|']);
    let order = document
        .tuple(object.state)
        .and_then(|state| state.get(1).copied());
    let big_endian = in_code || order.is_some_and(|order| document.is_text(order, ">"));
    let count = |digits: &str| digits.parse().ok();
    let kind = match code.split_at_checked(1)? {
        ("U", digits) => Kind::Text(count(digits)?),
        ("S", digits) => Kind::Bytes(count(digits)?),
        _ => Kind::Number(Dtype::of_numpy(code)?),
    };
    Some(Type { kind, big_endian })
}

/// Whether a module is numpy's `core.part`, by its name before or since numpy 2.
fn is_core(module: &str, part: &str) -> bool {
    module
        .strip_prefix("numpy.core.")
        .or_else(|| module.strip_prefix("numpy._core."))
        == Some(part)
}

/// A numpy scalar, or an array of one number.
pub(crate) fn scalar(document: &Document, id: Id) -> Option<Scalar> {
    let object = document.object(id)?;
    let (module, name) = document.callable(object);
    let (kind, bytes) = if is_core(module, "multiarray") && name == "scalar" {
        let &[dtype, data] = document.args(object) else {
            return None;
        };
        (element_type(document, dtype)?, raw_bytes(document, data)?)
    } else {
        let array = array(document, id)?;
        if array.count() != Some(1) {
            return None;
        }
        (array.element, array.bytes)
    };
    let bytes = bytes.get(..kind.size())?;
    match kind.kind {
        Kind::Number(dtype) => Some(decode(dtype, ordered(bytes, kind.big_endian)?)),
        Kind::Text(_) => Some(Scalar::Text(utf32(bytes, kind.big_endian)?)),
        Kind::Bytes(_) => Some(Scalar::Text(String::from_utf8_lossy(bytes).into_owned())),
    }
}

/// An element's bytes in little-endian order, zeros after them.
fn ordered(bytes: &[u8], big_endian: bool) -> Option<[u8; 8]> {
    let mut ordered = [0; 8];
    let part = ordered.get_mut(..bytes.len())?;
    part.copy_from_slice(bytes);
    if big_endian {
        part.reverse();
    }
    Some(ordered)
}

/// Text of 4 bytes a character, without the zeros after it.
pub(crate) fn utf32(bytes: &[u8], big_endian: bool) -> Option<String> {
    let (characters, _) = bytes.as_chunks::<4>();
    let read = if big_endian {
        u32::from_be_bytes
    } else {
        u32::from_le_bytes
    };
    let text: Option<String> = characters
        .iter()
        .map(|c| char::from_u32(read(*c)))
        .collect();
    text.map(|text| text.trim_end_matches('\0').to_owned())
}

/// A numpy array as it lies in the pickle.
struct Array<'a> {
    element: Type,
    shape: Vec<usize>,
    fortran: bool,
    bytes: Cow<'a, [u8]>,
}

impl Array<'_> {
    fn count(&self) -> Option<usize> {
        self.shape
            .iter()
            .try_fold(1_usize, |n, size| n.checked_mul(*size))
    }
}

fn shape(document: &Document, id: Id) -> Option<Vec<usize>> {
    let size = |id| match document.value(id) {
        Value::Int(n) => usize::try_from(n).ok(),
        _ => None,
    };
    document.items(id)?.map(size).collect()
}

/// Reads `_reconstruct(…)` with its state `(version, shape, dtype, fortran, bytes)`, and
/// `_frombuffer(bytes, dtype, shape, order)` of protocol 5.
fn array(document: &Document, id: Id) -> Option<Array<'_>> {
    let object = document.object(id)?;
    let (module, name) = document.callable(object);
    if is_core(module, "multiarray") && name == "_reconstruct" {
        let &[_, dimensions, dtype, fortran, data] = document.tuple(object.state)? else {
            return None;
        };
        return Some(Array {
            element: element_type(document, dtype)?,
            shape: shape(document, dimensions)?,
            fortran: document.value(fortran) == Value::Bool(true),
            bytes: raw_bytes(document, data)?,
        });
    }
    if is_core(module, "numeric") && name == "_frombuffer" {
        let &[data, dtype, dimensions, order] = document.args(object) else {
            return None;
        };
        return Some(Array {
            element: element_type(document, dtype)?,
            shape: shape(document, dimensions)?,
            fortran: document.is_text(order, "F"),
            bytes: raw_bytes(document, data)?,
        });
    }
    None
}

/// An array's shape and element type, for a description.
pub(crate) fn describe(document: &Document, id: Id) -> Option<(Vec<usize>, String)> {
    let array = array(document, id)?;
    let name = match array.element.kind {
        Kind::Number(dtype) => dtype.name().to_owned(),
        Kind::Text(count) => format!("text of {count}"),
        Kind::Bytes(count) => format!("bytes of {count}"),
    };
    Some((array.shape, name))
}

/// The numbers of an array in row-major order; `None` if it is not an array of numbers, or if
/// its bytes are not as many as its shape says.
pub(super) fn numbers(document: &Document, id: Id) -> Option<Vec<Scalar>> {
    let array = array(document, id)?;
    let Kind::Number(dtype) = array.element.kind else {
        return None;
    };
    let count = array.count()?;
    if count.checked_mul(dtype.size()) != Some(array.bytes.len()) {
        return None;
    }
    let stored: Option<Vec<Scalar>> = array
        .bytes
        .chunks_exact(dtype.size())
        .map(|bytes| Some(decode(dtype, ordered(bytes, array.element.big_endian)?)))
        .collect();
    let stored = stored?;
    if !array.fortran {
        return Some(stored);
    }
    (0..count)
        .map(|index| stored.get(fortran_place(index, &array.shape)).cloned())
        .collect()
}

/// Where the element of a row-major index lies in an array whose first index runs fastest.
fn fortran_place(mut index: usize, shape: &[usize]) -> usize {
    let mut place = 0;
    let mut step = shape.iter().product::<usize>();
    for size in shape.iter().rev() {
        step /= size;
        place += index % size * step;
        index /= size;
    }
    place
}
