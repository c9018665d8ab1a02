//! The property of the kernels' sums that the bound takes for granted. On numbers that are bfloat16
//! already, each sum lies within `γ·Σ|x·w|`, and what is flushed, of the exact sum, with the γ of
//! `longest_sum`.

use super::panels::PANEL;
use super::{Kernel, Packing, Weights};
use crate::engine::cpu::test_cases::Random;
use crate::engine::simd::Simd;

fn kernels() -> Vec<Kernel> {
    let found = [Kernel::tiles(), Kernel::vectors()];
    let plain = Simd::all().into_iter().map(Kernel::Plain);
    found.into_iter().flatten().chain(plain).collect()
}

/// Numbers of 8 bits: of one sign or both, of like or of very different magnitudes, some subnormal.
fn numbers(n: usize, seed: u64, kind: usize) -> Vec<f32> {
    let mut random = Random(seed);
    let mut next = || random.next_u32();
    let number = |_| {
        let mantissa = next() % 128;
        let (sign, exponent) = match kind {
            0 => (0, 127),
            1 => (next() % 2, 127 + next() % 3),
            2 => (next() % 2, 40 + next() % 120),
            // Products around the smallest normal number, and subnormal operands.
            _ => (next() % 2, next() % 130),
        };
        f32::from_bits(sign << 31 | exponent << 23 | mantissa << 16)
    };
    (0..n).map(number).collect()
}

fn check(kernel: Kernel, dim: usize, rows: usize, features: usize, kind: usize) {
    let simd = Simd::detect();
    let x = numbers(rows * dim, 1 + kind as u64, kind);
    let w = numbers(features * dim, 100 + kind as u64, kind);
    let weights = Weights::new(&w, dim, simd, kernel).expect("small");
    let mut packing = Packing::default();
    weights.take_rows(simd, &x, &mut packing);
    let stride = rows.next_multiple_of(2 * PANEL) + PANEL;
    let mut scores = vec![f32::NAN; features.next_multiple_of(2 * PANEL) * stride];
    weights.scores(&packing.panels, 0, &mut scores, stride);
    let nu = kernel.longest_sum(dim) as f64 * 2f64.powi(-24);
    let gamma = nu / (1.0 - nu);
    let flushed = |v: f32| {
        if v.abs() < f32::MIN_POSITIVE {
            0.0
        } else {
            f64::from(v)
        }
    };
    for r in 0..rows {
        for f in 0..features {
            let pairs = x[r * dim..(r + 1) * dim]
                .iter()
                .zip(&w[f * dim..(f + 1) * dim]);
            let products: Vec<f64> = pairs.map(|(&x, &w)| flushed(x) * flushed(w)).collect();
            let exact: f64 = products.iter().sum();
            let size: f64 = products.iter().map(|p| p.abs()).sum();
            let error = (f64::from(scores[f * stride + r]) - exact).abs();
            // The last term is for this test's own sums.
            let allowed = gamma * size + dim as f64 * 2f64.powi(-124) + 1e-12 * size;
            assert!(
                error <= allowed,
                "{kernel}, D = {dim}, row {r}, feature {f}, kind {kind}: {error:e} > {allowed:e}"
            );
        }
    }
}

#[test]
fn sums_err_as_the_bound_allows() {
    for kernel in kernels() {
        for kind in 0..4 {
            for (dim, rows, features) in [
                (1, 1, 1),
                (31, 3, 5),
                (33, 17, 40),
                (512, 50, 33),
                (1027, 100, 65),
                (4096, 9, 7),
            ] {
                check(kernel, dim, rows, features, kind);
            }
        }
    }
}

#[test]
fn every_kernel_multiplies_every_pair() {
    // Small integers, whose sums are exact in any order: a pair that is left out, or taken twice,
    // changes the score.
    let (dim, rows, features) = (677, 83, 71);
    let integers = |n: usize, step: usize| -> Vec<f32> {
        (0..n).map(|i| (i * step % 13) as f32 - 6.0).collect()
    };
    let (x, w) = (integers(rows * dim, 7), integers(features * dim, 5));
    let simd = Simd::detect();
    for kernel in kernels() {
        let weights = Weights::new(&w, dim, simd, kernel).expect("small");
        let mut packing = Packing::default();
        weights.take_rows(simd, &x, &mut packing);
        let stride = rows.next_multiple_of(2 * PANEL) + PANEL;
        // From the second pair of panels on, too.
        for first in [0, 2 * PANEL] {
            let count = (features - first).next_multiple_of(2 * PANEL);
            let mut scores = vec![f32::NAN; count * stride];
            weights.scores(&packing.panels, first, &mut scores, stride);
            for r in 0..rows {
                for f in first..features {
                    let pairs = x[r * dim..(r + 1) * dim]
                        .iter()
                        .zip(&w[f * dim..(f + 1) * dim]);
                    let exact: f32 = pairs.map(|(x, w)| x * w).sum();
                    let found = scores[(f - first) * stride + r];
                    assert_eq!(found, exact, "{kernel}, row {r}, feature {f}");
                }
            }
        }
    }
}
