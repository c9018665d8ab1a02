//! Mann and Whitney's test of whether an atom's activation is larger on true calls than on false
//! ones.

use super::p_value::{PValue, Test};
use super::rank_law::RankLaw;
use super::tails;
use crate::cohort::Label;

/// The comparison of the activation on true calls with that on false ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankSum {
    /// U of the true calls: the number of pairs of a true and a false call in which the true one
    /// has the larger activation, with equal ones counted half.
    pub u: f64,
    /// `U/(tp·fp)`, the area under the ROC curve: the probability that a true call has the larger
    /// activation. It is ½ if the activation does not separate the labels.
    pub auroc: f64,
    /// The two-sided p-value, given the activations with all their ties: every choice of the true
    /// calls is equally likely ([`rank_law`](super::rank_law)).
    pub p: PValue,
    /// The test of scipy's `mannwhitneyu(tp, fp, method="asymptotic")`, with its default continuity
    /// correction of ½ and its variance corrected for ties, `tp·fp/12·(n+1 − Σ(t³−t)/(n(n−1)))`.
    /// The statistic is `(|U − μ| − ½)/σ`, two-sided by the normal law. That fits badly if a class
    /// is rare or nearly all calls are tied, so this is for comparison only.
    pub asymptotic: Test,
}

/// The calls of either label on which an atom does not fire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Silent {
    /// The number of true ones.
    pub tp: u64,
    /// The number of false ones.
    pub fp: u64,
}

/// Computes the test on the activations of the calls on which an atom fires, ascending, and the
/// number of those on which it does not, whose activation is 0. Returns `None` if there are no true
/// or no false calls.
///
/// U, the sum over ties and the p-value's rank sum are exact integers up to a thousand million
/// calls. If all activations are equal, p is 1. As one atom fires on few calls, nearly all are tied
/// at 0. The AUROC is then near ½ whatever the activations, and the p-value ranks atoms.
///
/// Activations may be negative: a score can be among the k largest, by value or by magnitude, and
/// below 0. They contain no NaN. Both zeros are one value, that of the silent calls.
pub fn mann_whitney(firing: &[(f64, Label)], silent: Silent) -> Option<RankSum> {
    let mut counter = Counter::default();
    counter.groups.reserve(firing.len() + 1);
    let mut zeros = [silent.tp, silent.fp];
    for group in firing.chunk_by(|a, b| a.0 == b.0) {
        let value = group[0].0;
        if value > 0.0 {
            counter.add(std::mem::take(&mut zeros));
        }
        let tp = group.iter().filter(|call| call.1 == Label::Tp).count() as u64;
        let mut tied = [tp, group.len() as u64 - tp];
        if value == 0.0 {
            let zeros = std::mem::take(&mut zeros);
            tied = [tied[0] + zeros[0], tied[1] + zeros[1]];
        }
        counter.add(tied);
    }
    counter.add(zeros);
    counter.finish()
}

/// Counts of true and false calls, taken in ascending order of their activation.
#[derive(Debug, Clone, Default)]
struct Counter {
    tp: u64,
    fp: u64,
    /// Twice U.
    twice_u: u128,
    /// Σ(t³ − t) over groups of t tied calls.
    ties: u128,
    /// The numbers t of tied calls.
    groups: Vec<u64>,
}

impl Counter {
    /// Adds the true and the false calls that have the next larger activation.
    fn add(&mut self, [tp, fp]: [u64; 2]) {
        let tied = u128::from(tp + fp);
        self.twice_u += u128::from(tp) * (2 * u128::from(self.fp) + u128::from(fp));
        self.ties += cube_less_itself(tied);
        self.groups.push(tp + fp);
        self.tp += tp;
        self.fp += fp;
    }

    fn finish(self) -> Option<RankSum> {
        let pairs = u128::from(self.tp) * u128::from(self.fp);
        if pairs == 0 {
            return None;
        }
        let n = u128::from(self.tp + self.fp);
        let u = self.twice_u as f64 / 2.0;
        // σ² = pairs·(n³ − n − ties)/(12·n·(n−1)), and μ = pairs/2.
        let untied = (cube_less_itself(n) - self.ties) as f64;
        let variance = pairs as f64 / 12.0 * (untied / (n as f64 * (n - 1) as f64));
        // |U − μ| − ½ in halves.
        let halves = self.twice_u.abs_diff(pairs) as f64 - 1.0;
        let statistic = halves / (2.0 * variance.sqrt());
        // Within ½ of the mean the corrected tails overlap, and p is 1.
        let p = if halves <= 0.0 {
            PValue::ONE
        } else {
            PValue::from_ln(tails::ln_normal_two_sided(statistic))
        };
        // U is the true calls' rank sum less its smallest value.
        let true_calls = u128::from(self.tp);
        let doubled_ranks = self.twice_u + true_calls * (true_calls + 1);
        let law = RankLaw::of_ties(self.groups);
        Some(RankSum {
            u,
            auroc: u / pairs as f64,
            p: law.two_sided(self.tp, doubled_ranks),
            asymptotic: Test { statistic, p },
        })
    }
}

/// Computes t³ − t.
fn cube_less_itself(t: u128) -> u128 {
    t * t * t - t
}
