//! The model: an SAE's encoder, what is done to embeddings before it, and which features fire.

mod about;
mod activation;
pub(crate) mod content;
mod input;

use std::sync::Arc;

use rayon::prelude::*;

pub use self::about::{ModelAbout, Origin, OriginFile};
pub use self::activation::{Activation, Values};
pub(crate) use self::input::Steps;
pub use self::input::{InputStep, whitening};
use crate::error::{Error, Result};

/// A sparse autoencoder's encoder, checked.
///
/// `score[f] = Σ_i x[i] · weight[f][i] + bias[f]`, where x is the embedding after all
/// [`InputStep`]s; the [`Activation`] says which features fire on a row, and [`Values`] what their
/// scores are as activations.
///
/// It is a handle: a clone shares the weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Sae(Arc<SaeParts>);

/// The parts of an [`Sae`], before they are checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SaeParts {
    /// The name that messages give to this model: a file's path, or a word for data in memory.
    pub name: String,
    /// D, the length of an embedding.
    pub input_dim: usize,
    /// F, the number of features.
    pub feature_dim: usize,
    /// The rule for which features fire on a row.
    pub activation: Activation,
    /// The encoder's weight, row-major \[F, D\].
    pub weight: Vec<f32>,
    /// The encoder's bias, \[F\].
    pub bias: Vec<f32>,
    /// The steps from an embedding to the encoder's input, in order.
    pub input: Vec<InputStep>,
    /// The activations of features that fire.
    pub values: Values,
    /// The most features that the model's library gives for a row, where it has such a bound: a row
    /// on which more fire is an error, since another set is meant.
    pub most: Option<usize>,
}

impl Sae {
    /// Checks the parts: dimensions of at least 1, lengths that agree, `k ≥ 1`, all numbers
    /// finite.
    pub fn new(mut parts: SaeParts) -> Result<Self> {
        let SaeParts {
            name, weight, bias, ..
        } = &parts;
        let (input_dim, feature_dim) = (parts.input_dim, parts.feature_dim);
        for (place, value) in [
            ("config.input_dim", input_dim),
            ("config.feature_dim", feature_dim),
            parts.activation.count().unwrap_or(("", 1)),
        ] {
            if value == 0 {
                return Err(Error::input(
                    name.clone(),
                    place,
                    "0",
                    "a number of at least 1",
                    "check the model's config",
                ));
            }
        }
        let weights = input_dim.checked_mul(feature_dim);
        let lengths = [
            (
                "encoder.weight",
                weight.len(),
                weights,
                "feature_dim x input_dim",
            ),
            ("encoder.bias", bias.len(), Some(feature_dim), "feature_dim"),
        ];
        for (place, found, expected, what) in lengths {
            if Some(found) != expected {
                return Err(Error::input(
                    name.clone(),
                    place,
                    format!("{found} numbers"),
                    format!(
                        "{what} = {}",
                        expected.map_or("too many".into(), |n| n.to_string())
                    ),
                    "use the model that these weights and this whitening belong to",
                ));
            }
        }
        check_numbers(name, "encoder.weight", weight, input_dim)?;
        check_numbers(name, "encoder.bias", bias, 1)?;
        for step in &parts.input {
            step.check(name, input_dim)?;
        }
        parts.values.check(name, feature_dim)?;
        let activation = std::mem::take(&mut parts.activation);
        parts.activation = activation.checked(&parts.name, feature_dim)?;
        Ok(Self(Arc::new(parts)))
    }

    /// The parts, to be changed and checked again.
    pub fn into_parts(self) -> SaeParts {
        Arc::unwrap_or_clone(self.0)
    }

    /// Returns the name that messages give to this model.
    pub fn name(&self) -> &str {
        &self.0.name
    }
    /// D, the length of an embedding.
    pub fn input_dim(&self) -> usize {
        self.0.input_dim
    }
    /// F, the number of features.
    pub fn feature_dim(&self) -> usize {
        self.0.feature_dim
    }
    /// Returns the rule for which features fire on a row.
    pub fn activation(&self) -> &Activation {
        &self.0.activation
    }
    /// The number of features that fire on every row, at most F; `None` where rows differ.
    pub fn top_k(&self) -> Option<usize> {
        self.0.activation.uniform()
    }
    /// The encoder's weight, row-major \[F, D\].
    pub fn weight(&self) -> &[f32] {
        &self.0.weight
    }
    /// The encoder's bias, \[F\].
    pub fn bias(&self) -> &[f32] {
        &self.0.bias
    }
    /// The steps from an embedding to the encoder's input, in order.
    pub fn input(&self) -> &[InputStep] {
        &self.0.input
    }
    /// The mean, and the divisors, both \[D\], of a model whose only step before the encoder is to
    /// subtract the one and to divide by the others.
    pub fn whitening(&self) -> Option<(&[f32], &[f32])> {
        match self.input() {
            [InputStep::Subtract(mean), InputStep::Divide(divisors)] => Some((mean, divisors)),
            _ => None,
        }
    }
    /// The most features that may fire on a row, where the model's library has such a bound.
    pub fn most(&self) -> Option<usize> {
        self.0.most
    }
    /// The activations of features that fire, from their scores.
    pub fn values(&self) -> &Values {
        &self.0.values
    }
}

/// The first NaN or infinity, named by its indices in rows of `width`.
fn check_numbers(name: &str, place: &str, numbers: &[f32], width: usize) -> Result<()> {
    // `x · 0` is NaN exactly where x is not finite, and sums of zeros vectorise.
    let clean = |chunk: &[f32]| chunk.iter().map(|x| x * 0.0).sum::<f32>() == 0.0;
    if numbers.par_chunks(1 << 14).all(clean) {
        return Ok(());
    }
    let i = numbers.iter().position(|x| !x.is_finite()).unwrap_or(0);
    let index = if width == 1 {
        format!("[{i}]")
    } else {
        format!("[{}, {}]", i / width, i % width)
    };
    Err(Error::input(
        name,
        format!("{place}{index}"),
        numbers[i].to_string(),
        "a finite number",
        "use a model whose training did not diverge",
    ))
}
