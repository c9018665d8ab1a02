//! A model's content as bytes: what its digest is of, and what our own files hold.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::{Activation, InputStep, Sae, Values};
use crate::digest::{Digest, Hashing};

/// The value of `format` in the metadata.
pub(crate) const FORMAT: &str = "atomscope-sae";
/// The version of the form.
pub(crate) const VERSION: &str = "1";
/// The key of the rule of firing, the steps and the values.
pub(crate) const MODEL: &str = "model";
/// The key of the formula, in symbols.
pub(crate) const SCORES: &str = "scores";
/// The key of the digest by which the model was known before it was converted, where that was its
/// file's.
pub(crate) const IDENTITY: &str = "identity";
/// The key of the digest of the content that has this identity.
pub(crate) const CONTENT: &str = "content";
/// The keys of the family that the model was converted from, of its files, and of what was answered or
/// assumed then.
pub(crate) const FAMILY: &str = "family";
pub(crate) const FILES: &str = "files";
pub(crate) const ASSUMED: &str = "assumed";

/// The words by which our own form says what a model is, beside its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Form {
    /// The rule of firing.
    pub(crate) activation: ActivationForm,
    /// The steps before the encoder, in order; the numbers of the i-th stand in a tensor of its own.
    pub(crate) input: Vec<StepForm>,
    /// The activations of what fires.
    pub(crate) values: ValuesForm,
    /// The most features of a row, where there is such a bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) most: Option<usize>,
}

/// A rule of firing; thresholds stand in a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub(crate) enum ActivationForm {
    TopK { k: usize, relu: bool },
    TopKWithTies { k: usize },
    AbsTopK { k: usize },
    GroupMax { groups: usize },
    Threshold,
    BatchTopK { k: usize },
}

/// A step; vectors stand in tensors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub(crate) enum StepForm {
    Subtract,
    Divide,
    Standardize { epsilon: f32 },
    ScaleToNorm { norm: f32, least: f32 },
    Scale { factor: f32 },
}

/// Activations; factors and shifts stand in tensors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ValuesForm {
    Score,
    Affine,
    Tanh,
}

/// The numbers of a tensor.
pub(crate) enum Numbers<'a> {
    Single(&'a [f32]),
    Double(&'a [f64]),
}

impl Numbers<'_> {
    /// Little-endian bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Single(numbers) => bytemuck::cast_slice(numbers),
            Self::Double(numbers) => bytemuck::cast_slice(numbers),
        }
    }
}

/// The name of the i-th step's tensor.
pub(crate) fn step_name(i: usize) -> String {
    format!("input.{i}")
}

impl Sae {
    /// The words of the model.
    pub(crate) fn form(&self) -> Form {
        let step = |step: &InputStep| match *step {
            InputStep::Subtract(_) => StepForm::Subtract,
            InputStep::Divide(_) => StepForm::Divide,
            InputStep::Standardize { epsilon } => StepForm::Standardize { epsilon },
            InputStep::ScaleToNorm { norm, least } => StepForm::ScaleToNorm { norm, least },
            InputStep::Scale(factor) => StepForm::Scale { factor },
        };
        Form {
            activation: match *self.activation() {
                Activation::TopK { k, relu } => ActivationForm::TopK { k, relu },
                Activation::TopKWithTies { k } => ActivationForm::TopKWithTies { k },
                Activation::AbsTopK { k } => ActivationForm::AbsTopK { k },
                Activation::GroupMax { groups } => ActivationForm::GroupMax { groups },
                Activation::Threshold { .. } => ActivationForm::Threshold,
                Activation::BatchTopK { k } => ActivationForm::BatchTopK { k },
            },
            input: self.input().iter().map(step).collect(),
            values: match self.values() {
                Values::Score => ValuesForm::Score,
                Values::Affine { .. } => ValuesForm::Affine,
                Values::Tanh => ValuesForm::Tanh,
            },
            most: self.most(),
        }
    }

    /// The model's numbers by name, with shapes, in the order in which they are written.
    pub(crate) fn tensors(&self) -> Vec<(String, Vec<usize>, Numbers<'_>)> {
        let (features, dim) = (self.feature_dim(), self.input_dim());
        let mut all = vec![
            (
                "weight".to_owned(),
                vec![features, dim],
                Numbers::Single(self.weight()),
            ),
            (
                "bias".to_owned(),
                vec![features],
                Numbers::Single(self.bias()),
            ),
        ];
        if let Activation::Threshold { thresholds } = self.activation() {
            all.push((
                "threshold".to_owned(),
                vec![features],
                Numbers::Double(thresholds),
            ));
        }
        for (i, step) in self.input().iter().enumerate() {
            if let InputStep::Subtract(numbers) | InputStep::Divide(numbers) = step {
                all.push((step_name(i), vec![dim], Numbers::Single(numbers)));
            }
        }
        if let Values::Affine { gain, shift } = self.values() {
            all.push(("gain".to_owned(), vec![features], Numbers::Single(gain)));
            all.push(("shift".to_owned(), vec![features], Numbers::Single(shift)));
        }
        all
    }

    /// The digest of what the model computes: its words and its numbers, whatever files they came
    /// from.
    pub fn digest(&self) -> Digest {
        let mut hashing = Hashing::new(io::sink());
        let hashed = self.write_content(&mut hashing);
        debug_assert!(hashed.is_ok(), "hashing does not fail");
        hashing.finish().1
    }

    fn write_content(&self, out: &mut impl Write) -> io::Result<()> {
        let words = serde_json::to_vec(&self.form())?;
        out.write_all(&(words.len() as u64).to_le_bytes())?;
        out.write_all(&words)?;
        for (name, shape, numbers) in self.tensors() {
            out.write_all(name.as_bytes())?;
            for size in shape {
                out.write_all(&(size as u64).to_le_bytes())?;
            }
            out.write_all(numbers.bytes())?;
        }
        Ok(())
    }
}
