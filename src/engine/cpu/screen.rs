//! The screen: all scores of a block of rows in binary32, and what the bound needs of the model.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use rayon::prelude::*;

use super::whiten::row_facts;
use crate::engine::bound;
use crate::engine::simd::{Level, Simd, for_each_simd};
use crate::sae::Sae;

/// The encoder as the screen takes it.
pub(super) struct ScreenModel<'a> {
    /// Weights times `2^−exponent`, row-major \[F, D\]; the model's own where the exponent is 0.
    weights: Cow<'a, [f32]>,
    /// `b` of the bound.
    pub(super) exponent: i32,
    /// `W` of the bound, for each feature.
    pub(super) norms: Vec<f32>,
    /// Biases times `2^−bias_exponent`.
    pub(super) biases: Vec<f32>,
    /// `c` of the bound.
    pub(super) bias_exponent: i32,
    /// The largest magnitude among the unscaled biases.
    pub(super) largest_bias: f32,
    dim: usize,
    product: Product,
}

/// The biases in a row's screening units.
pub(super) struct RowBias {
    /// `2^(c−a−b)`, by which the model's scaled biases are multiplied.
    pub(super) scale: f32,
    /// `P` of the bound.
    pub(super) largest: f32,
}

/// Which matrix product computes the scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Product {
    /// The `gemm` crate, with the best instructions that it finds.
    Gemm,
    /// Plain loops: what is left where the portable path is asked for on x86-64, so that no
    /// vector extension is used at all.
    Plain,
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The crate looks for itself what the machine has.
            Self::Gemm => write!(f, "gemm ({})", Simd::detect()),
            Self::Plain => f.write_str("plain loops"),
        }
    }
}

impl<'a> ScreenModel<'a> {
    pub(super) fn new(sae: &'a Sae, simd: Simd) -> Self {
        let dim = sae.input_dim();
        let facts: Vec<_> = sae
            .weight()
            .par_chunks_exact(dim)
            .map(|row| row_facts(simd, row))
            .collect();
        let largest = facts.iter().map(|f| f.largest).fold(0.0, f32::max);
        let exponent = bound::screen_exponent(largest);
        let weights = match exponent {
            0 => Cow::Borrowed(sae.weight()),
            _ => Cow::Owned(bound::scaled(sae.weight(), exponent).collect()),
        };
        let largest_bias = sae.bias().iter().fold(0.0f32, |m, b| m.max(b.abs()));
        let bias_exponent = bound::screen_exponent(largest_bias);
        let plain = cfg!(target_arch = "x86_64") && simd.0 == Level::Portable;
        Self {
            weights,
            exponent,
            norms: facts
                .iter()
                .map(|f| bound::scaled_norm(f.squares, exponent))
                .collect(),
            biases: bound::scaled(sae.bias(), bias_exponent).collect(),
            bias_exponent,
            largest_bias,
            dim,
            product: if plain { Product::Plain } else { Product::Gemm },
        }
    }

    /// How biases join the scores of a row that is scaled by `2^−exponent`.
    pub(super) fn row_bias(&self, exponent: i32) -> RowBias {
        if self.largest_bias == 0.0 {
            return RowBias {
                scale: 0.0,
                largest: 0.0,
            };
        }
        let unit = exponent + self.exponent;
        let largest = f64::from(self.largest_bias) * bound::power_of_two(-unit);
        RowBias {
            scale: bound::power_of_two(self.bias_exponent - unit) as f32,
            largest: bound::round_up(largest),
        }
    }

    pub(super) fn product(&self) -> Product {
        self.product
    }

    /// Writes the scores of `features` for `rows` rows `x` \[rows, D\] to `scores`, feature by
    /// feature, `stride ≥ rows` apart: `scores[f * stride + r]`.
    pub(super) fn scores(
        &self,
        x: &[f32],
        rows: usize,
        features: Range<usize>,
        scores: &mut [f32],
        stride: usize,
    ) {
        let weights = &self.weights[features.start * self.dim..features.end * self.dim];
        match self.product {
            Product::Gemm => gemm_product(x, weights, self.dim, rows, scores, stride),
            Product::Plain => {
                plain_product(Simd(Level::Portable), x, weights, self.dim, scores, stride);
            }
        }
    }
}

/// `scores[f * stride + r] = Σ_i x[r, i] · weights[f, i]` by the `gemm` crate, on this thread.
fn gemm_product(
    x: &[f32],
    weights: &[f32],
    dim: usize,
    rows: usize,
    scores: &mut [f32],
    stride: usize,
) {
    let features = weights.len() / dim;
    assert!(
        x.len() == rows * dim && weights.len() == features * dim,
        "whole rows of dim numbers"
    );
    assert!(
        stride >= rows && scores.len() >= features * stride,
        "room for all scores"
    );
    // SAFETY: dst is a features-column matrix of `rows` contiguous numbers, `stride` apart, and
    // lhs and rhs are row-major matrices with rows of `dim`; the assertions above say that each
    // lies within its slice. `scores` is borrowed mutably, so that it overlaps neither operand.
    // `read_dst` is false: dst is only written. The types are all f32, as gemm demands.
    unsafe {
        gemm::gemm(
            rows,
            features,
            dim,
            scores.as_mut_ptr(),
            stride.cast_signed(),
            1,
            false,
            x.as_ptr(),
            1,
            dim.cast_signed(),
            weights.as_ptr(),
            dim.cast_signed(),
            1,
            0.0f32,
            1.0f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

for_each_simd! {
    /// The same by plain loops.
    fn plain_product(
        x: &[f32],
        weights: &[f32],
        dim: usize,
        scores: &mut [f32],
        stride: usize,
    ) {
        const LANES: usize = 8;
        for (w, scores) in weights.chunks_exact(dim).zip(scores.chunks_mut(stride)) {
            for (x, score) in x.chunks_exact(dim).zip(scores) {
                let mut lanes = [0.0f32; LANES];
                let (xs, x_tail) = x.as_chunks::<LANES>();
                let (ws, w_tail) = w.as_chunks::<LANES>();
                for (x, w) in xs.iter().zip(ws) {
                    for l in 0..LANES {
                        lanes[l] += x[l] * w[l];
                    }
                }
                let tail: f32 = x_tail.iter().zip(w_tail).map(|(x, w)| x * w).sum();
                *score = lanes.iter().sum::<f32>() + tail;
            }
        }
    }
}
