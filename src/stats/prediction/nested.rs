//! A model fitted without each fold in turn, its penalty chosen without that fold too.
//!
//! To choose the penalty for fold a, models are fitted without a and another fold b, and judged on b.
//! The model without a and b also serves to choose the penalty for b, where it is judged on a: with
//! five folds that is ten paths of penalties in place of twenty.

use std::ops::Range;

use rayon::prelude::*;

use super::calibration::{Line, log_loss, platt};
use super::design::{Design, Part};
use super::objective::Coefficients;
use super::path::{Path, Penalty, TOLERANCE, linear};
use crate::control::Control;
use crate::error::Result;

/// The penalties of a path.
pub const PENALTIES: usize = 20;

/// A path is left once the loss has not fallen for so many penalties.
const PATIENCE: usize = 3;

/// The features of a model, and its penalty.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// The features.
    pub features: Range<usize>,
    /// True if they have their values, and not 1.
    pub valued: bool,
    /// The penalty.
    pub penalty: Penalty,
    /// The path goes on until so many features have entered, if so many do.
    pub entries: usize,
}

/// A model fitted without each fold.
#[derive(Debug, Clone)]
pub struct Nested {
    /// The place on the path of the penalty that was chosen for each fold.
    pub chosen: Vec<usize>,
    /// The model without each fold.
    pub models: Vec<Coefficients>,
    /// The line from its η to a log odds, fitted without the fold.
    pub lines: Vec<Line>,
    /// η of each call by the model without its fold, in the cohort's order.
    pub linear: Vec<f64>,
    /// The log odds of each call by the model without its fold, recalibrated.
    pub log_odds: Vec<f64>,
    /// Features in the order in which they entered, without each fold.
    pub entered: Vec<Vec<u32>>,
    /// The model of all calls, under the median of the chosen penalties.
    pub all: Coefficients,
    /// That penalty's weight.
    pub weight: f64,
    /// How many models of all paths took more Newton steps than are made, and are not at their minimum.
    pub capped: usize,
}

/// The path without two folds.
struct Pair<'a> {
    held: [usize; 2],
    path: Path<'a>,
    models: Vec<Sparse>,
    /// For each penalty the summed loss of either fold.
    losses: Vec<[f64; 2]>,
}

/// A model's coefficients that are not 0.
struct Sparse {
    intercept: f64,
    features: Vec<(u32, f64)>,
}

/// The model without one fold, or of all calls.
struct Outer {
    model: Coefficients,
    linear: Vec<f64>,
    line: Line,
    entered: Vec<u32>,
    weight: f64,
    capped: usize,
}

impl Nested {
    /// Fits the models. `calls` is their number.
    ///
    /// # Errors
    /// Cancellation.
    pub fn of(design: &Design, spec: &Spec, calls: usize, control: &Control) -> Result<Self> {
        let folds = design.groups.len();
        let (pairs, chosen) = choose(design, spec, control)?;
        let mut middle = chosen.clone();
        middle.sort_unstable();
        let median = middle.get(folds / 2).copied().unwrap_or(0);
        let outer = |fold: usize| {
            control.check()?;
            let index = chosen.get(fold).copied().unwrap_or(median);
            Ok(Outer::of(design, spec, &pairs, fold, index))
        };
        // The last one is of all calls; it takes longest, and goes first.
        let models = folds + 1;
        let mut fitted: Vec<Outer> = (0..models)
            .into_par_iter()
            .with_max_len(1)
            .map(|at| outer(folds - at))
            .collect::<Result<_>>()?;
        fitted.reverse();
        let mut linear = vec![0.0; calls];
        let mut log_odds = vec![0.0; calls];
        for (group, outer) in design.groups.iter().zip(&fitted) {
            for (&call, &eta) in group.calls.iter().zip(&outer.linear) {
                linear[call as usize] = eta;
                log_odds[call as usize] = outer.line.intercept + outer.line.slope * eta;
            }
        }
        let capped = fitted.iter().map(|outer| outer.capped).sum::<usize>()
            + pairs.iter().map(|pair| pair.path.capped()).sum::<usize>();
        let all = fitted.remove(folds);
        Ok(Self {
            chosen,
            linear,
            log_odds,
            lines: fitted.iter().map(|outer| outer.line).collect(),
            entered: fitted
                .iter_mut()
                .map(|outer| std::mem::take(&mut outer.entered))
                .collect(),
            models: fitted.into_iter().map(|outer| outer.model).collect(),
            all: all.model,
            weight: all.weight,
            capped,
        })
    }
}

