//! The test that all strata have one odds ratio, given their margins and the sum of their first
//! cells.
//!
//! Given these, if there is one odds ratio, the counts have a distribution that does not depend on
//! it (Zelen, Biometrika 58, 1971). So the test keeps its level however sparse the strata. The
//! statistic is Breslow and Day's, `Q = Σ (a − â)²/v̂`, with the fits at the odds ratio at which
//! they add up to the observed sum. Unlike Mantel and Haenszel's, this odds ratio depends on the
//! given quantities alone, and Tarone's correction is 0 with it. p is the probability of a Q as
//! large or larger.
//!
//! | strata | way |
//! |---|---|
//! | two | all pairs of counts that have the sum |
//! | K > 2, every fitted cell of every one at least [`DENSE`]·√K | the chi-square distribution |
//! | few combinations of sum and Q | all of them, with Q in whole steps: `levels` |
//! | more, and p is at least [`CLEAR`] | a gamma distribution with Q's three moments given the sum: `moments` |
//! | more, and p is smaller | all combinations, or if these are too many a saddlepoint: `saddlepoint` |
//!
//! The step's size depends on the margins and the sum alone, so the test in steps keeps its level
//! too. Steps add some 5 % to Q's variance if strata are many. Levels end 10 standard deviations
//! above the mean; p is at least the probability beyond.
//!
//! The moments serve to tell what is clear, and p by them is within a tenth of the exact one. A p
//! below `CLEAR` is reported only if the steps say so, whose test keeps its level, or the
//! saddlepoint. That is taken where combinations are so many that its error is small: some 5 % of p
//! near 5 %, and less than a factor of two at 10⁻¹². Both are off by more if strata are few, so that
//! few strata may take more combinations.

mod levels;
mod moments;
mod saddlepoint;

use super::exact_strata::stratum::{Stratum, Weights};
use super::homogeneity::{fit, variance};
use super::p_value::PValue;
use super::table::Table2x2;
use super::tails::ln_chi2_upper;

/// The size, in units of √K for K strata, that every fitted cell of every stratum must reach for Q
/// to count as chi-square with K − 1 degrees of freedom. A stratum's part of Q then has a mean of
/// 1 + O(1/its least cell), and the excess is about a quarter of 1/its least cell. So Q is off by
/// at most a twentieth of its standard deviation √2K, and the false positives at 5 % are 5.5 % at
/// most.
pub const DENSE: f64 = 4.0;

/// The p-value from which the moments suffice.
pub const CLEAR: f64 = 0.06;

/// The most multiplications that all levels may take, by the number of strata.
#[derive(Debug)]
struct Limits {
    /// Before the moments are looked at.
    at_once: f64,
    /// If p is small by the moments.
    small: f64,
}

/// The number of strata from which they are many.
const MANY: usize = 16;
const OF_FEW_STRATA: Limits = Limits {
    at_once: 4e6,
    small: 5e7,
};
const OF_MANY_STRATA: Limits = Limits {
    at_once: 2e5,
    small: 4e6,
};

/// The relative difference up to which two values of Q are equal but for rounding.
const TIE: f64 = 1e-9;

/// A stratum at the odds ratio at which the fits add up.
#[derive(Debug)]
struct Fitted<'a> {
    stratum: Stratum,
    /// The fit, and the variance from the fitted cells.
    fit: f64,
    variance: f64,
    /// The smallest fitted cell.
    least_cell: f64,
    /// The first count that is not negligible, and the probabilities from there.
    first: u64,
    probabilities: &'a [f64],
}

impl Fitted<'_> {
    /// Returns the stratum's part of Q at count x.
    fn part(&self, x: u64) -> f64 {
        let residual = x as f64 - self.fit;
        residual * residual / self.variance
    }
}

#[cfg(test)]
impl<'a> Fitted<'a> {
    /// Counts 2, 3, … with these probabilities, of a table that is not looked at.
    fn from_two(fit: f64, variance: f64, probabilities: &'a [f64]) -> Self {
        let table = Table2x2::of_totals(3, 4, 8, 10).expect("margins");
        Self {
            stratum: Stratum::of(&table),
            fit,
            variance,
            least_cell: 1.0,
            first: 2,
            probabilities,
        }
    }
}

/// Computes the p-value; `None` if fewer than two strata are informative, or if the sum is the
/// least or the largest possible (Mantel and Haenszel's odds ratio 0 or infinite). A sum that
/// leaves no choice has a p of 1.
pub fn of_tables(tables: &[Table2x2]) -> Option<PValue> {
    let informing: Vec<&Table2x2> = tables
        .iter()
        .filter(|table| !table.is_degenerate())
        .collect();
    if informing.len() < 2 {
        return None;
    }
    let strata: Vec<Stratum> = informing.iter().map(|table| Stratum::of(table)).collect();
    let total = |of: fn(&Stratum) -> u64| -> u64 { strata.iter().map(of).sum() };
    let sum = total(|stratum| stratum.observed);
    if sum == total(|stratum| stratum.least) || sum == total(|stratum| stratum.most) {
        return None;
    }
    let (ratio, mut fitted) = fits(&informing, sum);
    let observed: f64 = fitted
        .iter()
        .map(|one| one.part(one.stratum.observed))
        .sum();
    let is_dense = |one: &Fitted| one.least_cell >= dense(fitted.len());
    if fitted.len() > 2 && fitted.iter().all(is_dense) {
        return Some(chi2(observed, fitted.len()));
    }
    let (all, ends) = probabilities(&fitted, ratio);
    let mut start = 0;
    for (one, (first, end)) in fitted.iter_mut().zip(ends) {
        one.first = first;
        one.probabilities = &all[start..end];
        start = end;
    }
    if let [one, other] = fitted.as_slice() {
        return Some(of_two(one, other, sum));
    }
    Some(of_several(fitted, sum, observed))
}

