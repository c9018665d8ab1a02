//! Both tails of the sum over strata, each from a distribution tilted to where the tail begins.

use super::stratum::Stratum;
use super::tilted::{Cumulants, Tilted};
use super::{TIE, of_the_mode};
use crate::stats::inference::hypergeometric::Side;
use crate::stats::inference::p_value::PValue;

/// The share of a tilted distribution's largest point above which points have all their digits but
/// two.
const NEAR: f64 = 1e-2;

/// Computes the p-value and the mid-p of several strata's observed sum.
pub(super) fn test(strata: &[Stratum]) -> (PValue, PValue) {
    let sum = Sum::of(strata);
    let plain = Tilted::of(strata, 0.0);
    let mode = sum.mode(&plain);
    let (observed, most) = (plain.point(sum.observed), plain.point(mode));
    if observed * (1.0 + TIE) >= most {
        let near = sum.observed.saturating_sub(1).max(sum.least)..=(sum.observed + 1).min(sum.most);
        let points = near.map(|s| plain.point(s));
        return of_the_mode(points.filter(|p| *p >= observed * (1.0 - TIE)).sum());
    }
    let side = if sum.observed < mode {
        Side::Lower
    } else {
        Side::Upper
    };
    let (this, other) = if observed > NEAR * most {
        let this = Tail::of(&plain, sum.observed, side);
        (
            this,
            sum.opposite(&plain, mode, this.ln_point, side.opposite()),
        )
    } else {
        let this = Tail::of(&sum.tilted_to(sum.observed), sum.observed, side);
        (this, sum.opposite_far(this.ln_point, side.opposite()))
    };
    combined(this, other)
}

/// A tail: its first point, and the whole tail divided by that point.
#[derive(Debug, Clone, Copy)]
struct Tail {
    ln_point: f64,
    by_point: f64,
}

impl Tail {
    fn of(tilted: &Tilted, s: u64, side: Side) -> Self {
        let point = tilted.point(s);
        Self {
            ln_point: tilted.cumulants.ln_untilted(s, libm::log(point)),
            by_point: tilted.tail(s, side) / point,
        }
    }
}

fn combined(this: Tail, other: Option<Tail>) -> (PValue, PValue) {
    let (mut sum, mut ties) = (this.by_point, 1.0);
    if let Some(other) = other {
        let relative = libm::exp(other.ln_point - this.ln_point);
        sum += relative * other.by_point;
        if relative >= 1.0 - TIE {
            ties += relative;
        }
    }
    let ln = |by_point| PValue::from_ln(this.ln_point + libm::log(by_point));
    (ln(sum), ln(sum - 0.5 * ties))
}

/// The sum over strata.
struct Sum<'a> {
    strata: &'a [Stratum],
    observed: u64,
    least: u64,
    most: u64,
}

impl<'a> Sum<'a> {
    fn of(strata: &'a [Stratum]) -> Self {
        let total = |of: fn(&Stratum) -> u64| strata.iter().map(of).sum();
        Self {
            strata,
            observed: total(|stratum| stratum.observed),
            least: total(|stratum| stratum.least),
            most: total(|stratum| stratum.most),
        }
    }

    /// Finds the most probable sum, which is within 1 of the mean (Darroch 1964).
    fn mode(&self, plain: &Tilted) -> u64 {
        let near = plain.cumulants.mean.floor() as u64;
        let around = near.saturating_sub(1).max(self.least)..=(near + 2).min(self.most);
        let point = |s: &u64| plain.point(*s);
        let most = around.max_by(|a, b| point(a).total_cmp(&point(b)));
        most.unwrap_or(near)
    }

    /// Returns the distribution whose mean is tilted to about that sum, or to half a step within
    /// the ends, which no tilt reaches.
    fn tilted_to(&self, s: u64) -> Tilted {
        Tilted::of(self.strata, self.tilt(s))
    }

    fn tilt(&self, s: u64) -> f64 {
        let target = (s as f64).clamp(self.least as f64 + 0.5, self.most as f64 - 0.5);
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        let mut at = Cumulants::of(self.strata, 0.0);
        for _ in 0..STEPS {
            let short = target - at.mean;
            if short.abs() <= 0.2 * at.variance.sqrt().max(0.25) {
                break;
            }
            if short > 0.0 {
                low = at.theta;
            } else {
                high = at.theta;
            }
            let next = at.theta + (short / at.variance.max(1e-300)).clamp(-LEAP, LEAP);
            let next = if next > low && next < high {
                next
            } else {
                low.midpoint(high)
            };
            at = Cumulants::of(self.strata, next);
        }
        at.theta
    }

