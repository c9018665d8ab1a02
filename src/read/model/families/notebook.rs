//! The notebook's torch file: `config` with k and the whitening, and `model_state_dict`.

mod in_memory;
pub(in crate::read::model) mod names;
mod unused;

use crate::error::Result;
use crate::memory::may_fail;
use crate::read::model::weights::Weights;
use crate::read::pickle::Id;
use crate::read::plain::{numbers, scalar, whole};
use crate::read::tensor::{Dtype, read_whole, shape_text};
use crate::read::torch::TorchFile;
use crate::sae::{Activation, Sae, SaeParts, Values, whitening};

pub(in crate::read::model) use in_memory::of_tensors;

/// Its name.
pub(in crate::read::model) const NAME: &str = "the notebook's";
/// How scores are computed.
pub(in crate::read::model) const SCORES: &str =
    "(x − μ) / (σ + 1e-6) · encoder.weightᵀ + encoder.bias";

/// Says whether a file has the notebook's two parts.
pub(in crate::read::model) fn claims(weights: &Weights) -> bool {
    let Some(file) = weights.torch() else {
        return false;
    };
    let has_config = file.document.get(file.document.root, "config").is_some();
    has_config && weights.within == "model_state_dict"
}

/// Says whether an error on a torch file of no family is to name the keys of this one: some are there,
/// or there is no tensor of any other.
pub(in crate::read::model) fn is_meant(weights: &Weights) -> bool {
    let Some(file) = weights.torch() else {
        return false;
    };
    let has = |key| file.document.get(file.document.root, key).is_some();
    ["config", "model_state_dict", "embeddings"]
        .into_iter()
        .any(has)
        || weights.names().next().is_none()
}

/// Reads the model, and what is odd about it.
pub(in crate::read::model) fn read(file: &TorchFile) -> Result<(Sae, Vec<String>)> {
    file.refuse_harmful()?;
    let looks_like_a_cohort = file
        .document
        .get(file.document.root, "embeddings")
        .is_some();
    let advice = if looks_like_a_cohort {
        "this is a cohort: are embeddings and model swapped?"
    } else {
        "give the sae.pt that training wrote, with its config and model_state_dict"
    };
    let config = mapping(file, "config", advice)?;
    let weights = mapping(file, "model_state_dict", advice)?;
    let [input_dim, feature_dim, k] =
        ["input_dim", "feature_dim", "k"].map(|key| size(file, config, key));
    let (input_dim, feature_dim, k) = (input_dim?, feature_dim?, k?);
    let parts = SaeParts {
        name: file.name(),
        input_dim,
        feature_dim,
        activation: Activation::TopK { k, relu: false },
        weight: parameter(file, weights, "encoder.weight", &[feature_dim, input_dim])?,
        bias: parameter(file, weights, "encoder.bias", &[feature_dim])?,
        input: whitening(
            means(file, config, input_dim)?,
            &deviations(file, config, input_dim)?,
        ),
        values: Values::Score,
        most: None,
    };
    let sizes = unused::Sizes {
        input_dim,
        feature_dim,
        k,
    };
    let passed_over = unused::check(file, config, weights, sizes)?;
    let mut warnings: Vec<_> = file.passed_over().into_iter().collect();
    if !passed_over.is_empty() {
        let keys = passed_over.join(", ");
        warnings.push(format!(
            "keys that the model does not need were passed over: {keys}"
        ));
    }
    if k > feature_dim {
        warnings.push(too_many("config.k", k, feature_dim));
    }
    Ok((Sae::new(parts)?, warnings))
}

/// A sentence on a k, of this name, that is more than there are features.
fn too_many(name: &str, k: usize, features: usize) -> String {
    format!("{name} is {k}, more than the {features} features: all of them fire on every call")
}

fn mapping(file: &TorchFile, key: &str, action: &str) -> Result<Id> {
    let id = file.required(key, action)?;
    if file.document.entries(id).is_some() {
        return Ok(id);
    }
    let found = file.kind(id);
    let action = if found.contains("torch.nn.Module") {
        "in Python, save its state: package[\"model_state_dict\"] = module.state_dict()"
    } else {
        action
    };
    Err(file.bad(&format!("key {key}"), found, "a dict", action))
}

/// A number of the config that says how many of something there are.
fn size(file: &TorchFile, config: Id, key: &str) -> Result<usize> {
    let place = format!("config.{key}");
    let advice = "check the model's config";
    let expected = "a whole number of at least 1";
    let Some(id) = file.document.get(config, key) else {
        return Err(file.bad(&place, file.keys(config), format!("a key {key}"), advice));
    };
    let value = scalar(file, id, &place)?;
    match value.as_ref().and_then(whole).map(usize::try_from) {
        Some(Ok(size)) if size > 0 => Ok(size),
        _ => {
            let found = match value {
                Some(value) => value.into_text(),
                None => file.kind(id),
            };
            Err(file.bad(&place, found, expected, advice))
        }
    }
}

/// μ, all of whose numbers are finite.
fn means(file: &TorchFile, config: Id, dim: usize) -> Result<Vec<f32>> {
    let numbers = whitening_of(file, config, &["μ", "\u{b5}", "mu", "mean"], dim)?;
    let Some(first) = numbers.iter().position(|number| !number.is_finite()) else {
        return Ok(numbers);
    };
    let found = numbers.get(first).copied().unwrap_or_default().to_string();
    let place = format!("μ (whitening mean)[{first}]");
    Err(file.bad(&place, found, "a finite number", "recompute the whitening"))
}

