//! The lanes of canonical scores: one atom's weights with some rows, a slice at a time.

use super::products::SliceOfRows;
use crate::engine::canonical::{self, LANES};
#[cfg(target_arch = "x86_64")]
use crate::engine::simd::Level;
use crate::engine::simd::{Simd, for_each_simd};

/// The partial sums of a canonical score.
pub(super) type Lanes = [f64; LANES];

/// Adds the products of each row's slice with `weights` to its lanes, as the definition has it. A
/// slice begins at a multiple of [`LANES`].
pub(super) fn add_products(
    simd: Simd,
    rows: SliceOfRows,
    weights: &[f32],
    which: &[u32],
    lanes: &mut [Lanes],
) {
    #[cfg(target_arch = "x86_64")]
    if simd.0 == Level::Avx512 {
        // SAFETY: a `Simd` of this level exists only where detection found its features.
        return unsafe { avx512::add_products(rows, weights, which, lanes) };
    }
    add_products_by_row(simd, rows, weights, which, lanes);
}

for_each_simd! {
    fn add_products_by_row(
        rows: SliceOfRows,
        weights: &[f32],
        which: &[u32],
        lanes: &mut [Lanes],
    ) {
        for (&row, lanes) in which.iter().zip(lanes) {
            canonical::add_products(lanes, rows.row(row), weights);
        }
    }
}

for_each_simd! {
    /// The scores of whole rows with one atom, whose weights were widened: no lanes wait for a next
    /// slice.
    pub(super) fn scores_of_rows(
        rows: SliceOfRows,
        weights: &[f64],
        bias: f32,
        which: &[u32],
        scores: &mut [f64],
    ) {
        for (&row, score) in which.iter().zip(scores) {
            let mut lanes = [0.0; LANES];
            canonical::add_products(&mut lanes, rows.row(row), weights);
            *score = canonical::finish(&mut lanes, bias);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{
        __m512d, _mm256_loadu_ps, _mm512_cvtps_pd, _mm512_fmadd_pd, _mm512_loadu_pd,
        _mm512_storeu_pd,
    };
    use std::array::from_fn;

    use super::{LANES, Lanes, SliceOfRows, canonical};

    /// Numbers of a register.
    const WIDTH: usize = 8;
    /// Registers that the lanes of a score take.
    const REGISTERS: usize = LANES / WIDTH;

    /// Four rows at a time: widening a weight is half the work, and here it is shared.
    #[target_feature(enable = "avx512f")]
    pub(super) fn add_products(
        rows: SliceOfRows,
        weights: &[f32],
        which: &[u32],
        lanes: &mut [Lanes],
    ) {
        let (fours, others) = which.as_chunks::<4>();
        let (lanes_of_fours, lanes_of_others) = lanes.as_chunks_mut::<4>();
        for (which, lanes) in fours.iter().zip(lanes_of_fours) {
            add(which.map(|row| rows.row(row)), weights, lanes);
        }
        match (others, lanes_of_others) {
            ([a, b, c], [of_a, of_b, of_c]) => {
                let x = [a, b, c].map(|&row| rows.row(row));
                add_each(x, weights, [of_a, of_b, of_c]);
            }
            ([a, b], [of_a, of_b]) => {
                add_each([a, b].map(|&row| rows.row(row)), weights, [of_a, of_b]);
            }
            ([a], [of_a]) => add_each([rows.row(*a)], weights, [of_a]),
            _ => {}
        }
    }

    #[target_feature(enable = "avx512f")]
    fn add<const N: usize>(x: [&[f32]; N], weights: &[f32], lanes: &mut [Lanes; N]) {
        add_each(x, weights, lanes.each_mut());
    }

    /// A product of two binary32 numbers is exact in binary64, so that a fused multiply-add rounds
    /// as the addition alone would.
    #[target_feature(enable = "avx512f")]
    fn add_each<const N: usize>(x: [&[f32]; N], weights: &[f32], mut lanes: [&mut Lanes; N]) {
        let mut sums: [[__m512d; REGISTERS]; N] =
            from_fn(|row| from_fn(|i| load(&lanes[row].as_chunks().0[i])));
        let (chunks, tail) = weights.as_chunks::<LANES>();
        let x = x.map(|x| &x[..weights.len()]);
        for (chunk, w) in chunks.iter().enumerate() {
            let w: [__m512d; REGISTERS] = from_fn(|i| widen(&w.as_chunks().0[i]));
            for (x, sums) in x.iter().zip(&mut sums) {
                let x: &[f32; LANES] = &x.as_chunks().0[chunk];
                for i in 0..REGISTERS {
                    sums[i] = _mm512_fmadd_pd(widen(&x.as_chunks().0[i]), w[i], sums[i]);
                }
            }
        }
        for ((x, sums), lanes) in x.iter().zip(&sums).zip(&mut lanes) {
            for (to, &sum) in lanes.as_chunks_mut::<WIDTH>().0.iter_mut().zip(sums) {
                // SAFETY: there is room for 8 numbers.
                unsafe { _mm512_storeu_pd(to.as_mut_ptr(), sum) };
            }
            canonical::add_products(lanes, &x[weights.len() - tail.len()..], tail);
        }
    }

    #[target_feature(enable = "avx512f")]
    fn load(numbers: &[f64; WIDTH]) -> __m512d {
        // SAFETY: there are 8 numbers.
        unsafe { _mm512_loadu_pd(numbers.as_ptr()) }
    }

    #[target_feature(enable = "avx512f")]
    fn widen(numbers: &[f32; WIDTH]) -> __m512d {
        // SAFETY: there are 8 numbers.
        _mm512_cvtps_pd(unsafe { _mm256_loadu_ps(numbers.as_ptr()) })
    }
}
