//! The steps of a model's input, one number after the other.

use atomscope::sae::InputStep;

/// A sum in binary64 by the definition: 32 lanes, then five exchanges among all of them.
fn sum(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut lanes = [0.0f64; 32];
    for (i, x) in numbers.enumerate() {
        lanes[i % 32] += x;
    }
    for step in [16, 8, 4, 2, 1] {
        let old = lanes;
        for (l, lane) in lanes.iter_mut().enumerate() {
            *lane = old[l] + old[l ^ step];
        }
    }
    lanes[0]
}

/// The twin of `kernels/input.cu`: what one step makes of a row.
pub(crate) fn take(step: &InputStep, row: &[f32]) -> Vec<f32> {
    let wide = || row.iter().map(|&x| f64::from(x));
    let pairs = |numbers: &[f32], of: fn(f32, f32) -> f32| {
        let pairs = row.iter().zip(numbers);
        pairs.map(|(&x, &n)| of(x, n)).collect::<Vec<f32>>()
    };
    match step {
        InputStep::Subtract(numbers) => pairs(numbers, |x, n| x - n),
        InputStep::Divide(numbers) => pairs(numbers, |x, n| x / n),
        InputStep::Scale(factor) => row.iter().map(|x| x * factor).collect(),
        InputStep::Standardize { epsilon } => {
            let count = row.len() as f64;
            let mean = sum(wide()) / count;
            let squares = sum(wide().map(|x| (x - mean) * (x - mean)));
            let divisor = (squares / (count - 1.0)).sqrt() as f32 + epsilon;
            row.iter().map(|x| (x - mean as f32) / divisor).collect()
        }
        InputStep::ScaleToNorm { norm, least } => {
            let length = sum(wide().map(|x| x * x)).sqrt() as f32;
            // Of no number and a number the number.
            let length = if length >= *least { length } else { *least };
            let factor = norm / length;
            row.iter().map(|x| x * factor).collect()
        }
        other => panic!("a step without a twin: {other:?}"),
    }
}
