//! Fisher's exact test of a 2×2 table, two-sided, and its mid-p.

use std::f64::consts::LN_2;

use super::hypergeometric::{Hypergeometric, Side};
use super::p_value::PValue;
use super::table::Table2x2;

/// Two-sided p-values of a table, given its margins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fisher {
    /// The probability of all tables that are at most as probable as the observed one.
    pub p: PValue,
    /// The same probability, with only half of the tables that are exactly as probable as the
    /// observed one, itself among them.
    pub mid_p: PValue,
}

/// The difference, relative to the larger of 1 and their size, up to which two logarithms of
/// probabilities are equal. Rounding keeps ties within a tenth of it.
const TIE: f64 = 1e-13;

/// Computes Fisher's exact test, two-sided, as `scipy.stats.fisher_exact(table)` defines it: the
/// probability, given the margins, of all tables that are at most as probable as the observed one.
///
/// Equally probable tables count. scipy finds them by a relative tolerance of 10⁻¹⁴ on
/// probabilities. The tolerance here is 10⁻¹³ on their logarithms, and rounding stays below it also
/// in the far tail. scipy's own p-values are right to nine digits at a million calls, to six at a
/// thousand million. If a margin is zero, the table is the only one, and p is 1, as in scipy.
///
/// The mid-p is Lancaster's (J. Am. Statist. Assoc. 56, 1961) for the same ordering of tables:
/// `P(less probable) + ½·P(equally probable)`. It undoes most of the exact test's conservatism, and
/// its level can exceed the nominal one. The mid-p of an only table is ½.
pub fn exact_test(table: &Table2x2) -> Fisher {
    let Some(distribution) = Hypergeometric::of_margins(table) else {
        return Fisher {
            p: PValue::ONE,
            mid_p: PValue::from_ln(-LN_2),
        };
    };
    let observed = table.tp_on;
    let ln_observed = distribution.ln_probability(observed);
    let tolerance = TIE * ln_observed.abs().max(1.0);
    let mode = distribution.mode();
    if distribution.ln_probability(mode) <= ln_observed + tolerance {
        return of_the_mode(&distribution, observed, tolerance);
    }
    let side = if observed < mode {
        Side::Lower
    } else {
        Side::Upper
    };
    // All is in units of the observed table's probability, which can be arbitrarily small.
    let mut sum = distribution.tail_ratio(observed, side);
    let mut ties = 1.0;
    let limit = ln_observed + tolerance;
    if let Some((other, ln_other)) = opposite(&distribution, observed, side.opposite(), limit) {
        let is_tie = ln_other >= ln_observed - tolerance;
        let relative = if is_tie {
            ties = 2.0;
            1.0
        } else {
            libm::exp(ln_other - ln_observed)
        };
        sum += relative * distribution.tail_ratio(other, side.opposite());
    }
    Fisher {
        p: PValue::from_ln(ln_observed + libm::log(sum)),
        mid_p: PValue::from_ln(ln_observed + libm::log(sum - ties / 2.0)),
    }
}

/// Handles an observed table that is a mode. One neighbour may be as probable.
fn of_the_mode(distribution: &Hypergeometric, observed: u64, tolerance: f64) -> Fisher {
    let ln_observed = distribution.ln_probability(observed);
    let is_tie = |x: u64| distribution.ln_probability(x) >= ln_observed - tolerance;
    let below = observed > 0 && is_tie(observed - 1);
    let ties = 1 + u8::from(below) + u8::from(is_tie(observed + 1));
    Fisher {
        p: PValue::ONE,
        mid_p: PValue::from_ln(libm::log1p(-f64::from(ties) / 2.0 * libm::exp(ln_observed))),
    }
}

/// Finds the table nearest to the mode, on that side of it, whose log probability is at most
/// `limit`. Returns it with that log probability, or `None` if all tables there are more probable.
/// The mode itself is above the limit.
fn opposite(
    distribution: &Hypergeometric,
    observed: u64,
    side: Side,
    limit: f64,
) -> Option<(u64, f64)> {
    let mode = distribution.mode();
    // Places are distances from the mode, so that both sides look alike.
    let (farthest, mirror) = match side {
        Side::Lower => (
            mode - distribution.least(),
            observed as f64 - distribution.mean(),
        ),
        Side::Upper => (
            distribution.most() - mode,
            distribution.mean() - observed as f64,
        ),
    };
    let at = |distance: u64| match side {
        Side::Lower => mode - distance,
        Side::Upper => mode + distance,
    };
    let exceeds = |distance| distribution.ln_probability(at(distance)) > limit;
    if exceeds(farthest) {
        return None;
    }
    let found = at(first_within(mirror as u64, farthest, exceeds));
    Some((found, distribution.ln_probability(found)))
}

/// Finds the first distance that does not exceed the limit; 0 exceeds it, `farthest` does not. The
/// guess is the observed table's mirror image at the mean, which is near the result if the
/// distribution is nearly symmetric. Doubling steps from it find two ends, and bisection finds the
/// place.
fn first_within(guess: u64, farthest: u64, exceeds: impl Fn(u64) -> bool) -> u64 {
    let (mut inside, mut outside, mut step) = (0, farthest, 1);
    let guess = guess.clamp(1, farthest);
    if exceeds(guess) {
        inside = guess;
        while inside + step < outside {
            if exceeds(inside + step) {
                inside += step;
                step *= 2;
            } else {
                outside = inside + step;
            }
        }
    } else {
        outside = guess;
        while inside + step < outside {
            if exceeds(outside - step) {
                inside = outside - step;
            } else {
                outside -= step;
                step *= 2;
            }
        }
    }
    while outside - inside > 1 {
        let middle = inside.midpoint(outside);
        if exceeds(middle) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    outside
}
