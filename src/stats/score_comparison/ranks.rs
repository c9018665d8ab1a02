//! The rank test within strata, and the areas under the ROC curve.

use super::strata::LabelledCalls;
use crate::stats::inference::{PValue, Test, tails};
use crate::stats::total_order;

/// The excess kurtosis, below 0, beyond which the normal law is rough: about that of ten calls of
/// the rarer label in one stratum of many.
const ROUGH_KURTOSIS: f64 = 0.12;
/// The share of the variance that ties may take before the normal law is rough.
const ROUGH_TIES: f64 = 0.1;

/// The rank statistics of an atom's scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranks {
    /// The probability that a true call has a larger score than a false one, equal ones counted
    /// half; `None` without calls of both labels.
    pub auroc: Option<f64>,
    /// The same for two calls of one stratum.
    pub auroc_within: Option<f64>,
    /// van Elteren's test. The statistic is normal under the null hypothesis, positive if true
    /// calls have larger scores; two-sided. `None` if no stratum has calls of both labels with
    /// scores that differ.
    pub test: Option<Test>,
    /// True if the normal law is rough here: few calls of the rarer label, or many equal scores.
    pub is_rough: bool,
}

/// The counts of a stratum as scores ascend.
#[derive(Debug, Clone, Copy, Default)]
struct Stratum {
    seen: [u64; 2],
    /// The calls of the current group of equal scores.
    group: [u64; 2],
    /// Twice U of the true calls.
    twice_u: u128,
    /// Σ(t³ − t) over groups of t equal scores.
    ties: u128,
}

impl Stratum {
    fn close_group(&mut self) {
        let [tp, fp] = std::mem::take(&mut self.group);
        let tied = u128::from(tp + fp);
        self.twice_u += u128::from(tp) * u128::from(2 * self.seen[1] + fp);
        self.ties += tied * tied * tied - tied;
        self.seen[0] += tp;
        self.seen[1] += fp;
    }
}

/// Buffers, reused from atom to atom.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    order: Vec<(u64, u32)>,
    strata: Vec<Stratum>,
}

impl Ranking {
    /// Computes the ranks of `scores`, one a call, none NaN.
    ///
    /// In stratum s with n = m₁ + m₀ calls, m₁ of them true, U − m₁m₀/2 has the variance
    /// m₁m₀/12·(n + 1 − Σ(t³−t)/(n(n−1))). Strata are added with the weights 1/(n + 1) of van
    /// Elteren (Bull. Int. Stat. Inst. 37, 1960), which are the best if the shift is the same in
    /// all. There is no continuity correction.
    ///
    /// Without ties U is symmetric, and its excess kurtosis is negative: −m₁m₀(n+1)(m₁² + m₀² +
    /// m₁m₀ + n)/120 is its fourth cumulant. So if p is small, the normal law makes it too large,
    /// not too small.
    pub(super) fn of(&mut self, scores: &[f64], calls: &LabelledCalls) -> Ranks {
        self.order.clear();
        let keys = scores.iter().zip(0u32..);
        self.order
            .extend(keys.map(|(&score, call)| (ascending_bits(score), call)));
        self.order.sort_unstable();
        self.strata.clear();
        self.strata.resize(calls.counts.len(), Stratum::default());
        let mut whole = Stratum::default();
        for group in self.order.chunk_by(|a, b| a.0 == b.0) {
            for &(_, call) in group {
                let call = call as usize;
                let label = usize::from(!calls.is_tp[call]);
                whole.group[label] += 1;
                self.strata[calls.stratum[call] as usize].group[label] += 1;
            }
            whole.close_group();
            for &(_, call) in group {
                // The group is empty for the second call of a stratum, and closing it changes
                // nothing.
                self.strata[calls.stratum[call as usize] as usize].close_group();
            }
        }
        let [tp, fp] = calls.total.map(|n| n as f64);
        let sums = self.sums(calls);
        Ranks {
            auroc: (tp > 0.0 && fp > 0.0).then(|| whole.twice_u as f64 / 2.0 / (tp * fp)),
            auroc_within: (sums.pairs > 0.0).then(|| sums.u / sums.pairs),
            test: sums.test(),
            is_rough: sums.is_rough(),
        }
    }

