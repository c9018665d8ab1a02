//! Pearson's chi-square test of independence on a 2×2 table, without Yates' correction.

use std::f64::consts::PI;

/// A test's statistic and its p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chi2 {
    /// Σ (observed − expected)² / expected, one degree of freedom.
    pub statistic: f64,
    /// The probability of a statistic as large under independence.
    pub p: f64,
}

/// Computes the test on `[[a, b], [c, d]]`; `None` if an expected count is zero, so that the test
/// has no meaning (scipy raises `ValueError` there).
///
/// The arithmetic is that of scipy's `chi2_contingency(table, correction=False)`: margins and
/// total in binary64, each expected count `row margin · column margin / total`, the four terms
/// added in row-major order. The statistic therefore has the same bits.
pub fn contingency([[a, b], [c, d]]: [[u64; 2]; 2]) -> Option<Chi2> {
    let observed = [a as f64, b as f64, c as f64, d as f64];
    let [a, b, c, d] = observed;
    let (rows, columns) = ([a + b, c + d], [a + c, b + d]);
    let total = ((a + b) + c) + d;
    let mut statistic = 0.0;
    for (i, observed) in observed.into_iter().enumerate() {
        let expected = rows[i / 2] * columns[i % 2] / total;
        // An empty table gives 0/0 here.
        if expected == 0.0 || expected.is_nan() {
            return None;
        }
        let difference = observed - expected;
        statistic += difference * difference / expected;
    }
    let p = survival_as_scipy(statistic);
    Some(Chi2 { statistic, p })
}

/// The statistic beyond which scipy's tail is 0, although smaller numbers exist: its factor
/// `exp(log(x/2)/2 − x/2 − logΓ(1/2))` counts as underflow from where it is below the largest
/// number's reciprocal, and the tail is a 700th of it.
const SCIPY_UNDERFLOW: f64 = 1_424.989_468_422_453_5;

/// Computes [`survival`], and 0 where scipy's `chi2.sf(x, 1)` gives up: the notebook's value.
pub fn survival_as_scipy(x: f64) -> f64 {
    if x > SCIPY_UNDERFLOW {
        0.0
    } else {
        survival(x)
    }
}

/// Computes the chi-square distribution's upper tail with one degree of freedom,
/// `P(X > x) = erfc(√(x/2))`, within a few units in the last place down to the smallest normal
/// number. `libm` computes it, not the system's library, so every machine gives the same bits.
///
/// If the tail is small, its relative error is `x` times that of the root. So the root's own
/// rounding `δ = x/2 − z²`, which a fused multiply-add gives exactly, is corrected to first order:
/// `erfc(z + δ/2z) ≈ erfc(z) − exp(−z²)·δ/(z·√π)`.
pub fn survival(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    let half = x / 2.0;
    if half <= 0.0 {
        return 1.0;
    }
    let z = half.sqrt();
    let tail = libm::erfc(z);
    if tail == 0.0 {
        return 0.0;
    }
    let rest = z.mul_add(-z, half);
    tail - libm::exp(-half) * rest / (z * PI.sqrt())
}

#[cfg(test)]
mod tests {
    use super::{contingency, survival};

    #[test]
    fn contingency_has_no_test_for_a_zero_margin() {
        assert_eq!(contingency([[5, 0], [7, 0]]), None);
        assert_eq!(contingency([[0, 0], [7, 3]]), None);
        assert_eq!(contingency([[0; 2]; 2]), None);
    }

    #[test]
    fn contingency_has_p_of_one_without_association() {
        let even = contingency([[10, 20], [30, 60]]).unwrap();
        assert_eq!((even.statistic, even.p), (0.0, 1.0));
    }

    #[test]
    fn survival_has_its_limits() {
        assert_eq!(survival(0.0), 1.0);
        assert_eq!(survival(f64::INFINITY), 0.0);
        assert!(survival(f64::NAN).is_nan());
        assert!(survival(1e-310) <= 1.0);
    }
}