/// Computes each stratum's probabilities that are not negligible, at that odds ratio: one after the
/// other, with the first count and the end of each stratum.
fn probabilities(fitted: &[Fitted], ratio: f64) -> (Vec<f64>, Vec<(u64, usize)>) {
    let (mut all, mut ends) = (Vec::new(), Vec::with_capacity(fitted.len()));
    let mut weights = Weights::default();
    for one in fitted {
        one.stratum.weigh_near(ratio, one.fit, &mut weights);
        let inverse = 1.0 / weights.values.iter().sum::<f64>();
        all.extend(weights.values.iter().map(|weight| weight * inverse));
        ends.push((weights.first, all.len()));
    }
    (all, ends)
}

/// Returns the least fitted cell at which so many strata are dense.
fn dense(strata: usize) -> f64 {
    DENSE * (strata as f64).sqrt()
}

fn chi2(statistic: f64, strata: usize) -> PValue {
    PValue::from_ln(ln_chi2_upper(statistic, strata as u32 - 1))
}

/// Computes each stratum's fit at the odds ratio at which they add up to the sum, by Newton's
/// method in its logarithm from Mantel and Haenszel's odds ratio. The derivative of a fit is its
/// variance. Returns the odds ratio, too.
fn fits<'a>(tables: &[&Table2x2], sum: u64) -> (f64, Vec<Fitted<'a>>) {
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    let mut ln_ratio = near_ratio(tables);
    for _ in 0..100 {
        let ratio = libm::exp(ln_ratio);
        let (mut mean, mut slope) = (0.0, 0.0);
        for table in tables {
            let cells = fit(table, ratio);
            mean += cells[0];
            slope += variance(cells);
        }
        let step = ((sum as f64 - mean) / slope).clamp(-2.0, 2.0);
        if step.abs() < LAST_STEP {
            ln_ratio += step;
            break;
        }
        *(if step > 0.0 { &mut low } else { &mut high }) = ln_ratio;
        let next = ln_ratio + step;
        ln_ratio = if next > low && next < high {
            next
        } else {
            low.midpoint(high)
        };
    }
    let ratio = libm::exp(ln_ratio);
    let each = tables.iter().map(|table| {
        let cells = fit(table, ratio);
        let [a, b, c, d] = cells;
        Fitted {
            stratum: Stratum::of(table),
            fit: a,
            variance: variance(cells),
            least_cell: a.min(b).min(c).min(d),
            first: 0,
            probabilities: &[],
        }
    });
    (ratio, each.collect())
}

/// The step of Newton's method whose square is nothing but rounding.
const LAST_STEP: f64 = 1e-7;

/// Computes the logarithm of Mantel and Haenszel's odds ratio, or 0 where that is 0 or infinite.
fn near_ratio(tables: &[&Table2x2]) -> f64 {
    let (mut agree, mut disagree) = (0.0, 0.0);
    for table in tables {
        let [a, b, c, d] = table.cells().map(|x| x as f64);
        let inverse = 1.0 / table.n() as f64;
        agree += a * d * inverse;
        disagree += b * c * inverse;
    }
    if agree > 0.0 && disagree > 0.0 {
        libm::log(agree / disagree)
    } else {
        0.0
    }
}

/// Enumerates all pairs of counts with that sum.
fn of_two(one: &Fitted, other: &Fitted, sum: u64) -> PValue {
    let q = |x: u64| one.part(x) + other.part(sum - x);
    let least = q(one.stratum.observed) * (1.0 - TIE);
    let (mut all, mut large) = (0.0, 0.0);
    for (x, p) in (one.first..).zip(one.probabilities) {
        let place = sum.checked_sub(x).and_then(|x| x.checked_sub(other.first));
        let rest = place.and_then(|place| other.probabilities.get(place as usize));
        let both = p * rest.copied().unwrap_or(0.0);
        all += both;
        if both > 0.0 && q(x) >= least {
            large += both;
        }
    }
    if all > 0.0 {
        PValue::from_ln(libm::log((large / all).max(BEYOND)))
    } else {
        PValue::ONE
    }
}

/// The share of all weights that the omitted ones stay below.
const BEYOND: f64 = 1e-18;

fn of_several(mut fitted: Vec<Fitted>, sum: u64, observed: f64) -> PValue {
    // Short ones first: sums stay short longest.
    fitted.sort_unstable_by_key(|one| one.probabilities.len());
    let limits = if fitted.len() < MANY {
        OF_FEW_STRATA
    } else {
        OF_MANY_STRATA
    };
    let grid = levels::Grid::of(&fitted, sum);
    let cost = grid.cost();
    if cost <= limits.at_once {
        return grid.p();
    }
    let near = moments::p(&fitted, sum, observed);
    if let Some(p) = near.filter(|p| *p >= CLEAR) {
        return PValue::from_ln(libm::log(p));
    }
    if cost <= limits.small {
        return grid.p();
    }
    let near = near.unwrap_or(0.5).max(CLEAR);
    saddlepoint::p(&fitted, sum, observed).unwrap_or_else(|| PValue::from_ln(libm::log(near)))
}
