//! The values of a torch file that are no tensors, in the form of JSON.

use serde_json::{Map, Value};

use crate::error::Result;
use crate::read::pickle::Id;
use crate::read::plain::{Scalar, scalar};
use crate::read::torch::{Description, TorchFile};

/// Mappings in mappings that are looked into.
const DEEPEST: usize = 4;
/// Values that are looked at in all: one mapping can stand in many places.
const MOST_VALUES: usize = 1 << 16;
/// The longest list that is read; losses and activations of training are longer, and no config.
const LONGEST: usize = 256;

/// The values under the keys of a mapping: text, numbers, flags, lists and mappings of them.
/// States of optimisers and models are left out: they are long, and no config. A long list is `null`.
///
/// # Errors
/// More values than a config has.
pub(super) fn values(file: &TorchFile, dict: Id) -> Result<Value> {
    let mut left = MOST_VALUES;
    mapping(file, dict, DEEPEST, &mut left)
}

fn is_state(name: &str) -> bool {
    name.starts_with("optimizer") || name.ends_with("state_dict") && name != "activation_state_dict"
}

fn count(file: &TorchFile, left: &mut usize) -> Result<()> {
    let less = left.checked_sub(1);
    *left = less.ok_or_else(|| {
        let found = format!("more than {MOST_VALUES} values that are no tensors");
        let expected = "tensors and a config";
        let action = "save the model without the records of its training";
        file.bad("the top level", found, expected, action)
    })?;
    Ok(())
}

fn mapping(file: &TorchFile, dict: Id, depth: usize, left: &mut usize) -> Result<Value> {
    let mut map = Map::new();
    for (key, id) in file.document.entries(dict).into_iter().flatten() {
        count(file, left)?;
        if let Some(name) = file.document.text(key).filter(|name| !is_state(name))
            && let Some(value) = value(file, id, depth, left)?
        {
            map.insert(name.into_owned(), value);
        }
    }
    Ok(Value::Object(map))
}

fn value(file: &TorchFile, id: Id, depth: usize, left: &mut usize) -> Result<Option<Value>> {
    let document = &file.document;
    if Description::read(document, id).is_some() {
        return Ok(None);
    }
    if document.entries(id).is_some() {
        let deeper = depth.checked_sub(1);
        return deeper
            .map(|depth| mapping(file, id, depth, left))
            .transpose();
    }
    if let (Some(items), Some(depth)) = (document.items(id), depth.checked_sub(1)) {
        let items: Vec<_> = items.take(LONGEST + 1).collect();
        if items.len() > LONGEST {
            return Ok(Some(Value::Null));
        }
        let mut list = Vec::new();
        for id in items {
            count(file, left)?;
            list.extend(value(file, id, depth, left)?);
        }
        return Ok(Some(Value::Array(list)));
    }
    Ok(scalar(file, id, "a value")?.map(|scalar| match scalar {
        Scalar::None => Value::Null,
        Scalar::Bool(flag) => Value::Bool(flag),
        Scalar::Int(n) => Value::from(n),
        Scalar::Large(x) | Scalar::Float(x) => Value::from(x),
        Scalar::Single(x) => Value::from(f64::from(x)),
        Scalar::Text(text) => Value::String(text),
    }))
}
