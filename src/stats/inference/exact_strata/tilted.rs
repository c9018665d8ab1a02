//! The tilted distribution of the sum over strata, by its characteristic function.
//!
//! `P̃(s) = P(s)·exp(θs − K(θ))` has its mean wherever θ puts it. So a tail that begins there is a
//! sum of moderate terms, and keeps its digits however small it is.
//!
//! A hypergeometric count is distributed as a sum of independent Bernoulli variables, since its
//! generating polynomial has real roots only (Vatutin and Mikhailov 1982). So is a tilted count,
//! and a sum of them. Two bounds follow that make the trapezoidal rule exact but for rounding:
//!
//! * `|φ(u)|² = Π(1 − 2pq(1 − cos u)) ≤ exp(−2σ²(1 − cos u))`, decreasing on 0 to π: nodes at which
//!   it is below e⁻⁹² add nothing.
//! * By Bernstein's inequality `P(|S − μ| ≥ d) ≤ 2·exp(−d²/(2σ² + 2d/3))`: at the d for which the
//!   exponent is 46 the sum's values fill N = 2d + 1 places and no more, so that N nodes suffice.
//!
//! About thirty such nodes suffice for any σ above 3.

use std::f64::consts::{PI, TAU};

use super::stratum::{Stratum, Weights};
use crate::stats::inference::hypergeometric::Side;
use crate::stats::vectors;

/// The exponent of what is negligible: −ln of it.
const NEGLIGIBLE: f64 = 46.0;

/// The cumulant generating function of the sum and its first derivatives, at one tilt.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cumulants {
    pub(super) theta: f64,
    /// `K(θ) − θ·units`, which keeps the rest small.
    ln_scale: f64,
    units: u64,
    pub(super) mean: f64,
    pub(super) variance: f64,
}

impl Cumulants {
    pub(super) fn of(strata: &[Stratum], theta: f64) -> Self {
        let mut weights = Weights::default();
        let mut all = Self {
            theta,
            ..Self::default()
        };
        for stratum in strata {
            stratum.weigh(theta, &mut weights);
            all.add(stratum, &weights);
        }
        all
    }

    /// Adds a stratum. Returns the sum of its weights.
    fn add(&mut self, stratum: &Stratum, weights: &Weights) -> f64 {
        let Weights {
            unit,
            first,
            values,
            ..
        } = weights;
        let (mut sum, mut linear, mut square) = (0.0, 0.0, 0.0);
        let mut from_unit = *first as f64 - *unit as f64;
        for weight in values {
            let term = weight * from_unit;
            sum += weight;
            linear += term;
            square += term * from_unit;
            from_unit += 1.0;
        }
        let mean = linear / sum;
        self.mean += mean + *unit as f64;
        self.variance += (square / sum - mean * mean).max(0.0);
        self.units += unit;
        self.ln_scale += libm::log(sum) + stratum.ln_probability(*unit);
        sum
    }

    /// Returns `ln P(s)`, given that of the tilted sum, `ln_tilted`.
    pub(super) fn ln_untilted(&self, s: u64, ln_tilted: f64) -> f64 {
        // Without a tilt only rounding would be added.
        if self.theta == 0.0 {
            return ln_tilted;
        }
        let from_units = s as f64 - self.units as f64;
        ln_tilted + self.ln_scale - self.theta * from_units
    }

    /// Computes Daniels' (1954) saddlepoint approximation of `ln P` at the mean, which need not be
    /// whole.
    pub(super) fn ln_saddlepoint(&self) -> f64 {
        let from_units = self.mean - self.units as f64;
        // No probability is above 1.
        let ln_width = 0.5 * libm::log(TAU * self.variance);
        self.ln_scale - self.theta * from_units - ln_width.max(0.0)
    }
}

/// A complex number.
#[derive(Debug, Clone, Copy)]
struct Complex {
    re: f64,
    im: f64,
}

impl Complex {
    fn times(self, other: Self) -> Self {
        Self {
            re: self.re * other.re - self.im * other.im,
            im: self.re * other.im + self.im * other.re,
        }
    }

    fn over(self, other: Self) -> Self {
        let square = other.re * other.re + other.im * other.im;
        let Self { re, im } = self.times(Self {
            re: other.re,
            im: -other.im,
        });
        Self {
            re: re / square,
            im: im / square,
        }
    }
}

