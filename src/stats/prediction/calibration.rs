//! The logistic regression of an outcome on one number: Platt's recalibration, and Cox's test of
//! calibration.

/// An intercept and a slope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// η where the number is 0.
    pub intercept: f64,
    /// The change of η by 1 of the number.
    pub slope: f64,
}

/// The sums of a call's first and second derivatives of the loss by intercept and slope.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Derivatives {
    first: [f64; 2],
    second: [f64; 3],
}

impl Derivatives {
    /// Those of one call.
    pub(super) fn of(line: Line, number: f64, outcome: f64) -> Self {
        let chance = logistic(line.intercept + line.slope * number);
        let (residual, weight) = (chance - outcome, chance * (1.0 - chance));
        Self {
            first: [residual, residual * number],
            second: [weight, weight * number, weight * number * number],
        }
    }

    /// Adds others, so many times.
    pub(super) fn add(&mut self, other: &Self, times: f64) {
        for (to, from) in self.first.iter_mut().zip(other.first) {
            *to += times * from;
        }
        for (to, from) in self.second.iter_mut().zip(other.second) {
            *to += times * from;
        }
    }

    /// Returns the Newton step; NaN where there is none.
    pub(super) fn step(&self) -> Line {
        let ([a, b], [aa, ab, bb]) = (self.first, self.second);
        let determinant = aa * bb - ab * ab;
        if determinant <= 1e-12 * aa * bb {
            return Line {
                intercept: f64::NAN,
                slope: f64::NAN,
            };
        }
        Line {
            intercept: -(bb * a - ab * b) / determinant,
            slope: -(aa * b - ab * a) / determinant,
        }
    }
}

/// Fits the line of largest likelihood; `None` where there is none: numbers all equal, or outcomes that
/// they separate.
pub fn fit_line(numbers: &[f64], outcomes: &[f64]) -> Option<Line> {
    let mut line = Line {
        intercept: 0.0,
        slope: 0.0,
    };
    let loss = |line: Line| -> f64 {
        let each = numbers.iter().zip(outcomes);
        each.map(|(&x, &y)| log_loss(line.intercept + line.slope * x, y))
            .sum()
    };
    let mut cost = loss(line);
    for _ in 0..100 {
        let mut sums = Derivatives::default();
        for (&number, &outcome) in numbers.iter().zip(outcomes) {
            sums.add(&Derivatives::of(line, number, outcome), 1.0);
        }
        let step = sums.step();
        let size = step.intercept.abs().max(step.slope.abs());
        if !size.is_finite() || line.slope.abs() > 1e6 {
            return None;
        }
        let moved = |share: f64| Line {
            intercept: line.intercept + share * step.intercept,
            slope: line.slope + share * step.slope,
        };
        let mut share = 1.0;
        while share > 1e-6 && loss(moved(share)) > cost * (1.0 + 1e-14) {
            share *= 0.5;
        }
        line = moved(share);
        cost = loss(line);
        if size <= 1e-10 * (1.0 + line.intercept.abs() + line.slope.abs()) {
            return Some(line);
        }
    }
    None
}

/// Fits the line by which a model's η becomes the log odds of the outcome, with Platt's (1999) targets,
/// which keep it finite. A model whose η falls where the outcome is more frequent knows nothing: its
/// slope is 0, not negative.
pub fn platt(linear: &[f64], outcomes: &[bool]) -> Line {
    let ones = outcomes.iter().filter(|&&outcome| outcome).count() as f64;
    let zeros = outcomes.len() as f64 - ones;
    let (high, low) = ((ones + 1.0) / (ones + 2.0), 1.0 / (zeros + 2.0));
    let targets: Vec<f64> = outcomes
        .iter()
        .map(|&is_one| if is_one { high } else { low })
        .collect();
    match fit_line(linear, &targets) {
        Some(line) if line.slope > 0.0 => line,
        _ => {
            let mean = targets.iter().sum::<f64>() / outcomes.len() as f64;
            Line {
                intercept: libm::log(mean / (1.0 - mean)),
                slope: 0.0,
            }
        }
    }
}

/// 1 / (1 + exp(−η)).
pub(super) fn logistic(linear: f64) -> f64 {
    let small = libm::exp(-linear.abs());
    let inverse = 1.0 / (1.0 + small);
    if linear >= 0.0 {
        inverse
    } else {
        small * inverse
    }
}

/// The loss of a call, −ln of the chance that the model gives to its outcome.
pub(super) fn log_loss(linear: f64, outcome: f64) -> f64 {
    linear.max(0.0) - outcome * linear + libm::log1p(libm::exp(-linear.abs()))
}
