//! Spearman's rank correlation of firing with a quantity of the calls, such as their length.

use super::p_value::{PValue, Test};
use super::rank_law::RankLaw;
use super::student;

/// The ranks of a quantity over calls, which all atoms share.
#[derive(Debug, Clone)]
pub struct MidRanks {
    /// Twice the rank of each call from 1, with ties at the mean of their places; 0 for a call
    /// without a value.
    doubled: Vec<u64>,
    /// The number of calls that have a value.
    ranked: u64,
    /// `n·Σ(2R)² − (Σ2R)²`, 4n² times the variance of the ranks.
    spread: u128,
    /// The law of the rank sum of any of them.
    law: RankLaw,
}

/// The correlation, and its p-values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spearman {
    /// Spearman's ρ, from −1 to 1: positive if the atom fires on the larger values.
    pub rho: f64,
    /// The two-sided p-value. ρ is a linear function of the rank sum of the calls on which the atom
    /// fires, and every choice of these is equally likely ([`rank_law`](super::rank_law)).
    pub p: PValue,
    /// The test of scipy's `spearmanr`: the statistic is `t = ρ·√((n−2)/(1−ρ²))`, two-sided by
    /// Student's law with n − 2 degrees of freedom. It is rough if the atom fires on few calls, so
    /// this is for comparison only.
    pub asymptotic: Test,
}

impl MidRanks {
    /// Ranks these values, ascending, one a call. NaN marks a call without a value, which counts
    /// nowhere. Any increasing function of the values gives the same ranks: lengths give those of
    /// their logarithms. Exact up to two thousand million calls.
    pub fn of(values: &[f64]) -> Self {
        let has_value = |&i: &usize| !values[i].is_nan();
        let mut order: Vec<usize> = (0..values.len()).filter(has_value).collect();
        order.sort_unstable_by(|&i, &j| values[i].total_cmp(&values[j]));
        let mut doubled = vec![0; values.len()];
        let (mut before, mut squares) = (0, 0_u128);
        let mut ties = Vec::new();
        // `==` takes both zeros for one value, and they are neighbours in the order.
        for tied in order.chunk_by(|&i, &j| values[i] == values[j]) {
            let size = tied.len() as u64;
            let rank = 2 * before + size + 1;
            for &i in tied {
                doubled[i] = rank;
            }
            squares += u128::from(size) * u128::from(rank) * u128::from(rank);
            before += size;
            ties.push(size);
        }
        let (n, sum) = (u128::from(before), doubled_sum(before));
        Self {
            doubled,
            ranked: before,
            spread: n * squares - sum * sum,
            law: RankLaw::of_ties(ties),
        }
    }

    /// Returns twice the rank of a call; 0 if it has no value.
    pub fn doubled(&self, call: usize) -> u64 {
        self.doubled[call]
    }

    /// Computes the correlation with firing, for an atom that fires on those calls.
    pub fn correlate(&self, fires: impl IntoIterator<Item = usize>) -> Option<Spearman> {
        let ranks = fires.into_iter().map(|call| self.doubled[call]);
        let (mut count, mut sum) = (0, 0);
        for rank in ranks.filter(|&rank| rank > 0) {
            count += 1;
            sum += u128::from(rank);
        }
        self.correlate_sum(count, sum)
    }

    /// Computes the correlation with firing, for an atom that fires on `count` ranked calls whose
    /// doubled ranks sum to `doubled_ranks`. A pass over the calls adds up these two integers for
    /// every atom. Returns `None` if the atom fires on none or on all of them, if all values are
    /// equal, or if there are fewer than three calls.
    ///
    /// ρ is that of scipy's `spearmanr`. Firing is 1 or 0, so its own ranks are a linear function
    /// of it. Covariance and variances are exact integers before they are divided.
    pub fn correlate_sum(&self, count: u64, doubled_ranks: u128) -> Option<Spearman> {
        let n = self.ranked;
        if count == 0 || count >= n || self.spread == 0 || n < 3 {
            return None;
        }
        let scaled = (u128::from(n) * doubled_ranks).cast_signed();
        let covariance = scaled - (u128::from(count) * doubled_sum(n)).cast_signed();
        let indicator = u128::from(count) * u128::from(n - count);
        let scale = (indicator as f64).sqrt() * (self.spread as f64).sqrt();
        let rho = (covariance as f64 / scale).clamp(-1.0, 1.0);
        let (square, rest) = (rho * rho, (1.0 - rho) * (1.0 + rho));
        let degrees = (n - 2) as f64;
        let ln_p = student::ln_two_sided(square, rest, degrees);
        Some(Spearman {
            rho,
            asymptotic: Test {
                statistic: rho * (degrees / rest).sqrt(),
                p: PValue::from_ln(ln_p),
            },
            p: self.law.two_sided(count, doubled_ranks),
        })
    }
}

/// Computes twice the sum of the ranks 1 to n.
fn doubled_sum(n: u64) -> u128 {
    u128::from(n) * (u128::from(n) + 1)
}
