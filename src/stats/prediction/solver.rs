//! Penalised logistic regression by Newton steps ([`objective`](super::objective) has the formula).
//!
//! A step is found by coordinate descent on the quadratic approximation (Friedman, Hastie and
//! Tibshirani, J. Stat. Softw. 33, 2010), not to its end but so far as the step deserves, and shortened
//! where the objective would not fall (Yuan, Ho and Lin, JMLR 13, 2012).

use super::design::Part;
use super::objective::{Coefficients, Weights, subgradient};
use super::quadratic::{Place, Quadratic, Step};

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
    /// The most Newton steps of one minimum.
    pub(super) steps: usize,
    /// How many minima were not reached in so many.
    pub(super) capped: usize,
}

/// The most Newton steps; a handful is usual.
const STEPS: usize = 200;
/// Cycles go on until what is left is this share of what there was.
const SHARE: f64 = 0.1;
/// The least weight of a call, so that one that is as good as certain does not make steps infinite.
const LEAST_WEIGHT: f64 = 1e-9;

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
            steps: STEPS,
            capped: 0,
        };
        solver.refresh();
        solver
    }

    /// Finds the minimum among models whose other coefficients than the working set's are 0, until no
    /// derivative violates its condition by more than `tolerance`. Returns the derivatives there.
    pub(super) fn solve(&mut self, penalty: Weights, working: &[u32], tolerance: f64) -> Vec<f64> {
        let mut slopes = self.slopes(working);
        for step in 0.. {
            let violation = self.violation(penalty, working, &slopes);
            if violation <= tolerance {
                break;
            }
            if step == self.steps {
                self.capped += 1;
                break;
            }
            let enough = (SHARE * violation).max(0.5 * tolerance);
            let descent = self.quadratic(penalty, working, &slopes).descend(enough);
            if !self.take(penalty, working, &slopes, &descent) {
                break;
            }
            slopes = self.slopes(working);
        }
        slopes
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
        working
            .iter()
            .zip(slopes)
            .map(of)
            .fold(intercept.abs(), f64::max)
    }

    /// The quadratic approximation of the objective.
    fn quadratic<'s>(
        &'s self,
        penalty: Weights,
        working: &'s [u32],
        slopes: &'s [f64],
    ) -> Quadratic<'s> {
        let place = Place {
            part: &self.part,
            residuals: &self.residuals,
            weights: &self.weights,
            coefficients: &self.model.features,
        };
        Quadratic::new(place, penalty, working, slopes)
    }

    /// Takes the step, or the part of it by which the objective falls. Returns false where none does:
    /// the minimum is as near as rounding allows.
    fn take(&mut self, penalty: Weights, working: &[u32], slopes: &[f64], step: &Step) -> bool {
        let (before, old) = (self.model.clone(), self.linear.clone());
        let cost_before = self.cost(penalty, working);
        let fall = self.fall(penalty, working, slopes, step);
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
            if self.cost(penalty, working) <= cost_before + 1e-4 * share * fall + slack {
                return true;
            }
            share *= 0.5;
        }
        self.model = before;
        self.linear = old;
        self.refresh();
        false
    }

    /// The objective, where other coefficients than the working set's are 0.
    fn cost(&self, penalty: Weights, working: &[u32]) -> f64 {
        let each = working
            .iter()
            .map(|&at| penalty.of(self.model.features[at as usize]));
        self.loss + each.sum::<f64>()
    }

    /// The change of the objective by a step, were the loss a plane.
    fn fall(&self, penalty: Weights, working: &[u32], slopes: &[f64], step: &Step) -> f64 {
        let residual = self.residuals.iter().sum::<f64>() / self.part.calls as f64;
        let each = working.iter().zip(&step.features).zip(slopes);
        let each = each.map(|((&at, d), slope)| {
            let b = self.model.features[at as usize];
            slope * d + penalty.l1 * ((b + d).abs() - b.abs()) + penalty.l2 * b * d
        });
        residual * step.intercept + each.sum::<f64>()
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
            let chance = if linear >= 0.0 {
                inverse
            } else {
                small * inverse
            };
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
        let each = self.model.features.iter().map(|&b| penalty.of(b));
        self.loss + each.sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::super::design::{Design, SparseRows};
    use super::super::objective::Weights;
    use super::Solver;

    #[test]
    fn solve_counts_minima_that_it_does_not_reach() {
        let rows = SparseRows {
            features: vec![0, 0, 1, 0, 1, 1],
            ends: vec![1, 3, 5, 6, 6],
            values: None,
        };
        let outcomes = [true, false, true, true, false];
        let design = Design::new(&rows, 2, &[0; 5], 1, &outcomes).unwrap();
        let weights = Weights { l1: 0.0, l2: 1e-3 };
        for (steps, capped) in [(1, 1), (200, 0)] {
            let mut solver = Solver::new(design.part(&[0], 0..2, false));
            solver.steps = steps;
            solver.solve(weights, &[0, 1], 1e-10);
            assert_eq!(solver.capped, capped);
        }
    }
}
