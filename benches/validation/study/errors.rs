//! False discoveries and power of a procedure, over cohorts.

use std::collections::BTreeMap;

use super::truth::{Kind, Parameters};

/// Sums over cohorts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Errors {
    /// Cohorts.
    pub(crate) cohorts: u64,
    /// Cohorts with any false discovery.
    pub(crate) any_false: u64,
    /// Sum of the shares of discoveries that are false, and of their squares; 0 without discoveries.
    false_shares: [f64; 2],
    /// Atoms tied to types alone that were discovered, and all of them.
    tied: [u64; 2],
    /// Atoms tied to the label that were discovered, and all of them, by ten times their odds ratio
    /// within types (that of firing with its more frequent label).
    by_odds: BTreeMap<u64, [u64; 2]>,
}

impl Errors {
    /// Takes a cohort's atoms: whether each was discovered, and what is true of it. Discovering one that
    /// is not tied to the label is false.
    pub(crate) fn take<'a>(&mut self, atoms: impl Iterator<Item = (bool, &'a Parameters)>) {
        let (mut wrong, mut right) = (0_u64, 0_u64);
        for (discovered, truth) in atoms {
            let discovered = u64::from(discovered);
            match truth.kind {
                Kind::Free => wrong += discovered,
                Kind::Type => {
                    wrong += discovered;
                    add(&mut self.tied, discovered);
                }
                Kind::Label => {
                    right += discovered;
                    let odds = (10.0 * truth.log_odds_within.abs().exp()).round() as u64;
                    add(self.by_odds.entry(odds).or_default(), discovered);
                }
            }
        }
        let share = wrong as f64 / (wrong + right).max(1) as f64;
        self.cohorts += 1;
        self.any_false += u64::from(wrong > 0);
        self.false_shares[0] += share;
        self.false_shares[1] += share * share;
    }

    /// Adds other cohorts.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.cohorts += other.cohorts;
        self.any_false += other.any_false;
        for place in 0..2 {
            self.false_shares[place] += other.false_shares[place];
            self.tied[place] += other.tied[place];
        }
        for (&odds, counts) in &other.by_odds {
            let own = self.by_odds.entry(odds).or_default();
            own.iter_mut()
                .zip(counts)
                .for_each(|(own, more)| *own += more);
        }
    }

    /// The false discovery rate, and its standard error.
    pub(crate) fn false_discovery_rate(&self) -> (f64, f64) {
        let n = self.cohorts as f64;
        let [mean, square] = self.false_shares.map(|sum| sum / n);
        (mean, ((square - mean * mean).max(0.0) / n).sqrt())
    }

    /// The share of cohorts with any false discovery, and its standard error.
    pub(crate) fn family_wise(&self) -> (f64, f64) {
        share(self.any_false, self.cohorts)
    }

    /// The share of atoms tied to the label that are found; `None` where there are none.
    pub(crate) fn power(&self) -> Option<f64> {
        let sum = |place: usize| self.by_odds.values().map(|counts| counts[place]).sum();
        ratio([sum(0), sum(1)])
    }

    /// The same by their odds ratio.
    pub(crate) fn power_by_odds(&self) -> impl Iterator<Item = (f64, f64)> {
        let of = |(&odds, &counts)| Some((odds as f64 / 10.0, ratio(counts)?));
        self.by_odds.iter().filter_map(of)
    }

    /// The share of atoms tied to types alone that are called; `None` where there are none.
    pub(crate) fn tied_called(&self) -> Option<f64> {
        ratio(self.tied)
    }
}

fn add(counts: &mut [u64; 2], discovered: u64) {
    counts[0] += discovered;
    counts[1] += 1;
}

fn ratio([of, all]: [u64; 2]) -> Option<f64> {
    (all > 0).then(|| of as f64 / all as f64)
}

/// A share, and its binomial standard error.
pub(crate) fn share(of: u64, all: u64) -> (f64, f64) {
    let p = of as f64 / all as f64;
    (p, (p * (1.0 - p) / all as f64).sqrt())
}
