//! Penalised logistic regression by coordinate descent.
//!
//! For n calls with outcomes y, features x, an intercept b0 that is not penalised and coefficients b,
//! the objective is
//!
//! ```text
//! (1/n) Σ [ln(1 + exp(η)) − y η] + l1 Σ |b| + l2/2 Σ b²,   η = b0 + x·b
//! ```
//!
//! scikit-learn's `LogisticRegression` minimises C Σ [loss] + Σ |b| (or Σ b²/2), so that C = 1/(n l1)
//! (or 1/(n l2)). A Newton step is found by coordinate descent on the quadratic approximation
//! (Friedman, Hastie and Tibshirani, J. Stat. Softw. 33, 2010), not to its end but so far as the step
//! deserves, and shortened where the objective would not fall (Yuan, Ho and Lin, JMLR 13, 2012).

use super::design::Part;

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

/// A model on its way to the minimum.
pub(super) struct Solver<'a> {
    pub(super) part: Part<'a>,
    pub(super) model: Coefficients,
    outcomes: Vec<f64>,
    /// η of each call.
    linear: Vec<f64>,
    /// The chance of outcome 1 less the outcome.
    residuals: Vec<f64>,
    /// The second derivative of the loss by η.
    weights: Vec<f64>,
    /// The mean loss.
    loss: f64,
}

/// A step, and what it leads to.
struct Step {
    intercept: f64,
    /// One of each feature of the working set.
    features: Vec<f64>,
    /// The change of η by features, times weight.
    weighted: Vec<f64>,
}

/// The most Newton steps; a handful is usual.
const STEPS: usize = 200;
/// The most cycles of coordinate descent for one of them.
const CYCLES: usize = 200;
/// Cycles go on until what is left is this share of what there was.
const SHARE: f64 = 0.1;
/// The least weight of a call, so that one that is as good as certain does not make steps infinite.
const LEAST_WEIGHT: f64 = 1e-9;
/// A feature whose curvature is less, in units of its mean square, is as good as constant.
const LEAST_CURVATURE: f64 = 1e-12;

impl<'a> Solver<'a> {
    /// The model without features: the intercept is the log odds of the outcome.
    pub(super) fn new(part: Part<'a>) -> Self {
        let outcomes = part.outcomes();
        let calls = part.calls;
        let ones: f64 = outcomes.iter().sum();
        let odds = ones / (calls as f64 - ones);
        let intercept = libm::log(odds.clamp(1e-9, 1e9));
        let mut solver = Self {
            model: Coefficients {
                intercept,
                features: vec![0.0; part.width()],
            },
            part,
            outcomes,
            linear: vec![intercept; calls],
            residuals: vec![0.0; calls],
            weights: vec![0.0; calls],
            loss: 0.0,
        };
        solver.refresh();
        solver
    }

    /// Finds the minimum among models whose other coefficients than the working set's are 0, until no
    /// derivative violates its condition by more than `tolerance`.
    pub(super) fn solve(&mut self, penalty: Weights, working: &[u32], tolerance: f64) {
        for _ in 0..STEPS {
            let slopes = self.slopes(working);
            let violation = self.violation(penalty, working, &slopes);
            if violation <= tolerance {
                return;
            }
            let enough = (SHARE * violation).max(0.5 * tolerance);
            let step = self.descend(penalty, working, &slopes, enough);
            if !self.take(penalty, working, &slopes, &step) {
                return;
            }
        }
    }

    /// The derivative of the mean loss by some coefficients.
    pub(super) fn slopes(&self, of: &[u32]) -> Vec<f64> {
        let calls = self.part.calls as f64;
        let slope = |&at: &u32| self.part.dot(at as usize, &self.residuals) / calls;
        of.iter().map(slope).collect()
    }

    /// The largest distance of a derivative from what it is at the minimum.
    fn violation(&self, penalty: Weights, working: &[u32], slopes: &[f64]) -> f64 {
        let intercept = self.residuals.iter().sum::<f64>() / self.part.calls as f64;
        let of = |(&at, &slope): (&u32, &f64)| {
            subgradient(self.model.features[at as usize], slope, penalty)
        };
        working.iter().zip(slopes).map(of).fold(intercept.abs(), f64::max)
    }

