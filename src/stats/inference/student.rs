//! The two-sided tail of Student's t distribution, as a logarithm.

use std::f64::consts::PI;

/// Computes `ln P(|T| > |t|)` for Student's T with ν degrees of freedom, given y = t²/(ν + t²) and
/// 1 − y: scipy's `log(2·t.sf(abs(t), ν))`. For the t of a correlation r, y is r².
///
/// The tail is the regularized incomplete beta function I₁₋ᵧ(a, ½) with a = ν/2. If t² > 3, it is
/// its leading term times a hypergeometric function of −(1−y)/y, by Gauss' continued fraction
/// (*Digital Library of Mathematical Functions* 8.17.8, 15.8.1, 15.7.5), all of whose terms are
/// positive. Nearer the middle it is one minus the power series of the other side. The result is
/// within 10⁻¹³ of `ln p` relative to the larger of 1 and |ln p|; −∞ if y is 1, 0 if it is 0, NaN
/// for NaN and for ν ≤ 0.
pub fn ln_two_sided(y: f64, one_less_y: f64, degrees: f64) -> f64 {
    if degrees.is_nan() || degrees <= 0.0 || y.is_nan() || one_less_y.is_nan() {
        return f64::NAN;
    }
    if y <= 0.0 || one_less_y <= 0.0 {
        return if y <= 0.0 { 0.0 } else { f64::NEG_INFINITY };
    }
    let a = degrees / 2.0;
    // ln(1−y) is small if y is, and precise only from y.
    let ln_rest = if y < 0.5 {
        libm::log1p(-y)
    } else {
        libm::log(one_less_y)
    };
    // (1−y)ᵃ·√y / B(a, ½)
    let ln_term = a * ln_rest + 0.5 * libm::log(y) - ln_beta_half(a);
    if y * degrees > 3.0 * one_less_y {
        ln_term - libm::log(a * y) + libm::log(gauss(a + 1.0, one_less_y / y))
    } else {
        libm::log1p(-libm::exp(ln_term) * central_series(a, y)).min(0.0)
    }
}

/// Computes `ln B(a, ½)`.
fn ln_beta_half(a: f64) -> f64 {
    if a < 16.0 {
        return libm::lgamma(a) + 0.5 * libm::log(PI) - libm::lgamma(a + 0.5);
    }
    // ln Γ(a+½) − ln Γ(a) by the difference of the two Stirling series (DLMF 5.11.8).
    let inverse = 1.0 / a;
    let square = inverse * inverse;
    let series = [
        -1.0 / 8.0,
        1.0 / 192.0,
        -1.0 / 640.0,
        17.0 / 14_336.0,
        -31.0 / 18_432.0,
        691.0 / 180_224.0,
    ];
    let sum = series
        .into_iter()
        .rev()
        .fold(0.0, |sum, c| sum * square + c);
    0.5 * libm::log(PI * inverse) - sum * inverse
}

/// Computes `₂F₁(½, 1; c; −w)` for w > 0, c > 1: `1/(1 + g₁w/(1 + g₂w/(1 + …)))` with positive g,
/// summed forwards (Steed's algorithm).
fn gauss(c: f64, w: f64) -> f64 {
    let (mut fraction, mut step, mut denominator) = (1.0_f64, 1.0_f64, 1.0_f64);
    let mut m = 0.0;
    loop {
        let odd = (0.5 + m) * (c - 1.0 + m) / ((c + 2.0 * m - 1.0) * (c + 2.0 * m));
        let even = (m + 1.0) * (c - 0.5 + m) / ((c + 2.0 * m) * (c + 2.0 * m + 1.0));
        for g in [odd, even] {
            let next = 1.0 / (1.0 + g * w * denominator);
            step *= -g * w * denominator * next;
            fraction += step;
            denominator = next;
        }
        // The steps alternate and shrink, so the last one bounds the rest.
        if step.abs() < 1e-17 * fraction {
            return fraction;
        }
        m += 1.0;
    }
}

/// Computes `2·(1 + (a+½)/(3/2)·y + (a+½)(a+3/2)/((3/2)(5/2))·y² + …)`: the factor by which
/// `(1−y)ᵃ·√y/B(a, ½)` gives Iᵧ(½, a) (DLMF 8.17.8).
fn central_series(a: f64, y: f64) -> f64 {
    let (mut sum, mut term, mut n) = (1.0, 1.0, 0.5);
    while term > sum * 1e-18 {
        term *= (a + n) * y / (n + 1.0);
        sum += term;
        n += 1.0;
    }
    2.0 * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_t(t: f64, degrees: f64) -> f64 {
        let square = t * t;
        ln_two_sided(
            square / (degrees + square),
            degrees / (degrees + square),
            degrees,
        )
    }

    #[test]
    fn ln_two_sided_matches_closed_forms_of_one_and_two_degrees() {
        for t in [1e-3, 0.3, 1.0, 1.7, 1.8, 3.0, 40.0, 1e5] {
            let cauchy = 1.0 - 2.0 / PI * libm::atan(t);
            let two = 1.0 - t / libm::sqrt(2.0 + t * t);
            // The closed forms' own cancellation limits these.
            assert!((libm::exp(of_t(t, 1.0)) - cauchy).abs() < 4e-16);
            assert!((libm::exp(of_t(t, 2.0)) - two).abs() < 4e-16);
        }
    }

    #[test]
    fn ln_two_sided_has_its_limits() {
        assert_eq!(ln_two_sided(0.0, 1.0, 9.0), 0.0);
        assert_eq!(ln_two_sided(1.0, 0.0, 9.0), f64::NEG_INFINITY);
        assert!(ln_two_sided(0.5, 0.5, 0.0).is_nan());
        assert!(ln_two_sided(f64::NAN, 0.5, 3.0).is_nan());
    }
}
