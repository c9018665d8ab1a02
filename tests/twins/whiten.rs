//! Whitened rows, operands of the screen, and norms, one number after the other.

use atomscope::engine::cuda::Format;
use atomscope::engine::cuda::whiten::RowUnits;
use half::f16;

/// How rows are whitened and screened.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    /// Mean and divisor; nothing is subtracted where `None`.
    pub(crate) whitening: Option<(Vec<f32>, Vec<f32>)>,
    pub(crate) units: RowUnits,
    pub(crate) format: Format,
    /// Numbers of one part of an operand's row.
    pub(crate) padded: usize,
    /// Whether the layout is that of weights.
    pub(crate) weights: bool,
}

/// What a row becomes.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) x: Vec<f32>,
    pub(crate) finite: bool,
    pub(crate) largest: f32,
    pub(crate) exponent: i32,
    /// The operand, as it lies in memory.
    pub(crate) operand: Vec<u8>,
    /// 2-norms: of what the operand leaves out,
    pub(crate) error: f64,
    /// of the operand (for a split one at least),
    pub(crate) norm: f64,
    /// of a split operand's low part,
    pub(crate) low: f64,
    /// of the scaled row.
    pub(crate) whole: f64,
}

/// The twin of `kernels/whiten.cu`; the row's numbers are widened to binary32.
pub(crate) fn whiten(numbers: &[f32], model: &Model) -> Row {
    let x: Vec<f32> = match &model.whitening {
        None => numbers.to_vec(),
        Some((mean, divisor)) => {
            let parameters = mean.iter().zip(divisor);
            let numbers = numbers.iter().zip(parameters);
            numbers.map(|(e, (mean, div))| (e - mean) / div).collect()
        }
    };
    let finite = x.iter().all(|x| x.is_finite());
    let largest = x.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
    let exponent = if finite {
        exponent(&model.units, largest)
    } else {
        0
    };
    let unit = 2f64.powi(-exponent);
    let mut scaled: Vec<f64> = x.iter().map(|&x| f64::from(x) * unit).collect();
    if !finite {
        scaled.fill(0.0);
    }
    let mut row = Row {
        x,
        finite,
        largest,
        exponent,
        operand: Vec::new(),
        error: 0.0,
        norm: 0.0,
        low: 0.0,
        whole: norm(scaled.iter().copied()),
    };
    scaled.resize(model.padded, 0.0);
    row.screen(&scaled, model);
    row
}

/// The row's largest number lies in \[2^14, 2^15), or lower where biases need room.
fn exponent(units: &RowUnits, largest: f32) -> i32 {
    let own = match largest {
        0.0 => 0,
        _ => libm::frexp(f64::from(largest)).1 - 15,
    };
    match (units.fixed, units.biased) {
        (1, _) => units.fixed_exponent,
        (_, 1) => own.max(units.least_exponent),
        _ => own,
    }
}

impl Row {
    fn screen(&mut self, scaled: &[f64], model: &Model) {
        if model.format == Format::Single {
            let singles: Vec<f32> = scaled.iter().map(|&x| x as f32).collect();
            self.error = norm(scaled.iter().zip(&singles).map(|(x, &s)| x - f64::from(s)));
            self.norm = norm(singles.iter().map(|&s| f64::from(s)));
            self.operand = singles.iter().flat_map(|s| s.to_ne_bytes()).collect();
            return;
        }
        let halves = |numbers: &[f64]| numbers.iter().map(|&x| to_half(x)).collect::<Vec<_>>();
        let rests = |numbers: &[f64], of: &[f16]| {
            let pairs = numbers.iter().zip(of);
            pairs.map(|(x, h)| x - h.to_f64()).collect::<Vec<f64>>()
        };
        let high = halves(scaled);
        let rest = rests(scaled, &high);
        let highs = || high.iter().map(|h| h.to_f64());
        if model.format == Format::Half {
            self.error = norm(rest.iter().copied());
            self.norm = norm(highs());
            self.operand = high.iter().flat_map(|h| h.to_ne_bytes()).collect();
            return;
        }
        let low = halves(&rest);
        let lows = || low.iter().map(|l| l.to_f64());
        self.error = norm(rests(&rest, &low).into_iter());
        self.low = norm(lows());
        // At least ‖[high | high | low]‖, and at least ‖high + low‖.
        self.norm = norm(highs().chain(highs()).chain(lows()).chain(lows()));
        let parts = if model.weights {
            [&high, &low, &high]
        } else {
            [&high, &high, &low]
        };
        let numbers = parts.into_iter().flatten();
        self.operand = numbers.flat_map(|h| h.to_ne_bytes()).collect();
    }
}

/// The nearest binary16 number, ties to even: a whole number of places of the last of 11 bits.
fn to_half(x: f64) -> f16 {
    let place = 2f64.powi((libm::frexp(x).1 - 11).max(-24));
    let rounded = f16::from_f64((x / place).round_ties_even() * place);
    assert_eq!(
        rounded.to_bits(),
        f16::from_f32(x as f32).to_bits(),
        "{x:e}"
    );
    rounded
}

/// A 2-norm, far more exact than the kernel's: squares of up to 26 bits are exact, and what each
/// addition loses is added in the end.
fn norm(numbers: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0f64, 0.0f64);
    for square in numbers.map(|x| x * x) {
        let next = sum + square;
        lost += if sum >= square {
            (sum - next) + square
        } else {
            (square - next) + sum
        };
        sum = next;
    }
    (sum + lost).sqrt()
}
