//! The model on a device, but for what depends on the screen.

use rayon::prelude::*;

use super::driver::{Buffer, Stream};
use super::fault::Fault;
use super::input::Input;
use super::rule::Rule;
use crate::sae::{Activation, Sae};

/// A model's parts that do not depend on the screen.
#[derive(Debug)]
pub struct Encoder {
    /// \[F, D\].
    pub weight: Buffer<f32>,
    /// \[F\].
    pub bias: Buffer<f32>,
    /// The steps from a row to the encoder's input.
    pub input: Input,
    pub(super) largest_weight: f32,
    pub(super) largest_bias: f32,
    /// D.
    pub dim: usize,
    /// F.
    pub features: usize,
    /// The rule by which a row's atoms are chosen.
    pub rule: Rule,
    /// \[F\], of a model whose atoms have thresholds; else nothing.
    pub thresholds: Buffer<f64>,
    /// Atoms of a row that there is room for: as many as fire, where these are the same for all rows.
    pub width: usize,
}

impl Encoder {
    /// Copies the model to the stream's device.
    ///
    /// # Errors
    /// A device that has no room, or fails.
    pub fn new(stream: &Stream, sae: &Sae) -> Result<Self, Fault> {
        let largest = |numbers: &[f32]| {
            let largest_of = |chunk: &[f32]| chunk.iter().fold(0.0f32, |m, x| m.max(x.abs()));
            numbers
                .par_chunks(1 << 16)
                .map(largest_of)
                .reduce(|| 0.0, f32::max)
        };
        let rule = Rule::of(sae.activation());
        let upload = |numbers, what| Buffer::copy_of(stream, numbers, what);
        Ok(Self {
            weight: upload(sae.weight(), "the encoder's weights")?,
            bias: upload(sae.bias(), "the encoder's biases")?,
            input: Input::new(stream, sae.input(), sae.input_dim())?,
            largest_weight: largest(sae.weight()),
            largest_bias: largest(sae.bias()),
            dim: sae.input_dim(),
            features: sae.feature_dim(),
            rule,
            thresholds: Buffer::copy_of(stream, thresholds(sae), "the thresholds")?,
            width: rule.width(sae.feature_dim(), None),
        })
    }

    /// Bytes of device memory that it takes.
    pub fn bytes(&self) -> u64 {
        let numbers = self.weight.bytes() + self.bias.bytes() + self.thresholds.bytes();
        numbers + self.input.bytes()
    }
}

/// The thresholds of a model's atoms, \[F\]; none where it has none.
pub(super) fn thresholds(sae: &Sae) -> &[f64] {
    match sae.activation() {
        Activation::Threshold { thresholds } => thresholds,
        _ => &[],
    }
}
