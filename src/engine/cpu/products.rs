//! The products of the second screen: one atom's weights with some rows, a slice at a time.

#[cfg(target_arch = "x86_64")]
use crate::engine::simd::Level;
use crate::engine::simd::{Simd, for_each_simd};

/// Numbers of a row that are multiplied at once: those of a thousand rows fit an L2 cache.
pub(super) const SLICE: usize = 256;

/// The same slice of every row of a block.
#[derive(Clone, Copy)]
pub(super) struct SliceOfRows<'a> {
    /// Row-major \[rows, width\].
    pub(super) numbers: &'a [f32],
    /// The width of the slice: for these products at most [`SLICE`].
    pub(super) width: usize,
}

impl<'a> SliceOfRows<'a> {
    pub(super) fn row(self, row: u32) -> &'a [f32] {
        &self.numbers[row as usize * self.width..][..self.width]
    }
}

/// Adds to each sum the product of a row's slice with `weights`, computed in binary32: no product
/// of two numbers is rounded more than 14 times on its way into it.
pub(super) fn add_products(
    simd: Simd,
    rows: SliceOfRows,
    weights: &[f32],
    which: &[u32],
    sums: &mut [f64],
) {
    #[cfg(target_arch = "x86_64")]
    if let (Level::Avx512, Ok(weights)) = (simd.0, weights.try_into()) {
        // SAFETY: a `Simd` of this level exists only where detection found its features.
        return unsafe { avx512::add_products(rows, weights, which, sums) };
    }
    add_products_of_any_width(simd, rows, weights, which, sums);
}

for_each_simd! {
    /// 32 lanes of at most 8 products, each rounded before it is added, then a tree of 5 levels.
    fn add_products_of_any_width(
        rows: SliceOfRows,
        weights: &[f32],
        which: &[u32],
        sums: &mut [f64],
    ) {
        const LANES: usize = 32;
        for (&row, sum) in which.iter().zip(sums) {
            let mut lanes = [0.0f32; LANES];
            let (xs, x_tail) = rows.row(row).as_chunks::<LANES>();
            let (ws, w_tail) = weights.as_chunks::<LANES>();
            for (x, w) in xs.iter().zip(ws) {
                for l in 0..LANES {
                    lanes[l] += x[l] * w[l];
                }
            }
            for ((lane, x), w) in lanes.iter_mut().zip(x_tail).zip(w_tail) {
                *lane += x * w;
            }
            let mut step = LANES / 2;
            while step > 0 {
                for l in 0..step {
                    lanes[l] += lanes[l + step];
                }
                step /= 2;
            }
            *sum += f64::from(lanes[0]);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{
        __m512, _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mul_ps,
        _mm512_reduce_add_ps,
    };
    use std::array::from_fn;

    use super::{SLICE, SliceOfRows};

    const LANES: usize = 16;
    const REGISTERS: usize = SLICE / LANES;
    /// Sums that are under way at once, to hide an addition's latency.
    const SUMS: usize = 4;

    /// A whole slice of weights stays in registers. A product is added to one of four sums by at
    /// most 4 fused steps, these are added in 2, and the 16 lanes in 4.
    #[target_feature(enable = "avx512f")]
    pub(super) fn add_products(
        rows: SliceOfRows,
        weights: &[f32; SLICE],
        which: &[u32],
        sums: &mut [f64],
    ) {
        let w: [__m512; REGISTERS] = from_fn(|i| load(weights, i));
        for (&row, sum) in which.iter().zip(sums) {
            let x: &[f32; SLICE] = rows.row(row).try_into().expect("of the weights' width");
            let mut parts: [__m512; SUMS] = from_fn(|i| _mm512_mul_ps(load(x, i), w[i]));
            for i in SUMS..REGISTERS {
                parts[i % SUMS] = _mm512_fmadd_ps(load(x, i), w[i], parts[i % SUMS]);
            }
            let all = _mm512_add_ps(
                _mm512_add_ps(parts[0], parts[1]),
                _mm512_add_ps(parts[2], parts[3]),
            );
            *sum += f64::from(_mm512_reduce_add_ps(all));
        }
    }

    #[target_feature(enable = "avx512f")]
    fn load(slice: &[f32; SLICE], register: usize) -> __m512 {
        let lanes: &[f32; LANES] = &slice.as_chunks().0[register];
        // SAFETY: there are 16 numbers.
        unsafe { _mm512_loadu_ps(lanes.as_ptr()) }
    }
}
