//! The rule for which atoms are called.

use crate::stats::evidence::{ExtendedTables, LEVEL, Permutations};
use crate::stats::inference::PValue;

/// Returns the smallest p-value that this number of permutations can give.
pub(super) fn smallest_p(permutations: &Permutations) -> f64 {
    1.0 / (permutations.count + 1) as f64
}

/// Permutations that can call an atom.
pub(super) fn max_t(tables: &ExtendedTables) -> Option<&Permutations> {
    let permutations = tables.permutations.as_ref();
    permutations.filter(|permutations| smallest_p(permutations) < LEVEL)
}

/// Says whether an adjusted p-value is below the level.
pub(super) fn is_significant(p: Option<PValue>) -> bool {
    p.is_some_and(|p| p.p() < LEVEL)
}

/// Says whether this atom is called within strata, by the strictest procedure that can call an
/// atom.
pub(super) fn is_called_within(tables: &ExtendedTables, atom: u32) -> bool {
    let atom = atom as usize;
    match max_t(tables) {
        Some(permutations) => permutations.atoms[atom].p < LEVEL,
        None => is_significant(tables.cmh.holm[atom]),
    }
}
