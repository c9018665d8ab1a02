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
//! | others | drawn from the distribution until enough are as large: `drawn` |
//!
//! The step's size depends on the margins and the sum alone, so the test in steps keeps its level
//! too. Steps add some 5 % to Q's variance if strata are many. Levels end 10 standard deviations
//! above the mean; p is at least the probability beyond.
//!
//! Drawing ends after [`ENOUGH`] draws as large as the observed one (Besag and Clifford, Biometrika
//! 78, 1991), or after [`MOST`] draws. So few draws say little about a p below [`SMALL`], which is
//! therefore replaced: by that of all levels if these are not too many (or are not in steps four
//! times as long), else by that of the chi-square test on the dense strata alone if there are two.
//! The level is still kept: p at most α ≥ `SMALL` needs draws that say so, p at most α < `SMALL` a
//! test that says so. Draws depend on the margins alone.
//!
//! The choice of the way depends on the margins and the sum alone.

mod drawn;
mod levels;

use super::exact_strata::stratum::{Stratum, Weights};
use super::exact_strata::two_sided::tilt_to;
use super::homogeneity::fit;
use super::p_value::{PValue, Test};
use super::table::Table2x2;
use super::tails::ln_chi2_upper;

/// The size, in units of √K for K strata, that every fitted cell of every stratum must reach for Q
/// to count as chi-square with K − 1 degrees of freedom. A stratum's part of Q then has a mean of
/// 1 + O(1/its least cell), and the excess is about a quarter of 1/its least cell. So Q is off by
/// at most a twentieth of its standard deviation √2K, and the false positives at 5 % are 5.5 % at
/// most.
pub const DENSE: f64 = 4.0;

/// The most multiplications that all levels may take at once, and after a small p was drawn.
const FEW: f64 = 4e6;
const MANY: f64 = 2e8;

/// The factor by which steps may be longer if p is small, so that there are not too many.
const COARSE: f64 = 4.0;

/// The number of draws as large as the observed one after which drawing ends.
pub const ENOUGH: u32 = 20;
/// The most draws.
pub const MOST: u32 = 2000;
/// The p-value below which the draws alone do not suffice.
pub const SMALL: f64 = 0.02;

/// The relative difference up to which two values of Q are equal but for rounding.
const TIE: f64 = 1e-9;

/// A stratum at the odds ratio at which the fits add up.
#[derive(Debug)]
struct Fitted {
    stratum: Stratum,
    /// The fit, and the variance from the fitted cells.
    fit: f64,
    variance: f64,
    /// The smallest fitted cell.
    least_cell: f64,
    /// The first count that is not negligible, and the probabilities from there.
    first: u64,
    probabilities: Vec<f64>,
}

impl Fitted {
    /// Returns the stratum's part of Q at count x.
    fn part(&self, x: u64) -> f64 {
        let residual = x as f64 - self.fit;
        residual * residual / self.variance
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
    let mut fitted = fits(&informing, sum);
    let observed: f64 = fitted
        .iter()
        .map(|one| one.part(one.stratum.observed))
        .sum();
    let is_dense = |one: &Fitted| one.least_cell >= dense(fitted.len());
    if fitted.len() > 2 && fitted.iter().all(is_dense) {
        return Some(chi2(observed, fitted.len()));
    }
    let theta = tilt_to(&strata, sum);
    let mut weights = Weights::default();
    for one in &mut fitted {
        one.stratum.weigh(theta, &mut weights);
        let all: f64 = weights.values.iter().sum();
        one.first = weights.first;
        one.probabilities = weights.values.iter().map(|weight| weight / all).collect();
    }
    if let [one, other] = fitted.as_slice() {
        return Some(of_two(one, other, sum));
    }
    Some(of_several(fitted, sum, observed))
}

/// Returns the least fitted cell at which so many strata are dense.
fn dense(strata: usize) -> f64 {
    DENSE * (strata as f64).sqrt()
}

fn chi2(statistic: f64, strata: usize) -> PValue {
    PValue::from_ln(ln_chi2_upper(statistic, strata as u32 - 1))
}

/// Computes each stratum's fit at the odds ratio at which they add up to the sum, by Newton's
/// method in its logarithm. The derivative of a fit is its variance.
fn fits(tables: &[&Table2x2], sum: u64) -> Vec<Fitted> {
    let (mut low, mut high, mut ln_ratio) = (f64::NEG_INFINITY, f64::INFINITY, 0.0);
    let cells = |ln_ratio: f64| {
        tables
            .iter()
            .map(move |table| fit(table, libm::exp(ln_ratio)))
    };
    for _ in 0..100 {
        let (mut mean, mut slope) = (0.0, 0.0);
        for [a, b, c, d] in cells(ln_ratio) {
            mean += a;
            slope += 1.0 / (1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d);
        }
        let short = sum as f64 - mean;
        *(if short > 0.0 { &mut low } else { &mut high }) = ln_ratio;
        let next = ln_ratio + (short / slope).clamp(-2.0, 2.0);
        let next = if next > low && next < high {
            next
        } else {
            low.midpoint(high)
        };
        let done = (next - ln_ratio).abs() < 1e-12 || !next.is_finite();
        if done {
            break;
        }
        ln_ratio = next;
    }
    let each = tables.iter().zip(cells(ln_ratio));
    each.map(|(table, [a, b, c, d])| Fitted {
        stratum: Stratum::of(table),
        fit: a,
        variance: 1.0 / (1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d),
        least_cell: a.min(b).min(c).min(d),
        first: 0,
        probabilities: Vec::new(),
    })
    .collect()
}

/// Enumerates all pairs of counts with that sum.
fn of_two(one: &Fitted, other: &Fitted, sum: u64) -> PValue {
    let q = |x: u64| one.part(x) + other.part(sum - x);
    let least = q(one.stratum.observed) * (1.0 - TIE);
    let (mut all, mut large) = (0.0, 0.0);
    for (x, p) in (one.first..).zip(&one.probabilities) {
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
    fitted.sort_by_key(|one| one.probabilities.len());
    let grid = levels::Grid::of(&fitted, sum, 1.0);
    if grid.cost() <= FEW {
        return grid.p();
    }
    let p = drawn::p(&fitted, sum, observed);
    if p >= SMALL {
        return PValue::from_ln(libm::log(p));
    }
    let coarse = levels::Grid::of(&fitted, sum, COARSE);
    if let Some(grid) = [grid, coarse].into_iter().find(|grid| grid.cost() <= MANY) {
        return grid.p();
    }
    of_dense(&fitted).unwrap_or_else(|| PValue::from_ln(libm::log(p)))
}

/// Computes Breslow and Day's test on the dense strata alone, if there are two.
fn of_dense(fitted: &[Fitted]) -> Option<PValue> {
    let bound = dense(fitted.len());
    let dense = fitted.iter().filter(|one| one.least_cell >= bound);
    let tables: Vec<Table2x2> = dense.map(|one| one.stratum.table()).collect();
    let test: Test = super::stratified::of_tables(&tables).breslow_day_tarone?;
    Some(test.p)
}
