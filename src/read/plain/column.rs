//! Columns of calls: one value for each call, in any form that Python keeps them.

use super::super::pickle::{Document, Id, Value};
use super::super::tensor::{Tensor, shape_text};
use super::super::torch::TorchFile;
use super::numpy;
use super::scalar::{Scalar, decode};
use super::single::scalar;
use crate::error::{Error, Result};

/// One value for each call.
pub(crate) enum Column {
    /// Values of a list, a tuple or a numpy array of objects.
    Items(Vec<Id>),
    /// Values of a tensor or a numpy array.
    Values(Vec<Scalar>),
    /// One value for all calls: Python's, numpy's, or a tensor or array without dimensions.
    One(Scalar),
}

impl Column {
    /// Returns the number of values; `None` if one stands for all.
    pub(crate) fn len(&self) -> Option<usize> {
        match self {
            Self::Items(items) => Some(items.len()),
            Self::Values(values) => Some(values.len()),
            Self::One(_) => None,
        }
    }
}

impl Column {
    /// Estimates the bytes of memory that the values take.
    pub(crate) fn held(&self) -> u64 {
        match self {
            Self::Items(items) => size_of_val(&**items) as u64,
            Self::Values(values) => size_of_val(&**values) as u64,
            Self::One(_) => 0,
        }
    }
}

/// Checks that so many values can be kept, before they are decoded.
fn check_room(file: &TorchFile, count: usize, place: &str) -> Result<()> {
    let bytes = (count as u64).saturating_mul(size_of::<Scalar>() as u64);
    file.budget.check(bytes, place, &format!("{count} values"))
}

/// Returns the items of an ordered container: a list, a tuple, or a numpy array of objects with one
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

/// Reads a column. Fails if a value is not understood, or if an array does not have one number for
/// each of `rows`, if that is known. `place` is for messages.
pub(crate) fn column(file: &TorchFile, id: Id, place: &str, rows: Option<usize>) -> Result<Column> {
    let document = &file.document;
    // This precedes decoding, which takes more memory than the file.
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
        let count = shape
            .iter()
            .fold(1_usize, |n, &size| n.saturating_mul(size));
        check_room(file, count, place)?;
    }
    if let Some((shape, values)) = numpy::elements(document, id) {
        return match (shape.as_slice(), values.as_slice()) {
            ([], [value]) => Ok(Column::One(value.clone())),
            (shape, _) if is_line(shape, values.len()) => Ok(Column::Values(values)),
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
        // A cohort without values of a field leaves its key out.
        Value::None => {}
        _ => {
            if let Some(value) = scalar(file, id, place)? {
                return Ok(Column::One(value));
            }
        }
    }
    Err(unlike(file, place, &file.kind(id)))
}

/// Makes the error of a column whose length differs from the number of calls.
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

/// Says whether a shape holds `count` numbers in a line: \[n\], or \[n, 1\], which collating
/// tensors of one number gives.
fn is_line(shape: &[usize], count: usize) -> bool {
    shape.first() == Some(&count) && shape.iter().skip(1).all(|&size| size == 1)
}

fn of_tensor(file: &TorchFile, tensor: &Tensor, place: &str) -> Result<Column> {
    /// The most times that one value (stride 0) may be repeated.
    const MOST_EXPANDED: usize = 1 << 24;
    let count = tensor.count();
    let stride = tensor.strides.first().copied().unwrap_or(0);
    let line = tensor.shape.is_empty() || is_line(&tensor.shape, count);
    if !line || stride == 0 && count > MOST_EXPANDED {
        let found = format!("a tensor of shape {}", shape_text(&tensor.shape));
        return Err(unlike(file, place, &found));
    }
    check_room(file, count, place)?;
    let size = tensor.dtype.size();
    let mut values = Vec::with_capacity(count);
    // A part of the storage at a time: 64 Ki elements if there are no gaps.
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
