//! The screen: approximate scores of a block of rows, by the fastest product that pays, and what
//! the bound needs to know of the model.

mod packed;
mod unpacked;

use std::ops::{Deref, Range};

use rayon::prelude::*;

pub(super) use self::packed::Kernel;
#[cfg(target_arch = "x86_64")]
pub use self::packed::{Tiles, TilesInUse};
use super::whiten::{RowFacts, row_facts};
use crate::engine::bound::{self, Rounding, RowMargin, Shifts};
use crate::engine::simd::Simd;
use crate::error::Result;
use crate::sae::{Activation, Sae};

/// The numbers of rows and features whose scores are computed at once. The scores stay in a cache
/// until selection has seen them.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProductShape {
    pub(super) rows: usize,
    pub(super) features: usize,
}

/// The scaling of a model into the screen's range, and what the bound needs of it: the same for
/// every screen.
pub(super) struct Scaling {
    /// `b` of the bound: weights are screened times `2^−exponent`.
    pub(super) exponent: i32,
    /// `W` of the bound, for each feature.
    pub(super) norms: Vec<f32>,
    /// The largest of them.
    largest_norm: f32,
    /// What joins the scores of each feature.
    pub(super) addends: Addends,
}

/// The numbers that are added to features' scores.
pub(super) enum Addends {
    Biases(Biases),
    /// For features with thresholds of their own.
    Shifts(Shifts),
}

/// A model's biases, scaled.
pub(super) struct Biases {
    /// Biases times `2^−exponent`; −∞ of features that never fire, which no bound lets through, even
    /// where biases are scaled by 0.
    scaled: Vec<f32>,
    /// `c` of the bound.
    exponent: i32,
    /// The largest magnitude among the unscaled biases.
    largest: f32,
}

