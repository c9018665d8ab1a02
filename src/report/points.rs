//! Atoms as points of pictures: where they stand, and to which side those that hold lean.

use crate::stats::evidence::summary::{Scope, Summary, claimed_atoms};
use crate::stats::evidence::{AtomCounts, ExtendedTables};

/// The log odds ratio on all calls, and −log₁₀ of Fisher's p. `None` of an atom that is not tested.
pub(super) fn volcano(tables: &ExtendedTables, atom: usize) -> Option<[f64; 2]> {
    tables.fisher.bh.get(atom).copied().flatten()?;
    let found = tables.atoms.get(atom)?;
    Some([found.log_odds?.value, found.fisher.p.neg_log10()])
}

/// The log odds ratio on all calls, and within strata, of an atom with an association on all calls at a
/// false discovery rate of 5 %.
pub(super) fn crude_and_within(tables: &ExtendedTables, atom: usize) -> Option<[f64; 2]> {
    let fdr = tables.fisher.bh.get(atom).copied().flatten()?;
    let found = tables.atoms.get(atom).filter(|_| fdr.p() < 0.05)?;
    Some([found.log_odds?.value, found.stratified.ln_odds_ratio?])
}

/// The side to which an atom leans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The strictest procedure within strata does not claim it.
    Neither,
    /// True calls.
    True,
    /// False calls.
    False,
}

impl Side {
    /// The side of an atom with this log odds ratio, which a procedure claims or not.
    pub(super) fn of(is_claimed: bool, log_odds: Option<f64>) -> Self {
        match log_odds {
            Some(log) if is_claimed && log < 0.0 => Self::False,
            Some(_) if is_claimed => Self::True,
            _ => Self::Neither,
        }
    }
}

/// The sides to which atoms lean within strata, by the strictest procedure there.
pub(super) struct Sides(Vec<Side>);

impl Sides {
    pub(super) fn of(summary: &Summary, tables: &ExtendedTables) -> Self {
        let strictest = summary.extended.as_ref().map(|found| found.strictest);
        let mut claimed = claimed_atoms(tables).into_iter();
        let claimed = claimed.find(|(procedure, scope, _)| {
            *scope == Scope::WithinStrata && strictest.is_none_or(|by| by == *procedure)
        });
        let claimed = claimed.map(|(_, _, atoms)| atoms).unwrap_or_default();
        let side = |(is_claimed, found): (bool, &AtomCounts)| {
            let crude = || found.log_odds.map(|log| log.value);
            Side::of(is_claimed, found.stratified.ln_odds_ratio.or_else(crude))
        };
        Self(claimed.into_iter().zip(&tables.atoms).map(side).collect())
    }

    /// The side of one atom.
    pub(super) fn side(&self, atom: usize) -> Side {
        self.0.get(atom).copied().unwrap_or(Side::Neither)
    }
}
