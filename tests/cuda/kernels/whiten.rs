//! `kernels/whiten.cu`: numbers and operands to the bit, norms from above and closely.

use atomscope::engine::cuda::Format;
use atomscope::engine::cuda::whiten::{RowFacts, RowUnits, WhitenArgs};
use atomscope::rows::ElementType;
use half::{bf16, f16};
use rand::RngExt;

use super::machine::{Output, Work};
use super::whiten_facts::assert_facts;
use crate::twins::numbers::{KINDS, random, vector};
use crate::twins::whiten::{Model, Row, whiten};

pub(crate) const FORMATS: [Format; 3] = [Format::Half, Format::Split, Format::Single];
const ELEMENTS: [ElementType; 4] = [
    ElementType::F16,
    ElementType::Bf16,
    ElementType::F32,
    ElementType::F64,
];
const DIMS: [usize; 8] = [1, 7, 8, 31, 33, 255, 257, 1000];

/// What the kernel gives.
pub(crate) struct Whitened {
    pub(crate) x: Vec<f32>,
    pub(crate) operand: Vec<u8>,
    pub(crate) facts: Vec<RowFacts>,
}

/// Numbers as they are stored, and widened to binary32.
pub(crate) struct Stored {
    pub(crate) element: ElementType,
    pub(crate) bytes: Vec<u8>,
    pub(crate) widened: Vec<f32>,
}

/// Binary64 numbers keep bits that binary32 has no room for, so that widening rounds.
pub(crate) fn store(element: ElementType, numbers: &[f32]) -> Stored {
    let stored: Vec<(Vec<u8>, f32)> = numbers
        .iter()
        .map(|&x| match element {
            ElementType::F16 => {
                let x = f16::from_f32(x);
                (x.to_ne_bytes().to_vec(), x.to_f32())
            }
            ElementType::Bf16 => {
                let x = bf16::from_f32(x);
                (x.to_ne_bytes().to_vec(), x.to_f32())
            }
            ElementType::F32 => (x.to_ne_bytes().to_vec(), x),
            ElementType::F64 => {
                let x = f64::from(x) * (1.0 + 3e-9);
                (x.to_ne_bytes().to_vec(), x as f32)
            }
        })
        .collect();
    Stored {
        element,
        bytes: stored.iter().flat_map(|(bytes, _)| bytes.clone()).collect(),
        widened: stored.iter().map(|&(_, x)| x).collect(),
    }
}

/// Runs the kernel; `keep_x`: whether whitened numbers are asked for.
pub(crate) fn on_device(work: &Work, rows: &Stored, model: &Model, keep_x: bool) -> Whitened {
    let dim = model.whitening.as_ref().map_or(0, |(mean, _)| mean.len());
    assert!(dim > 0, "models without whitening go by on_device_plain");
    on_device_of_dim(work, rows, dim, model, keep_x)
}

/// The same where the model does not say how long rows are.
pub(crate) fn on_device_of_dim(
    work: &Work,
    rows: &Stored,
    dim: usize,
    model: &Model,
    keep_x: bool,
) -> Whitened {
    let count = rows.widened.len() / dim;
    let input = work.upload(&rows.bytes);
    let whitening = model
        .whitening
        .as_ref()
        .map(|(mean, divisor)| (work.upload(mean), work.upload(divisor)));
    let x: Output<f32> = work.output(if keep_x { count * dim } else { 0 });
    let operand_bytes = count * model.padded * model.format.parts() * model.format.bytes();
    let operand: Output<u8> = work.output(operand_bytes);
    let facts: Output<RowFacts> = work.output(count);
    let args = WhitenArgs {
        rows: input.address(),
        mean: whitening.as_ref().map_or(0, |(mean, _)| mean.address()),
        divisor: whitening.as_ref().map_or(0, |(_, div)| div.address()),
        x: if keep_x { x.address() } else { 0 },
        operand: operand.address(),
        facts: facts.address(),
        units: model.units,
        count: count as u32,
        dim: dim as u32,
        padded: model.padded as u32,
        format: model.format.code(),
        weights: u32::from(model.weights),
        unused: 0,
    };
    // SAFETY: buffers are as large as the kernel's header says, and the stream is waited for
    // before they go.
    unsafe {
        work.kernels
            .whiten
            .launch(&work.stream, rows.element, &args)
    }
    .expect("a launch");
    work.wait();
    Whitened {
        x: work.take(&x),
        operand: work.take(&operand),
        facts: work.take(&facts),
    }
}

/// Demands what the twin gives, of every row.
pub(crate) fn assert_twins(found: &Whitened, rows: &Stored, dim: usize, model: &Model, way: &str) {
    let row_bytes = model.padded * model.format.parts() * model.format.bytes();
    for (r, numbers) in rows.widened.chunks(dim).enumerate() {
        let way = format!("row {r}, {way}");
        let twin: Row = whiten(numbers, model);
        if let Some(x) = found.x.chunks(dim).nth(r) {
            for (i, (found, twin)) in x.iter().zip(&twin.x).enumerate() {
                let same = found.to_bits() == twin.to_bits() || (found.is_nan() && twin.is_nan());
                assert!(same, "x[{i}]: {found:e}, expected {twin:e}, {way}");
            }
        }
        let operand = &found.operand[r * row_bytes..(r + 1) * row_bytes];
        assert!(operand == twin.operand, "operands differ, {way}");
        assert_facts(&found.facts[r], &twin, dim, model, &way);
    }
}

