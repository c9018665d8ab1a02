//! The content of a model's file beside what is used. It may hold nothing that could change which
//! atoms fire.
//!
//! Tensors of the state dict are harmless only where they are known to be (`decoder.weight`, counts
//! of training). Keys of the config and of the top level are harmless unless their names say
//! otherwise. Two kinds of value pass: one that switches something off (`None`, `False`, `"none"`),
//! and one that says what is done anyway (`activation: "topk"`, a second name of k with the same
//! number).

use super::names::{self, Meaning};
use super::strip_prefixes;
use crate::error::{Error, Result};
use crate::read::pickle::{Id, Value};
use crate::read::plain::{Scalar, scalar, whole};
use crate::read::torch::{Description, TorchFile};

/// The sizes of the model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) input_dim: usize,
    pub(super) feature_dim: usize,
    pub(super) k: usize,
}

/// Mappings in mappings that are looked into.
const DEEPEST: usize = 4;
/// Keys that are looked at in all: one mapping can stand in many places.
const MOST_KEYS: usize = 1 << 16;

/// An error if anything that is not used could change which atoms fire.
///
/// Gives the keys that were passed over though nothing is known of them.
pub(super) fn check(
    file: &TorchFile,
    config: Id,
    weights: Id,
    sizes: Sizes,
) -> Result<Vec<String>> {
    state_dict(file, weights, sizes)?;
    let mut check = Check {
        file,
        sizes,
        unknown: Vec::new(),
        left: MOST_KEYS,
    };
    check.mapping(config, "config", 1)?;
    for (key, value) in file
        .document
        .entries(file.document.root)
        .into_iter()
        .flatten()
    {
        let name = check.name(key);
        if value != config && value != weights {
            check.key("", &name, value, 1)?;
        }
    }
    Ok(check.unknown)
}

/// The error of something that is there, is not used, and could change an encoding.
fn unused(file: &TorchFile, place: &str, found: &str) -> Error {
    file.bad(
        place,
        format!("{found}, which is not used and could change which atoms fire"),
        "a model whose atoms are the k largest of encoder.weight · (x − μ) / (σ + 1e-6) + encoder.bias",
        "if it changes nothing, save the model without it; else this model cannot be read yet",
    )
}

fn state_dict(file: &TorchFile, weights: Id, sizes: Sizes) -> Result<()> {
    let document = &file.document;
    let mut used = Vec::new();
    for (key, value) in document.entries(weights).into_iter().flatten() {
        let name = document.text(key).unwrap_or_default();
        let place = format!("model_state_dict.{name}");
        let plain = strip_prefixes(&name);
        match names::of_tensor(plain) {
            Meaning::Used if used.contains(&plain.to_owned()) => {
                return Err(file.bad(
                    &place,
                    format!("a second {plain}, under another prefix"),
                    "one of them",
                    "which of the two is meant cannot be known: save the model's own state_dict()",
                ));
            }
            Meaning::Used => used.push(plain.to_owned()),
            Meaning::Harmless => check_decoder(file, value, &place, sizes)?,
            Meaning::K => {
                let found = scalar(file, value, &place)?;
                if found.as_ref().and_then(whole) != i64::try_from(sizes.k).ok() {
                    let found = found.map_or_else(|| file.kind(value), Scalar::into_text);
                    let expected = format!("{}, as config.k", sizes.k);
                    return Err(file.bad(&place, found, expected, "save the k that is meant"));
                }
            }
            _ if document.value(value) == Value::None => {}
            _ => return Err(unused(file, &place, &describe(file, value))),
        }
    }
    Ok(())
}

/// A decoder of other sizes belongs to another encoder.
fn check_decoder(file: &TorchFile, id: Id, place: &str, sizes: Sizes) -> Result<()> {
    if !place.ends_with("decoder.weight") {
        return Ok(());
    }
    let Some(tensor) = Description::read(&file.document, id) else {
        return Ok(());
    };
    let mut wanted = [sizes.input_dim as u64, sizes.feature_dim as u64];
    let found = tensor.shape.as_slice();
    if found == wanted {
        return Ok(());
    }
    wanted.reverse();
    if found == wanted {
        return Ok(());
    }
    let found = crate::read::tensor::shape_text(found);
    let expected = format!(
        "[{}, {}], as the config says",
        sizes.input_dim, sizes.feature_dim
    );
    let action = "use the config and the weights of one model";
    Err(file.bad(place, found, expected, action))
}

fn describe(file: &TorchFile, id: Id) -> String {
    match Description::read(&file.document, id) {
        Some(tensor) => format!(
            "a tensor of {} {}",
            tensor.dtype_name(),
            crate::read::tensor::shape_text(&tensor.shape)
        ),
        None => file.kind(id),
    }
}

struct Check<'a> {
    file: &'a TorchFile,
    sizes: Sizes,
    unknown: Vec<String>,
    left: usize,
}

