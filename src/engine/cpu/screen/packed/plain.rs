//! The product by what every machine has: for tests of everything around the other kernels, and
//! where it is asked for.

use super::panels::{LINES, Line, PANEL};
use crate::engine::simd::for_each_simd;

for_each_simd! {
    /// Adds the chunks of a panel of features and one of rows to `scores[f * stride + r]`, or
    /// sets these where `first`.
    pub(super) fn block(
        features: &[Line],
        rows: &[Line],
        scores: &mut [f32],
        stride: usize,
        first: bool,
    ) {
        for (feature, scores) in scores.chunks_mut(stride).take(PANEL).enumerate() {
            let mut sums = [0.0f32; PANEL];
            let chunks = features.as_chunks::<LINES>().0.iter().zip(rows.as_chunks::<LINES>().0);
            for (features, rows) in chunks {
                for (&pair, rows) in features[feature].0.iter().zip(rows) {
                    let (low, high) = (low_of(pair), high_of(pair));
                    for (sum, &row) in sums.iter_mut().zip(&rows.0) {
                        *sum += high * high_of(row);
                        *sum += low * low_of(row);
                    }
                }
            }
            for (score, sum) in scores.iter_mut().zip(sums) {
                *score = if first { sum } else { *score + sum };
            }
        }
    }
}

#[allow(clippy::inline_always)]
#[inline(always)]
fn low_of(pair: u32) -> f32 {
    f32::from_bits(pair << 16)
}

#[allow(clippy::inline_always)]
#[inline(always)]
fn high_of(pair: u32) -> f32 {
    f32::from_bits(pair & 0xffff_0000)
}