/// Goes down the paths without any two folds, and chooses the penalty for each fold: the one of least
/// loss on the others, the strongest of several.
fn choose<'a>(
    design: &'a Design,
    spec: &Spec,
    control: &Control,
) -> Result<(Vec<Pair<'a>>, Vec<usize>)> {
    let folds = design.groups.len();
    let held = (0..folds).flat_map(|b| (0..b).map(move |a| [a, b]));
    let mut pairs: Vec<Pair> = held.map(|held| Pair::new(design, spec, held)).collect();
    let mut best = vec![(f64::INFINITY, 0); folds];
    let mut is_done = vec![false; folds];
    for index in 0..PENALTIES {
        pairs.par_iter_mut().with_max_len(1).try_for_each(|pair| {
            control.check()?;
            if pair.held.iter().any(|&fold| !is_done[fold]) {
                pair.step(design);
            }
            Ok(())
        })?;
        for (fold, (best, is_done)) in best.iter_mut().zip(&mut is_done).enumerate() {
            if *is_done {
                continue;
            }
            let loss: f64 = pairs.iter().map(|pair| pair.loss(fold, index)).sum();
            if loss < best.0 {
                *best = (loss, index);
            }
            *is_done = index >= best.1 + PATIENCE;
        }
        if is_done.iter().all(|&is_done| is_done) {
            break;
        }
    }
    Ok((pairs, best.into_iter().map(|(_, index)| index).collect()))
}

impl<'a> Pair<'a> {
    fn new(design: &'a Design, spec: &Spec, held: [usize; 2]) -> Self {
        let part = training(design, spec, &held);
        Self {
            held,
            path: Path::new(part, spec.penalty, PENALTIES, TOLERANCE),
            models: Vec::new(),
            losses: Vec::new(),
        }
    }

    fn step(&mut self, design: &Design) {
        self.path.step();
        let model = self.path.model();
        let loss = |fold| {
            let part = self.path.part().elsewhere(design, &[fold]);
            let each = linear(&part, model).into_iter().zip(part.outcomes());
            each.map(|(eta, outcome)| log_loss(eta, outcome))
                .sum::<f64>()
        };
        self.losses.push(self.held.map(loss));
        self.models.push(Sparse::of(model));
    }

    /// The loss that bears on the choice for a fold: that on the other one.
    fn loss(&self, fold: usize, index: usize) -> f64 {
        let of_index = self
            .losses
            .get(index)
            .copied()
            .unwrap_or([f64::INFINITY; 2]);
        match self.held {
            [a, _] if a == fold => of_index[1],
            [_, b] if b == fold => of_index[0],
            _ => 0.0,
        }
    }

    /// η of the other fold's calls, and their outcomes, where one of the two is `fold`.
    fn elsewhere(
        &self,
        design: &Design,
        fold: usize,
        index: usize,
    ) -> Option<(Vec<f64>, Vec<bool>)> {
        let other = match self.held {
            [a, b] if a == fold => b,
            [a, b] if b == fold => a,
            _ => return None,
        };
        let part = self.path.part().elsewhere(design, &[other]);
        let model = self.models.get(index)?.whole(part.width());
        let outcomes = part
            .groups
            .iter()
            .flat_map(|group| group.outcomes.iter().copied());
        Some((linear(&part, &model), outcomes.collect()))
    }
}

impl Outer {
    /// Fits the model without a fold; without none, if there is no such fold.
    fn of(design: &Design, spec: &Spec, pairs: &[Pair<'_>], fold: usize, index: usize) -> Self {
        let part = training(design, spec, &[fold]);
        let mut path = Path::new(part, spec.penalty, PENALTIES, TOLERANCE);
        while path.done() <= index {
            path.step();
        }
        let model = path.model().clone();
        let is_held = fold < design.groups.len();
        while is_held && path.entered().len() < spec.entries && path.done() < PENALTIES {
            path.step();
        }
        let (mut etas, mut outcomes) = (Vec::new(), Vec::new());
        for pair in pairs {
            if let Some((eta, outcome)) = pair.elsewhere(design, fold, index) {
                etas.extend(eta);
                outcomes.extend(outcome);
            }
        }
        let held = path.part().elsewhere(design, &[fold]);
        Self {
            linear: linear(&held, &model),
            line: platt(&etas, &outcomes),
            entered: path.entered().to_vec(),
            weight: path.weight(index),
            capped: path.capped(),
            model,
        }
    }
}

impl Sparse {
    fn of(model: &Coefficients) -> Self {
        let each = (0..).zip(&model.features);
        Self {
            intercept: model.intercept,
            features: each
                .filter(|(_, b)| **b != 0.0)
                .map(|(at, &b)| (at, b))
                .collect(),
        }
    }

    fn whole(&self, width: usize) -> Coefficients {
        let mut features = vec![0.0; width];
        for &(at, coefficient) in &self.features {
            features[at as usize] = coefficient;
        }
        Coefficients {
            intercept: self.intercept,
            features,
        }
    }
}

/// The calls outside of some folds.
pub(super) fn training<'a>(design: &'a Design, spec: &Spec, held: &[usize]) -> Part<'a> {
    let folds = 0..design.groups.len();
    let kept: Vec<usize> = folds.filter(|fold| !held.contains(fold)).collect();
    design.part(&kept, spec.features.clone(), spec.valued)
}
