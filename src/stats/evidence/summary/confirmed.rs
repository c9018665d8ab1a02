//! The atoms that the strictest claim within strata confirms.

use super::claims::{Procedure, within_strata};
use crate::stats::evidence::ExtendedTables;
use crate::stats::evidence::order::{Strength, strongest_first};

/// The atoms that are confirmed, by the strictest procedure within strata that claims any.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Confirmed {
    /// The procedure; `None` if none claims an atom.
    pub procedure: Option<Procedure>,
    /// Each atom with its log odds ratio within strata, above 0 where it leans to true calls; the
    /// strongest first.
    pub atoms: Vec<(u32, f64)>,
    /// The place of each of the model's atoms in `atoms`, \[F\].
    places: Vec<Option<u32>>,
}

impl Confirmed {
    /// Finds them.
    pub fn of(tables: &ExtendedTables) -> Self {
        let count = tables.atoms.len();
        let claims = within_strata(tables).into_iter();
        let mut claims = claims.map(|(procedure, is_claimed)| {
            let atoms = (0..count).filter(|&atom| is_claimed(atom));
            (
                procedure,
                atoms.map(|atom| atom as u32).collect::<Vec<u32>>(),
            )
        });
        let Some((procedure, mut atoms)) = claims.find(|(_, atoms)| !atoms.is_empty()) else {
            return Self::default();
        };
        let log_odds = |atom: u32| tables.atoms[atom as usize].stratified.ln_odds_ratio;
        strongest_first(&mut atoms, |atom| Strength {
            ln_p: tables.atoms[atom as usize]
                .conditional
                .no_effect
                .map_or(0.0, |test| test.p.ln()),
            size: log_odds(atom).map_or(0.0, f64::abs),
        });
        let mut places = vec![None; count];
        for (place, &atom) in (0..).zip(&atoms) {
            places[atom as usize] = Some(place);
        }
        let with_odds = |atom| (atom, log_odds(atom).unwrap_or(f64::NAN));
        Self {
            procedure: Some(procedure),
            atoms: atoms.into_iter().map(with_odds).collect(),
            places,
        }
    }

    /// Returns those of a call's firing atoms that are confirmed, the strongest first, at most `most`.
    pub fn among(&self, fires: &[u32], most: usize) -> impl Iterator<Item = (u32, f64)> + '_ {
        let place = |&atom: &u32| self.places.get(atom as usize).copied().flatten();
        let mut places: Vec<u32> = fires.iter().filter_map(place).collect();
        places.sort_unstable();
        places.truncate(most);
        let atom = |place: u32| self.atoms.get(place as usize).copied();
        places.into_iter().filter_map(atom)
    }
}