    /// Returns the other tail if the distribution need not be tilted. It begins at the first sum
    /// outwards of the mode that is no more probable than the observed one.
    fn opposite(&self, plain: &Tilted, mode: u64, ln_observed: f64, side: Side) -> Option<Tail> {
        let limit = libm::exp(ln_observed) * (1.0 + TIE);
        let (mut inside, mut outside) = (mode, self.end(side));
        if plain.point(outside) > limit {
            return None;
        }
        while inside.abs_diff(outside) > 1 {
            let middle = inside.midpoint(outside);
            if plain.point(middle) > limit {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        Some(Tail::of(plain, outside, side))
    }

    fn end(&self, side: Side) -> u64 {
        match side {
            Side::Lower => self.least,
            Side::Upper => self.most,
        }
    }

    /// Returns the other tail, from where the saddlepoint approximation has the observed
    /// probability.
    fn opposite_far(&self, ln_observed: f64, side: Side) -> Option<Tail> {
        let limit = ln_observed + TIE;
        let ends = self.strata.iter().map(|stratum| {
            stratum.ln_probability(match side {
                Side::Lower => stratum.least,
                Side::Upper => stratum.most,
            })
        });
        if ends.sum::<f64>() > limit {
            return None;
        }
        let mut tilted = Tilted::of(self.strata, self.tilt_for(ln_observed, side));
        let mut at = (tilted.cumulants.mean.round() as u64).clamp(self.least, self.most);
        let (mut inside, mut outside) = (None, None);
        loop {
            // Far from the mean its digits are few.
            let peak = 1.0 / (1.0 + 2.5 * tilted.cumulants.variance.sqrt());
            let mut point = tilted.point(at);
            if point < NEAR * peak {
                tilted = self.tilted_to(at);
                point = tilted.point(at);
            }
            let exceeds = tilted.cumulants.ln_untilted(at, libm::log(point)) > limit;
            *(if exceeds { &mut inside } else { &mut outside }) = Some(at);
            if exceeds && at == self.end(side) {
                return None;
            }
            let upward = exceeds == (side == Side::Upper);
            match (inside, outside) {
                (Some(inside), Some(outside)) if outside.abs_diff(inside) == 1 => {
                    return Some(Tail::of(&tilted, outside, side));
                }
                _ if upward => at += 1,
                _ => at -= 1,
            }
        }
    }

    /// Returns the tilt to that side at whose mean the saddlepoint approximation is `ln_point`.
    fn tilt_for(&self, ln_point: f64, side: Side) -> f64 {
        let sign = match side {
            Side::Lower => -1.0,
            Side::Upper => 1.0,
        };
        let plain = Cumulants::of(self.strata, 0.0);
        let (mut low, mut high) = (0.0, f64::INFINITY);
        // The first guess takes the sum as normal.
        let mut size = (2.0 * (plain.ln_saddlepoint() - ln_point).max(0.0) / plain.variance).sqrt();
        size = size.min(LEAP);
        for _ in 0..STEPS {
            let at = Cumulants::of(self.strata, sign * size);
            let over = at.ln_saddlepoint() - ln_point;
            // This stops within a part of a step.
            if over.abs() < 0.3 * size {
                break;
            }
            if over > 0.0 {
                low = size;
            } else {
                high = size;
            }
            let step = over / (size * at.variance).max(1e-300);
            let next = size + step.clamp(-LEAP, LEAP);
            size = if next > low && next < high {
                next
            } else {
                low.midpoint(high.min(low + 2.0 * LEAP))
            };
            if size > FAR || high - low < 1e-9 * low {
                break;
            }
        }
        sign * size.min(FAR)
    }
}

/// The most steps of a search for a tilt. The tilt found by then is as good as it gets.
const STEPS: usize = 200;

/// The greatest distance of a step of a search.
const LEAP: f64 = 3.0;

/// The farthest tilt that counts below 2⁵³ can need.
const FAR: f64 = 200.0;
