//! The bound's assumption on how the device accumulates: `engine::cuda::margin::accumulation`
//! against exact sums, where truncation errs most. What is seen is evidence for a device and its
//! library, no proof; a fraction above 1 refutes the assumption.

use std::sync::Arc;

use atomscope::engine::cuda::driver::Device;
use atomscope::engine::cuda::margin::accumulation;
use atomscope::engine::cuda::{Fault, Format};
use half::f16;
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::cases::{self, Case};
use crate::{Outcome, device, say};

/// Rows and features: what the library multiplies with which kernel depends on the shape.
type Shape = (usize, usize);

const FULL_SHAPES: [Shape; 3] = [(27, 27), (512, 4096), (2048, 1024)];
const SMALL_SHAPES: [Shape; 1] = [(27, 27)];
const FULL_DEPTHS: [usize; 6] = [16, 64, 768, 4096, 12_288, 32_768];
const SMALL_DEPTHS: [usize; 2] = [16, 256];

/// A sum of products and of their magnitudes, exactly, in units of 2⁻⁴⁸.
#[derive(Debug, Clone, Copy)]
struct Exact {
    sum: i128,
    magnitudes: i128,
}

fn exact(row: &[i64], weight: &[i64]) -> Exact {
    let mut exact = Exact {
        sum: 0,
        magnitudes: 0,
    };
    for (&x, &w) in row.iter().zip(weight) {
        let product = i128::from(x) * i128::from(w);
        exact.sum += product;
        exact.magnitudes += product.abs();
    }
    exact
}

/// A number as a multiple of 2⁻²⁴.
fn units(number: f16) -> i64 {
    (number.to_f64() * f64::from(1 << 24)) as i64
}

/// `|score − sum|`, relative to the sum of magnitudes. The score is a binary32 number of at least
/// 2⁻¹²⁶ or 0; what of it lies below 2⁻⁷⁸ is far below all that is measured here.
fn relative_error(score: f32, exact: Exact) -> f64 {
    if !score.is_finite() {
        return f64::INFINITY;
    }
    // Units of 2⁻⁷⁸: sums are below 2^(30 + 15) and have 2⁻⁴⁸ as their unit: 123 bits.
    let score = (f64::from(score) * 2f64.powi(78)) as i128;
    let error = (score - (exact.sum << 30)).unsigned_abs();
    error as f64 / 2f64.powi(30) / exact.magnitudes as f64
}

/// The worst of a product.
#[derive(Debug, Clone)]
struct Worst {
    error: f64,
    case: String,
}

/// Cases over and over, a row or a feature each.
fn tiled<T: Copy + From<f16> + Send + Sync>(vectors: &[&[f16]], count: usize) -> Vec<T> {
    let vectors = (0..count)
        .into_par_iter()
        .map(|i| vectors[i % vectors.len()]);
    vectors
        .flat_map_iter(|vector| vector.iter().map(|&number| T::from(number)))
        .collect()
}

/// Each case's row with each case's weights: the exact sums \[cases, cases\].
fn sums(cases: &[Case]) -> Vec<Exact> {
    let in_units = |numbers: &[f16]| -> Vec<i64> { numbers.iter().map(|&n| units(n)).collect() };
    let rows: Vec<_> = cases.iter().map(|case| in_units(&case.row)).collect();
    let weights: Vec<_> = cases.iter().map(|case| in_units(&case.weight)).collect();
    let count = cases.len();
    (0..count * count)
        .into_par_iter()
        .map(|at| exact(&rows[at / count], &weights[at % count]))
        .collect()
}

fn worst(cases: &[Case], sums: &[Exact], scores: &[f32], features: usize) -> Worst {
    let count = cases.len();
    let errors = scores.par_iter().enumerate().map(|(at, &score)| {
        let (row, feature) = (at / features % count, at % features % count);
        (
            relative_error(score, sums[row * count + feature]),
            row,
            feature,
        )
    });
    let (error, row, feature) = errors.reduce(|| (0.0, 0, 0), |a, b| if b.0 > a.0 { b } else { a });
    Worst {
        error,
        case: if row == feature {
            cases[row].name.clone()
        } else {
            format!("row: {}; weights: {}", cases[row].name, cases[feature].name)
        },
    }
}

