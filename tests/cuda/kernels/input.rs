//! `kernels/input.cu`: every step, and lists of them, to the bit.

use atomscope::engine::cuda::input::{Input, InputArgs};
use atomscope::sae::InputStep;
use rand::RngExt;

use super::machine::Work;
use crate::twins::input::take;
use crate::twins::numbers::{KINDS, random, vector};

/// Each kind of step, with numbers of chance.
fn steps(seed: u64, dim: usize) -> Vec<InputStep> {
    let mut rng = random(seed);
    let mut numbers = |low: f32, high: f32| -> Vec<f32> {
        (0..dim).map(|_| rng.random_range(low..high)).collect()
    };
    let to_norm = |norm, least| InputStep::ScaleToNorm { norm, least };
    let mut steps = vec![
        InputStep::Subtract(numbers(-2.0, 2.0)),
        InputStep::Divide(numbers(0.1, 3.0)),
        to_norm((dim as f32).sqrt(), 0.0),
        to_norm(3.0, 1e-12),
        to_norm(1.0, 1e30),
        InputStep::Scale(0.3),
        InputStep::Scale(1e-30),
    ];
    if dim > 1 {
        let standardize = |epsilon| InputStep::Standardize { epsilon };
        steps.extend([1e-5, 0.0, 1e-8].map(standardize));
    }
    steps
}

/// Rows of every kind, of zeros, and with what is no number.
fn rows(seed: u64, dim: usize) -> Vec<f32> {
    let mut rng = random(seed);
    let mut rows: Vec<f32> = KINDS
        .iter()
        .flat_map(|&kind| vector(&mut rng, kind, dim))
        .collect();
    rows.extend(vec![0.0; dim]);
    rows.extend(vec![-2.5; dim]);
    rows.extend(vec![f32::MAX; dim]);
    for odd in [f32::NAN, f32::INFINITY] {
        let mut row = vector(&mut rng, KINDS[0], dim);
        row[dim / 2] = odd;
        rows.extend(row);
    }
    rows
}

/// Runs the kernel on rows that were widened, and demands what the twin gives. The first steps that
/// subtract and divide are not the kernel's.
fn check(work: &Work, steps: &[InputStep], rows: &[f32], dim: usize) {
    let own = InputStep::Subtract(vec![0.0; dim]);
    let whole: Vec<InputStep> = [own, InputStep::Divide(vec![1.0; dim])]
        .into_iter()
        .chain(steps.iter().cloned())
        .collect();
    let input = Input::new(&work.stream, &whole, dim).expect("room");
    assert_eq!(input.rest.len(), steps.len());
    let count = rows.len() / dim;
    let x = work.output_from(rows, rows.len());
    let args = InputArgs {
        x: x.address(),
        steps: input.rest.address(),
        step_count: steps.len() as u32,
        count: count as u32,
        dim: dim as u32,
        unused: 0,
    };
    // SAFETY: buffers are as large as the kernel's header says, and the stream is waited for before
    // they go.
    unsafe { work.kernels.input.launch(&work.stream, &args) }.expect("a launch");
    work.wait();
    let found = work.take(&x);
    for (r, (found, row)) in found.chunks(dim).zip(rows.chunks(dim)).enumerate() {
        let expected = steps
            .iter()
            .fold(row.to_vec(), |row, step| take(step, &row));
        for (i, (found, twin)) in found.iter().zip(&expected).enumerate() {
            let same = found.to_bits() == twin.to_bits() || (found.is_nan() && twin.is_nan());
            assert!(
                same,
                "row {r} of {count}, x[{i}] of {dim}: {found:e}, expected {twin:e}, {steps:?}"
            );
        }
    }
}

#[test]
fn input_every_step_gives_the_twins_bits() {
    let Some(work) = Work::new() else { return };
    for (seed, dim) in (0..).zip([1, 2, 7, 31, 32, 33, 95, 257, 1000]) {
        let rows = rows(seed, dim);
        for step in steps(seed, dim) {
            check(&work, &[step], &rows, dim);
        }
    }
}

#[test]
fn input_lists_of_steps_are_taken_in_order() {
    let Some(work) = Work::new() else { return };
    for (seed, dim) in (20..).zip([2, 33, 70, 500]) {
        let (all, rows) = (steps(seed, dim), rows(seed, dim));
        check(&work, &all, &rows, dim);
        let backwards: Vec<InputStep> = all.iter().rev().cloned().collect();
        check(&work, &backwards, &rows, dim);
        check(&work, &[], &rows, dim);
        for first in 0..all.len() {
            let two = [all[first].clone(), all[(first * 3 + 1) % all.len()].clone()];
            check(&work, &two, &rows, dim);
        }
    }
}

#[test]
fn input_large_batches_have_every_row() {
    let Some(work) = Work::new() else { return };
    // More rows than warps that run at once: the grid strides.
    let rows = vector(&mut random(9), KINDS[0], 12_001 * 3);
    let steps = [
        InputStep::Standardize { epsilon: 1e-5 },
        InputStep::Scale(3.0),
    ];
    check(&work, &steps, &rows, 3);
}
