//! What becomes of an atom's association once strata are looked at one by one: claimed only where
//! there is evidence for it.

use super::Adjusted;
use super::LEVEL;
use super::atoms::AtomCounts;
use crate::stats::inference::PValue;

/// What becomes of an association of all calls at once within strata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// It is on the same side, or nothing can be said: no claim.
    Unsettled,
    /// It goes away: told apart from none on all calls at once (Fisher's test, Benjamini and Hochberg's
    /// procedure, 5 %), and not within strata (the exact conditional p is 5 % or more).
    Confounded,
    /// It changes sides: told apart from none on all calls at once and within strata (both by
    /// Benjamini and Hochberg's procedure, 5 %), with an odds ratio above 1 in one and below 1 in the
    /// other. Simpson's paradox.
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

/// Of every atom, \[F\]; `None` where no stratum informs.
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
