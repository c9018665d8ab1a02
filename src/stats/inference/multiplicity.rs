//! Many tests at once: adjusted p-values, from the logarithms of p-values.

use std::cmp::Reverse;

use rayon::prelude::*;

use super::p_value::PValue;

/// Storey's λ: p-values above it are taken to be of true null hypotheses.
pub const LAMBDA: f64 = 0.5;

/// The p-values of a family of tests in ascending order, from which each procedure's adjusted
/// ones are read. Tests that were not made (`None`) count in no procedure and stay `None`.
///
/// Every adjusted p-value is in the order of the input, at most 1, never below the p-value it
/// adjusts (but for Storey's), and ascends with it; equal p-values get equal ones. All is done on
/// logarithms, so that 10⁻¹⁰⁰⁰⁰⁰ is adjusted as 0.05 is.
///
/// ```
/// use atomscope::stats::inference::PValue;
/// use atomscope::stats::inference::multiplicity::Family;
///
/// let p = [0.01, 0.04, 0.03].map(|p: f64| Some(PValue::from_ln(p.ln())));
/// let holm = Family::of(&p).holm();
/// assert!((holm[0].ok_or("not tested")?.p() - 0.03).abs() < 1e-15);
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone)]
pub struct Family {
    /// ln p and the place in the input, ascending.
    ranked: Vec<(f64, usize)>,
    /// How many places the input has.
    places: usize,
}

impl Family {
    /// The family of these tests.
    pub fn of(p: &[Option<PValue>]) -> Self {
        Self::of_ln(p.par_iter().map(|p| p.map_or(f64::NAN, PValue::ln)))
    }

    /// The family of tests with these `ln p`, NaN of those that were not made and none above 0: 16
    /// bytes a test, for millions of them.
    pub fn of_ln(ln_p: impl IndexedParallelIterator<Item = f64>) -> Self {
        let places = ln_p.len();
        let mut ranked: Vec<_> = ln_p.enumerate().map(|(place, ln)| (ln, place)).collect();
        ranked.retain(|(ln, _)| !ln.is_nan());
        // Of numbers without their sign the bits ascend with the size, and whole numbers are sorted
        // several times as fast. In which order equal ones are makes no difference to any procedure.
        ranked.par_sort_unstable_by_key(|&(ln, _)| Reverse(ln.abs().to_bits()));
        Self { ranked, places }
    }

    /// How many tests were made.
    pub fn tests(&self) -> usize {
        self.ranked.len()
    }

    /// Benjamini and Hochberg's (J. R. Statist. Soc. B 57, 1995): `min over j ≥ i of p₍ⱼ₎·n/j`.
    /// The false discovery rate under independence or positive regression dependence;
    /// statsmodels' `multipletests(method="fdr_bh")`.
    pub fn benjamini_hochberg(&self) -> Vec<Option<PValue>> {
        self.step_up(self.tests() as f64)
    }

    /// `ln` of [those](Self::benjamini_hochberg), NaN of tests that were not made.
    pub fn into_benjamini_hochberg_ln(self) -> Vec<f64> {
        self.into_benjamini_hochberg_ln_among(0)
    }

    /// The same where these are but some of so many tests, picked by what they are of: the others count
    /// as if their p-values were 1, which is never less than they are.
    pub fn into_benjamini_hochberg_ln_among(self, tests: u64) -> Vec<f64> {
        let factor = tests.max(self.tests() as u64) as f64;
        self.into_step_up(factor)
    }

    /// Benjamini and Yekutieli's (Ann. Statist. 29, 2001): those of Benjamini and Hochberg times
    /// 1 + 1/2 + … + 1/n. The false discovery rate whatever the dependence;
    /// `multipletests(method="fdr_by")`.
    pub fn benjamini_yekutieli(&self) -> Vec<Option<PValue>> {
        // The smallest first, which loses nothing.
        let harmonic: f64 = (1..=self.tests()).rev().map(|i| 1.0 / i as f64).sum();
        self.step_up(self.tests() as f64 * harmonic)
    }

