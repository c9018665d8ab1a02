//! An encoder as a family's formula has it, on its way to the model.

use rayon::prelude::*;

use crate::error::Result;
use crate::sae::{Activation, InputStep, Sae, SaeParts, Values};

/// An encoder as a family's formula has it.
#[derive(Default)]
pub(super) struct Encoder {
    pub(super) input_dim: usize,
    pub(super) features: usize,
    /// \[F, D\].
    pub(super) weight: Vec<f32>,
    /// \[F\].
    pub(super) bias: Vec<f32>,
    pub(super) input: Vec<InputStep>,
    pub(super) activation: Activation,
    pub(super) values: Values,
    /// The most features that the library gives for a row.
    pub(super) most: Option<usize>,
    /// How scores are computed, in symbols.
    pub(super) scores: String,
    /// Sentences on what is odd.
    pub(super) warnings: Vec<String>,
}

impl Encoder {
    /// Multiplies each feature's score by a factor: its weights and its bias, in binary64, rounded to
    /// binary32 once.
    pub(super) fn scale_features(&mut self, factors: &[f64]) {
        let scaled = |x: f32, factor: f64| (f64::from(x) * factor) as f32;
        let rows = self.weight.par_chunks_exact_mut(self.input_dim.max(1));
        rows.zip(factors).for_each(|(row, &factor)| {
            for x in row {
                *x = scaled(*x, factor);
            }
        });
        for (bias, &factor) in self.bias.iter_mut().zip(factors) {
            *bias = scaled(*bias, factor);
        }
    }

    /// Adds to each feature's bias, in binary64, rounded to binary32 once.
    pub(super) fn shift_features(&mut self, shifts: &[f64]) {
        for (bias, &shift) in self.bias.iter_mut().zip(shifts) {
            *bias = (f64::from(*bias) + shift) as f32;
        }
    }

    /// The k largest, as far as they are above 0.
    pub(super) fn top_k(&mut self, k: usize) {
        self.activation = Activation::TopK { k, relu: true };
    }

    /// The k largest of those that are at least a threshold, and above 0. The threshold is taken off the
    /// biases in binary64, which are rounded up to binary32, so that an equal score is above 0; and is
    /// added to activations again.
    pub(super) fn top_k_at_least(&mut self, k: usize, threshold: f32) {
        self.top_k(k);
        if threshold <= 0.0 {
            return;
        }
        for bias in &mut self.bias {
            let exact = f64::from(*bias) - f64::from(threshold);
            let near = exact as f32;
            *bias = if f64::from(near) > exact {
                near
            } else {
                near.next_up()
            };
        }
        let (gain, shift) = (vec![1.0; self.features], vec![threshold; self.features]);
        self.values = Values::Affine { gain, shift };
    }

    /// Scores above 0.
    pub(super) fn relu(&mut self) {
        self.activation = Activation::relu(self.features);
    }

    /// Scores above their thresholds and above 0.
    pub(super) fn above(&mut self, thresholds: &[f32]) {
        let thresholds = thresholds.iter().map(|&t| f64::from(t).max(0.0)).collect();
        self.activation = Activation::Threshold { thresholds };
    }

    /// Scores above one threshold and above 0.
    pub(super) fn above_one(&mut self, threshold: f64) {
        self.activation = Activation::thresholds(self.features, threshold.max(0.0));
    }

    /// Scores above e to these powers, which are rounded to binary32.
    pub(super) fn above_exp(&mut self, logarithms: &[f32]) {
        self.above(&logarithms.iter().copied().map(exp).collect::<Vec<_>>());
    }

    /// Scores of at least these thresholds, and above 0: above the next number of binary64 below.
    pub(super) fn at_least(&mut self, thresholds: impl Iterator<Item = f64>) {
        let below = |least: f64| if least > 0.0 { least.next_down() } else { 0.0 };
        let thresholds = thresholds.map(below).collect();
        self.activation = Activation::Threshold { thresholds };
    }

    /// Two conditions on one product: s + gate > 0, and s · exp(r) + magnitude > 0, which is the
    /// activation.
    pub(super) fn gated(&mut self, gate: &[f32], magnitude: &[f32], r: &[f32]) {
        let gain: Vec<f32> = r.iter().copied().map(exp).collect();
        let threshold = |((&gate, &magnitude), &gain): ((&f32, &f32), &f32)| {
            let of_magnitude = -f64::from(magnitude) / f64::from(gain);
            of_magnitude.max(-f64::from(gate))
        };
        let thresholds = gate
            .iter()
            .zip(magnitude)
            .zip(&gain)
            .map(threshold)
            .collect();
        self.activation = Activation::Threshold { thresholds };
        let shift = magnitude.to_vec();
        self.values = Values::Affine { gain, shift };
    }

    /// Activations are scores times a factor, at least 0. A feature whose factor is 0 never has an
    /// activation other than 0: it does not fire.
    pub(super) fn value_factors(&mut self, factors: &[f64]) {
        if factors.iter().all(|&factor| factor == 1.0) {
            return;
        }
        let mut gain: Vec<f32> = factors.iter().map(|&factor| factor as f32).collect();
        if let Activation::Threshold { thresholds } = &mut self.activation {
            for (gain, threshold) in gain.iter_mut().zip(thresholds) {
                if *gain == 0.0 {
                    (*gain, *threshold) = (1.0, f64::INFINITY);
                }
            }
        }
        let shift = vec![0.0; gain.len()];
        self.values = Values::Affine { gain, shift };
    }

    /// The model.
    ///
    /// # Errors
    /// Numbers that a model may not have.
    pub(super) fn into_sae(self, name: String) -> Result<Sae> {
        Sae::new(SaeParts {
            name,
            input_dim: self.input_dim,
            feature_dim: self.features,
            activation: self.activation,
            weight: self.weight,
            bias: self.bias,
            input: self.input,
            values: self.values,
            most: self.most,
        })
    }
}

/// e to a power, rounded to binary32.
pub(super) fn exp(power: f32) -> f32 {
    libm::exp(f64::from(power)) as f32
}