    fn sums(&self, calls: &LabelledCalls) -> Sums {
        let mut sums = Sums::default();
        for (stratum, [tp, fp]) in calls.telling() {
            let counted = &self.strata[stratum];
            let (n, pairs, u) = (tp + fp, tp * fp, counted.twice_u as f64 / 2.0);
            let weight = 1.0 / (n + 1.0);
            let (square, untied) = (weight * weight, pairs * (n + 1.0) / 12.0);
            let tied = pairs / 12.0 * (counted.ties as f64 / (n * (n - 1.0)));
            sums.u += u;
            sums.pairs += pairs;
            sums.statistic += weight * (u - pairs / 2.0);
            sums.untied += square * untied;
            sums.variance += square * (untied - tied).max(0.0);
            let fourth = pairs * (n + 1.0) * (tp * tp + fp * fp + pairs + n) / 120.0;
            sums.fourth += square * square * fourth;
        }
        sums
    }
}

/// Sums over strata, in their order.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    u: f64,
    pairs: f64,
    statistic: f64,
    /// The variance of the statistic if no scores were equal.
    untied: f64,
    variance: f64,
    /// Its fourth cumulant if no scores were equal, without its sign.
    fourth: f64,
}

impl Sums {
    fn test(&self) -> Option<Test> {
        // If all scores are equal, the variance is 0 but for rounding.
        if self.variance <= 1e-12 * self.untied {
            return None;
        }
        let statistic = self.statistic / self.variance.sqrt();
        let p = PValue::from_ln(tails::ln_normal_two_sided(statistic));
        Some(Test { statistic, p })
    }

    fn is_rough(&self) -> bool {
        self.fourth > ROUGH_KURTOSIS * self.untied * self.untied
            || self.variance < (1.0 - ROUGH_TIES) * self.untied
    }
}

/// Returns bits that ascend as numbers do; both zeros are one.
fn ascending_bits(score: f64) -> u64 {
    total_order::ascending_bits(score + 0.0)
}

#[cfg(test)]
mod tests {
    use super::{LabelledCalls, Ranking, Stratum, ascending_bits};

    #[test]
    fn variance_and_fourth_cumulant_are_those_of_all_ways_to_label_the_calls() {
        const CALLS: usize = 8;
        let mut ranking = Ranking::default();
        for tp in 1..CALLS {
            let ways = (0_u32..1 << CALLS).filter(|way| way.count_ones() as usize == tp);
            let is_true = |way: u32, call: usize| way >> call & 1 == 1;
            let of_way = |way: u32| {
                let pairs = (0..CALLS).flat_map(|a| (0..a).map(move |b| (a, b)));
                pairs
                    .filter(|&(a, b)| is_true(way, a) && !is_true(way, b))
                    .count() as f64
            };
            let all: Vec<f64> = ways.map(of_way).collect();
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            let moment =
                |power| all.iter().map(|u| (u - mean).powi(power)).sum::<f64>() / all.len() as f64;
            let (variance, fourth) = (moment(2), moment(4) - 3.0 * moment(2) * moment(2));
            let labels = (0..CALLS).map(|call| call < tp).collect();
            let calls = LabelledCalls::new(labels, vec![0; CALLS]);
            ranking.strata = vec![Stratum::default()];
            let sums = ranking.sums(&calls);
            // The only stratum has the weight 1/(n + 1).
            let scale = (CALLS + 1) as f64;
            assert!(
                (sums.untied * scale.powi(2) - variance).abs() < 1e-9,
                "{tp}"
            );
            // Without its sign.
            assert!((sums.fourth * scale.powi(4) + fourth).abs() < 1e-9, "{tp}");
        }
    }

    #[test]
    fn ascending_bits_sort_as_numbers() {
        let ascending = [
            f64::NEG_INFINITY,
            -2.0,
            -1e-300,
            0.0,
            5e-324,
            1.0,
            f64::INFINITY,
        ];
        assert!(ascending.map(ascending_bits).is_sorted_by(|a, b| a < b));
        assert_eq!(ascending_bits(-0.0), ascending_bits(0.0));
    }
}
