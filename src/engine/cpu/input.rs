//! The steps from a stored row to the encoder's input: [`InputStep`]s, as they are defined.
//!
//! The first steps that subtract and divide go with the widening of numbers, in one pass; the others
//! follow one by one.

use super::whiten::whiten_row;
use crate::engine::canonical::{LANES, sum_of_lanes};
use crate::engine::simd::{Simd, for_each_simd};
use crate::rows::ElementType;
use crate::sae::{InputStep, Steps};

impl Steps {
    /// Widens the numbers of a row as they are `stored` to binary32, and takes all steps.
    pub(super) fn take_row(
        &self,
        simd: Simd,
        stored: &[u8],
        element: ElementType,
        out: &mut [f32],
    ) {
        whiten_row(simd, stored, element, &self.mean, &self.divisors, out);
        for step in &self.rest {
            match step {
                InputStep::Subtract(numbers) => subtract(simd, numbers, out),
                InputStep::Divide(numbers) => divide(simd, numbers, out),
                InputStep::Standardize { epsilon } => standardize(simd, *epsilon, out),
                InputStep::ScaleToNorm { norm, least } => {
                    let length = sum(simd, 0.0, true, out).sqrt() as f32;
                    scale(simd, norm / length.max(*least), out);
                }
                InputStep::Scale(factor) => scale(simd, *factor, out),
            }
        }
    }
}

/// The row's own mean and standard deviation; D is at least 2.
fn standardize(simd: Simd, epsilon: f32, row: &mut [f32]) {
    let count = row.len() as f64;
    let mean = sum(simd, 0.0, false, row) / count;
    let variance = sum(simd, mean, true, row) / (count - 1.0);
    let divisor = variance.sqrt() as f32 + epsilon;
    centre(simd, mean as f32, divisor, row);
}

for_each_simd! {
    /// The sum of `x − mean`, or of its squares, in the lanes of a canonical score.
    fn sum(mean: f64, squared: bool, row: &[f32]) -> f64 {
        let mut lanes = [0.0f64; LANES];
        let (chunks, tail) = row.as_chunks::<LANES>();
        let add = |lane: &mut f64, x: f32| {
            let difference = f64::from(x) - mean;
            *lane += if squared { difference * difference } else { difference };
        };
        for chunk in chunks {
            for l in 0..LANES {
                add(&mut lanes[l], chunk[l]);
            }
        }
        for (lane, &x) in lanes.iter_mut().zip(tail) {
            add(lane, x);
        }
        sum_of_lanes(&mut lanes)
    }
}

for_each_simd! {
    fn centre(mean: f32, divisor: f32, row: &mut [f32]) {
        for x in row.iter_mut() {
            *x = (*x - mean) / divisor;
        }
    }
}

for_each_simd! {
    fn scale(factor: f32, row: &mut [f32]) {
        for x in row.iter_mut() {
            *x *= factor;
        }
    }
}

for_each_simd! {
    fn subtract(numbers: &[f32], row: &mut [f32]) {
        for (x, number) in row.iter_mut().zip(numbers) {
            *x -= number;
        }
    }
}

for_each_simd! {
    fn divide(numbers: &[f32], row: &mut [f32]) {
        for (x, number) in row.iter_mut().zip(numbers) {
            *x /= number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums by the book: 32 lanes, then a butterfly.
    fn by_the_book(numbers: impl Iterator<Item = f64>) -> f64 {
        let mut lanes = [0.0f64; 32];
        for (i, x) in numbers.enumerate() {
            lanes[i % 32] += x;
        }
        for step in [16, 8, 4, 2, 1] {
            let old = lanes;
            for l in 0..32 {
                lanes[l] = old[l] + old[l ^ step];
            }
        }
        lanes[0]
    }

    fn row(d: usize) -> Vec<f32> {
        (0..d)
            .map(|i| ((i * 37 % 101) as f32 - 20.3) * 1.7e-3)
            .collect()
    }

    fn after(simd: Simd, steps: &[InputStep], row: &[f32]) -> Vec<f32> {
        let mut out = vec![7.0; row.len()];
        let stored: &[u8] = bytemuck::cast_slice(row);
        Steps::new(steps, row.len()).take_row(simd, stored, ElementType::F32, &mut out);
        out
    }

    #[test]
    fn steps_every_path_gives_the_defined_bits() {
        for d in [2, 31, 32, 33, 95, 768] {
            let e = row(d);
            let mean = by_the_book(e.iter().map(|&x| f64::from(x))) / d as f64;
            let squares = e
                .iter()
                .map(|&x| (f64::from(x) - mean) * (f64::from(x) - mean));
            let std = (by_the_book(squares) / (d - 1) as f64).sqrt() as f32;
            let norm = by_the_book(e.iter().map(|&x| f64::from(x) * f64::from(x))).sqrt() as f32;
            let bias: Vec<f32> = (0..d).map(|i| i as f32 * 0.01 - 0.2).collect();
            let standard = InputStep::Standardize { epsilon: 1e-5 };
            let to_norm = InputStep::ScaleToNorm {
                norm: 3.0,
                least: 0.0,
            };
            let subtract = InputStep::Subtract(bias.clone());
            for simd in Simd::all() {
                let found = after(simd, &[standard.clone(), subtract.clone()], &e);
                for i in 0..d {
                    let expected = (e[i] - mean as f32) / (std + 1e-5) - bias[i];
                    assert_eq!(found[i].to_bits(), expected.to_bits(), "{simd} {d} {i}");
                }
                let found = after(simd, &[to_norm.clone(), InputStep::Scale(0.3)], &e);
                for i in 0..d {
                    let expected = e[i] * (3.0 / norm) * 0.3;
                    assert_eq!(found[i].to_bits(), expected.to_bits(), "{simd} {d} {i}");
                }
                let divide = InputStep::Divide(vec![3.0; d]);
                let found = after(simd, &[divide.clone(), subtract.clone(), divide], &e);
                for i in 0..d {
                    let expected = (e[i] / 3.0 - bias[i]) / 3.0;
                    assert_eq!(found[i].to_bits(), expected.to_bits(), "{simd} {d} {i}");
                }
            }
        }
    }

    #[test]
    fn zeros_are_undefined_only_where_no_norm_is_least() {
        let zeros = [0.0f32; 40];
        let to_norm = |least| InputStep::ScaleToNorm { norm: 3.0, least };
        let standard = InputStep::Standardize { epsilon: 1e-5 };
        for simd in Simd::all() {
            assert!(after(simd, &[to_norm(0.0)], &zeros)[5].is_nan());
            assert_eq!(after(simd, &[to_norm(1e-12)], &zeros), zeros);
            assert_eq!(after(simd, std::slice::from_ref(&standard), &zeros), zeros);
        }
    }
}