/// σ, all of whose numbers are greater than 0: with 1e-6 added, a 0 would make a million of what is
/// one.
fn deviations(file: &TorchFile, config: Id, dim: usize) -> Result<Vec<f32>> {
    let numbers = whitening_of(file, config, &["σ", "std", "sigma"], dim)?;
    let place = |at: usize| format!("σ (whitening standard deviation)[{at}]");
    let wrong = |number: &f32| !number.is_finite() || *number < 0.0;
    if let Some(first) = numbers.iter().position(wrong) {
        let found = numbers.get(first).copied().unwrap_or_default().to_string();
        let expected = "a finite number greater than 0";
        return Err(file.bad(&place(first), found, expected, "recompute the whitening"));
    }
    let zeros = numbers.iter().filter(|&&number| number == 0.0).count();
    let Some(first) = numbers.iter().position(|&number| number == 0.0) else {
        return Ok(numbers);
    };
    Err(file.bad(
        &place(first),
        format!("0, and {zeros} of {dim} of them in all"),
        "a number greater than 0",
        "compute σ again from the embeddings of training; for an input that never varies, save 1",
    ))
}

/// μ or σ, under the first of its names that the config has; the others must say the same.
fn whitening_of(file: &TorchFile, config: Id, names: &[&str], dim: usize) -> Result<Vec<f32>> {
    let mut found: Option<(&str, Vec<f32>)> = None;
    for name in names {
        let Some(id) = file.document.get(config, name) else {
            continue;
        };
        if file.document.value(id) == crate::read::pickle::Value::None {
            continue;
        }
        let place = format!("config.{name}");
        let numbers = whitening_numbers(file, id, &place, dim)?;
        match &found {
            None => found = Some((name, numbers)),
            Some((first, others)) if *others != numbers => {
                return Err(file.bad(
                    &place,
                    format!("other numbers than config.{first} has"),
                    "the same ones, or one of these keys alone",
                    "save the whitening that is meant under one name",
                ));
            }
            Some(_) => {}
        }
    }
    found.map(|(_, numbers)| numbers).ok_or_else(|| {
        file.bad(
            "config",
            file.keys(config),
            format!("a key {}", names.join(" or ")),
            "save the whitening's mean and standard deviation in the config",
        )
    })
}

fn whitening_numbers(file: &TorchFile, id: Id, place: &str, dim: usize) -> Result<Vec<f32>> {
    let numbers = numbers(file, id, place)?;
    match numbers.as_slice() {
        // One number stands for all, as in torch.
        &[number] if dim > 1 => broadcast(file, place, number, dim),
        numbers if numbers.len() == dim => Ok(numbers.to_vec()),
        numbers => Err(file.bad(
            place,
            format!("{} numbers", numbers.len()),
            format!("{dim}, as input_dim"),
            "use the whitening that this model was trained with",
        )),
    }
}

fn broadcast(file: &TorchFile, place: &str, number: f32, dim: usize) -> Result<Vec<f32>> {
    let mut numbers = Vec::new();
    if dim as u64 > file.source.len() || may_fail(|| numbers.try_reserve_exact(dim)).is_err() {
        let found = format!("one number for input_dim = {dim}");
        return Err(file.bad(
            place,
            found,
            "an input_dim that the weights have",
            "check the config",
        ));
    }
    numbers.resize(dim, number);
    Ok(numbers)
}

/// A parameter of the encoder, its shape checked.
fn parameter(file: &TorchFile, weights: Id, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
    let place = format!("model_state_dict.{name}");
    let Some(id) = find_parameter(file, weights, name) else {
        return Err(file.bad(
            "model_state_dict",
            file.keys(weights),
            format!("a key {name}"),
            "give a sparse autoencoder with one linear encoder layer",
        ));
    };
    let advice = "use the config that these weights belong to";
    let expected = format!("a tensor of shape {} as the config says", shape_text(shape));
    let Some(tensor) = file.tensor(id, &place)? else {
        return Err(file.bad(&place, file.kind(id), expected, advice));
    };
    if let &[rows, columns] = shape
        && tensor.shape == [columns, rows]
        && rows != columns
    {
        let advice = "it looks transposed: save the weight as torch.nn.Linear has it";
        return Err(file.bad(&place, shape_text(&tensor.shape), expected, advice));
    }
    if tensor.shape != shape {
        return Err(file.bad(&place, shape_text(&tensor.shape), expected, advice));
    }
    if !matches!(
        tensor.dtype,
        Dtype::F16 | Dtype::Bf16 | Dtype::F32 | Dtype::F64
    ) {
        let found = format!("{} numbers", tensor.dtype.name());
        return Err(file.bad(&place, found, "floating-point numbers", advice));
    }
    read_whole(&tensor, &place)
}

/// A parameter by its name, with or without the prefixes of wrapped models; the plain name
/// goes first.
fn find_parameter(file: &TorchFile, weights: Id, name: &str) -> Option<Id> {
    let document = &file.document;
    document.get(weights, name).or_else(|| {
        let mut entries = document.entries(weights)?;
        entries.find_map(|(key, id)| {
            let text = document.text(key)?;
            (strip_prefixes(&text) == name).then_some(id)
        })
    })
}

/// Takes away what `DataParallel` and `torch.compile` put before a parameter's name.
fn strip_prefixes(mut name: &str) -> &str {
    while let Some(rest) = name
        .strip_prefix("module.")
        .or_else(|| name.strip_prefix("_orig_mod."))
    {
        name = rest;
    }
    name
}
