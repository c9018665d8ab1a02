//! The notebook's model in memory: tensors by name, and the whitening beside them.

use crate::error::{Error, Result};
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::config::Config;
use crate::read::model::families::notebook::names::{Meaning, of_key};
use crate::read::model::families::notebook::too_many;
use crate::read::model::said::{self, Rule};
use crate::read::model::weights::OTHER_MODEL;
use crate::sae::{Activation, Sae, whitening};

/// Makes the model of `encoder.weight` and `encoder.bias`, the whitening's numbers, and the k of its config
/// or, without one, the answered k. Returns what is odd about it, too.
pub(in crate::read::model) fn of_tensors(
    of: &Candidate<'_>,
    mean: Vec<f32>,
    std: &[f32],
) -> Result<(Sae, Vec<String>)> {
    let bias = Bias::Named("encoder.bias");
    let mut encoder = of.encoder("encoder.weight", Some(Orientation::FeaturesFirst), bias)?;
    let (dim, features) = (encoder.input_dim, encoder.features);
    let (k, name) = match of.config {
        None => (of.k(None)?, "k"),
        Some(config) => (of_config(of, config, dim, features)?, "config.k"),
    };
    let mut warnings = Vec::new();
    if k > features {
        warnings.push(too_many(name, k, features));
    }
    let mean = numbers(of, "mean", mean, dim)?;
    let std = numbers(of, "std", std.to_vec(), dim)?;
    check(of, "mean", &mean, f32::is_finite, "a finite number")?;
    let above = |number: f32| number.is_finite() && number > 0.0;
    check(of, "std", &std, above, "a finite number greater than 0")?;
    encoder.input = whitening(mean, &std);
    encoder.activation = Activation::TopK { k, relu: false };
    of.weights.check_unused(&["decoder.*"])?;
    let sae = encoder.into_sae(of.weights.source.name())?;
    Ok((sae, warnings))
}

/// The k of a config, whose sizes must be those of the weights, and of which nothing else may change which
/// atoms fire.
fn of_config(of: &Candidate<'_>, config: &Config, dim: usize, features: usize) -> Result<usize> {
    for (key, size) in [("input_dim", dim), ("feature_dim", features)] {
        if config.size(key)? != size {
            let expected = format!("{size}, as encoder.weight has it");
            return Err(config.bad(key, expected, OTHER_MODEL));
        }
    }
    let k = config.size("k")?;
    for (name, value) in config.value.as_object().into_iter().flatten() {
        let is_unused = match of_key(name, true) {
            Meaning::Changes => value.as_object().is_some_and(|map| !map.is_empty()),
            Meaning::Unknown => value.get(TENSOR).is_some(),
            _ => false,
        };
        if is_unused {
            return Err(config.bad(name, RULE, UNUSED));
        }
    }
    let said = said::of_whitened(of, dim, features)?;
    match said.rule {
        Some((Rule::Relu, place)) => Err(Error::input(
            of.weights.source.name(),
            place,
            "ReLU",
            RULE,
            UNUSED,
        )),
        _ if said.subtracts.is_some_and(|(yes, _)| yes) => {
            Err(config.bad("apply_b_dec_to_input", RULE, UNUSED))
        }
        _ => Ok(k),
    }
}

/// The key under which a config in memory has the shape of a tensor, in place of its numbers.
const TENSOR: &str = "tensor";
const RULE: &str =
    "a model whose atoms are the k largest of encoder.weight · (x − μ) / (σ + 1e-6) + encoder.bias";
const UNUSED: &str =
    "if it changes nothing, save the model without it; else this model cannot be read yet";

/// One number for each input, of which one alone stands for all.
fn numbers(of: &Candidate<'_>, place: &str, numbers: Vec<f32>, dim: usize) -> Result<Vec<f32>> {
    match numbers.as_slice() {
        &[number] => Ok(vec![number; dim]),
        all if all.len() == dim => Ok(numbers),
        all => Err(Error::input(
            of.weights.source.name(),
            place,
            format!("{} numbers", all.len()),
            format!("{dim}, one for each input of encoder.weight"),
            "use the whitening that this model was trained with",
        )),
    }
}

fn check(
    of: &Candidate<'_>,
    place: &str,
    numbers: &[f32],
    is_good: impl Fn(f32) -> bool,
    expected: &str,
) -> Result<()> {
    let Some(at) = numbers.iter().position(|&number| !is_good(number)) else {
        return Ok(());
    };
    let found = numbers.get(at).copied().unwrap_or_default();
    Err(Error::input(
        of.weights.source.name(),
        format!("{place}[{at}]"),
        found.to_string(),
        expected,
        "compute the whitening again from the embeddings of training; for an input that never \
         varies, give a std of 1",
    ))
}
