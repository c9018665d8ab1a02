//! The canonical score: what "the score of an atom on a call" means, to the last bit.
//!
//! Both operands are binary32, so every product is exact in binary64. Lane `l ∈ 0..32` sums the
//! products with `i ≡ l (mod 32)` in ascending `i`, from +0; the lanes are added by a butterfly
//! (`l` with `l xor 16`, then 8, 4, 2, 1); then the bias is added. One warp on a GPU, four
//! 8-wide registers with AVX-512.

use super::simd::for_each_simd;

/// The number of partial sums of a canonical score.
pub const LANES: usize = 32;

for_each_simd! {
    /// The canonical score of whitened row `x` \[D\] with encoder row `weight` \[D\] and `bias`.
    pub fn canonical_score(x: &[f32], weight: &[f32], bias: f32) -> f64 {
        let mut lanes = [0.0f64; LANES];
        add_products(&mut lanes, x, weight);
        finish(&mut lanes, bias)
    }
}

/// Adds products to their lanes, from a place that is a multiple of [`LANES`] on. Weights are of binary32, or
/// were widened before.
#[allow(clippy::inline_always)]
#[inline(always)]
pub(super) fn add_products<W: Copy + Into<f64>>(lanes: &mut [f64; LANES], x: &[f32], weight: &[W]) {
    let (xs, x_tail) = x.as_chunks::<LANES>();
    let (ws, w_tail) = weight.as_chunks::<LANES>();
    for (x, w) in xs.iter().zip(ws) {
        for l in 0..LANES {
            lanes[l] += f64::from(x[l]) * w[l].into();
        }
    }
    for ((lane, x), w) in lanes.iter_mut().zip(x_tail).zip(w_tail) {
        *lane += f64::from(*x) * (*w).into();
    }
}

/// The score, once all products are in their lanes.
#[allow(clippy::inline_always)]
#[inline(always)]
pub(super) fn finish(lanes: &mut [f64; LANES], bias: f32) -> f64 {
    sum_of_lanes(lanes) + f64::from(bias)
}

/// The sum of all lanes.
#[allow(clippy::inline_always)]
#[inline(always)]
pub(super) fn sum_of_lanes(lanes: &mut [f64; LANES]) -> f64 {
    // A sum does not depend on the order of its two terms, so that after each exchange the lanes l
    // and l xor step agree and the lower half carries everything.
    let mut step = LANES / 2;
    while step > 0 {
        for l in 0..step {
            lanes[l] += lanes[l + step];
        }
        step /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::simd::Simd;

    /// The definition, read literally: 32 lanes, five exchanges among all of them.
    fn by_the_book(x: &[f32], w: &[f32], bias: f32) -> f64 {
        let mut lanes = vec![0.0f64; 32];
        for i in 0..x.len() {
            lanes[i % 32] += x[i] as f64 * w[i] as f64;
        }
        for step in [16, 8, 4, 2, 1] {
            let old = lanes.clone();
            for l in 0..32 {
                lanes[l] = old[l] + old[l ^ step];
            }
        }
        assert!(lanes.iter().all(|&s| s.to_bits() == lanes[0].to_bits()));
        lanes[0] + bias as f64
    }

    #[test]
    fn every_path_gives_the_defined_bits() {
        for d in [1, 2, 31, 32, 33, 64, 95, 768, 1000] {
            let x: Vec<f32> = (0..d)
                .map(|i| ((i * 37 % 101) as f32 - 50.3) * 1.7e-3)
                .collect();
            let w: Vec<f32> = (0..d)
                .map(|i| ((i * 53 % 97) as f32 - 48.1) * 2.3e5)
                .collect();
            let expected = by_the_book(&x, &w, 0.375);
            for simd in Simd::all() {
                let score = canonical_score(simd, &x, &w, 0.375);
                assert_eq!(score.to_bits(), expected.to_bits(), "{simd}, D = {d}");
            }
        }
    }

    #[test]
    fn extremes_stay_exact() {
        let tiny = f32::from_bits(1);
        for simd in Simd::all() {
            assert_eq!(
                canonical_score(simd, &[tiny], &[tiny], 0.0),
                2.0f64.powi(-298)
            );
            assert_eq!(
                canonical_score(simd, &[f32::MAX; 40], &[f32::MAX; 40], 0.0),
                { 40.0 * f64::from(f32::MAX) * f64::from(f32::MAX) }
            );
            // A sum that starts from +0 never ends at −0.
            assert_eq!(canonical_score(simd, &[-0.0], &[1.0], -0.0).to_bits(), 0);
        }
    }
}
