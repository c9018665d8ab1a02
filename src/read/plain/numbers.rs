//! Lists of numbers in any of the forms that a config keeps them.

use super::super::pickle::Id;
use super::super::tensor::read_whole;
use super::super::torch::TorchFile;
use super::numpy;
use super::scalar::Scalar;
use super::single::scalar;
use crate::error::Result;

/// The numbers of a tensor, a numpy array, a list or tuple (nested ones after one another) or
/// a single number, as `torch.tensor(x).view(-1).float()` gives them. `place` is for messages.
pub(crate) fn numbers(file: &TorchFile, id: Id, place: &str) -> Result<Vec<f32>> {
    if let Some(tensor) = file.tensor(id, place)? {
        return read_whole(&tensor, place);
    }
    if let Some(array) = numpy::numbers(&file.document, id) {
        return Ok(array.iter().filter_map(single).collect());
    }
    let mut numbers = Vec::new();
    // Lists that wait to be gone on with: nothing recurses, and depth is bounded.
    let mut open = Vec::new();
    match file.document.items(id) {
        Some(items) => open.push(items),
        None => numbers.push(number(file, id, place)?),
    }
    let mut left = file.document.bytes.len();
    while let Some(items) = open.last_mut() {
        let Some(item) = items.next() else {
            open.pop();
            continue;
        };
        // A list that holds another one many times over could go on for ever.
        let Some(fewer) = left.checked_sub(1) else {
            return Err(unlike(file, id, place));
        };
        left = fewer;
        match file.document.items(item) {
            Some(inner) if open.len() < DEEPEST => open.push(inner),
            Some(_) => return Err(unlike(file, item, place)),
            None => numbers.push(number(file, item, place)?),
        }
    }
    Ok(numbers)
}

/// How deep lists of numbers may be nested.
const DEEPEST: usize = 8;

fn number(file: &TorchFile, id: Id, place: &str) -> Result<f32> {
    let number = scalar(file, id, place)?.as_ref().and_then(single);
    number.ok_or_else(|| unlike(file, id, place))
}

fn unlike(file: &TorchFile, id: Id, place: &str) -> crate::error::Error {
    file.bad(
        place,
        file.document.kind(id),
        "a tensor, a numpy array, or a list of numbers",
        "save it as a tensor",
    )
}

/// The number rounded to binary32.
fn single(scalar: &Scalar) -> Option<f32> {
    match scalar {
        Scalar::Bool(flag) => Some(f32::from(u8::from(*flag))),
        Scalar::Int(n) => Some(*n as f32),
        Scalar::Large(x) | Scalar::Float(x) => Some(*x as f32),
        Scalar::Single(x) => Some(*x),
        Scalar::None | Scalar::Text(_) => None,
    }
}
