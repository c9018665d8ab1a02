//! The single value that a value of a file is: Python's own, numpy's scalar, or a tensor of one element.

use super::super::pickle::{Id, Value};
use super::super::torch::TorchFile;
use super::numpy;
use super::scalar::{Scalar, bytes_repr, decode, large};
use crate::error::Result;

/// The single value that a value is; `None` if it is something larger. `place` is for messages.
pub(crate) fn scalar(file: &TorchFile, id: Id, place: &str) -> Result<Option<Scalar>> {
    let document = &file.document;
    Ok(match document.value(id) {
        Value::None => Some(Scalar::None),
        Value::Bool(flag) => Some(Scalar::Bool(flag)),
        Value::Int(n) => Some(Scalar::Int(n)),
        Value::Float(x) => Some(Scalar::Float(x)),
        Value::Long(start, len) => Some(Scalar::Large(large(document.raw(start, len)))),
        Value::Str(..) => document
            .text(id)
            .map(|text| Scalar::Text(text.into_owned())),
        Value::Bytes(start, len) => Some(Scalar::Text(bytes_repr(document.raw(start, len)))),
        Value::Object(_) => match numpy::scalar(document, id) {
            Some(scalar) => Some(scalar),
            None => element(file, id, place)?,
        },
        _ => None,
    })
}

/// The element of a tensor that has exactly one.
fn element(file: &TorchFile, id: Id, place: &str) -> Result<Option<Scalar>> {
    match file.tensor(id, place)? {
        Some(tensor) if tensor.count() == 1 => {
            let size = tensor.dtype.size();
            let mut bytes = [0; 8];
            let position = tensor.storage.start + tensor.offset * size as u64;
            let part = bytes.get_mut(..size).unwrap_or_default();
            tensor.storage.source.read_at(part, position)?;
            Ok(Some(decode(tensor.dtype, bytes)))
        }
        _ => Ok(None),
    }
}
