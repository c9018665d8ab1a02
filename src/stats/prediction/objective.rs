//! The objective of penalised logistic regression.
//!
//! For n calls with outcomes y, features x, an intercept b0 that is not penalised and coefficients b,
//! the objective is
//!
//! ```text
//! (1/n) Σ [ln(1 + exp(η)) − y η] + l1 Σ |b| + l2/2 Σ b²,   η = b0 + x·b
//! ```
//!
//! scikit-learn's `LogisticRegression` minimises C Σ [loss] + Σ |b| (or Σ b²/2), so that C = 1/(n l1)
//! (or 1/(n l2)).

/// The weights of the penalties.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// That of the sum of absolute coefficients.
    pub l1: f64,
    /// That of half the sum of squared coefficients.
    pub l2: f64,
}

/// A logistic model: an intercept and a coefficient of each feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficients {
    /// The intercept.
    pub intercept: f64,
    /// One of each feature, as it is scaled.
    pub features: Vec<f64>,
}

impl Weights {
    /// The penalty of a coefficient.
    pub(super) fn of(self, coefficient: f64) -> f64 {
        self.l1 * coefficient.abs() + 0.5 * self.l2 * coefficient * coefficient
    }
}

/// The distance of a coefficient's derivative from what it is at the minimum.
pub(super) fn subgradient(coefficient: f64, slope: f64, penalty: Weights) -> f64 {
    let slope = slope + penalty.l2 * coefficient;
    if coefficient == 0.0 {
        return (slope.abs() - penalty.l1).max(0.0);
    }
    (slope + penalty.l1.copysign(coefficient)).abs()
}