/// The error of each case's row with its own weights, a product: which of the small numbers an
/// aligned sum still sees.
fn directed(
    cases: &[Case],
    sums: &[Exact],
    scores: &[f32],
    (rows, features): Shape,
    block: usize,
) -> serde_json::Map<String, Value> {
    let count = cases.len().min(rows).min(features);
    let own = cases[..count].iter().enumerate().map(|(i, case)| {
        let error = relative_error(scores[i * features + i], sums[i * cases.len() + i]);
        (case.name.clone(), json!(a_product(error, block)))
    });
    own.collect()
}

/// An error as what each product of a block loses, in units of 2⁻²⁴ of the sum of magnitudes.
fn a_product(error: f64, depth: usize) -> f64 {
    error * f64::from(1 << 24) / depth as f64
}

fn multiply(
    device: &Arc<Device>,
    cases: &[Case],
    (rows, features): Shape,
    [depth, block]: [usize; 2],
    format: Format,
) -> Result<Vec<f32>, Fault> {
    let row_vectors: Vec<&[f16]> = cases.iter().map(|case| &case.row[..]).collect();
    let weights: Vec<&[f16]> = cases.iter().map(|case| &case.weight[..]).collect();
    if format == Format::Single {
        let operands: [Vec<f32>; 2] = [tiled(&row_vectors, rows), tiled(&weights, features)];
        device::multiply(device, [&operands[0], &operands[1]], depth, block, true)
    } else {
        let operands: [Vec<f16>; 2] = [tiled(&row_vectors, rows), tiled(&weights, features)];
        let bits =
            |numbers: &[f16]| -> Vec<u16> { numbers.par_iter().map(|n| n.to_bits()).collect() };
        let operands = [bits(&operands[0]), bits(&operands[1])];
        device::multiply(device, [&operands[0], &operands[1]], depth, block, false)
    }
}

/// One product against the exact sums: whether it keeps within the bound.
fn check(
    device: &Arc<Device>,
    (cases, sums): (&[Case], &[Exact]),
    shape: Shape,
    [depth, block]: [usize; 2],
    format: Format,
) -> Outcome {
    let architecture = device.info().architecture();
    let scores = multiply(device, cases, shape, [depth, block], format)?;
    let worst = worst(cases, sums, &scores, shape.1);
    let fraction = worst.error / accumulation(format, depth, block, architecture);
    say(
        "rounding",
        json!({
            "format": format, "depth": depth, "block_depth": block,
            "rows": shape.0, "features": shape.1,
            "architecture": architecture, "fraction_of_bound": fraction,
            "error_a_product": a_product(worst.error, block),
            "worst_case": worst.case,
            "directed": directed(cases, sums, &scores, shape, block),
        }),
    );
    Ok(fraction <= 1.0)
}

pub(crate) fn run(small: bool) -> Outcome {
    let device = Device::open(0)?;
    let (shapes, depths): (&[Shape], &[usize]) = if small {
        (&SMALL_SHAPES, &SMALL_DEPTHS)
    } else {
        (&FULL_SHAPES, &FULL_DEPTHS)
    };
    let mut good = true;
    for &depth in depths {
        let cases = cases::all(depth);
        let sums = sums(&cases);
        // As one sum, and in blocks, as the engine takes depths that exceed a block.
        for block in [depth, depth / 4] {
            for format in [Format::Half, Format::Single] {
                for &shape in shapes {
                    let depths = [depth, block];
                    good &= check(&device, (&cases, &sums), shape, depths, format)?;
                }
            }
        }
    }
    Ok(good)
}