/// The tilted distribution.
#[derive(Debug)]
pub(super) struct Tilted {
    pub(super) cumulants: Cumulants,
    /// The characteristic function of the sum less `origin` at `2πk/places`, k from 0.
    nodes: Vec<Complex>,
    places: u64,
    origin: u64,
    /// The sums that are not negligible.
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Tilted {
    pub(super) fn of(strata: &[Stratum], theta: f64) -> Self {
        let mut cumulants = Cumulants {
            theta,
            ..Cumulants::default()
        };
        let mut all = Vec::with_capacity(strata.len());
        let (mut origin, mut end) = (0, 0);
        for stratum in strata {
            let mut weights = Weights::default();
            stratum.weigh(theta, &mut weights);
            let sum = cumulants.add(stratum, &weights);
            origin += weights.first;
            end += weights.first + weights.values.len() as u64 - 1;
            all.push((weights.values, sum));
        }
        let variance = cumulants.variance;
        let third = NEGLIGIBLE / 3.0;
        let reach = third + (third * third + 2.0 * NEGLIGIBLE * variance).sqrt();
        let first = origin.max((cumulants.mean - reach).max(0.0).floor() as u64);
        let last = end.min((cumulants.mean + reach).ceil() as u64);
        // The number is odd, so that all nodes but the first are pairs.
        let places = (last - first + 1) | 1;
        let counts = |k: &u64| {
            let half = libm::sin(PI * *k as f64 / places as f64);
            2.0 * variance * half * half <= NEGLIGIBLE
        };
        let nodes = (0..=places / 2).take_while(counts).count();
        Self {
            cumulants,
            nodes: vectors::dispatch(|| characteristic(&all, nodes, places)),
            places,
            origin,
            first,
            last,
        }
    }

    /// Computes `exp(2πi·k·steps/places)`, or its conjugate.
    fn turn(&self, k: usize, steps: u64, sign: f64) -> Complex {
        unit(k as u64, steps, self.places, sign)
    }

    /// Computes the tilted probability of a sum.
    pub(super) fn point(&self, s: u64) -> f64 {
        if s < self.first || s > self.last {
            return 0.0;
        }
        self.sum(s, |_| Complex { re: 1.0, im: 0.0 })
    }

    /// Computes `Σ exp(−|θ|·j)·P̃(s ± j)` for j from 0: the tail from s outwards divided by
    /// `exp(K(θ) − θs)`.
    pub(super) fn tail(&self, s: u64, side: Side) -> f64 {
        let (steps, sign) = match side {
            Side::Upper => (self.last.saturating_sub(s) + 1, -1.0),
            Side::Lower => (s.saturating_sub(self.first) + 1, 1.0),
        };
        let decay = self.cumulants.theta.abs();
        self.sum(s, |k| {
            if k == 0 && decay == 0.0 {
                return Complex {
                    re: steps as f64,
                    im: 0.0,
                };
            }
            let all = self.one_less(k, steps, sign, decay);
            all.over(self.one_less(k, 1, sign, decay))
        })
    }

    /// Computes `1 − exp(−steps·(decay ∓ 2πik/places))` without cancellation.
    fn one_less(&self, k: usize, steps: u64, sign: f64, decay: f64) -> Complex {
        let shrunk = -decay * steps as f64;
        let size = libm::exp(shrunk);
        // 1 − cos u = 2 sin²(u/2).
        let half = unit(k as u64, steps, 2 * self.places, sign);
        let turned = self.turn(k, steps, sign);
        Complex {
            re: -libm::expm1(shrunk) + 2.0 * size * half.im * half.im,
            im: -size * turned.im,
        }
    }

    /// Computes `Σ φ(uₖ)·exp(−iuₖs)·factor(k)` over all nodes, divided by their number.
    fn sum(&self, s: u64, factor: impl Fn(usize) -> Complex) -> f64 {
        let mut sum = 0.0;
        for (k, &node) in self.nodes.iter().enumerate().rev() {
            let term = node
                .times(self.turn(k, s - self.origin, -1.0))
                .times(factor(k));
            sum += if k == 0 { term.re } else { 2.0 * term.re };
        }
        sum / self.places as f64
    }
}

/// Computes `exp(±2πi·k·steps/places)` from a fraction that is reduced before it is rounded.
fn unit(k: u64, steps: u64, places: u64, sign: f64) -> Complex {
    let turned = match k.checked_mul(steps) {
        Some(product) => product % places,
        None => (u128::from(k) * u128::from(steps) % u128::from(places)) as u64,
    };
    let angle = TAU * (turned as f64 / places as f64);
    Complex {
        re: libm::cos(angle),
        im: sign * libm::sin(angle),
    }
}

/// Computes the product over strata of `Σ w(x)·zᵏˣ / Σ w(x)` at the first nodes, by Horner's rule
/// for all nodes at once.
#[allow(clippy::inline_always)]
#[inline(always)]
fn characteristic(strata: &[(Vec<f64>, f64)], nodes: usize, places: u64) -> Vec<Complex> {
    let turns: Vec<Complex> = (0..nodes as u64).map(|k| unit(k, 1, places, 1.0)).collect();
    let [cos, sin]: [Vec<f64>; 2] = [
        turns.iter().map(|turn| turn.re).collect(),
        turns.iter().map(|turn| turn.im).collect(),
    ];
    let mut product = vec![Complex { re: 1.0, im: 0.0 }; nodes];
    let (mut re, mut im) = (vec![0.0; nodes], vec![0.0; nodes]);
    for (weights, sum) in strata {
        re.fill(0.0);
        im.fill(0.0);
        for &weight in weights.iter().rev() {
            let sums = re.iter_mut().zip(&mut im);
            for ((re, im), (cos, sin)) in sums.zip(cos.iter().zip(&sin)) {
                let turned = *re * cos - *im * sin + weight;
                *im = *re * sin + *im * cos;
                *re = turned;
            }
        }
        for ((product, re), im) in product.iter_mut().zip(&re).zip(&im) {
            *product = product.times(Complex {
                re: re / sum,
                im: im / sum,
            });
        }
    }
    product
}