    /// Holm's (Scand. J. Statist. 6, 1979): `max over j ≤ i of p₍ⱼ₎·(n − j + 1)`. The chance of
    /// any false discovery, whatever the dependence; `multipletests(method="holm")`.
    pub fn holm(&self) -> Vec<Option<PValue>> {
        let mut adjusted = vec![None; self.places];
        let mut most = f64::NEG_INFINITY;
        for (rank, &(ln_p, place)) in self.ranked.iter().enumerate() {
            most = most.max(ln_p + libm::log((self.tests() - rank) as f64));
            adjusted[place] = Some(PValue::from_ln(most));
        }
        adjusted
    }

    /// Storey's q-values: those of Benjamini and Hochberg times [π̂₀](Self::null_share).
    pub fn storey(&self) -> Vec<Option<PValue>> {
        self.step_up(self.tests() as f64 * self.null_share())
    }

    /// π̂₀, the estimated share of true null hypotheses: `(1 + #{p > λ})/((1 − λ)·n)`, at most 1,
    /// with λ = ½; 1 of no tests. The estimator of Storey, Taylor and Siegmund (J. R. Statist.
    /// Soc. B 66, 2004) for finite samples: the one more keeps it above 0 and the procedure's
    /// false discovery rate at its level. R's `qvalue(p, lambda = 0.5)` is without it, and fails
    /// where no p-value is above λ.
    pub fn null_share(&self) -> f64 {
        if self.ranked.is_empty() {
            return 1.0;
        }
        let ln_lambda = libm::log(LAMBDA);
        let above = self.tests() - self.ranked.partition_point(|&(ln_p, _)| ln_p <= ln_lambda);
        ((1 + above) as f64 / ((1.0 - LAMBDA) * self.tests() as f64)).min(1.0)
    }

    fn step_up(&self, factor: f64) -> Vec<Option<PValue>> {
        let adjusted = self.clone().into_step_up(factor);
        let p_value = |ln: f64| (!ln.is_nan()).then(|| PValue::from_ln(ln));
        adjusted.into_iter().map(p_value).collect()
    }

    /// `min over j ≥ i of p₍ⱼ₎·factor/j`, at most 1. The factor is divided before its logarithm is
    /// taken, so that n/j ≥ 1 adds nothing negative and no adjusted p-value is below its own.
    fn into_step_up(mut self, factor: f64) -> Vec<f64> {
        let ranked = self.ranked.par_iter_mut().enumerate();
        ranked.for_each(|(rank, (ln_p, _))| *ln_p += libm::log(factor / (rank + 1) as f64));
        let mut adjusted = vec![f64::NAN; self.places];
        let mut least = 0.0_f64;
        for &(ln_p, place) in self.ranked.iter().rev() {
            least = least.min(ln_p);
            adjusted[place] = least;
        }
        adjusted
    }
}

#[cfg(test)]
mod tests {
    use super::{Family, PValue};

    #[test]
    fn nothing_and_tests_not_made() {
        let empty = Family::of(&[]);
        assert!(empty.benjamini_hochberg().is_empty());
        assert_eq!(empty.null_share(), 1.0);
        let none = Family::of(&[None, None]);
        assert_eq!(none.storey(), [None, None]);
        let one = PValue::from_ln(-3.0);
        let family = Family::of(&[None, Some(one), None]);
        for adjusted in [
            family.benjamini_hochberg(),
            family.benjamini_yekutieli(),
            family.holm(),
            family.storey(),
        ] {
            assert_eq!(adjusted, [None, Some(one), None]);
        }
    }

    #[test]
    fn zero_stays_zero_and_one_stays_one() {
        let p = [f64::NEG_INFINITY, 0.0, -1e5].map(|ln| Some(PValue::from_ln(ln)));
        let family = Family::of(&p);
        for adjusted in [family.benjamini_hochberg(), family.holm()] {
            assert_eq!(adjusted[0], p[0]);
            assert_eq!(adjusted[1], p[1]);
            assert!(adjusted[2] < Some(PValue::from_ln(-1e5 + 2.0)));
        }
    }
}
