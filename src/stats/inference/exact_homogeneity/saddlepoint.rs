//! The tail of Q given the sum, by a saddlepoint.
//!
//! Skovgaard's double saddlepoint approximation (J. Appl. Prob. 24, 1987), in Barndorff-Nielsen's
//! form `Φ̄(w + ln(z/w)/w)`. Each stratum's counts get the weights `exp(θx + tQ)`, θ and t such that
//! the means of the sum and of Q are the observed ones; Q is as good as continuous, since there are
//! too many combinations to enumerate them.

use super::Fitted;
use crate::stats::inference::p_value::PValue;
use crate::stats::inference::tails::ln_normal_upper;

/// The most steps of a search, and the shortest part of a step.
const STEPS: usize = 60;
const SHORTEST: f64 = 1e-6;

/// The decrement below which a search has ended.
const DONE: f64 = 1e-12;

/// The w below which the formula loses its digits.
const NEAR_MEAN: f64 = 1e-3;

/// The cumulant function of the sum less all fits, and of Q, with its derivatives.
#[derive(Debug, Clone, Copy, Default)]
struct Cumulants {
    value: f64,
    x: f64,
    q: f64,
    xx: f64,
    xq: f64,
    qq: f64,
}

/// A point of the search.
#[derive(Debug, Clone, Copy)]
struct Point {
    theta: f64,
    t: f64,
    at: Cumulants,
    /// `K(θ, t) − θ·sum − t·Q`, least where the means are the observed ones.
    exponent: f64,
}

/// The strata, the sum less all fits, and the observed Q.
struct Search<'a> {
    fitted: &'a [Fitted<'a>],
    sum: f64,
    q: f64,
}

/// Computes about the probability of a Q as large or larger. If Q is the largest there can be, or
/// nearly so, this is an upper bound of it (Chernoff's, for the weights that were reached). `None`
/// if Q is too near to its mean.
pub(super) fn p(fitted: &[Fitted], sum: u64, observed: f64) -> Option<PValue> {
    let fits: f64 = fitted.iter().map(|one| one.fit).sum();
    let search = Search {
        fitted,
        sum: sum as f64 - fits,
        q: observed,
    };
    let start = search.point(0.0, 0.0);
    let (plain, _) = search.descend(start, false);
    let (tilted, is_there) = search.descend(plain, true);
    let Cumulants { xx, xq, qq, .. } = tilted.at;
    let w = (2.0 * (plain.exponent - tilted.exponent)).max(0.0).sqrt();
    if tilted.t <= 0.0 || w < NEAR_MEAN {
        return None;
    }
    let z = tilted.t * ((xx * qq - xq * xq).max(0.0) / plain.at.xx).sqrt();
    if is_there && z > 0.0 {
        return Some(PValue::from_ln(ln_normal_upper(w + libm::log(z / w) / w)));
    }
    let ln_point = 0.5 * libm::log((std::f64::consts::TAU * plain.at.xx).max(1.0));
    Some(PValue::from_ln(tilted.exponent - plain.exponent + ln_point))
}

impl Search<'_> {
    /// Minimises the exponent over θ, and over t if it is free, by Newton's method. Says whether
    /// the minimum was reached.
    fn descend(&self, from: Point, is_free: bool) -> (Point, bool) {
        let mut point = from;
        for _ in 0..STEPS {
            let (x, q) = (self.sum - point.at.x, self.q - point.at.q);
            let Cumulants { xx, xq, qq, .. } = point.at;
            let (theta, t) = if is_free {
                let all = xx * qq - xq * xq;
                ((qq * x - xq * q) / all, (xx * q - xq * x) / all)
            } else {
                (x / xx, 0.0)
            };
            let decrement = theta * x + t * q;
            if !(decrement.is_finite() && decrement >= 0.0) {
                return (point, false);
            }
            if decrement < DONE {
                return (point, true);
            }
            let mut part = 1.0;
            loop {
                let next = self.point(point.theta + part * theta, point.t + part * t);
                if next.exponent <= point.exponent - 1e-4 * part * decrement {
                    point = next;
                    break;
                }
                part *= 0.5;
                if part < SHORTEST {
                    // Rounding hides any further descent.
                    return (point, decrement < 1e-6);
                }
            }
        }
        (point, false)
    }

    fn point(&self, theta: f64, t: f64) -> Point {
        let mut at = Cumulants::default();
        for one in self.fitted {
            at.add(one, theta, t);
        }
        Point {
            theta,
            t,
            at,
            exponent: at.value - theta * self.sum - t * self.q,
        }
    }
}

impl Cumulants {
    /// Adds a stratum.
    fn add(&mut self, one: &Fitted, theta: f64, t: f64) {
        let first = one.first as f64 - one.fit;
        let slope = t / one.variance;
        let exponent = |x: f64| x * (theta + slope * x);
        let last = first + (one.probabilities.len() - 1) as f64;
        // For t ≥ 0 the exponent is convex, so that an end has the largest.
        let largest = exponent(first).max(exponent(last)).max(0.0);
        let (mut all, mut x) = ([0.0; 5], first);
        for p in one.probabilities {
            let weight = p * libm::exp(exponent(x) - largest);
            let square = x * x;
            for (sum, by) in all
                .iter_mut()
                .zip([1.0, x, square, square * x, square * square])
            {
                *sum += weight * by;
            }
            x += 1.0;
        }
        let total = all[0].max(f64::MIN_POSITIVE);
        let [_, mean, two, three, four] = all.map(|sum| sum / total);
        let scale = 1.0 / one.variance;
        self.value += largest + libm::log(total);
        self.x += mean;
        self.q += two * scale;
        self.xx += two - mean * mean;
        self.xq += (three - two * mean) * scale;
        self.qq += (four - two * two) * (scale * scale);
    }
}

#[cfg(test)]
mod tests {
    use super::{Cumulants, Fitted};

    #[test]
    fn cumulants_are_derivatives_of_their_function() {
        let one = Fitted::from_two(3.2, 1.7, &[0.125, 0.5, 0.25, 0.0625, 0.0625]);
        let at = |theta, t| {
            let mut at = Cumulants::default();
            at.add(&one, theta, t);
            at
        };
        let step = 1e-5;
        for (theta, t) in [(0.0, 0.0), (0.7, 0.2), (-1.1, 0.4), (0.3, -0.5)] {
            let found = at(theta, t);
            let by_theta = |of: fn(Cumulants) -> f64| {
                (of(at(theta + step, t)) - of(at(theta - step, t))) / (2.0 * step)
            };
            let by_t = |of: fn(Cumulants) -> f64| {
                (of(at(theta, t + step)) - of(at(theta, t - step))) / (2.0 * step)
            };
            for (name, found, expected) in [
                ("x", found.x, by_theta(|at| at.value)),
                ("q", found.q, by_t(|at| at.value)),
                ("xx", found.xx, by_theta(|at| at.x)),
                ("xq", found.xq, by_t(|at| at.x)),
                ("xq", found.xq, by_theta(|at| at.q)),
                ("qq", found.qq, by_t(|at| at.q)),
            ] {
                let close = (found - expected).abs() < 1e-8 * (1.0 + expected.abs());
                assert!(
                    close,
                    "{name} at {theta}, {t}: {found}, expected {expected}"
                );
            }
        }
    }
}
