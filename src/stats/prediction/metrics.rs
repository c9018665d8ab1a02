//! How well chances agree with labels, in the cohort and in replicates of a bootstrap.
//!
//! Every figure is computed for 64 sets of weights at once: a call counts as often as its block was
//! drawn. The cohort itself is the set in which every weight is 1.

use rayon::prelude::*;

use super::calibration::{self, Derivatives, Line, log_loss, logistic};
use crate::control::Control;
use crate::error::Result;
use crate::stats::resampling::bootstrap::{
    Bootstrap, CallLabels, Draw, TOGETHER, percentile_interval,
};

/// What is judged: each call's log odds, label and fold.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The log odds that each call is false.
    pub log_odds: &'a [f64],
    /// True for each false call.
    pub is_fp: &'a [bool],
    /// The fold of each call.
    pub folds: &'a [u32],
}

/// A figure with its 95 % interval, NaN where there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// The figure.
    pub value: f64,
    /// The interval's lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// A figure in the cohort and in each replicate.
#[derive(Debug, Clone, PartialEq)]
pub struct Replicated {
    /// The figure in the cohort.
    pub value: f64,
    /// In each replicate.
    pub replicates: Vec<f64>,
}

impl Replicated {
    /// The figure with its percentile interval.
    pub fn figure(&self) -> Figure {
        let (low, high) = if self.replicates.is_empty() {
            (f64::NAN, f64::NAN)
        } else {
            percentile_interval(&mut self.replicates.clone())
        };
        Figure {
            value: self.value,
            low,
            high,
        }
    }

    /// This figure less another one, replicate by replicate.
    #[must_use]
    pub fn less(&self, other: &Self) -> Self {
        let each = self.replicates.iter().zip(&other.replicates);
        Self {
            value: self.value - other.value,
            replicates: each.map(|(a, b)| a - b).collect(),
        }
    }
}

/// The figures of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// The chance that a false call has the larger log odds than a true one of its fold.
    pub auroc: Replicated,
    /// The average precision, as scikit-learn has it.
    pub auprc: Replicated,
    /// The mean squared difference of chance and label.
    pub brier: Replicated,
    /// The mean loss, in natural logarithms.
    pub log_loss: Replicated,
    /// The intercept of the label's regression on the log odds.
    pub intercept: Replicated,
    /// Its slope.
    pub slope: Replicated,
    /// Ten parts of the calls by their chance: the mean chance, and the share of false calls.
    pub deciles: Vec<[Replicated; 2]>,
}

/// The draws of a bootstrap, in which blocks of calls are drawn together.
pub struct Resampled<'a> {
    draws: Vec<Draw<'a>>,
    replicates: usize,
}

/// So many sets of weights at once.
type Lanes = [f64; TOGETHER];

/// The weights of a call.
type Weights<'a> = dyn Fn(u32) -> Lanes + 'a;

impl<'a> Resampled<'a> {
    /// Draws all replicates. `None` stands for no interval. Memory: 64 bytes for each block and 64
    /// replicates.
    ///
    /// # Errors
    /// Blocks of other calls; cancellation.
    pub fn of(
        bootstrap: Option<&Bootstrap<'a>>,
        calls: &'a CallLabels,
        control: &Control,
    ) -> Result<Self> {
        let Some(bootstrap) = bootstrap else {
            return Ok(Self {
                draws: Vec::new(),
                replicates: 0,
            });
        };
        let draw = |index| {
            control.check()?;
            bootstrap.draw(index, calls)
        };
        Ok(Self {
            draws: (0..bootstrap.draws()).map(draw).collect::<Result<_>>()?,
            replicates: bootstrap.replicates,
        })
    }

