//! How far two parts agree, from their tables.
//!
//! Sums run over atoms in their order, so that every machine gives the same bits.

use super::super::inference::{Estimate, Table2x2, effect};

/// How far a confirmation part agrees with what a discovery part shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Atoms that are significant in the discovery part.
    pub discovered: usize,
    /// Of these, atoms that are tested in the confirmation part.
    pub tested: usize,
    /// Of the tested ones, atoms whose log odds ratio has the same sign.
    pub concordant: usize,
    /// Their share of the tested ones, with Wilson's interval, as if atoms were independent; `None`
    /// if none is tested.
    pub concordance: Option<Estimate>,
    /// Of the tested ones, atoms that are significant with the same sign.
    pub replicated: usize,
    /// Their share of the tested ones, likewise.
    pub replication: Option<Estimate>,
    /// Of the log odds ratios of all atoms that are tested in both parts.
    pub all: Correlation,
    /// Of those of the discovered atoms that are tested in both parts.
    pub among_discovered: Correlation,
}

/// How log odds ratios go together in two parts. Where they are estimated from few calls this is
/// nearer to 0 than for the true ones.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Correlation {
    /// How many atoms.
    pub atoms: usize,
    /// Pearson's r; `None` of fewer than three atoms, or where a part has one value for all.
    pub pearson: Option<f64>,
    /// Spearman's ρ, ties at the mean of their ranks; `None` likewise.
    pub spearman: Option<f64>,
}

/// The log odds ratios of some atoms in two parts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Effects {
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Agreement {
    /// From tables of discovery and confirmation, \[F\] each: of the `discovered` atoms, those that
    /// are tested `in_both` parts, and those of them that are `confirmed` by their false discovery
    /// rate.
    pub fn of(
        [discovery, confirmation]: [&[Table2x2]; 2],
        discovered: &[bool],
        in_both: &[bool],
        confirmed: &[bool],
    ) -> Self {
        let both = |a: &[bool], b: &[bool]| -> Vec<bool> {
            a.iter().zip(b).map(|(&a, &b)| a && b).collect()
        };
        let effects = |among: &[bool]| Effects::of(discovery, confirmation, among);
        let followed = both(discovered, in_both);
        let (all, among_discovered) = (effects(in_both), effects(&followed));
        let (tested, concordant) = (among_discovered.atoms(), among_discovered.concordant());
        let replicated = effects(&both(&followed, confirmed)).concordant();
        let share = |count: usize| effect::wilson(count as u64, tested as u64);
        Self {
            discovered: discovered.iter().filter(|&&discovered| discovered).count(),
            tested,
            concordant,
            concordance: share(concordant),
            replicated,
            replication: share(replicated),
            all: all.correlation(),
            among_discovered: among_discovered.correlation(),
        }
    }
}

impl Effects {
    /// Of the atoms that are `among` those wanted.
    pub fn of(first: &[Table2x2], second: &[Table2x2], among: &[bool]) -> Self {
        let mut effects = Self::default();
        for ((first, second), &wanted) in first.iter().zip(second).zip(among) {
            if wanted {
                let log_odds = |table| effect::log_odds_ratio(table).value;
                effects.push(log_odds(first), log_odds(second));
            }
        }
        effects
    }

    /// Adds an atom's log odds ratios, both finite.
    pub fn push(&mut self, first: f64, second: f64) {
        self.first.push(first);
        self.second.push(second);
    }

    /// How many atoms.
    pub fn atoms(&self) -> usize {
        self.first.len()
    }

    /// Of how many both log odds ratios have one sign.
    pub fn concordant(&self) -> usize {
        let both = self.first.iter().zip(&self.second);
        both.filter(|&(&a, &b)| same_sign(a, b)).count()
    }

    /// How they go together.
    pub fn correlation(&self) -> Correlation {
        let ranks = [doubled_ranks(&self.first), doubled_ranks(&self.second)];
        Correlation {
            atoms: self.atoms(),
            pearson: pearson(&self.first, &self.second),
            spearman: pearson(&ranks[0], &ranks[1]),
        }
    }
}

/// Whether two log odds ratios lean to one side; one of exactly 0 leans to none.
pub fn same_sign(a: f64, b: f64) -> bool {
    (a > 0.0 && b > 0.0) || (a < 0.0 && b < 0.0)
}

/// Pearson's correlation in two passes: means first. `None` of fewer than three values, of which any
/// two lie on a line, and where either side has one value only.
fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    // Rounding may leave a variance to equal values.
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

/// Twice the rank of each value from 1, ties at the mean of their places: whole numbers.
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