/// The biases, or shifts, in a row's screening units.
pub(super) struct RowBias {
    /// `2^(c−a−b)`, by which the model's scaled biases are multiplied.
    pub(super) scale: f32,
    /// `P` of the bound.
    pub(super) largest: f32,
    /// `false` if the bound does not hold for the row.
    pub(super) holds: bool,
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
    pub(super) fn scaled(&self) -> &[f32] {
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
    pub(super) fn new(sae: &Sae, simd: Simd) -> Self {
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
    fn weights(&self, sae: &Sae, features: usize) -> Numbers {
        let weights = &sae.weight()[..features * sae.input_dim()];
        match self.exponent {
            0 => Numbers::OfModel(sae.clone()),
            exponent => Numbers::Scaled(bound::scaled(weights, exponent).collect()),
        }
    }

    /// `a` of the bound for a row whose numbers are at most `largest`.
    pub(super) fn row_exponent(&self, largest: f32) -> i32 {
        match &self.addends {
            Addends::Biases(biases) => bound::row_exponent(largest, biases.largest, self.exponent),
            Addends::Shifts(shifts) => {
                bound::screen_exponent(largest).max(shifts.least_row_exponent(self.exponent))
            }
        }
    }

    /// Says how biases join the scores of a row that is scaled by `2^−exponent` and has this norm
    /// then.
    fn row_bias(&self, exponent: i32, norm: f32) -> RowBias {
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
enum Numbers {
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

/// A model as one kind of product takes it.
pub(super) struct Screen {
    weights: Weights,
    /// `N` of the bound, for each feature.
    pub(super) norms: Vec<f32>,
    rounding: Rounding,
    dim: usize,
}

enum Weights {
    Unpacked(unpacked::Weights),
    Packed(packed::Weights),
}

/// Rows as a screen's product takes them, and the buffers that this needs.
#[derive(Default)]
pub(super) struct Operand {
    scaled: Vec<f32>,
    packing: packed::Packing,
}

/// Whitened rows of a block, and what is known of each.
#[derive(Clone, Copy)]
pub(super) struct WhiteRows<'a> {
    /// Row-major \[rows, D\].
    pub(super) numbers: &'a [f32],
    /// One a row.
    pub(super) facts: &'a [RowFacts],
    /// `a` of the bound, one a row.
    pub(super) exponents: &'a [i32],
}

impl Screen {
    /// The first `features` in binary32 by the `gemm` crate, or plain loops.
    pub(super) fn binary32(sae: &Sae, scaling: &Scaling, simd: Simd, features: usize) -> Self {
        let dim = sae.input_dim();
        let weights = scaling.weights(sae, features);
        Self {
            weights: Weights::Unpacked(unpacked::Weights::new(weights, dim, simd)),
            norms: scaling.norms[..features].to_vec(),
            rounding: Rounding::binary32(dim),
            dim,
        }
    }

    /// All features in bfloat16.
    ///
    /// # Errors
    /// Memory.
    pub(super) fn bfloat16(
        sae: &Sae,
        scaling: &Scaling,
        simd: Simd,
        kernel: Kernel,
    ) -> Result<Self> {
        let dim = sae.input_dim();
        let weights = scaling.weights(sae, sae.feature_dim());
        let weights = packed::Weights::new(&weights, dim, simd, kernel)?;
        let additions = kernel.longest_sum(dim);
        let (rounding, norms) = Rounding::bfloat16(additions, &scaling.norms, &weights.lost);
        Ok(Self {
            weights: Weights::Packed(weights),
            norms,
            rounding,
            dim,
        })
    }

    /// Its number type and its product, in words.
    pub(super) fn name(&self) -> String {
        match &self.weights {
            Weights::Unpacked(weights) => format!("binary32 screen by {weights}"),
            Weights::Packed(weights) => format!("bfloat16 screen by {}", weights.kernel()),
        }
    }

    /// Says whether its bound allows for every order of summation.
    #[cfg(test)]
    pub(super) fn takes_any_order(&self) -> bool {
        matches!(self.weights, Weights::Unpacked(_))
    }

    /// Returns the numbers of rows and features that its product computes at once.
    pub(super) fn shape(&self) -> ProductShape {
        match &self.weights {
            Weights::Unpacked(_) => unpacked::Weights::SHAPE,
            Weights::Packed(weights) => weights.kernel().shape(),
        }
    }

    /// Makes the product's operand of `rows`, and hands over every row's margin.
    pub(super) fn take_rows<'r>(
        &self,
        simd: Simd,
        scaling: &Scaling,
        rows: WhiteRows<'r>,
        operand: &'r mut Operand,
        mut margin: impl FnMut(usize, &RowBias, RowMargin),
    ) -> Taken<'r> {
        let count = rows.facts.len();
        operand.scaled.clear();
        let out_of_range = rows.exponents.iter().any(|&exponent| exponent != 0);
        if out_of_range {
            for (row, &exponent) in rows.numbers.chunks_exact(self.dim).zip(rows.exponents) {
                operand.scaled.extend(bound::scaled(row, exponent));
            }
        }
        let numbers: &[f32] = if out_of_range {
            &operand.scaled
        } else {
            rows.numbers
        };
        operand.packing.lost.clear();
        if let Weights::Packed(weights) = &self.weights {
            weights.take_rows(simd, numbers, &mut operand.packing);
        }
        operand.packing.lost.resize(count, 0.0);
        for (r, (facts, &exponent)) in rows.facts.iter().zip(rows.exponents).enumerate() {
            let norm = bound::scaled_norm(facts.squares, exponent);
            let bias = scaling.row_bias(exponent, norm);
            let lost = operand.packing.lost[r];
            let row = RowMargin::new(self.dim, &self.rounding, norm, lost, bias.largest);
            margin(r, &bias, row);
        }
        Taken {
            numbers,
            panels: &operand.packing.panels,
            rows: count,
        }
    }

    /// Writes the scores of `features` to `scores`, feature by feature: `scores[f * stride + r]`.
    /// There must be room for whole groups of 32 features, and the stride must not be below the
    /// number of rows rounded up to a multiple of 32.
    pub(super) fn scores(
        &self,
        rows: &Taken,
        features: Range<usize>,
        scores: &mut [f32],
        stride: usize,
    ) {
        match &self.weights {
            Weights::Unpacked(weights) => {
                weights.scores(rows.numbers, rows.rows, features, scores, stride);
            }
            Weights::Packed(weights) => {
                weights.scores(rows.panels, features.start, scores, stride);
            }
        }
    }
}

/// Rows that a screen has taken.
pub(super) struct Taken<'r> {
    /// Scaled, row-major \[rows, D\].
    numbers: &'r [f32],
    panels: &'r packed::Panels,
    rows: usize,
}
