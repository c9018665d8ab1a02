//! The model: a torch file with `config` and `model_state_dict`, found by itself, by its folder
//! or by a `BEST_MODEL.json`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::pickle::Id;
use super::plain::{integer, numbers, scalar};
use super::source::Stamp;
use super::tensor::{Dtype, read_whole, shape_text};
use super::torch::TorchFile;
use crate::error::{Error, Result};
use crate::sae::{Sae, SaeParts};

/// A model, and the file that it was read from.
#[derive(Debug)]
pub struct LoadedModel {
    /// The encoder with its whitening.
    pub sae: Sae,
    /// The torch file itself.
    pub path: PathBuf,
    /// What the file was when it was opened.
    pub(crate) stamp: Option<Stamp>,
    /// What is odd about the model, a sentence each.
    pub warnings: Vec<String>,
}

/// The name of a model in its folder.
const MODEL: &str = "sae.pt";
/// The name of the file that says which model is best.
const BEST: &str = "BEST_MODEL.json";

/// Reads a model: `path` is its torch file, the folder that holds `sae.pt` (or
/// `BEST_MODEL.json`), or a `BEST_MODEL.json`, whose `best_dir` is tried from the working
/// directory, then from the JSON's folder, then as a folder of that name beside the JSON.
pub fn read_model(path: &Path) -> Result<LoadedModel> {
    let path = find_model(path)?;
    let file = TorchFile::open(&path)?;
    file.refuse_foreign()?;
    let looks_like_a_cohort = file
        .document
        .get(file.document.root, "embeddings")
        .is_some();
    let advice = if looks_like_a_cohort {
        "this is a cohort: are --embeddings and --model swapped?"
    } else {
        "give the sae.pt that training wrote, with its config and model_state_dict"
    };
    let config = mapping(&file, "config", advice)?;
    let weights = mapping(&file, "model_state_dict", advice)?;
    let [input_dim, feature_dim, k] =
        ["input_dim", "feature_dim", "k"].map(|key| size(&file, config, key));
    let (input_dim, feature_dim, k) = (input_dim?, feature_dim?, k?);
    let parts = SaeParts {
        name: file.name(),
        input_dim,
        feature_dim,
        k,
        weight: parameter(&file, weights, "encoder.weight", &[feature_dim, input_dim])?,
        bias: parameter(&file, weights, "encoder.bias", &[feature_dim])?,
        mean: whitening(&file, config, &["μ", "\u{b5}", "mu", "mean"], input_dim)?,
        std: whitening(&file, config, &["σ", "std", "sigma"], input_dim)?,
    };
    file.source.check_unchanged()?;
    let mut warnings = Vec::new();
    if k > feature_dim {
        warnings.push(format!(
            "config.k is {k}, more than the {feature_dim} features: all of them fire on every call"
        ));
    }
    Ok(LoadedModel {
        sae: Sae::new(parts)?,
        stamp: file.source.stamp(),
        path,
        warnings,
    })
}

/// The torch file that [`read_model`] reads for `path`.
///
/// # Errors
/// There is none, or the JSON that should name it cannot be understood.
pub fn find_model(path: &Path) -> Result<PathBuf> {
    if path.is_dir() {
        let tried = [path.join(MODEL), path.join(BEST)];
        return match tried.iter().find(|path| path.is_file()) {
            Some(found) if found.ends_with(BEST) => find_best(found),
            Some(found) => Ok(found.clone()),
            None => Err(not_found(path, "the folder", &tried)),
        };
    }
    let json = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    if json {
        find_best(path)
    } else {
        Ok(path.to_owned())
    }
}

/// The files that [`find_model`] may look into for `path`, beside the model itself.
pub fn model_files(path: &Path) -> Vec<PathBuf> {
    let candidates = [path.to_owned(), path.join(BEST)];
    candidates
        .into_iter()
        .filter(|path| path.is_file())
        .collect()
}

