//! The simulated SAE as it is published: its numbers, by the names that its file has for them.
//!
//! The notebook's file can only say top-k. All other activations are written as `SAELens` writes them
//! (`cfg.json` and `sae_weights.safetensors`): the most widely used form, and one that has a name for
//! each of them. It knows no standard deviation, so that the encoder's weights are divided by it, and
//! the mean is its `b_dec`.

use serde_json::json;

use super::random::{Purpose, Stream};
use super::{SimulateOptions, SimulatedActivation, Simulator};
use crate::error::Result;
use crate::sae::{Activation, InputStep, Sae, SaeParts, Values};

/// The spread of thresholds of atoms that are not planted.
const THRESHOLD_SPREAD: f32 = 0.2;
/// The spread of the logarithms of a gated SAE's scales.
const SCALE_SPREAD: f32 = 0.1;
/// The distance below the gate's threshold of that of a gated SAE's activations.
const GATE_DECIDES_BY: f32 = 0.3;

/// The numbers that an SAE's encoder has for each atom beside its weights, \[F\] each.
pub(super) enum PerAtom {
    /// A bias alone.
    Bias { bias: Vec<f32> },
    /// A bias, and a threshold of the score.
    Threshold { bias: Vec<f32>, threshold: Vec<f32> },
    /// Two conditions on the score without a bias: `s + gate > 0`, and `exp(scale) · s + shift > 0`.
    Gated {
        gate: Vec<f32>,
        scale: Vec<f32>,
        shift: Vec<f32>,
    },
}

impl PerAtom {
    /// The numbers by which atoms with a `bias` fire, each at its threshold.
    pub(super) fn of(
        activation: SimulatedActivation,
        thresholds: Vec<f32>,
        bias: &[f32],
        seed: u64,
    ) -> Self {
        let above = |(bias, threshold): (&f32, &f32)| bias - threshold;
        let gate = || {
            bias.iter()
                .zip(&thresholds)
                .map(above)
                .collect::<Vec<f32>>()
        };
        match activation {
            SimulatedActivation::JumpRelu => Self::Threshold {
                bias: bias.to_vec(),
                threshold: thresholds,
            },
            SimulatedActivation::Relu => Self::Bias { bias: gate() },
            SimulatedActivation::Gated => {
                let gate = gate();
                let draw = |atom| Stream::new(seed, Purpose::Scales, atom).normal();
                let scale: Vec<f32> = (0..gate.len() as u64)
                    .map(|atom| SCALE_SPREAD * draw(atom))
                    .collect();
                let shift =
                    |(gate, scale): (&f32, &f32)| libm::expf(*scale) * (gate + GATE_DECIDES_BY);
                Self::Gated {
                    shift: gate.iter().zip(&scale).map(shift).collect(),
                    gate,
                    scale,
                }
            }
            _ => Self::Bias {
                bias: bias.to_vec(),
            },
        }
    }

    /// The tensors by their names in a file.
    pub(super) fn named(&self) -> Vec<(&'static str, &[f32])> {
        match self {
            Self::Bias { bias } => vec![("b_enc", bias)],
            Self::Threshold { bias, threshold } => vec![("b_enc", bias), ("threshold", threshold)],
            Self::Gated { gate, scale, shift } => {
                vec![("b_gate", gate), ("b_mag", shift), ("r_mag", scale)]
            }
        }
    }

    /// The bias, the activation and the values of a model that computes the same.
    fn rule(self, options: &SimulateOptions) -> (Vec<f32>, Activation, Values) {
        let k = options.k;
        match self {
            Self::Bias { bias } => {
                let activation = match options.activation {
                    SimulatedActivation::TopK => Activation::TopK { k, relu: false },
                    SimulatedActivation::AbsTopK => Activation::AbsTopK { k },
                    SimulatedActivation::BatchTopK => Activation::BatchTopK { k },
                    SimulatedActivation::Relu => Activation::relu(bias.len()),
                    _ => Activation::TopK { k, relu: true },
                };
                (bias, activation, Values::Score)
            }
            Self::Threshold { bias, threshold } => {
                let thresholds = threshold.iter().map(|&t| f64::from(t).max(0.0)).collect();
                (bias, Activation::Threshold { thresholds }, Values::Score)
            }
            Self::Gated { gate, scale, shift } => {
                let least = |((gate, scale), shift): ((&f32, &f32), &f32)| {
                    let by_value = -f64::from(*shift) * libm::exp(-f64::from(*scale));
                    by_value.max(-f64::from(*gate))
                };
                let each = gate.iter().zip(&scale).zip(&shift);
                let thresholds = each.map(least).collect();
                let gain = |scale: &f32| libm::exp(f64::from(*scale)) as f32;
                let values = Values::Affine {
                    gain: scale.iter().map(gain).collect(),
                    shift,
                };
                let bias = vec![0.0; gate.len()];
                (bias, Activation::Threshold { thresholds }, values)
            }
        }
    }
}

/// The thresholds of all atoms: of those that are `planted` one and the same, of others about that.
pub(super) fn thresholds(options: &SimulateOptions, threshold: f32, planted: &[u32]) -> Vec<f32> {
    let draw = |atom: u64| Stream::new(options.seed, Purpose::Thresholds, atom).normal();
    let mut all = vec![threshold; options.features];
    if options.activation == SimulatedActivation::Relu {
        return all;
    }
    for (to, atom) in all.iter_mut().zip(0..) {
        *to = (threshold + THRESHOLD_SPREAD * draw(atom)).max(0.0);
    }
    for &atom in planted {
        all[atom as usize] = threshold;
    }
    all
}

/// The config beside the weights.
pub(super) fn config(options: &SimulateOptions) -> serde_json::Value {
    let activation = options.activation;
    let mut config = json!({
        "architecture": activation.architecture(),
        "d_in": options.input_dim,
        "d_sae": options.features,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": true,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {"sae_lens_version": "6.54.12", "made_by": "atomscope simulate"},
    });
    if !activation.has_threshold() {
        config["k"] = options.k.into();
        config["rescale_acts_by_decoder_norm"] = false.into();
    }
    config
}

/// The divisors of embeddings.
pub(super) fn divisors(std: &[f32]) -> Vec<f32> {
    std.iter().map(|std| std + 1e-6).collect()
}

impl Simulator {
    /// The SAE as its file has it.
    ///
    /// # Errors
    /// Never, of numbers that are finite.
    pub fn into_sae(self) -> Result<Sae> {
        if self.options.activation.is_notebooks() {
            return Ok(self.sae);
        }
        let divisors = divisors(&self.whitening.std);
        let mean = self.whitening.mean.clone();
        let (bias, activation, values) = self.per_atom().rule(&self.options);
        let mut parts = self.sae.into_parts();
        for weight in parts.weight.chunks_exact_mut(divisors.len()) {
            for (weight, divisor) in weight.iter_mut().zip(&divisors) {
                *weight /= divisor;
            }
        }
        Sae::new(SaeParts {
            activation,
            bias,
            values,
            input: vec![InputStep::Subtract(mean)],
            ..parts
        })
    }

    /// The numbers that the published encoder has for each atom.
    pub(super) fn per_atom(&self) -> PerAtom {
        let options = &self.options;
        let planted: Vec<u32> = (self.plan.pairs.iter())
            .flat_map(|pair| pair.atoms)
            .collect();
        let thresholds = thresholds(options, self.levels.threshold, &planted);
        PerAtom::of(
            options.activation,
            thresholds,
            self.sae.bias(),
            options.seed,
        )
    }
}