impl Check<'_> {
    fn name(&self, key: Id) -> String {
        let text = self.file.document.text(key);
        text.map_or_else(|| self.file.kind(key), std::borrow::Cow::into_owned)
    }

    fn mapping(&mut self, id: Id, place: &str, depth: usize) -> Result<()> {
        for (key, value) in self.file.document.entries(id).into_iter().flatten() {
            let Some(left) = self.left.checked_sub(1) else {
                return Ok(());
            };
            self.left = left;
            let name = self.name(key);
            self.key(place, &name, value, depth)?;
        }
        Ok(())
    }

    /// A key of the config, of a mapping in it, or of the top level (`within` is empty).
    fn key(&mut self, within: &str, name: &str, value: Id, depth: usize) -> Result<()> {
        let place = match within {
            "" => name.to_owned(),
            _ => format!("{within}.{name}"),
        };
        let Sizes {
            input_dim,
            feature_dim,
            k,
        } = self.sizes;
        let meaning = names::of_key(name, within == "config");
        match meaning {
            Meaning::Used | Meaning::Harmless => return Ok(()),
            Meaning::InputDim => return self.equal(&place, value, input_dim, "input_dim"),
            Meaning::FeatureDim => return self.equal(&place, value, feature_dim, "feature_dim"),
            Meaning::K => return self.equal(&place, value, k, "k"),
            Meaning::Expansion => {
                let factor = self.scalar(value, &place)?.and_then(|value| number(&value));
                let expected = feature_dim as f64 / input_dim as f64;
                return match factor {
                    Some(factor) if (factor - expected).abs() > 1e-6 * expected => {
                        Err(self.file.bad(
                            &place,
                            factor.to_string(),
                            format!("{expected}, feature_dim over input_dim"),
                            "use the config that these weights belong to",
                        ))
                    }
                    _ => Ok(()),
                };
            }
            Meaning::Kind | Meaning::Changes => {
                let scalar = self.scalar(value, &place)?;
                let scaler = name.contains("scaler") && self.is_grad_scaler(value);
                let empty = self
                    .file
                    .document
                    .entries(value)
                    .is_some_and(|mut e| e.next().is_none());
                if scaler
                    || empty
                    || scalar
                        .as_ref()
                        .is_some_and(|value| names::as_is(name, value))
                {
                    return Ok(());
                }
                let harmless_kind = meaning == Meaning::Kind
                    && scalar
                        .as_ref()
                        .is_none_or(|kind| !names::is_other_kind(kind));
                if !harmless_kind {
                    let found =
                        scalar.map_or_else(|| describe(self.file, value), Scalar::into_text);
                    return Err(unused(self.file, &place, &found));
                }
            }
            Meaning::Unknown => self.unlike_another(within, value, &place)?,
            Meaning::Described => {}
        }
        if depth < DEEPEST && self.file.document.entries(value).is_some() {
            return self.mapping(value, &place, depth + 1);
        }
        if within == "config" && meaning == Meaning::Unknown {
            self.unknown.push(place);
        }
        Ok(())
    }

    /// An error if a value under a name that says nothing is a tensor of the config, or names another
    /// kind of model or of activation.
    fn unlike_another(&self, within: &str, value: Id, place: &str) -> Result<()> {
        let tensor = Description::read(&self.file.document, value);
        let is_large = |tensor: &Description| tensor.shape.iter().any(|&n| n > 1);
        if within == "config" && tensor.as_ref().is_some_and(is_large) {
            return Err(unused(self.file, place, &describe(self.file, value)));
        }
        match self.file.document.text(value) {
            Some(text) if names::is_another_activation(&text) => {
                Err(unused(self.file, place, &text))
            }
            _ => Ok(()),
        }
    }

    fn scalar(&self, value: Id, place: &str) -> Result<Option<Scalar>> {
        // A tensor of a type that is not read is no scalar, and no error yet.
        if Description::read(&self.file.document, value)
            .is_some_and(|t| t.shape.iter().any(|&n| n != 1))
        {
            return Ok(None);
        }
        scalar(self.file, value, place)
    }

    /// An error unless a size agrees with the one that is used.
    fn equal(&self, place: &str, value: Id, size: usize, name: &str) -> Result<()> {
        let found = self.scalar(value, place)?;
        match found {
            None | Some(Scalar::None | Scalar::Bool(true)) => Ok(()),
            Some(value) if whole(&value) == i64::try_from(size).ok() => Ok(()),
            Some(value) => Err(self.file.bad(
                place,
                value.into_text(),
                format!("{size}, as {name}"),
                "two sizes contradict each other: use the config that these weights belong to",
            )),
        }
    }

    /// Says whether this is the state of torch's `GradScaler`, which scales losses.
    fn is_grad_scaler(&self, value: Id) -> bool {
        self.file.document.get(value, "growth_factor").is_some()
    }
}

fn number(scalar: &Scalar) -> Option<f64> {
    match scalar {
        Scalar::Int(n) => Some(*n as f64),
        Scalar::Large(x) | Scalar::Float(x) => Some(*x),
        Scalar::Single(x) => Some(f64::from(*x)),
        Scalar::None | Scalar::Bool(_) | Scalar::Text(_) => None,
    }
}
