//! numpy's arrays and scalars in a pickle.

use std::borrow::Cow;

use super::super::pickle::{Document, Id, Value};
use super::super::tensor::Dtype;
use super::scalar::{Scalar, decode, raw_bytes};

/// An element type of numpy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number(Dtype),
    /// Unicode text of so many characters, 4 bytes each.
    Text(usize),
    /// So many bytes.
    Bytes(usize),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Type {
    pub(super) kind: Kind,
    pub(super) big_endian: bool,
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

/// Says whether a module is numpy's `core.part`, by its name before or since numpy 2.
fn is_core(module: &str, part: &str) -> bool {
    module
        .strip_prefix("numpy.core.")
        .or_else(|| module.strip_prefix("numpy._core."))
        == Some(part)
}

/// Reads a numpy scalar, or an array of one number.
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
    element(kind, bytes.get(..kind.size())?)
}

/// Reads an element of an array, or a scalar; `None` if its bytes should be text and are not.
fn element(kind: Type, bytes: &[u8]) -> Option<Scalar> {
    Some(match kind.kind {
        Kind::Number(dtype) => decode(dtype, ordered(bytes, kind.big_endian)?),
        Kind::Text(_) => Scalar::Text(utf32(bytes, kind.big_endian)?),
        Kind::Bytes(_) => {
            let text = std::str::from_utf8(bytes).ok()?;
            Scalar::Text(text.trim_end_matches('\0').to_owned())
        }
    })
}

/// Returns an element's bytes in little-endian order, with zeros after them.
fn ordered(bytes: &[u8], big_endian: bool) -> Option<[u8; 8]> {
    let mut ordered = [0; 8];
    let part = ordered.get_mut(..bytes.len())?;
    part.copy_from_slice(bytes);
    if big_endian {
        part.reverse();
    }
    Some(ordered)
}

/// Reads text of 4 bytes a character, without the zeros after it.
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

/// What a pickle says of a numpy array, and the value that has its bytes.
pub(super) struct Outline {
    pub(super) element: Type,
    pub(super) shape: Vec<usize>,
    pub(super) fortran: bool,
    pub(super) data: Id,
}

fn shape(document: &Document, id: Id) -> Option<Vec<usize>> {
    let size = |id| match document.value(id) {
        Value::Int(n) => usize::try_from(n).ok(),
        _ => None,
    };
    document.items(id)?.map(size).collect()
}

/// Reads `_reconstruct(…)` with its state `(version, shape, dtype, fortran, bytes)`, and
/// `_frombuffer(bytes, dtype, shape, order)` of protocol 5, but for the bytes.
pub(super) fn outline(document: &Document, id: Id) -> Option<Outline> {
    let object = document.object(id)?;
    let (module, name) = document.callable(object);
    if is_core(module, "multiarray") && name == "_reconstruct" {
        let &[_, dimensions, dtype, fortran, data] = document.tuple(object.state)? else {
            return None;
        };
        return Some(Outline {
            element: element_type(document, dtype)?,
            shape: shape(document, dimensions)?,
            fortran: document.value(fortran) == Value::Bool(true),
            data,
        });
    }
    if is_core(module, "numeric") && name == "_frombuffer" {
        let &[data, dtype, dimensions, order] = document.args(object) else {
            return None;
        };
        return Some(Outline {
            element: element_type(document, dtype)?,
            shape: shape(document, dimensions)?,
            fortran: document.is_text(order, "F"),
            data,
        });
    }
    None
}

fn array(document: &Document, id: Id) -> Option<Array<'_>> {
    let Outline {
        element,
        shape,
        fortran,
        data,
    } = outline(document, id)?;
    Some(Array {
        element,
        shape,
        fortran,
        bytes: raw_bytes(document, data)?,
    })
}

/// Returns the shape and type of an array of numbers; `None` if the value is none.
pub(crate) fn numbers_of(document: &Document, id: Id) -> Option<(Vec<usize>, Dtype)> {
    let outline = outline(document, id)?;
    match outline.element.kind {
        Kind::Number(dtype) => Some((outline.shape, dtype)),
        _ => None,
    }
}

