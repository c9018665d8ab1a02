//! The agreement of two parts, from effects and tests in either.
//!
//! Sums run over atoms in their order, so that every machine gives the same bits.

use super::super::inference::{Estimate, effect};
use super::InPart;

/// The agreement of a confirmation part with the findings of a discovery part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// The number of atoms that are significant in the discovery part.
    pub discovered: usize,
    /// The number of these that are tested in the confirmation part.
    pub tested: usize,
    /// The number of tested ones whose log odds ratio within strata has the same sign.
    pub concordant: usize,
    /// The concordant share of the tested ones, with Wilson's interval, as if atoms were
    /// independent; `None` if none is tested.
    pub concordance: Option<Estimate>,
    /// The number of tested ones that are significant with the same sign.
    pub replicated: usize,
    /// The replicated share of the tested ones, with the same interval.
    pub replication: Option<Estimate>,
    /// The correlation of log odds ratios over all strata, for all atoms that are tested in both
    /// parts.
    pub all: Correlation,
    /// The same for the discovered atoms that are tested in both parts.
    pub among_discovered: Correlation,
}

/// The correlation of log odds ratios in two parts. If they are estimated from few calls, it is
/// nearer to 0 than for the true ones.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Correlation {
    /// The number of atoms.
    pub atoms: usize,
    /// Pearson's r; `None` if there are fewer than three atoms, or if a part has one value for all.
    pub pearson: Option<f64>,
    /// Spearman's ρ, ties at the mean of their ranks; `None` in the same cases.
    pub spearman: Option<f64>,
}

/// The log odds ratios of some atoms in two parts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Effects {
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Agreement {
    /// Computes the agreement from all atoms in either part, \[F\]: from the `discovered` ones that
    /// are tested in both parts, and those of them that are `confirmed` by their false discovery
    /// rate.
    pub fn of(atoms: &[[InPart; 2]], discovered: &[bool], confirmed: &[bool]) -> Self {
        let same_side: Vec<Option<bool>> = atoms.iter().map(|[a, b]| same_side(a, b)).collect();
        let followed = |place: usize| discovered[place] && same_side[place].is_some();
        let concords = |place: &usize| followed(*place) && same_side[*place] == Some(true);
        let tested = (0..atoms.len()).filter(|&place| followed(place)).count();
        let concordant: Vec<usize> = (0..atoms.len()).filter(concords).collect();
        let replicated = concordant.iter().filter(|&&place| confirmed[place]).count();
        let share = |count: usize| effect::wilson(count as u64, tested as u64);
        let effects = |among: &dyn Fn(usize) -> bool| Effects::of(atoms, among).correlation();
        Self {
            discovered: discovered.iter().filter(|&&discovered| discovered).count(),
            tested,
            concordant: concordant.len(),
            concordance: share(concordant.len()),
            replicated,
            replication: share(replicated),
            all: effects(&|_| true),
            among_discovered: effects(&|place| discovered[place]),
        }
    }
}

/// Says whether an atom leans to one side in both parts, within strata; `None` unless it is tested
/// in both.
pub fn same_side(first: &InPart, second: &InPart) -> Option<bool> {
    let (first, second) = (first.tested?, second.tested?);
    Some(same_sign(first.log_odds_within, second.log_odds_within))
}

impl Effects {
    /// Takes the log odds ratios over all strata of the atoms that are tested in both parts and are
    /// `among` those wanted.
    pub fn of(atoms: &[[InPart; 2]], among: &dyn Fn(usize) -> bool) -> Self {
        let mut effects = Self::default();
        for (place, [first, second]) in atoms.iter().enumerate() {
            if let (true, Some((first, second))) = (among(place), first.tested.zip(second.tested)) {
                effects.push(first.log_odds.value, second.log_odds.value);
            }
        }
        effects
    }

    /// Adds an atom's log odds ratios, both finite.
    pub fn push(&mut self, first: f64, second: f64) {
        self.first.push(first);
        self.second.push(second);
    }

    /// Returns the number of atoms.
    pub fn atoms(&self) -> usize {
        self.first.len()
    }

    /// Computes the correlation of the two parts.
    pub fn correlation(&self) -> Correlation {
        let ranks = [doubled_ranks(&self.first), doubled_ranks(&self.second)];
        Correlation {
            atoms: self.atoms(),
            pearson: pearson(&self.first, &self.second),
            spearman: pearson(&ranks[0], &ranks[1]),
        }
    }
}

/// Says whether two numbers lean to one side; 0 leans to none.
pub fn same_sign(a: f64, b: f64) -> bool {
    (a > 0.0 && b > 0.0) || (a < 0.0 && b < 0.0)
}

/// Computes Pearson's correlation in two passes: means first. Returns `None` for fewer than three
/// values, of which any two lie on a line, and if either side has one value only.
fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    // Equal values may get a variance from rounding.
    let is_constant = |values: &[f64]| values.iter().all(|&value| value == values[0]);
    if x.len() < 3 || is_constant(x) || is_constant(y) {
        return None;
    }
    let n = x.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let (mean_x, mean_y) = (mean(x), mean(y));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (x, y) = (x - mean_x, y - mean_y);
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    let r = xy / (xx.sqrt() * yy.sqrt());
    Some(r.clamp(-1.0, 1.0))
}

/// Returns twice the rank of each value from 1, ties at the mean of their places: whole numbers.
fn doubled_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    // `==` takes both zeros for one value, and they are neighbours in the order.
    for tied in order.chunk_by(|&i, &j| values[i] == values[j]) {
        for &i in tied {
            ranks[i] = (2 * before + tied.len() + 1) as f64;
        }
        before += tied.len();
    }
    ranks
}
