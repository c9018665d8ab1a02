//! A path of penalties, from one under which every coefficient is as good as 0 to a weak one.

use serde::Serialize;

use super::design::Part;
use super::objective::{Coefficients, Weights};
use super::solver::Solver;

/// The kind of a penalty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Penalty {
    /// The sum of absolute coefficients: most coefficients are 0.
    L1,
    /// Half the sum of squared coefficients.
    L2,
}

impl Penalty {
    /// Returns its name, `L1` or `L2`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::L1 => "L1",
            Self::L2 => "L2",
        }
    }

    /// Returns the first and the last weight of a path, in units of the least weight of L1 under which
    /// all coefficients are 0. L2 has no such weight; it starts where coefficients are next to 0.
    fn ends(self) -> [f64; 2] {
        match self {
            Self::L1 => [1.0, 1e-3],
            Self::L2 => [100.0, 1e-2],
        }
    }

    /// Returns the weights of the penalty, where the other's is 0.
    fn weights(self, weight: f64) -> Weights {
        match self {
            Self::L1 => Weights {
                l1: weight,
                l2: 0.0,
            },
            Self::L2 => Weights {
                l1: 0.0,
                l2: weight,
            },
        }
    }
}

/// A path under way: a model for one weight after another, each found from the one before.
pub struct Path<'a> {
    solver: Solver<'a>,
    penalty: Penalty,
    penalties: usize,
    /// The least weight of L1 under which all coefficients are 0.
    most: f64,
    /// The derivative by each coefficient, at the last model of the path.
    slopes: Vec<f64>,
    /// The number of models so far.
    done: usize,
    tolerance: f64,
    /// Features in the order in which their coefficients stopped being 0.
    entered: Vec<u32>,
    has_entered: Vec<bool>,
}

/// Derivatives are right to so much of the least weight of L1 under which all coefficients are 0.
pub const TOLERANCE: f64 = 1e-5;

impl<'a> Path<'a> {
    /// Starts a path of so many weights, which fall in equal ratios. Derivatives violate the conditions
    /// of the minimum by at most `tolerance` times the first weight of L1.
    pub fn new(part: Part<'a>, penalty: Penalty, penalties: usize, tolerance: f64) -> Self {
        let width = part.width();
        let solver = Solver::new(part);
        let all: Vec<u32> = (0..width as u32).collect();
        let slopes = solver.slopes(&all);
        let most = slopes
            .iter()
            .fold(0.0, |most: f64, slope| most.max(slope.abs()));
        Self {
            solver,
            penalty,
            penalties,
            most,
            slopes,
            done: 0,
            tolerance: tolerance * most,
            entered: Vec::new(),
            has_entered: vec![false; width],
        }
    }

    /// Returns the number of models so far.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Returns a weight of the path.
    pub fn weight(&self, index: usize) -> f64 {
        let [first, last] = self.penalty.ends();
        let share = index as f64 / (self.penalties.max(2) - 1) as f64;
        self.most * first * libm::pow(last / first, share)
    }

    /// Finds the path's next model.
    pub fn step(&mut self) {
        let weight = self.weight(self.done);
        if self.most > 0.0 {
            match self.penalty {
                Penalty::L1 => self.solve_l1(weight),
                Penalty::L2 => {
                    let all: Vec<u32> = (0..self.slopes.len() as u32).collect();
                    self.solver
                        .solve(Penalty::L2.weights(weight), &all, self.tolerance);
                }
            }
        }
        self.done += 1;
    }

