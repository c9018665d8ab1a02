//! Upper tails of the normal and the chi-square distribution, as logarithms.
//!
//! Each is within 2·10⁻¹⁴ of `ln p`, relative to the larger of 1 and |ln p|: a p-value of 10⁻³⁰⁰
//! has more than ten right digits, and one of 10⁻¹⁰⁰⁰⁰⁰ has thirteen in its logarithm.

use std::f64::consts::{LN_2, PI};

use super::stirling;
use crate::stats::notebook::chi2;

/// Computes `ln P(|Z| > |z|)` for a standard normal Z, the two-sided tail: scipy's
/// `log(2) + norm.logsf(abs(z))`. NaN for NaN.
pub fn ln_normal_two_sided(z: f64) -> f64 {
    ln_chi2_of_one(z * z)
}

/// Computes `ln P(Z > z)` for a standard normal Z: scipy's `norm.logsf`. NaN for NaN.
pub fn ln_normal_upper(z: f64) -> f64 {
    let ln_half_tails = ln_normal_two_sided(z) - LN_2;
    if z >= 0.0 {
        ln_half_tails
    } else {
        libm::log1p(-libm::exp(ln_half_tails))
    }
}

/// Computes `ln P(X > x)` for a chi-square X with that many degrees of freedom: scipy's
/// `chi2.logsf`. 0 for x ≤ 0, NaN for NaN and for no degrees of freedom.
///
/// With h = x/2 and a half the degrees of freedom, the tail is the regularized incomplete gamma
/// function Q(a, h). For whole and half-whole a that is a finite sum of positive terms (Abramowitz
/// and Stegun 26.4.4 and 26.4.5), of which the largest is factored out. Below the mean it is one
/// minus the power series of P(a, h) (ibid. 6.5.29).
pub fn ln_chi2_upper(x: f64, degrees: u32) -> f64 {
    if x.is_nan() || degrees == 0 {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 0.0;
    }
    if degrees == 1 {
        return ln_chi2_of_one(x);
    }
    let (h, a) = (x / 2.0, f64::from(degrees) / 2.0);
    if h.is_infinite() {
        return f64::NEG_INFINITY;
    }
    let ln_power = ln_power_term(a, h);
    if h < a {
        libm::log1p(-libm::exp(ln_power) * lower_series(a, h))
    } else {
        ln_power + libm::log(a / h * upper_sum(degrees, h))
    }
}

/// Computes `P(X > x)` for a gamma variable X of that shape and of scale 1, to about 10⁻¹⁴
/// absolutely: scipy's `gammaincc`. 1 for x ≤ 0.
pub(super) fn gamma_upper(shape: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if x > shape + 12.0 * shape.sqrt() + 60.0 {
        return 0.0;
    }
    let below = libm::exp(ln_power_term(shape, x)) * lower_series(shape, x);
    (1.0 - below).max(0.0)
}

/// Computes `ln(hᵃ·e⁻ʰ/Γ(a+1))`.
fn ln_power_term(a: f64, h: f64) -> f64 {
    if a < 16.0 {
        a * libm::log(h) - h - libm::lgamma(a + 1.0)
    } else {
        let ln_root = 0.5 * libm::log(2.0 * PI * a);
        -stirling::deviance(a, h, a - h) - ln_root - stirling::error(a)
    }
}

/// Computes `1 + h/(a+1) + h²/((a+1)(a+2)) + …`, soon for h < a.
fn lower_series(a: f64, h: f64) -> f64 {
    let (mut sum, mut term, mut at) = (1.0, 1.0, a);
    while term > sum * 1e-18 {
        at += 1.0;
        term *= h / at;
        sum += term;
    }
    sum
}

/// Computes `1 + (a−1)/h·(1 + (a−2)/h·(1 + …))`, down to the smallest positive a−j. It starts from
/// 1 for whole a, and for half-whole a from the tail with one degree of freedom.
fn upper_sum(degrees: u32, h: f64) -> f64 {
    let last = f64::from(degrees) / 2.0 - 1.0;
    let (mut sum, mut factor) = if degrees.is_multiple_of(2) {
        (1.0, 1.0)
    } else {
        (scaled_tail(h), 0.5)
    };
    while factor <= last {
        sum = 1.0 + factor / h * sum;
        factor += 1.0;
    }
    sum
}