    /// Computes a figure in the cohort and in all replicates. `of` gets each call's weights.
    fn each<const N: usize>(
        &self,
        of: impl Fn(&Weights<'_>) -> [Lanes; N] + Sync,
    ) -> [Replicated; N] {
        let whole = of(&|_| [1.0; TOGETHER]);
        let drawn: Vec<[Lanes; N]> = self
            .draws
            .par_iter()
            .map(|draw| of(&|call| draw.weights(call).map(f64::from)))
            .collect();
        std::array::from_fn(|at| Replicated {
            value: whole[at][0],
            replicates: {
                let all = drawn.iter().flat_map(|lanes| lanes[at]);
                all.take(self.replicates).collect()
            },
        })
    }
}

impl Figures {
    /// Computes the figures of a model, and how they vary.
    ///
    /// # Errors
    /// Cancellation.
    pub fn of(judged: &Judged<'_>, resampled: &Resampled<'_>, control: &Control) -> Result<Self> {
        let auroc = auroc(judged, resampled);
        control.check()?;
        let order = judged.order(|_| 0);
        let [auprc] = resampled.each(|weights| [auprc(judged, &order, weights)]);
        control.check()?;
        let [brier, log_loss] = resampled.each(|weights| judged.losses(weights));
        control.check()?;
        let [intercept, slope] = calibration(judged, resampled);
        let deciles = (0..10).map(|decile| {
            let at = |tenth: usize| order.len() * tenth / 10;
            let calls = &order[at(decile)..at(decile + 1)];
            resampled.each(|weights| judged.means(calls, weights))
        });
        Ok(Self {
            auroc,
            auprc,
            brier,
            log_loss,
            intercept,
            slope,
            deciles: deciles.collect(),
        })
    }
}

/// The area under the ROC curve, over pairs of a false and a true call of one fold: equal log odds
/// count half. Only within folds is every call judged by the same model.
pub fn auroc(judged: &Judged<'_>, resampled: &Resampled<'_>) -> Replicated {
    let order = judged.order(|call| judged.folds[call as usize]);
    let [found] = resampled.each(|weights| {
        let (mut wins, mut pairs) = ([0.0; TOGETHER], [0.0; TOGETHER]);
        let of_fold = order.chunk_by(|&a, &b| judged.folds[a as usize] == judged.folds[b as usize]);
        for calls in of_fold {
            let (mut tp, mut fp) = ([0.0; TOGETHER], [0.0; TOGETHER]);
            for equal in judged.equals(calls) {
                let [more_tp, more_fp] = judged.labels(equal, weights);
                for (at, wins) in wins.iter_mut().enumerate() {
                    *wins += more_fp[at] * (tp[at] + 0.5 * more_tp[at]);
                    tp[at] += more_tp[at];
                    fp[at] += more_fp[at];
                }
            }
            for (at, pairs) in pairs.iter_mut().enumerate() {
                *pairs += tp[at] * fp[at];
            }
        }
        [std::array::from_fn(|at| wins[at] / pairs[at])]
    });
    found
}

/// The mean over false calls of the share of false ones among those with at least their log odds.
fn auprc(judged: &Judged<'_>, order: &[u32], weights: &Weights<'_>) -> Lanes {
    let [mut tp, mut fp] = judged.labels(order, weights);
    let all = fp;
    let mut sum = [0.0; TOGETHER];
    for equal in judged.equals(order) {
        let [less_tp, less_fp] = judged.labels(equal, weights);
        for (at, sum) in sum.iter_mut().enumerate() {
            if less_fp[at] > 0.0 {
                *sum += less_fp[at] * fp[at] / (tp[at] + fp[at]);
            }
            tp[at] -= less_tp[at];
            fp[at] -= less_fp[at];
        }
    }
    std::array::from_fn(|at| sum[at] / all[at])
}

/// The label's regression on the log odds. In a replicate it is one Newton step from the cohort's.
fn calibration(judged: &Judged<'_>, resampled: &Resampled<'_>) -> [Replicated; 2] {
    let outcomes: Vec<f64> = judged
        .is_fp
        .iter()
        .map(|&is_fp| f64::from(u8::from(is_fp)))
        .collect();
    let Some(line) = calibration::fit_line(judged.log_odds, &outcomes) else {
        let none = || Replicated {
            value: f64::NAN,
            replicates: vec![f64::NAN; resampled.replicates],
        };
        return [none(), none()];
    };
    let of_call: Vec<Derivatives> = judged
        .log_odds
        .iter()
        .zip(&outcomes)
        .map(|(&number, &outcome)| Derivatives::of(line, number, outcome))
        .collect();
    let mut found = resampled.each(|weights| {
        let mut sums = [Derivatives::default(); TOGETHER];
        for (call, of_call) in (0..).zip(&of_call) {
            for (sum, weight) in sums.iter_mut().zip(weights(call)) {
                sum.add(of_call, weight);
            }
        }
        let steps = sums.map(|sum| sum.step());
        [
            steps.map(|step: Line| line.intercept + step.intercept),
            steps.map(|step: Line| line.slope + step.slope),
        ]
    });
    [found[0].value, found[1].value] = [line.intercept, line.slope];
    found
}

impl Judged<'_> {
    /// All calls by a key, then by log odds, then in the cohort's order.
    fn order(&self, key: impl Fn(u32) -> u32) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.log_odds.len() as u32).collect();
        order.sort_by(|&a, &b| {
            let odds = |call: u32| self.log_odds[call as usize];
            key(a).cmp(&key(b)).then(odds(a).total_cmp(&odds(b)))
        });
        order
    }

    /// Runs of calls with equal log odds.
    fn equals<'o>(&self, order: &'o [u32]) -> impl Iterator<Item = &'o [u32]> {
        let odds = |call: u32| self.log_odds[call as usize];
        order.chunk_by(move |&a, &b| odds(a) == odds(b))
    }

    /// The weighted numbers of true and of false calls.
    fn labels(&self, calls: &[u32], weights: &Weights<'_>) -> [Lanes; 2] {
        let mut sums = [[0.0; TOGETHER]; 2];
        for &call in calls {
            let sums = &mut sums[usize::from(self.is_fp[call as usize])];
            for (sum, weight) in sums.iter_mut().zip(weights(call)) {
                *sum += weight;
            }
        }
        sums
    }

    /// The Brier score and the mean loss.
    fn losses(&self, weights: &Weights<'_>) -> [Lanes; 2] {
        let mut sums = [[0.0; TOGETHER]; 3];
        for (call, (&odds, &is_fp)) in (0..).zip(self.log_odds.iter().zip(self.is_fp)) {
            let outcome = f64::from(u8::from(is_fp));
            let missed = logistic(odds) - outcome;
            let of_call = [missed * missed, log_loss(odds, outcome), 1.0];
            let weights = weights(call);
            for (sums, of_call) in sums.iter_mut().zip(of_call) {
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += weight * of_call;
                }
            }
        }
        let [brier, loss, calls] = sums;
        [brier, loss].map(|sums| std::array::from_fn(|at| sums[at] / calls[at]))
    }

    /// The mean chance of some calls, and the share of false ones.
    fn means(&self, calls: &[u32], weights: &Weights<'_>) -> [Lanes; 2] {
        let mut chances = [0.0; TOGETHER];
        for &call in calls {
            let chance = logistic(self.log_odds[call as usize]);
            for (sum, weight) in chances.iter_mut().zip(weights(call)) {
                *sum += weight * chance;
            }
        }
        let [tp, fp] = self.labels(calls, weights);
        let share = |sums: Lanes| std::array::from_fn(|at| sums[at] / (tp[at] + fp[at]));
        [share(chances), share(fp)]
    }
}
