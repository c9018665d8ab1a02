//! A model scaled into the screen's range: weights, and what joins the scores.

use std::ops::Deref;

use rayon::prelude::*;

use super::super::whiten::{RowFacts, row_facts};
use crate::engine::bound::{self, Shifts};
use crate::engine::simd::Simd;
use crate::sae::{Activation, Sae};

/// The scaling of a model into the screen's range, and what the bound needs of it: the same for
/// every screen.
pub(in crate::engine::cpu) struct Scaling {
    /// `b` of the bound: weights are screened times `2^−exponent`.
    pub(in crate::engine::cpu) exponent: i32,
    /// `W` of the bound, for each feature.
    pub(in crate::engine::cpu) norms: Vec<f32>,
    /// The largest of them.
    largest_norm: f32,
    /// What joins the scores of each feature.
    pub(in crate::engine::cpu) addends: Addends,
}

/// The numbers that are added to features' scores.
pub(in crate::engine::cpu) enum Addends {
    Biases(Biases),
    /// For features with thresholds of their own.
    Shifts(Shifts),
}

/// A model's biases, scaled.
pub(in crate::engine::cpu) struct Biases {
    /// Biases times `2^−exponent`; −∞ of features that never fire, which no bound lets through, even
    /// where biases are scaled by 0.
    scaled: Vec<f32>,
    /// `c` of the bound.
    exponent: i32,
    /// The largest magnitude among the unscaled biases.
    largest: f32,
}

/// The biases, or shifts, in a row's screening units.
pub(in crate::engine::cpu) struct RowBias {
    /// `2^(c−a−b)`, by which the model's scaled biases are multiplied.
    pub(in crate::engine::cpu) scale: f32,
    /// `P` of the bound.
    pub(in crate::engine::cpu) largest: f32,
    /// `false` if the bound does not hold for the row.
    pub(in crate::engine::cpu) holds: bool,
}

impl Addends {
    fn new(sae: &Sae, facts: &[RowFacts]) -> Self {
        if let Activation::Threshold { thresholds } = sae.activation() {
            let squares = facts.iter().map(|facts| facts.squares);
            return Self::Shifts(Shifts::new(sae.bias(), thresholds, squares));
        }
        let largest = sae.bias().iter().fold(0.0f32, |m, b| m.max(b.abs()));
        let exponent = bound::screen_exponent(largest);
        let mut scaled: Vec<_> = bound::scaled(sae.bias(), exponent).collect();
        if !sae.activation().fires_below_zero() {
            // The score of a feature without any weight is its bias.
            for ((scaled, &bias), facts) in scaled.iter_mut().zip(sae.bias()).zip(facts) {
                if facts.squares == 0.0 && bias <= 0.0 {
                    *scaled = f32::NEG_INFINITY;
                }
            }
        }
        Self::Biases(Biases {
            scaled,
            exponent,
            largest,
        })
    }

    /// The scaled numbers, one a feature.
    pub(in crate::engine::cpu) fn scaled(&self) -> &[f32] {
        match self {
            Self::Biases(biases) => &biases.scaled,
            Self::Shifts(shifts) => &shifts.scaled,
        }
    }
}

impl Biases {
    /// Says how they join the scores of a row in units of `2^unit`.
    fn in_units(&self, unit: i32) -> RowBias {
        let (scale, largest) = if self.largest == 0.0 {
            (0.0, 0.0)
        } else {
            let largest = f64::from(self.largest) * bound::power_of_two(-unit);
            let scale = bound::power_of_two(self.exponent - unit) as f32;
            (scale, bound::round_up(largest))
        };
        RowBias {
            scale,
            largest,
            holds: true,
        }
    }
}

impl Scaling {
    pub(in crate::engine::cpu) fn new(sae: &Sae, simd: Simd) -> Self {
        let facts: Vec<_> = sae
            .weight()
            .par_chunks_exact(sae.input_dim())
            .map(|row| row_facts(simd, row))
            .collect();
        let largest = facts.iter().map(|f| f.largest).fold(0.0, f32::max);
        let exponent = bound::screen_exponent(largest);
        let norm = |facts: &RowFacts| bound::scaled_norm(facts.squares, exponent);
        let norms: Vec<_> = facts.iter().map(norm).collect();
        Self {
            exponent,
            largest_norm: norms.iter().copied().fold(0.0, f32::max),
            norms,
            addends: Addends::new(sae, &facts),
        }
    }

    /// The weights of the first `features` as screens take them, row-major: the model's own where
    /// nothing has to be scaled.
    pub(super) fn weights(&self, sae: &Sae, features: usize) -> Numbers {
        let weights = &sae.weight()[..features * sae.input_dim()];
        match self.exponent {
            0 => Numbers::OfModel(sae.clone()),
            exponent => Numbers::Scaled(bound::scaled(weights, exponent).collect()),
        }
    }

    /// `a` of the bound for a row whose numbers are at most `largest`.
    pub(in crate::engine::cpu) fn row_exponent(&self, largest: f32) -> i32 {
        match &self.addends {
            Addends::Biases(biases) => bound::row_exponent(largest, biases.largest, self.exponent),
            Addends::Shifts(shifts) => {
                bound::screen_exponent(largest).max(shifts.least_row_exponent(self.exponent))
            }
        }
    }

    /// Says how biases join the scores of a row that is scaled by `2^−exponent` and has this norm
    /// then.
    pub(super) fn row_bias(&self, exponent: i32, norm: f32) -> RowBias {
        let unit = exponent + self.exponent;
        match &self.addends {
            Addends::Biases(biases) => biases.in_units(unit),
            Addends::Shifts(shifts) => {
                let (scale, largest) = shifts.in_units(unit);
                let holds = shifts.hold_for(unit, norm, self.largest_norm);
                RowBias {
                    scale,
                    largest,
                    holds,
                }
            }
        }
    }
}

/// Weights as a product takes them.
pub(super) enum Numbers {
    /// The numbers as the model has them: nothing has to be scaled.
    OfModel(Sae),
    Scaled(Vec<f32>),
}

impl Deref for Numbers {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match self {
            Self::OfModel(sae) => sae.weight(),
            Self::Scaled(numbers) => numbers,
        }
    }
}