/// Rows of every kind and of the ends of each type's range, all zeros among them.
fn rows(element: ElementType, dim: usize, seed: u64) -> Vec<f32> {
    let scales: &[f32] = match element {
        ElementType::F16 => &[1.0, 6e-8, 1e-5, 6e4, 0.0],
        _ => &[1.0, 1e-44, 1e-38, 1e-20, 1e5, 3e38, 0.0],
    };
    let mut rng = random(seed);
    let mut rows = Vec::new();
    for &scale in scales {
        rows.extend((0..dim).map(|_| rng.random_range(-1.0f32..1.0) * scale));
    }
    for kind in KINDS {
        let most = if element == ElementType::F16 {
            65504.0
        } else {
            f32::MAX
        };
        let numbers = vector(&mut rng, kind, dim);
        rows.extend(numbers.iter().map(|x| x.clamp(-most, most)));
    }
    rows
}

fn whitening(dim: usize, seed: u64) -> (Vec<f32>, Vec<f32>) {
    let mut rng = random(seed);
    let mean = (0..dim).map(|_| rng.random_range(-1.0f32..1.0)).collect();
    let divisor = (0..dim).map(|_| rng.random_range(0.1f32..3.0) + 1e-6);
    (mean, divisor.collect())
}

#[test]
fn numbers_and_operands_are_the_twins_to_the_bit() {
    let Some(work) = Work::new() else { return };
    for (seed, dim) in (0..).zip(DIMS) {
        for element in ELEMENTS {
            let rows = store(element, &rows(element, dim, seed));
            for format in FORMATS {
                for whitening in [None, Some(whitening(dim, seed))] {
                    let model = Model {
                        // A layout of weights is asked for where nothing is subtracted, as weights
                        // ask for it; the exponent is every row's own in both.
                        weights: whitening.is_none(),
                        whitening,
                        units: RowUnits::default(),
                        format,
                        padded: dim.next_multiple_of(8) + 8,
                    };
                    let found =
                        on_device_of_dim(&work, &rows, dim, &model, model.whitening.is_some());
                    let way = format!("{format}, {element:?}, D = {dim}");
                    assert_twins(&found, &rows, dim, &model, &way);
                }
            }
        }
    }
}

#[test]
fn rows_that_are_not_finite_are_marked_and_others_are_not() {
    let Some(work) = Work::new() else { return };
    let dim = 300;
    // The last overflows as it is divided, the one before as its mean is subtracted.
    let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -f32::MAX, 1e34];
    let mut numbers = rows(ElementType::F32, dim, 5);
    let good = numbers.len() / dim;
    for (i, bad) in bad.into_iter().enumerate() {
        let mut row = vec![0.5; dim];
        // At both ends, and where a thread has its second number.
        row[[0, 299, 257, 31, 12][i]] = bad;
        numbers.extend(row);
    }
    let (mut mean, mut divisor) = whitening(dim, 5);
    (mean[31], divisor[12]) = (1e38, 1e-6);
    for format in FORMATS {
        let model = Model {
            whitening: Some((mean.clone(), divisor.clone())),
            units: RowUnits::default(),
            format,
            padded: 304,
            weights: false,
        };
        let stored = store(ElementType::F32, &numbers);
        let found = on_device(&work, &stored, &model, true);
        assert_twins(&found, &stored, dim, &model, &format!("{format}"));
        let finite: Vec<u32> = found.facts.iter().map(|facts| facts.finite).collect();
        assert_eq!(finite[good..], [0; 5], "{format}");
        // Of the good ones, only those at the end of the range overflow as they are divided.
        assert!(finite[..good].iter().filter(|&&f| f == 1).count() >= good - 2);
        // Without x the numbers are computed again.
        let again = on_device(&work, &stored, &model, false);
        assert!(again.operand == found.operand && again.x.is_empty());
    }
    // A binary64 number beyond binary32.
    let stored = Stored {
        element: ElementType::F64,
        bytes: [1e300f64, 1.0].map(f64::to_ne_bytes).concat(),
        widened: vec![f32::INFINITY, 1.0],
    };
    let model = Model {
        whitening: Some((vec![0.0], vec![1.0])),
        units: RowUnits::default(),
        format: Format::Half,
        padded: 8,
        weights: false,
    };
    assert_twins(
        &on_device(&work, &stored, &model, true),
        &stored,
        1,
        &model,
        "binary64",
    );
}

#[test]
fn rows_are_whitened_where_no_operand_is_wanted() {
    let Some(work) = Work::new() else { return };
    let dim = 77;
    let stored = store(ElementType::F16, &rows(ElementType::F16, dim, 3));
    let model = Model {
        whitening: Some(whitening(dim, 3)),
        units: RowUnits::default(),
        format: Format::Half,
        padded: 0,
        weights: false,
    };
    let found = on_device(&work, &stored, &model, true);
    for (r, numbers) in stored.widened.chunks(dim).enumerate() {
        let twin = whiten(numbers, &model);
        assert_eq!(found.x[r * dim..(r + 1) * dim], twin.x, "row {r}");
        assert_eq!(found.facts[r].finite, u32::from(twin.finite), "row {r}");
    }
}

#[test]
fn large_grids_have_every_row() {
    let Some(work) = Work::new() else { return };
    // More rows than a grid's second side could have.
    let numbers: Vec<f32> = (0..66_000u32).map(|i| i as f32).collect();
    let stored = store(ElementType::F32, &numbers);
    let model = Model {
        whitening: Some((vec![1.5], vec![3.0])),
        units: RowUnits::default(),
        format: Format::Half,
        padded: 8,
        weights: false,
    };
    let found = on_device(&work, &stored, &model, true);
    assert_twins(&found, &stored, 1, &model, "many rows");
}
