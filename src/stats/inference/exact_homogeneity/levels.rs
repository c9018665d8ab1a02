//! The distribution of Q, in steps, over all counts with a given sum.

use super::Fitted;
use crate::stats::inference::p_value::PValue;

/// The strata and the step of Q.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid<'a> {
    fitted: &'a [Fitted<'a>],
    /// The sum, counted from the strata's first counts.
    sum: usize,
    step: f64,
    /// The level from which all levels count as one.
    top: usize,
}

/// The steps of Q above the stratum's least, by stratum and count from its first.
struct Levels {
    each: Vec<Vec<usize>>,
    /// The observed counts' steps.
    observed: usize,
}

impl<'a> Grid<'a> {
    pub(super) fn of(fitted: &'a [Fitted<'a>], sum: u64) -> Self {
        let strata = fitted.len() as f64;
        let spread = (2.0 * (strata - 1.0)).sqrt();
        // Rounding each stratum's part has a variance of strata·step²/12.
        let step = spread / (1.25 * strata.sqrt()).max(16.0);
        let top = ((strata - 1.0 + 10.0 * spread + 40.0) / step).ceil() as usize;
        let firsts: u64 = fitted.iter().map(|one| one.first).sum();
        Self {
            fitted,
            sum: sum.saturating_sub(firsts) as usize,
            step,
            top,
        }
    }

    /// Returns an upper bound of the multiplications, which depends on the margins and the sum
    /// alone.
    pub(super) fn cost(&self) -> f64 {
        let each = self.fitted.iter().zip(self.rows());
        let products: f64 = each
            .map(|(one, (low, high))| {
                (one.probabilities.len() * (high + 1).saturating_sub(low)) as f64
            })
            .sum();
        products * self.top as f64
    }

    /// Returns, after each stratum, the sums from which the observed one can still be reached.
    fn rows(&self) -> impl Iterator<Item = (usize, usize)> {
        let spans = self.fitted.iter().map(|one| one.probabilities.len() - 1);
        let mut rest: usize = spans.clone().sum();
        let mut high = 0;
        spans.map(move |span| {
            rest -= span;
            high = self.sum.min(high + span);
            (self.sum.saturating_sub(rest), high)
        })
    }

    fn levels(&self) -> Levels {
        let (mut each, mut observed) = (Vec::with_capacity(self.fitted.len()), 0);
        for one in self.fitted {
            let counts = (one.first..).take(one.probabilities.len());
            let parts: Vec<f64> = counts.map(|x| one.part(x)).collect();
            let least = parts.iter().copied().fold(f64::INFINITY, f64::min);
            let level =
                |part: f64| (((part - least) / self.step).round().max(0.0) as usize).min(self.top);
            observed += level(one.part(one.stratum.observed));
            each.push(parts.into_iter().map(level).collect());
        }
        Levels {
            each,
            observed: observed.min(self.top),
        }
    }

    /// Computes the probability of the observed level or a higher one.
    pub(super) fn p(&self) -> PValue {
        let levels = self.levels();
        let width = levels.observed;
        if width == 0 {
            return PValue::ONE;
        }
        let Some(row) = self.last_row::<false>(&levels) else {
            return PValue::ONE;
        };
        let share = 1.0 - row[..width].iter().sum::<f64>() / row[width];
        if share > DIFFERENCE {
            return PValue::from_ln(libm::log(share));
        }
        let Some(row) = self.last_row::<true>(&levels) else {
            return PValue::ONE;
        };
        let all: f64 = row.iter().sum();
        // This accounts for the omitted weights.
        if all > 0.0 {
            PValue::from_ln(libm::log((row[width] / all).max(super::BEYOND)))
        } else {
            PValue::ONE
        }
    }

    /// Computes the probability of each level below the observed one, together with the sum, and
    /// behind them that of all higher ones, or if `!APART` that of all levels.
    fn last_row<const APART: bool>(&self, levels: &Levels) -> Option<Vec<f64>> {
        let width = levels.observed;
        let (mut from, mut to) = (vec![0.0; width + 1], Vec::new());
        from[0] = 1.0;
        from[width] = if APART { 0.0 } else { 1.0 };
        let mut start = 0;
        for ((one, levels), (low, high)) in self.fitted.iter().zip(&levels.each).zip(self.rows()) {
            if high < low {
                return None;
            }
            to.clear();
            to.resize((high - low + 1) * (width + 1), 0.0);
            for (at, row) in from.chunks_exact(width + 1).enumerate() {
                for (x, (&p, &level)) in one.probabilities.iter().zip(levels).enumerate() {
                    let sum = start + at + x;
                    if sum >= low && sum <= high {
                        let place = (sum - low) * (width + 1);
                        shift::<APART>(row, &mut to[place..][..=width], p, level.min(width));
                    }
                }
            }
            std::mem::swap(&mut from, &mut to);
            start = low;
        }
        Some(from)
    }
}

/// The p from which it may be computed as a difference from 1.
const DIFFERENCE: f64 = 1e-4;

/// Adds p times a row, shifted by so many levels, to another row.
fn shift<const APART: bool>(row: &[f64], to: &mut [f64], p: f64, level: usize) {
    let width = row.len() - 1;
    let (stay, leave) = row.split_at(width - level);
    for (to, from) in to[level..width].iter_mut().zip(stay) {
        *to += p * from;
    }
    to[width] += p * if APART {
        leave.iter().sum()
    } else {
        row[width]
    };
}
