//! P-values as logarithms.

use std::f64::consts::LN_10;

use super::tails;

/// A probability that is carried as its natural logarithm, so that 10⁻¹⁰⁰⁰⁰⁰ is as exact as 0.05.
/// It is ordered as probabilities are, and never NaN.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct PValue {
    ln: f64,
}

impl PValue {
    /// The p-value 1.
    pub const ONE: Self = Self { ln: 0.0 };

    /// Makes `exp(ln)`. A logarithm above 0, which only rounding makes, counts as 0.
    ///
    /// # Panics
    /// Panics if `ln` is NaN.
    pub fn from_ln(ln: f64) -> Self {
        assert!(!ln.is_nan(), "a p-value is a number");
        // `min` may keep either zero; a sum with +0 makes it the positive one.
        Self {
            ln: ln.min(0.0) + 0.0,
        }
    }

    /// Returns `ln p`; −∞ if p is exactly 0.
    pub fn ln(self) -> f64 {
        self.ln
    }

    /// Returns p itself, which is 0 if it is below the smallest binary64 number.
    pub fn p(self) -> f64 {
        libm::exp(self.ln)
    }

    /// Returns `−log₁₀ p`, from 0 for a p-value of 1.
    pub fn neg_log10(self) -> f64 {
        -self.ln / LN_10 + 0.0
    }
}

/// A test's statistic and its p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Test {
    /// The statistic. The function that returns it says which one it is.
    pub statistic: f64,
    /// The probability, under the null hypothesis, of a statistic at least as extreme.
    pub p: PValue,
}

impl Test {
    /// Makes the test of a statistic that is chi-square with that many degrees of freedom under the
    /// null hypothesis.
    ///
    /// # Panics
    /// Panics if the statistic is NaN, or if there are no degrees of freedom.
    pub fn of_chi2(statistic: f64, degrees: u32) -> Self {
        let p = PValue::from_ln(tails::ln_chi2_upper(statistic, degrees));
        Self { statistic, p }
    }
}

#[cfg(test)]
mod tests {
    use super::PValue;

    #[test]
    fn p_value_of_one_has_no_negative_zero() {
        for one in [PValue::ONE, PValue::from_ln(-0.0), PValue::from_ln(1e-17)] {
            assert_eq!(one.ln().to_bits(), 0);
            assert_eq!(one.neg_log10().to_bits(), 0);
            assert_eq!(one.p(), 1.0);
        }
    }

    #[test]
    fn p_value_does_not_underflow() {
        let tiny = PValue::from_ln(-1e6);
        assert_eq!(tiny.p(), 0.0);
        assert!((tiny.neg_log10() - 434_294.481_903_251_8).abs() < 1e-9);
        assert!(tiny < PValue::from_ln(-999_999.0));
        assert_eq!(
            PValue::from_ln(f64::NEG_INFINITY).neg_log10(),
            f64::INFINITY
        );
    }
}
