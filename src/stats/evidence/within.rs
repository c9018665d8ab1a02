//! The fate of an atom's association once strata are looked at one by one. A fate is claimed only
//! where there is evidence for it.

use super::Adjusted;
use super::LEVEL;
use super::atoms::AtomCounts;
use crate::stats::inference::PValue;

/// The fate within strata of an association of all calls at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// It is on the same side, or nothing can be said: no claim.
    Unsettled,
    /// It goes away. On all calls at once it is told apart from none (Fisher's test, Benjamini and
    /// Hochberg's procedure, 5 %), but within strata it is not (the exact conditional p is 5 % or
    /// more).
    Confounded,
    /// It changes sides (Simpson's paradox). It is told apart from none on all calls at once and
    /// within strata (both by Benjamini and Hochberg's procedure, 5 %). The odds ratio is above 1
    /// in one and below 1 in the other.
    Paradox,
}

impl Within {
    fn of(atom: &AtomCounts, crude: Option<PValue>, within: Option<PValue>) -> Option<Self> {
        let exact = atom.conditional.no_effect?;
        let is_told = |p: Option<PValue>| p.is_some_and(|p| p.p() < LEVEL);
        Some(if !is_told(crude) {
            Self::Unsettled
        } else if is_told(within) && atom.stratified.is_opposed {
            Self::Paradox
        } else if exact.p.p() >= LEVEL {
            Self::Confounded
        } else {
            Self::Unsettled
        })
    }
}

/// Finds the fate for every atom, \[F\]; `None` where no stratum informs.
pub(super) fn of_atoms(
    atoms: &[AtomCounts],
    crude: &Adjusted,
    within: &Adjusted,
) -> Vec<Option<Within>> {
    let adjusted = crude.bh.iter().zip(&within.bh);
    let each = atoms.iter().zip(adjusted);
    each.map(|(atom, (crude, within))| Within::of(atom, *crude, *within))
        .collect()
}