    /// Solves for the coefficients that are not 0 and those whose derivative is beyond the weight, and
    /// adds whatever violates its condition then. Those that the strong rules (Tibshirani et al., JRSS
    /// B 74, 2012) do not discard are looked at first, and all others last.
    fn solve_l1(&mut self, weight: f64) {
        let before = self
            .done
            .checked_sub(1)
            .map_or(self.most, |at| self.weight(at));
        let is_strong: Vec<bool> = self
            .slopes
            .iter()
            .map(|slope| slope.abs() >= 2.0 * weight - before)
            .collect();
        let coefficients = self.solver.model.features.iter().zip(&self.slopes);
        let mut is_working: Vec<bool> = coefficients
            .map(|(&b, slope)| b != 0.0 || slope.abs() > weight)
            .collect();
        loop {
            let working = places(&is_working, |is_working, _| is_working);
            let slopes = self
                .solver
                .solve(Penalty::L1.weights(weight), &working, self.tolerance);
            for (&at, slope) in working.iter().zip(slopes) {
                self.slopes[at as usize] = slope;
            }
            let rest = |strong| {
                places(&is_working, |is_working, at| {
                    !is_working && is_strong[at] == strong
                })
            };
            let [strong, others] = [rest(true), rest(false)];
            let mut more = self.violators(&strong, weight);
            if more.is_empty() {
                more = self.violators(&others, weight);
            }
            if more.is_empty() {
                break;
            }
            for at in more {
                is_working[at as usize] = true;
            }
        }
        self.enter();
    }

    /// Features out of these whose coefficient is 0 and should not be; keeps their derivatives.
    fn violators(&mut self, of: &[u32], weight: f64) -> Vec<u32> {
        let slopes = self.solver.slopes(of);
        let mut found = Vec::new();
        for (&at, slope) in of.iter().zip(slopes) {
            self.slopes[at as usize] = slope;
            if slope.abs() > weight + self.tolerance {
                found.push(at);
            }
        }
        found
    }

    /// Notes features that are new, those with the largest coefficient first.
    fn enter(&mut self) {
        let features = &self.solver.model.features;
        let mut new: Vec<u32> = (0..features.len() as u32)
            .filter(|&at| features[at as usize] != 0.0 && !self.has_entered[at as usize])
            .collect();
        let size = |at: &u32| features[*at as usize].abs();
        new.sort_by(|a, b| size(b).total_cmp(&size(a)).then(a.cmp(b)));
        for &at in &new {
            self.has_entered[at as usize] = true;
        }
        self.entered.extend(new);
    }

    /// Features in the order in which their coefficients stopped being 0, by the weight under which
    /// they did, then by the size of the coefficient there.
    pub fn entered(&self) -> &[u32] {
        &self.entered
    }

    /// The path's last model.
    pub fn model(&self) -> &Coefficients {
        &self.solver.model
    }

    /// How many models took more Newton steps than are made, and are not at their minimum.
    pub fn capped(&self) -> usize {
        self.solver.capped
    }

    /// The calls and features that it is fitted to.
    pub fn part(&self) -> &Part<'a> {
        &self.solver.part
    }

    /// The objective of the last model; `None` before the first.
    pub fn objective(&self) -> Option<f64> {
        let last = self.done.checked_sub(1)?;
        Some(
            self.solver
                .objective(self.penalty.weights(self.weight(last))),
        )
    }

    /// Fits a model with this weight of L2 to some features alone.
    pub(super) fn fit_some(part: Part<'a>, features: &[u32], weight: f64) -> Coefficients {
        let mut solver = Solver::new(part);
        solver.solve(Penalty::L2.weights(weight), features, 1e-7);
        solver.model
    }
}

/// Fits one model: the coefficients under one weight of a penalty.
pub fn fit(part: Part<'_>, penalty: Penalty, weight: f64, tolerance: f64) -> Coefficients {
    let all: Vec<u32> = (0..part.width() as u32).collect();
    let mut solver = Solver::new(part);
    solver.solve(penalty.weights(weight), &all, tolerance);
    solver.model
}

/// The linear predictor η of each call of a part, by a model.
pub fn linear(part: &Part<'_>, model: &Coefficients) -> Vec<f64> {
    let mut linear = vec![model.intercept; part.calls];
    for (at, &coefficient) in model.features.iter().enumerate() {
        if coefficient != 0.0 {
            part.add(at, coefficient, &mut linear);
        }
    }
    linear
}

/// The places for which `is` holds, ascending.
fn places(of: &[bool], is: impl Fn(bool, usize) -> bool) -> Vec<u32> {
    let each = of.iter().enumerate();
    let found = each.filter(|&(at, &value)| is(value, at));
    found.map(|(at, _)| at as u32).collect()
}
