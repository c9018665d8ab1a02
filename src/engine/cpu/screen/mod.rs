//! The screen: approximate scores of a block of rows, by the fastest product that pays, and what
//! the bound needs to know of the model.

mod packed;
mod scaling;
mod unpacked;

use std::ops::Range;

pub(super) use self::packed::Kernel;
#[cfg(target_arch = "x86_64")]
pub use self::packed::{Tiles, TilesInUse};
pub(super) use self::scaling::{Addends, RowBias, Scaling};
use super::whiten::RowFacts;
use crate::engine::bound::{self, Rounding, RowMargin};
use crate::engine::simd::Simd;
use crate::error::Result;
use crate::sae::Sae;

/// The numbers of rows and features whose scores are computed at once. The scores stay in a cache
/// until selection has seen them.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProductShape {
    pub(super) rows: usize,
    pub(super) features: usize,
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
