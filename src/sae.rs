//! The model: an SAE's encoder and the whitening that goes before it.

use std::sync::Arc;

use rayon::prelude::*;

use crate::error::{Error, Result};

/// A sparse autoencoder's encoder with its whitening, checked.
///
/// `score[f] = Σ_i (e[i] − mean[i]) / (std[i] + 1e-6) · weight[f][i] + bias[f]`; the
/// [`Activation`] says which features fire on a row.
///
/// It is a handle: a clone shares the weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Sae(Arc<SaeParts>);

/// The rule for which features fire on a row, by their scores.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Activation {
    /// The `k` features with the largest scores; of equal ones those with the smaller numbers.
    TopK {
        /// The number of atoms that fire on a call; at most F.
        k: usize,
    },
    /// The features whose score is above their own threshold: any number of them, none included.
    Threshold {
        /// One a feature, \[F\].
        thresholds: Vec<f32>,
    },
}

impl Default for Activation {
    fn default() -> Self {
        Self::TopK { k: 0 }
    }
}

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
    /// The whitening's mean μ, \[D\].
    pub mean: Vec<f32>,
    /// The whitening's standard deviation σ, \[D\], before 1e-6 is added.
    pub std: Vec<f32>,
}

impl Sae {
    /// Checks the parts: dimensions of at least 1, lengths that agree, `k ≥ 1`, all numbers
    /// finite, no negative σ.
    pub fn new(parts: SaeParts) -> Result<Self> {
        let SaeParts {
            name,
            weight,
            bias,
            mean,
            std,
            ..
        } = &parts;
        let (input_dim, feature_dim) = (parts.input_dim, parts.feature_dim);
        let k = match parts.activation {
            Activation::TopK { k } => Some(k),
            Activation::Threshold { .. } => None,
        };
        for (place, value) in [
            ("config.input_dim", Some(input_dim)),
            ("config.feature_dim", Some(feature_dim)),
            ("config.k", k),
        ] {
            if value == Some(0) {
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
            (
                "μ (whitening mean)",
                mean.len(),
                Some(input_dim),
                "input_dim",
            ),
            (
                "σ (whitening standard deviation)",
                std.len(),
                Some(input_dim),
                "input_dim",
            ),
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
        check_numbers(name, "μ (whitening mean)", mean, 1)?;
        check_numbers(name, "σ (whitening standard deviation)", std, 1)?;
        if let Some(i) = std.iter().position(|&s| s < 0.0) {
            return Err(Error::input(
                name.clone(),
                format!("σ (whitening standard deviation)[{i}]"),
                std[i].to_string(),
                "a number of at least 0",
                "recompute the whitening",
            ));
        }
        if let Activation::Threshold { thresholds } = &parts.activation {
            check_thresholds(name, thresholds, feature_dim)?;
        }
        let activation = match parts.activation {
            Activation::TopK { k } => Activation::TopK {
                k: k.min(feature_dim),
            },
            threshold @ Activation::Threshold { .. } => threshold,
        };
        Ok(Self(Arc::new(SaeParts {
            activation,
            ..parts
        })))
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
        match self.0.activation {
            Activation::TopK { k } => Some(k),
            Activation::Threshold { .. } => None,
        }
    }
    /// The encoder's weight, row-major \[F, D\].
    pub fn weight(&self) -> &[f32] {
        &self.0.weight
    }
    /// The encoder's bias, \[F\].
    pub fn bias(&self) -> &[f32] {
        &self.0.bias
    }
    /// The whitening's mean, \[D\].
    pub fn mean(&self) -> &[f32] {
        &self.0.mean
    }
    /// The whitening's standard deviation, \[D\], before 1e-6 is added.
    pub fn std(&self) -> &[f32] {
        &self.0.std
    }
}

/// Thresholds are one a feature, and none is NaN: an infinite one is of a feature that always fires,
/// or never does.
fn check_thresholds(name: &str, thresholds: &[f32], feature_dim: usize) -> Result<()> {
    let (place, found, expected) = if thresholds.len() != feature_dim {
        let found = format!("{} numbers", thresholds.len());
        (
            "threshold".to_owned(),
            found,
            format!("feature_dim = {feature_dim}"),
        )
    } else if let Some(i) = thresholds.iter().position(|t| t.is_nan()) {
        (
            format!("threshold[{i}]"),
            "NaN".to_owned(),
            "a number".to_owned(),
        )
    } else {
        return Ok(());
    };
    let action = "use the thresholds that belong to these weights";
    Err(Error::input(name, place, found, expected, action))
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
