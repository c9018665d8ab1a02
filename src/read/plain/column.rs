//! Columns of calls: a value for each call, in any of the forms that Python keeps them.

use super::super::pickle::{Document, Id, Value};
use super::super::tensor::{Tensor, shape_text};
use super::super::torch::TorchFile;
use super::numpy;
use super::scalar::{Scalar, decode};
use super::single::scalar;
use crate::error::{Error, Result};

/// A value for each call.
pub(crate) enum Column {
    /// Those of a list, a tuple or a numpy array of objects.
    Items(Vec<Id>),
    /// Those of a tensor or a numpy array.
    Values(Vec<Scalar>),
    /// One value: of Python, numpy, or a tensor or array without dimensions.
    One(Scalar),
}

impl Column {
    /// How many values there are; `None` where one stands for all.
    pub(crate) fn len(&self) -> Option<usize> {
        match self {
            Self::Items(items) => Some(items.len()),
            Self::Values(values) => Some(values.len()),
            Self::One(_) => None,
        }
    }
}

/// The items of what has them in an order: a list, a tuple, a numpy array of objects with one
/// dimension.
pub(crate) fn ordered(document: &Document, id: Id) -> Option<Vec<Id>> {
    let items = match document.value(id) {
        Value::Tuple(..) | Value::List(_) => document.items(id)?,
        Value::Object(_) => {
            if let Some((shape, list)) = numpy::objects(document, id) {
                let items: Vec<_> = document.items(list)?.collect();
                return is_line(&shape, items.len()).then_some(items);
            }
            let (_, name) = document.callable(document.object(id)?);
            let ordered = matches!(name, "list" | "tuple" | "Size");
            document.items(id).filter(|_| ordered)?
        }
        _ => return None,
    };
    Some(items.collect())
}

/// Reads a column; an error where a value is not understood as one, or where an array has not a
/// number for each of `rows`, if that is known. `place` is for messages.
pub(crate) fn column(file: &TorchFile, id: Id, place: &str, rows: Option<usize>) -> Result<Column> {
    let document = &file.document;
    // Before anything is decoded, which takes more memory than the file has.
    let check = |shape: &[usize]| match (shape, rows) {
        (&[length, ..], Some(rows)) if length != rows => Err(unequal(file, place, length, rows)),
        _ => Ok(()),
    };
    if let Some(tensor) = file.tensor(id, place)? {
        check(&tensor.shape)?;
        return of_tensor(file, &tensor, place);
    }
    if let Some((shape, _)) = numpy::describe(document, id) {
        check(&shape)?;
    }
    if let Some((shape, values)) = numpy::elements(document, id) {
        return match (shape.as_slice(), values.as_slice()) {
            ([], [value]) => Ok(Column::One(value.clone())),
            (shape, values) if is_line(shape, values.len()) => Ok(Column::Values(values.to_vec())),
            _ => Err(unlike(
                file,
                place,
                &format!("a NumPy array of shape {}", shape_text(&shape)),
            )),
        };
    }
    if let Some(items) = ordered(document, id) {
        return Ok(Column::Items(items));
    }
    match document.value(id) {
        // That no call has a value is said by leaving the key out.
        Value::None => {}
        _ => {
            if let Some(value) = scalar(file, id, place)? {
                return Ok(Column::One(value));
            }
        }
    }
    Err(unlike(file, place, &file.kind(id)))
}

/// The error of a column of another length than there are calls.
pub(crate) fn unequal(file: &TorchFile, place: &str, found: usize, rows: usize) -> Error {
    file.bad(
        place,
        format!("{found} values"),
        format!("{rows}, one for each call"),
        "save all columns from the same run",
    )
}

fn unlike(file: &TorchFile, place: &str, found: &str) -> Error {
    file.bad(
        place,
        found,
        "a list, a tensor or a NumPy array of one dimension, with a value for each call",
        "save it as a list (.tolist()); leave the key out where no call has a value",
    )
}

/// Whether a shape is that of `count` numbers one after another: \[n\], or \[n, 1\], as collating
/// tensors of one number gives it.
fn is_line(shape: &[usize], count: usize) -> bool {
    shape.first() == Some(&count) && shape.iter().skip(1).all(|&size| size == 1)
}

fn of_tensor(file: &TorchFile, tensor: &Tensor, place: &str) -> Result<Column> {
    /// A value that stands for many (stride 0) may stand for so many.
    const MOST_EXPANDED: usize = 1 << 24;
    let count = tensor.count();
    let stride = tensor.strides.first().copied().unwrap_or(0);
    let line = tensor.shape.is_empty() || is_line(&tensor.shape, count);
    if !line || stride == 0 && count > MOST_EXPANDED {
        let found = format!("a tensor of shape {}", shape_text(&tensor.shape));
        return Err(unlike(file, place, &found));
    }
    let size = tensor.dtype.size();
    let mut values = Vec::with_capacity(count);
    // Some of the storage at a time; with no gaps, 64 Ki elements.
    let step = (stride as usize).saturating_mul(size).max(1);
    let at_once = ((1 << 19) / step).max(1);
    for first in (0..count).step_by(at_once) {
        let some = at_once.min(count - first);
        let mut bytes = vec![0; (some - 1) * stride as usize * size + size];
        let element = tensor.offset + first as u64 * stride;
        let position = tensor.storage.start + element * size as u64;
        tensor.storage.source.read_at(&mut bytes, position)?;
        for index in 0..some {
            let at = index * stride as usize * size;
            let mut element = [0; 8];
            if let (Some(to), Some(from)) = (element.get_mut(..size), bytes.get(at..at + size)) {
                to.copy_from_slice(from);
            }
            values.push(decode(tensor.dtype, element));
        }
    }
    match values.as_slice() {
        [value] if tensor.shape.is_empty() => Ok(Column::One(value.clone())),
        _ => Ok(Column::Values(values)),
    }
}
