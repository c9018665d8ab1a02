//! A Newton step: coordinate descent on the quadratic approximation of the objective.

use super::design::Part;
use super::objective::Weights;

/// A step, and what it leads to.
pub(super) struct Step {
    pub(super) intercept: f64,
    /// One of each feature of the working set.
    pub(super) features: Vec<f64>,
    /// The change of η by features, times weight.
    pub(super) weighted: Vec<f64>,
}

/// The model at which the objective is approximated.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) part: &'a Part<'a>,
    /// The chance of outcome 1 less the outcome, of each call.
    pub(super) residuals: &'a [f64],
    /// The second derivative of the loss by η, of each call.
    pub(super) weights: &'a [f64],
    /// The coefficients.
    pub(super) coefficients: &'a [f64],
}

/// The approximation, and the step so far.
pub(super) struct Quadratic<'a> {
    place: Place<'a>,
    penalty: Weights,
    working: &'a [u32],
    slopes: &'a [f64],
    /// The weighted mean of each feature and of its square, times the mean weight.
    moments: Vec<[f64; 2]>,
    /// The mean weight of a call.
    weight: f64,
    step: Step,
}

/// The most cycles.
const CYCLES: usize = 200;
/// A feature whose curvature is less, in units of its mean square, is as good as constant.
const LEAST_CURVATURE: f64 = 1e-12;

impl<'a> Quadratic<'a> {
    /// The approximation, where the derivatives by the working set are `slopes`. The intercept is at its
    /// best from the start on.
    pub(super) fn new(
        place: Place<'a>,
        penalty: Weights,
        working: &'a [u32],
        slopes: &'a [f64],
    ) -> Self {
        let calls = place.part.calls as f64;
        let moments = |&at: &u32| {
            let second = place.part.dot_square(at as usize, place.weights) / calls;
            if place.part.is_binary() {
                return [second, second];
            }
            let first = place.part.dot(at as usize, place.weights) / calls;
            [first, second]
        };
        let weight = place.weights.iter().sum::<f64>() / calls;
        let residual = place.residuals.iter().sum::<f64>() / calls;
        Self {
            moments: working.iter().map(moments).collect(),
            weight,
            step: Step {
                intercept: -residual / weight,
                features: vec![0.0; working.len()],
                weighted: vec![0.0; place.part.calls],
            },
            place,
            penalty,
            working,
            slopes,
        }
    }

    /// Finds the step until no derivative changes by more than `enough` in a cycle. Features whose
    /// coefficient is and stays 0 are looked at again once the others are done.
    pub(super) fn descend(mut self, enough: f64) -> Step {
        let mut cycled: Vec<usize> = (0..self.working.len()).collect();
        let mut is_full = true;
        for _ in 0..CYCLES {
            let mut worst = 0.0_f64;
            cycled.retain(|&at| {
                let (change, is_used) = self.improve(at);
                worst = worst.max(change);
                is_used
            });
            if worst <= enough {
                if is_full {
                    break;
                }
                cycled = (0..self.working.len()).collect();
            }
            is_full = worst <= enough;
        }
        self.step
    }

    /// Moves one coefficient to its best, and the intercept with it, so that features which are 1 on
    /// average are no obstacle to one another. Returns the change of the derivative, and whether the
    /// coefficient is or was not 0.
    fn improve(&mut self, at: usize) -> (f64, bool) {
        let (part, penalty) = (self.place.part, self.penalty);
        let feature = self.working[at] as usize;
        let [first, second] = self.moments[at];
        let now = self.place.coefficients[feature] + self.step.features[at];
        let curvature = second - first * first / self.weight + penalty.l2;
        if curvature <= LEAST_CURVATURE * second {
            return (0.0, false);
        }
        let slope = self.slopes[at]
            + part.dot(feature, &self.step.weighted) / part.calls as f64
            + self.step.intercept * first
            + penalty.l2 * now;
        let next = shrink(curvature * now - slope, penalty.l1) / curvature;
        let change = next - now;
        if change != 0.0 {
            self.step.features[at] += change;
            self.step.intercept -= change * first / self.weight;
            part.add_weighted(feature, change, self.place.weights, &mut self.step.weighted);
        }
        (change.abs() * curvature, next != 0.0 || change != 0.0)
    }
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