    /// Finds the step by coordinate descent on the quadratic approximation. The intercept is at its best
    /// at every moment, so that features which are 1 on average are no obstacle to one another. Features
    /// whose coefficient is and stays 0 are looked at again once the others are done.
    fn descend(&self, penalty: Weights, working: &[u32], slopes: &[f64], enough: f64) -> Step {
        let calls = self.part.calls as f64;
        let moments: Vec<[f64; 2]> = working.iter().map(|&at| self.moments(at as usize)).collect();
        let weight = self.weights.iter().sum::<f64>() / calls;
        let residual = self.residuals.iter().sum::<f64>() / calls;
        let mut step = Step {
            intercept: -residual / weight,
            features: vec![0.0; working.len()],
            weighted: vec![0.0; self.part.calls],
        };
        let mut cycled: Vec<usize> = (0..working.len()).collect();
        let mut is_full = true;
        for _ in 0..CYCLES {
            let mut worst = 0.0_f64;
            cycled.retain(|&at| {
                let feature = working[at] as usize;
                let [first, second] = moments[at];
                let now = self.model.features[feature] + step.features[at];
                let curvature = second - first * first / weight + penalty.l2;
                if curvature <= LEAST_CURVATURE * second {
                    return false;
                }
                let slope = slopes[at]
                    + self.part.dot(feature, &step.weighted) / calls
                    + step.intercept * first
                    + penalty.l2 * now;
                let next = shrink(curvature * now - slope, penalty.l1) / curvature;
                let change = next - now;
                if change != 0.0 {
                    step.features[at] += change;
                    step.intercept -= change * first / weight;
                    worst = worst.max(change.abs() * curvature);
                    let weights = &self.weights;
                    self.part.add_weighted(feature, change, weights, &mut step.weighted);
                }
                next != 0.0 || change != 0.0
            });
            if worst <= enough {
                if is_full {
                    break;
                }
                cycled = (0..working.len()).collect();
            }
            is_full = worst <= enough;
        }
        step
    }

    /// The weighted mean of a feature and of its square, times the mean weight.
    fn moments(&self, feature: usize) -> [f64; 2] {
        let calls = self.part.calls as f64;
        let second = self.part.dot_square(feature, &self.weights) / calls;
        let first = if self.part.is_binary() {
            second
        } else {
            self.part.dot(feature, &self.weights) / calls
        };
        [first, second]
    }

    /// Takes the step, or the part of it by which the objective falls. Returns false where none does:
    /// the minimum is as near as rounding allows.
    fn take(&mut self, penalty: Weights, working: &[u32], slopes: &[f64], step: &Step) -> bool {
        let calls = self.part.calls as f64;
        let before = self.model.clone();
        let old = self.linear.clone();
        let cost = |model: &Coefficients, loss: f64| {
            let each = working.iter().map(|&at| {
                let b = model.features[at as usize];
                penalty.l1 * b.abs() + 0.5 * penalty.l2 * b * b
            });
            loss + each.sum::<f64>()
        };
        let cost_before = cost(&before, self.loss);
        let residual = self.residuals.iter().sum::<f64>() / calls;
        let along = slopes.iter().zip(&step.features).map(|(s, d)| s * d);
        let mut fall = residual * step.intercept + along.sum::<f64>();
        let whole = working.iter().zip(&step.features).map(|(&at, d)| {
            let b = before.features[at as usize];
            penalty.l1 * ((b + d).abs() - b.abs()) + penalty.l2 * b * d
        });
        fall += whole.sum::<f64>();
        let each = step.weighted.iter().zip(&self.weights);
        let change: Vec<f64> = each.map(|(u, w)| step.intercept + u / w).collect();
        let mut share = 1.0;
        for _ in 0..30 {
            for ((to, old), change) in self.linear.iter_mut().zip(&old).zip(&change) {
                *to = old + share * change;
            }
            self.model.intercept = before.intercept + share * step.intercept;
            for (&at, d) in working.iter().zip(&step.features) {
                self.model.features[at as usize] = before.features[at as usize] + share * d;
            }
            self.refresh();
            let slack = 1e-13 * cost_before.abs();
            if cost(&self.model, self.loss) <= cost_before + 1e-4 * share * fall + slack {
                return true;
            }
            share *= 0.5;
        }
        self.model = before;
        self.linear = old;
        self.refresh();
        false
    }

    /// Computes the residuals, weights and mean loss of the model.
    fn refresh(&mut self) {
        /// A product of so many numbers up to 2 is far from the largest double.
        const PRODUCT: usize = 256;
        let calls = self.part.calls;
        let mut loss = 0.0;
        let mut product = 1.0;
        for at in 0..calls {
            let (linear, outcome) = (self.linear[at], self.outcomes[at]);
            let small = libm::exp(-linear.abs());
            let inverse = 1.0 / (1.0 + small);
            let chance = if linear >= 0.0 { inverse } else { small * inverse };
            self.residuals[at] = chance - outcome;
            self.weights[at] = (small * inverse * inverse).max(LEAST_WEIGHT);
            loss += linear.max(0.0) - outcome * linear;
            product *= 1.0 + small;
            if at % PRODUCT == PRODUCT - 1 {
                loss += libm::log(product);
                product = 1.0;
            }
        }
        self.loss = (loss + libm::log(product)) / calls as f64;
    }

    /// Returns the objective.
    pub(super) fn objective(&self, penalty: Weights) -> f64 {
        let each = self.model.features.iter();
        let each = each.map(|b| penalty.l1 * b.abs() + 0.5 * penalty.l2 * b * b);
        self.loss + each.sum::<f64>()
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

/// Moves a number towards 0 by `by`, not beyond it.
fn shrink(number: f64, by: f64) -> f64 {
    if number > by {
        number - by
    } else if number < -by {
        number + by
    } else {
        0.0
    }
}
