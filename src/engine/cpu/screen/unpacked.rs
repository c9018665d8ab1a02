//! The product in binary32 of operands as they are: by the `gemm` crate, or by plain loops.

use std::fmt;
use std::ops::Range;

use super::ProductShape;
use super::scaling::Numbers;
use crate::engine::simd::{Level, Simd, for_each_simd};

/// The matrix product that computes the scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Product {
    /// The `gemm` crate, with the best instructions that it finds.
    Gemm,
    /// Plain loops: what is left where the portable path is asked for on x86-64, so that no
    /// vector extension is used at all.
    Plain,
}

/// Weights in binary32.
pub(super) struct Weights {
    /// Scaled, row-major \[F, D\]; the model's own where nothing is scaled.
    numbers: Numbers,
    dim: usize,
    product: Product,
}

impl Weights {
    pub(super) fn new(numbers: Numbers, dim: usize, simd: Simd) -> Self {
        let plain = cfg!(target_arch = "x86_64") && simd.0 == Level::Portable;
        let product = if plain { Product::Plain } else { Product::Gemm };
        Self {
            numbers,
            dim,
            product,
        }
    }

    /// Rows enough to amortise the product's packing of the weights, features so many that the
    /// scores fill 1 MiB.
    pub(super) const SHAPE: ProductShape = ProductShape {
        rows: 128,
        features: 2048,
    };

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
        let weights = &self.numbers[features.start * self.dim..features.end * self.dim];
        match self.product {
            Product::Gemm => gemm_product(x, weights, self.dim, rows, scores, stride),
            Product::Plain => {
                plain_product(Simd(Level::Portable), x, weights, self.dim, scores, stride);
            }
        }
    }
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.product {
            // The crate looks for itself what the machine has.
            Product::Gemm => write!(f, "gemm ({})", Simd::detect()),
            Product::Plain => f.write_str("plain loops"),
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