/// The h beyond which the tail with one degree of freedom is its asymptotic series, good to the
/// last bit there. Before it, p is above 10⁻¹³², so that `chi2::survival` is good too.
const ASYMPTOTIC_FROM: f64 = 300.0;

/// Computes `√(πh)·eʰ·erfc(√h)`, between 0 and 1: the tail with one degree of freedom divided by
/// its leading term.
fn scaled_tail(h: f64) -> f64 {
    if h < ASYMPTOTIC_FROM {
        return (PI * h).sqrt() * libm::exp(h) * chi2::survival(2.0 * h);
    }
    // 1 − 1/2h + 1·3/(2h)² − 1·3·5/(2h)³ + … (Abramowitz and Stegun 7.1.23).
    let odds = [17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0];
    odds.into_iter()
        .fold(1.0, |sum, odd| 1.0 - odd / (2.0 * h) * sum)
}

fn ln_chi2_of_one(x: f64) -> f64 {
    let h = x / 2.0;
    if h < 0.25 {
        // Near 1 the logarithm needs the small difference from it.
        return libm::log1p(-libm::erf(h.max(0.0).sqrt()));
    }
    if h < ASYMPTOTIC_FROM {
        return libm::log(chi2::survival(x));
    }
    if h.is_infinite() {
        return f64::NEG_INFINITY;
    }
    -h - 0.5 * libm::log(PI * h) + libm::log(scaled_tail(h))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_have_their_limits() {
        for degrees in 1..6 {
            assert_eq!(ln_chi2_upper(0.0, degrees), 0.0);
            assert_eq!(ln_chi2_upper(-1.0, degrees), 0.0);
            assert_eq!(ln_chi2_upper(f64::INFINITY, degrees), f64::NEG_INFINITY);
            assert!(ln_chi2_upper(f64::NAN, degrees).is_nan());
        }
        assert!(ln_chi2_upper(1.0, 0).is_nan());
        assert!(ln_normal_two_sided(f64::NAN).is_nan());
        assert_eq!(ln_normal_two_sided(0.0), 0.0);
        assert_eq!(ln_normal_upper(0.0), -LN_2);
        assert_eq!(ln_normal_upper(f64::NEG_INFINITY), 0.0);
    }

    #[test]
    fn gamma_upper_is_the_chi_square_tail_by_finite_sums() {
        for degrees in [1, 2, 5, 40, 301] {
            for factor in [0.3, 1.0, 1.2, 2.0, 4.0] {
                let x = f64::from(degrees) * factor;
                let found = gamma_upper(f64::from(degrees) / 2.0, x / 2.0);
                let right = libm::exp(ln_chi2_upper(x, degrees));
                assert!(
                    (found - right).abs() < 1e-13,
                    "{degrees} {x}: {found} {right}"
                );
            }
        }
        assert_eq!(gamma_upper(3.5, 0.0), 1.0);
        assert_eq!(gamma_upper(3.5, 1e9), 0.0);
        // scipy.special.gammaincc(3.7, 5.2).
        assert!((gamma_upper(3.7, 5.2) - 0.194_026_005_006_171_8).abs() < 1e-14);
    }

    #[test]
    fn ln_chi2_upper_with_two_degrees_is_exponential() {
        for x in [1e-3, 0.5, 1.9, 2.0, 2.1, 70.0, 1e6] {
            assert!((ln_chi2_upper(x, 2) + x / 2.0).abs() < 1e-15 * x.max(1.0));
        }
    }

    #[test]
    fn ln_chi2_upper_pieces_agree_where_they_meet() {
        for (x, degrees) in [
            (0.5, 1),
            (600.0, 1),
            (600.0, 3),
            (9.0, 9),
            (31.0, 31),
            (64.0, 64),
        ] {
            let [below, above] =
                [x * (1.0 - 1e-14), x * (1.0 + 1e-14)].map(|x| ln_chi2_upper(x, degrees));
            assert!(above <= below, "{x} {degrees}");
            assert!(
                below - above < 3e-14 * x.max(1.0),
                "{x} {degrees}: {below} {above}"
            );
        }
    }
}
