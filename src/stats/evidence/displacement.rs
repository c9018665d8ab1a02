//! Displacement: how far atoms that have nothing to do with the label lean all the same.
//!
//! Suppose that exactly k atoms fire on each call, as by top-k. For each atom, take its firings on true calls
//! less those that would be expected without any association. Over all atoms these differences add
//! up to 0: what a few atoms gain on true calls, all others lose there. Where firing sets may have
//! any size, true calls may have larger ones, and all atoms gain. Either way, most atoms can lean
//! to one side without having anything to do with the label. The middle of all atoms shows by how
//! much. The median log odds ratio is where an atom without an association is expected. Where it is
//! away from 0 by more than chance, this is reported.
//!
//! Only atoms that are tested and tell enough count here. The variance V of the number of true
//! calls on which such an atom fires, given its margins within strata (hypergeometric), is at least
//! [`LEAST_VARIANCE`]. Where labels have nothing to do with firing, half of them lie above their
//! median. That median is the expectation less κ₃/(6V), with κ₃ the third cumulant (Cornish and
//! Fisher). The sign test is corrected for atoms that fire together. Its variance is multiplied by
//! that of Σ z over atoms, z = (O − E)/√V, were labels dealt out anew within strata, divided by the
//! number of atoms. (Signs of two normal numbers are correlated less than the numbers, so that this
//! is on the safe side.)

use rayon::prelude::*;

use super::atoms::AllAtoms;
use super::calls::CallFacts;
use super::strata::Confounded;
use crate::error::Result;
use crate::fires::FiringStore;
use crate::stats::inference::Estimate;
use crate::stats::inference::effect::Z_95;

/// The least variance of an atom's count of true calls for it to take part.
pub const LEAST_VARIANCE: f64 = 4.0;
/// The fewest atoms that have a middle.
pub const FEWEST_ATOMS: usize = 20;
/// The statistic of the sign test beyond which it is told: 1 in 1000 by chance.
const TOLD_BEYOND: f64 = 3.290_526_731_491_895;
/// A median nearer to 0 than this is not told, however certain it is: 5 % of the odds.
const TOLD_FROM: f64 = 0.05;

/// The place of the middle of all atoms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Displacement {
    /// The number of atoms that took part.
    pub atoms: usize,
    /// Their median log odds ratio, with its 95 % interval.
    pub median: Estimate,
    /// The median of their log odds ratios within strata; infinite ones among them count by their
    /// side. `None` where fewer than [`FEWEST_ATOMS`] have one.
    pub within: Option<Estimate>,
    /// The sign test's statistic, within strata: normal, and positive towards true calls.
    pub statistic: f64,
    /// The factor by which atoms that fire together widen the variance that chance gives. `None`
    /// without firing sets; then atoms are taken to be independent.
    pub inflation: Option<f64>,
    /// True if the middle is away from 0 by more than chance. Both medians must be on one side, the
    /// statistic beyond 3.29, and the median within strata at least 0.05 from 0.
    pub is_told: bool,
}

/// An atom that takes part.
#[derive(Debug, Clone, Copy)]
struct Member {
    atom: u32,
    /// The variance of the atom's count of true calls, within strata.
    variance: f64,
    /// Observed less expected, less the median's distance from the expectation.
    excess: f64,
}

/// The atoms that take part.
pub(super) struct Bulk {
    members: Vec<Member>,
    atoms: usize,
}

impl Bulk {
    pub(super) fn of(confounded: &Confounded, all: &AllAtoms) -> Self {
        let member = |atom: usize| {
            let (mut excess, mut variance, mut third) = (0.0, 0.0, 0.0);
            // Where it does not fire it adds nothing.
            for fires_in in confounded.of_atom(atom) {
                let table = fires_in.table;
                let (tp, fp) = (table.tp() as f64, table.fp() as f64);
                let n = tp + fp;
                if table.tp() == 0 || table.fp() == 0 || n < 3.0 {
                    continue;
                }
                let on = table.fires() as f64;
                let v = on / n * (tp / n) * fp * (n - on) / (n - 1.0);
                excess += table.tp_on as f64 - on * tp / n;
                variance += v;
                third += v * (fp - tp) * (n - 2.0 * on) / (n * (n - 2.0));
            }
            (variance >= LEAST_VARIANCE).then(|| Member {
                atom: atom as u32,
                variance,
                excess: excess + third / (6.0 * variance),
            })
        };
        let atoms = (0..all.atoms.len()).into_par_iter().with_min_len(64);
        let tested = atoms.filter(|&atom| all.is_tested(atom));
        Self {
            members: tested.filter_map(member).collect(),
            atoms: all.atoms.len(),
        }
    }

