//! The notebook's model in memory: tensors by name, and the whitening beside them.

use crate::error::{Error, Result};
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::sae::{Activation, Sae, whitening};

/// Makes the model of `encoder.weight` and `encoder.bias`, the answered k and the whitening's numbers.
pub(in crate::read::model) fn of_tensors(
    of: &Candidate<'_>,
    mean: Vec<f32>,
    std: &[f32],
) -> Result<Sae> {
    let bias = Bias::Named("encoder.bias");
    let mut encoder = of.encoder("encoder.weight", Some(Orientation::FeaturesFirst), bias)?;
    let k = of.k(None)?;
    let dim = encoder.input_dim;
    let mean = numbers(of, "mean", mean, dim)?;
    let std = numbers(of, "std", std.to_vec(), dim)?;
    check(of, "mean", &mean, f32::is_finite, "a finite number")?;
    let above = |number: f32| number.is_finite() && number > 0.0;
    check(of, "std", &std, above, "a finite number greater than 0")?;
    encoder.input = whitening(mean, &std);
    encoder.activation = Activation::TopK { k, relu: false };
    of.weights.check_unused(&["decoder.*"])?;
    encoder.into_sae(of.weights.source.name())
}

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