/// Returns an array's shape and element type, for a description.
pub(crate) fn describe(document: &Document, id: Id) -> Option<(Vec<usize>, String)> {
    let outline = outline(document, id)?;
    let name = match outline.element.kind {
        Kind::Number(dtype) => dtype.name().to_owned(),
        Kind::Text(count) => format!("text of {count}"),
        Kind::Bytes(count) => format!("bytes of {count}"),
    };
    Some((outline.shape, name))
}

/// Reads the numbers of an array in row-major order; `None` if it is not an array of numbers, or if
/// its shape needs another number of bytes.
pub(super) fn numbers(document: &Document, id: Id) -> Option<Vec<Scalar>> {
    numbers_of(document, id)?;
    elements(document, id).map(|(_, values)| values)
}

/// Reads the shape of an array of numbers, text or bytes, and its elements in row-major order;
/// `None` if it is not one, or if its shape needs another number of bytes.
pub(super) fn elements(document: &Document, id: Id) -> Option<(Vec<usize>, Vec<Scalar>)> {
    let array = array(document, id)?;
    let (count, size) = (array.count()?, array.element.size());
    if count.checked_mul(size) != Some(array.bytes.len()) {
        return None;
    }
    if size == 0 {
        // Text of no characters: any amount of it takes no bytes.
        return (count == 0).then_some((array.shape, Vec::new()));
    }
    let stored = array.bytes.chunks_exact(size);
    let stored: Option<Vec<Scalar>> = stored.map(|bytes| element(array.element, bytes)).collect();
    let stored = stored?;
    if !array.fortran {
        return Some((array.shape, stored));
    }
    let by_row: Option<Vec<_>> = (0..count)
        .map(|index| stored.get(fortran_place(index, &array.shape)).cloned())
        .collect();
    Some((array.shape, by_row?))
}

/// Returns the shape of an array of objects, and the list of its objects in stored order.
pub(super) fn objects(document: &Document, id: Id) -> Option<(Vec<usize>, Id)> {
    let object = document.object(id)?;
    let (module, name) = document.callable(object);
    if !is_core(module, "multiarray") || name != "_reconstruct" {
        return None;
    }
    let &[_, dimensions, dtype, _, list] = document.tuple(object.state)? else {
        return None;
    };
    let code = type_code(document, dtype)?;
    let objects = code
        .trim_start_matches(['<', '>', '=', '|'])
        .starts_with('O');
    (objects && matches!(document.value(list), Value::List(_)))
        .then_some((shape(document, dimensions)?, list))
}

/// Reads the texts of an array of objects that is the whole pickle, `None` for Python's `None`.
/// Returns `None` if any object is something else.
pub(crate) fn object_texts(document: &Document) -> Option<Vec<Option<Cow<'_, str>>>> {
    let (_, list) = objects(document, document.root)?;
    let text = |id| match document.value(id) {
        Value::None => Some(None),
        _ => document.text(id).map(Some),
    };
    document.items(list)?.map(text).collect()
}

fn type_code(document: &Document, id: Id) -> Option<Cow<'_, str>> {
    let object = document.object(id)?;
    (document.callable(object) == ("numpy", "dtype")).then_some(())?;
    document.text(*document.args(object).first()?)
}

/// Describes an array whose type is not read; `None` if the value is not an array.
pub(crate) fn type_in_words(document: &Document, id: Id) -> Option<String> {
    let object = document.object(id)?;
    let (module, name) = document.callable(object);
    let dtype = match name {
        "_reconstruct" if is_core(module, "multiarray") => *document.tuple(object.state)?.get(2)?,
        "_frombuffer" if is_core(module, "numeric") => *document.args(object).get(1)?,
        "scalar" if is_core(module, "multiarray") => *document.args(object).first()?,
        _ => return None,
    };
    let names = document
        .object(dtype)
        .and_then(|dtype| document.tuple(dtype.state))
        .and_then(|state| state.get(3).copied())
        .is_some_and(|names| document.value(names) != Value::None);
    if names {
        return Some("a structured NumPy array (of records)".to_owned());
    }
    let code = type_code(document, dtype).map(Cow::into_owned);
    let class = || Some(document.callable(document.object(dtype)?).1.to_owned());
    let element = code.or_else(class);
    Some(format!(
        "a NumPy array of {}",
        element.as_deref().unwrap_or("an unknown type")
    ))
}

/// Returns the position, in an array whose first index runs fastest, of the element with a
/// row-major index.
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