    /// Computes how much wider the distribution of Σ z is than for independent atoms; 1 if it is no
    /// wider.
    pub(super) fn inflation(&self, details: &dyn FiringStore, facts: &CallFacts) -> Result<f64> {
        let mut weights = vec![0.0; self.atoms];
        for member in &self.members {
            weights[member.atom as usize] = 1.0 / member.variance.sqrt();
        }
        let mut sums = Vec::with_capacity(facts.len());
        details.sets(&mut |sets| {
            sums.extend(sets.all().iter().map(|atoms| {
                let each = atoms.iter().map(|&atom| weights[atom as usize]);
                each.sum::<f64>()
            }));
            Ok(())
        })?;
        let strata = facts.strata.iter().max().map_or(0, |&s| s as usize + 1);
        let mut calls = vec![[0.0; 2]; strata];
        let (mut means, mut squares) = (vec![0.0; strata], vec![0.0; strata]);
        for ((&stratum, &is_tp), sum) in facts.strata.iter().zip(&facts.is_tp).zip(&sums) {
            calls[stratum as usize][usize::from(!is_tp)] += 1.0;
            means[stratum as usize] += sum;
        }
        for (mean, [tp, fp]) in means.iter_mut().zip(&calls) {
            *mean /= tp + fp;
        }
        for (&stratum, sum) in facts.strata.iter().zip(&sums) {
            let distance = sum - means[stratum as usize];
            squares[stratum as usize] += distance * distance;
        }
        let variance: f64 = (calls.iter().zip(&squares))
            .filter(|([tp, fp], _)| *tp > 0.0 && *fp > 0.0 && tp + fp >= 3.0)
            .map(|([tp, fp], squares)| {
                let n = tp + fp;
                tp / n * fp / (n - 1.0) * squares
            })
            .sum();
        Ok((variance / self.members.len().max(1) as f64).max(1.0))
    }

    /// `None` where too few atoms take part.
    pub(super) fn displacement(
        &self,
        all: &AllAtoms,
        inflation: Option<f64>,
    ) -> Option<Displacement> {
        let members = &self.members;
        if members.len() < FEWEST_ATOMS {
            return None;
        }
        let widened = inflation.unwrap_or(1.0);
        let of = |member: &Member| &all.atoms[member.atom as usize];
        let within = members
            .iter()
            .filter_map(|m| of(m).stratified.ln_odds_ratio);
        let log_odds = members.iter().filter_map(|m| of(m).log_odds);
        let median = median(log_odds.map(|log_odds| log_odds.value), widened)?;
        let within = median_of_enough(within, widened);
        let signs: f64 = members.iter().map(|m| sign(m.excess)).sum();
        let statistic = signs / (widened * members.len() as f64).sqrt();
        let is_told = within.is_some_and(|within| {
            let side = sign(statistic);
            statistic.abs() > TOLD_BEYOND
                && sign(median.value) == side
                && within.value * side >= TOLD_FROM
        });
        Some(Displacement {
            atoms: members.len(),
            median,
            within,
            statistic,
            inflation,
            is_told,
        })
    }
}

fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

fn median_of_enough(values: impl Iterator<Item = f64>, widened: f64) -> Option<Estimate> {
    let values: Vec<f64> = values.collect();
    let enough = values.len() >= FEWEST_ATOMS;
    enough.then(|| median(values.into_iter(), widened))?
}

/// The median, and the order statistics that are 1.96 standard errors of a share from the middle, the
/// variance of the share widened by a factor.
fn median(values: impl Iterator<Item = f64>, widened: f64) -> Option<Estimate> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (n, last) = (values.len() as f64, values.len().checked_sub(1)?);
    let half_width = Z_95 * (widened * n).sqrt() / 2.0;
    // The place is within the list: a number of at most its length.
    let at = |place: f64| values[(place.max(0.0) as usize).min(last)];
    Some(Estimate {
        value: f64::midpoint(values[last / 2], values[values.len() / 2]),
        low: at((n / 2.0 - half_width).floor()),
        high: at((n / 2.0 + half_width).ceil() - 1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn medians_have_the_interval_of_the_sign_test() {
        // 100 numbers: ranks 40 and 60 from 0, a little more than scipy's binomial interval at 95 %.
        let found = median((0..100).map(f64::from), 1.0).expect("a median");
        assert_eq!((found.value, found.low, found.high), (49.5, 40.0, 59.0));
        let wide = median((0..100).map(f64::from), 4.0).expect("a median");
        assert_eq!((wide.low, wide.high), (30.0, 69.0));
        let few = median([2.0, f64::NEG_INFINITY, 1.0].into_iter(), 9.0).expect("a median");
        assert_eq!(
            (few.value, few.low, few.high),
            (1.0, f64::NEG_INFINITY, 2.0)
        );
        assert!(median(std::iter::empty(), 1.0).is_none());
    }
}
