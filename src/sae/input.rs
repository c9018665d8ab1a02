//! The steps from an embedding to the encoder's product.

use crate::error::{Error, Result};

/// One step from an embedding to the encoder's input, in binary32: each operation is rounded to
/// nearest, without fused multiplication. Sums over a row are taken in binary64, in the order of
/// [`canonical`](crate::engine::canonical).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum InputStep {
    /// `x[i] − b[i]`: the whitening's mean, or a pre-encoder bias, \[D\].
    Subtract(Vec<f32>),
    /// `x[i] / d[i]`, \[D\]; every divisor is greater than 0.
    Divide(Vec<f32>),
    /// `(x[i] − mean) / (std + ε)` with the row's own mean and standard deviation, `n − 1` in its
    /// denominator.
    Standardize {
        /// ε, which is added to the standard deviation.
        epsilon: f32,
    },
    /// `x[i] · (norm / max(‖x‖, least))`, with the row's own 2-norm.
    ScaleToNorm {
        /// The norm that rows have afterwards.
        norm: f32,
        /// A row's norm is taken to be at least this. Where it is 0, a row of zeros has no defined
        /// result, and is not finite.
        least: f32,
    },
    /// `x[i] · factor`.
    Scale(f32),
}

/// The steps of whitening: `(x[i] − mean[i]) / (std[i] + 1e-6)`, as torch computes it.
pub fn whitening(mean: Vec<f32>, std: &[f32]) -> Vec<InputStep> {
    let divisors = std.iter().map(|std| std + 1e-6).collect();
    vec![InputStep::Subtract(mean), InputStep::Divide(divisors)]
}

/// The steps of a model, with those first that go with the widening of numbers in one pass.
#[derive(Debug, Clone)]
pub(crate) struct Steps {
    /// Subtracted first, \[D\]; zeros where nothing is.
    pub(crate) mean: Vec<f32>,
    /// Divisors then, \[D\]; ones where there are none.
    pub(crate) divisors: Vec<f32>,
    /// The steps after these two.
    pub(crate) rest: Vec<InputStep>,
}

impl Steps {
    /// Splits the steps of a model whose rows have `dim` numbers.
    pub(crate) fn new(steps: &[InputStep], dim: usize) -> Self {
        let (mean, steps) = match steps {
            [InputStep::Subtract(mean), rest @ ..] => (mean.clone(), rest),
            steps => (vec![0.0; dim], steps),
        };
        let (divisors, steps) = match steps {
            [InputStep::Divide(divisors), rest @ ..] => (divisors.clone(), rest),
            steps => (vec![1.0; dim], steps),
        };
        Self {
            mean,
            divisors,
            rest: steps.to_vec(),
        }
    }
}

impl InputStep {
    /// The place of its numbers in messages.
    pub(crate) fn place(&self) -> &'static str {
        match self {
            Self::Subtract(_) => "the mean, or bias, that is subtracted from embeddings",
            Self::Divide(_) => "the divisors of embeddings",
            Self::Standardize { .. } => "ε of the rows' standard deviation",
            Self::ScaleToNorm { .. } => "the norm of rows",
            Self::Scale(_) => "the factor of embeddings",
        }
    }

    /// Checks the numbers of a step of rows of `dim` numbers.
    pub(super) fn check(&self, name: &str, dim: usize) -> Result<()> {
        let bad = |found: String, expected: String| {
            let action = "use the input normalisation that this model was trained with";
            Err(Error::input(name, self.place(), found, expected, action))
        };
        let (numbers, positive): (&[f32], bool) = match self {
            Self::Subtract(numbers) => (numbers, false),
            Self::Divide(numbers) => (numbers, true),
            Self::Standardize { epsilon } => {
                if dim < 2 {
                    let expected = "at least 2: one number has no standard deviation";
                    return bad("input_dim 1".to_owned(), expected.to_owned());
                }
                if !epsilon.is_finite() || *epsilon < 0.0 {
                    return bad(epsilon.to_string(), "a number of at least 0".to_owned());
                }
                return Ok(());
            }
            Self::ScaleToNorm { norm, least } => {
                if !norm.is_finite() || *norm <= 0.0 {
                    return bad(norm.to_string(), "a number greater than 0".to_owned());
                }
                if !least.is_finite() || *least < 0.0 {
                    return bad(least.to_string(), "a number of at least 0".to_owned());
                }
                return Ok(());
            }
            Self::Scale(factor) => (std::slice::from_ref(factor), true),
        };
        let expected = if matches!(self, Self::Scale(_)) {
            1
        } else {
            dim
        };
        if numbers.len() != expected {
            let found = format!("{} numbers", numbers.len());
            return bad(found, format!("input_dim = {expected}"));
        }
        let wrong = |x: &f32| !x.is_finite() || (positive && *x <= 0.0);
        match numbers.iter().position(wrong) {
            None => Ok(()),
            Some(i) => {
                let expected = if positive {
                    "a finite number greater than 0"
                } else {
                    "a finite number"
                };
                bad(format!("{} at {i}", numbers[i]), expected.to_owned())
            }
        }
    }
}