fn not_found(path: &Path, place: &str, tried: &[PathBuf]) -> Error {
    let mut tried: Vec<_> = tried
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    tried.dedup();
    Error::input(
        path.display().to_string(),
        place,
        format!("no model at {}", tried.join(", nor at ")),
        "a model at one of them",
        "give the path of sae.pt itself",
    )
}

/// The model that a `BEST_MODEL.json` names.
fn find_best(json: &Path) -> Result<PathBuf> {
    const LONGEST: u64 = 1 << 20;
    let failed = |error| Error::reading(json, error);
    let mut text = Vec::new();
    let file = File::open(json).map_err(failed)?;
    file.take(LONGEST).read_to_end(&mut text).map_err(failed)?;
    let bad = |found: String| {
        let expected = "a JSON object with the text best_dir";
        let action = "give the path of sae.pt itself";
        Error::input(
            json.display().to_string(),
            "best_dir",
            found,
            expected,
            action,
        )
    };
    let content: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| bad(format!("no JSON ({error})")))?;
    let Some(best) = content.get("best_dir").and_then(serde_json::Value::as_str) else {
        let keys: Vec<_> = content
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| &**key)
            .collect();
        return Err(bad(match keys.as_slice() {
            [] => "no keys".to_owned(),
            keys => format!("the keys {}", keys.join(", ")),
        }));
    };
    let folder = json.parent().unwrap_or(Path::new(""));
    // The last part of a path of either system.
    let name = best
        .trim_end_matches(['/', '\\'])
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or(best);
    let tried = [PathBuf::from(best), folder.join(best), folder.join(name)].map(|path| {
        if path.extension().is_some_and(|e| e == "pt") {
            path
        } else {
            path.join(MODEL)
        }
    });
    match tried.iter().find(|path| path.is_file()) {
        Some(found) => Ok(found.clone()),
        None => Err(not_found(json, "best_dir", &tried)),
    }
}

fn mapping(file: &TorchFile, key: &str, action: &str) -> Result<Id> {
    let id = file.required(key, action)?;
    if file.document.entries(id).is_some() {
        return Ok(id);
    }
    let found = file.document.kind(id);
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
    match value.as_ref().and_then(integer).map(usize::try_from) {
        Some(Ok(size)) if size > 0 => Ok(size),
        _ => {
            let found = match value {
                Some(value) => value.into_text(),
                None => file.document.kind(id).to_owned(),
            };
            Err(file.bad(&place, found, expected, advice))
        }
    }
}

/// μ or σ, under the first of its names that the config has.
fn whitening(file: &TorchFile, config: Id, names: &[&str], dim: usize) -> Result<Vec<f32>> {
    let value = names.iter().find_map(|name| {
        let id = file.document.get(config, name)?;
        (file.document.value(id) != super::pickle::Value::None).then_some((name, id))
    });
    let Some((name, id)) = value else {
        return Err(file.bad(
            "config",
            file.keys(config),
            format!("a key {}", names.join(" or ")),
            "save the whitening's mean and standard deviation in the config",
        ));
    };
    let place = format!("config.{name}");
    let numbers = numbers(file, id, &place)?;
    match numbers.as_slice() {
        // One number stands for all, as in torch.
        &[number] if dim > 1 => broadcast(file, &place, number, dim),
        numbers if numbers.len() == dim => Ok(numbers.to_vec()),
        numbers => Err(file.bad(
            &place,
            format!("{} numbers", numbers.len()),
            format!("{dim}, as input_dim"),
            "use the whitening that this model was trained with",
        )),
    }
}

fn broadcast(file: &TorchFile, place: &str, number: f32, dim: usize) -> Result<Vec<f32>> {
    let mut numbers = Vec::new();
    if dim as u64 > file.source.len() || numbers.try_reserve_exact(dim).is_err() {
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
        return Err(file.bad(&place, file.document.kind(id), expected, advice));
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
