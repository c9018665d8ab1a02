//! The distribution of Q, in steps, over all counts with a given sum.

use super::Fitted;
use crate::stats::inference::p_value::PValue;

/// The strata, each count's level, and the observed level.
pub(super) struct Grid<'a> {
    fitted: &'a [Fitted],
    /// The sum, counted from the strata's first counts.
    sum: usize,
    /// The steps of Q above the stratum's least, by stratum and count from its first.
    levels: Vec<Vec<usize>>,
    /// The observed counts' steps.
    observed: usize,
    /// The level from which all levels count as one.
    top: usize,
}

impl<'a> Grid<'a> {
    pub(super) fn of(fitted: &'a [Fitted], sum: u64, coarse: f64) -> Self {
        let strata = fitted.len() as f64;
        let spread = (2.0 * (strata - 1.0)).sqrt();
        // Rounding each stratum's part has a variance of strata·step²/12.
        let step = coarse * spread / (1.25 * strata.sqrt()).max(16.0);
        let top = ((strata - 1.0 + 10.0 * spread + 40.0) / step).ceil() as usize;
        let (mut levels, mut observed) = (Vec::with_capacity(fitted.len()), 0);
        for one in fitted {
            let counts = (one.first..).take(one.probabilities.len());
            let parts: Vec<f64> = counts.map(|x| one.part(x)).collect();
            let least = parts.iter().copied().fold(f64::INFINITY, f64::min);
            let level = |part: f64| (((part - least) / step).round().max(0.0) as usize).min(top);
            observed += level(one.part(one.stratum.observed));
            levels.push(parts.into_iter().map(level).collect());
        }
        let firsts: u64 = fitted.iter().map(|one| one.first).sum();
        Self {
            fitted,
            sum: sum.saturating_sub(firsts) as usize,
            levels,
            observed: observed.min(top),
            top,
        }
    }

    /// Returns an upper bound of the multiplications, which depends on the margins and the sum
    /// alone.
    pub(super) fn cost(&self) -> f64 {
        let rows = self.rows();
        let each = self.fitted.iter().zip(&rows);
        let products: f64 = each
            .map(|(one, (low, high))| {
                (one.probabilities.len() * (high + 1).saturating_sub(*low)) as f64
            })
            .sum();
        products * self.top as f64
    }

    /// Returns, after each stratum, the sums from which the observed one can still be reached.
    fn rows(&self) -> Vec<(usize, usize)> {
        let spans = self.fitted.iter().map(|one| one.probabilities.len() - 1);
        let mut rest: usize = spans.clone().sum();
        let mut high = 0;
        spans
            .map(|span| {
                rest -= span;
                high = self.sum.min(high + span);
                (self.sum.saturating_sub(rest), high)
            })
            .collect()
    }

    /// Computes the probability of the observed level or a higher one.
    pub(super) fn p(&self) -> PValue {
        let width = self.observed;
        if width == 0 {
            return PValue::ONE;
        }
        // One row for each sum: the levels below the observed one, then all others.
        let mut from = vec![0.0; width + 1];
        from[0] = 1.0;
        let mut start = 0;
        for ((one, levels), (low, high)) in self.fitted.iter().zip(&self.levels).zip(self.rows()) {
            if high < low {
                return PValue::ONE;
            }
            let mut to = vec![0.0; (high - low + 1) * (width + 1)];
            for (at, row) in from.chunks_exact(width + 1).enumerate() {
                for (x, (&p, &level)) in one.probabilities.iter().zip(levels).enumerate() {
                    let sum = start + at + x;
                    if sum >= low && sum <= high {
                        let place = (sum - low) * (width + 1);
                        shift(row, &mut to[place..][..=width], p, level.min(width));
                    }
                }
            }
            (from, start) = (to, low);
        }
        let below: f64 = from[..width].iter().sum();
        let all = below + from[width];
        // This accounts for the omitted weights.
        if all > 0.0 {
            PValue::from_ln(libm::log((from[width] / all).max(super::BEYOND)))
        } else {
            PValue::ONE
        }
    }
}

/// Adds p times a row, shifted by so many levels, to another row.
fn shift(row: &[f64], to: &mut [f64], p: f64, level: usize) {
    let width = row.len() - 1;
    let (stay, leave) = row.split_at(width - level);
    for (to, from) in to[level..].iter_mut().zip(stay) {
        *to += p * from;
    }
    to[width] += p * leave.iter().sum::<f64>();
}
