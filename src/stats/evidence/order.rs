//! The order of atoms by strength: ascending p; equal p by descending size of the effect; then
//! ascending atom.
//!
//! The column `rank` of the table of atoms and every list of the strongest atoms follow it. The
//! bootstrap alone does not: `headlines` says why. The notebook's own lists are by odds.

use super::ExtendedTables;
use super::atoms::AllAtoms;

/// The measure by which atoms are ordered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strength {
    /// The logarithm of the p-value.
    pub ln_p: f64,
    /// The size of the effect, without its sign.
    pub size: f64,
}

/// Sorts atoms, the strongest first.
pub fn strongest_first(atoms: &mut [u32], strength: impl Fn(u32) -> Strength) {
    atoms.sort_by(|&a, &b| {
        let (of_a, of_b) = (strength(a), strength(b));
        let by_p = of_a.ln_p.total_cmp(&of_b.ln_p);
        by_p.then(of_b.size.total_cmp(&of_a.size)).then(a.cmp(&b))
    });
}

impl ExtendedTables {
    /// The tested atoms by Fisher's p-value and |`log_or`|, the strongest first.
    pub fn by_strength(&self) -> Vec<u32> {
        let is_tested = |atom: &u32| self.fisher.bh[*atom as usize].is_some();
        let mut atoms: Vec<u32> = (0..self.atoms.len() as u32).filter(is_tested).collect();
        strongest_first(&mut atoms, |atom| {
            let counts = &self.atoms[atom as usize];
            Strength {
                ln_p: counts.fisher.p.ln(),
                size: counts.log_odds.map_or(0.0, |log_odds| log_odds.value.abs()),
            }
        });
        atoms
    }
}

/// Chooses the tested atoms that the bootstrap draws, at most `most`: by Fisher's p-value, equal
/// ones by atom, whatever their effects. Which atoms have `bootstrap_lo` and `bootstrap_hi` follows
/// from this. So the sizes of effects must not enter: they would choose others among equal
/// p-values.
pub(super) fn headlines(all: &AllAtoms, most: usize) -> Vec<u32> {
    let is_tested = |atom: &u32| all.is_tested(*atom as usize);
    let mut atoms: Vec<u32> = (0..all.atoms.len() as u32).filter(is_tested).collect();
    strongest_first(&mut atoms, |atom| Strength {
        ln_p: all.atoms[atom as usize].fisher.p.ln(),
        size: 0.0,
    });
    atoms.truncate(most);
    atoms
}

#[cfg(test)]
mod tests {
    use super::{Strength, strongest_first};

    #[test]
    fn order_breaks_ties_of_p_by_effect_and_then_by_atom() {
        let strengths = [
            (0.0, 3.0),
            (-5.0, 0.5),
            (0.0, 3.0),
            (-5.0, 2.0),
            (f64::NEG_INFINITY, 0.1),
            (0.0, 4.0),
        ];
        let mut atoms = [5, 0, 3, 1, 2, 4];
        strongest_first(&mut atoms, |atom| {
            let (ln_p, size) = strengths[atom as usize];
            Strength { ln_p, size }
        });
        assert_eq!(atoms, [4, 3, 1, 5, 0, 2]);
    }
}
