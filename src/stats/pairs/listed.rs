//! The pairs that a table has: all, or those that tell something.

use rayon::prelude::*;

use super::kept::Pair;
use super::made::Made;
use super::margins::{Group, Margins};
use super::{Listed, Significant};

/// The pairs of a table among those that were kept.
#[derive(Debug, Clone)]
pub(super) enum Rows {
    All(usize),
    /// Their places, ascending.
    These(Vec<u32>),
}

/// What the tests of all pairs show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    /// The number of pairs that have a p-value on all calls.
    pub(super) tested: usize,
    pub(super) significant: Significant,
}

impl Rows {
    /// Chooses the pairs of a table, by the adjusted p-values of the tests on all calls and of a
    /// difference; and counts what these tests show.
    pub(super) fn of(
        listed: Listed,
        (pairs, margins): (&[Pair], &Margins),
        [all, difference]: [&Made; 2],
    ) -> (Self, Shown) {
        let places = (0..pairs.len()).into_par_iter();
        let shown = places.map(|place| [all, difference].map(|made| made.is_significant(place)));
        let shown: Vec<[bool; 2]> = shown.collect();
        let count = |counts: fn(&[bool; 2]) -> bool| shown.iter().filter(|x| counts(x)).count();
        let significant = Significant {
            associated: count(|shown| shown[0]),
            different: count(|shown| shown[1]),
            either: count(|shown| shown[0] || shown[1]),
        };
        let rows = match listed {
            Listed::All => Self::All(pairs.len()),
            Listed::Significant { most } => {
                let places = (0..).zip(&shown).filter(|(_, shown)| shown[0] || shown[1]);
                let places = places.map(|(place, _)| place).collect();
                Self::These(strongest(places, most, pairs, margins))
            }
        };
        let places = (0..pairs.len()).into_par_iter();
        let tested = places.filter(|&place| all.is_tested(place)).count();
        let shown = Shown {
            tested,
            significant,
        };
        (rows, shown)
    }

    /// Returns the number of pairs.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::All(len) => *len,
            Self::These(places) => places.len(),
        }
    }

    /// The place of a row's pair among those that were kept.
    pub(super) fn place(&self, row: usize) -> usize {
        match self {
            Self::All(_) => row,
            Self::These(places) => places[row] as usize,
        }
    }
}

/// The `most` pairs with the largest |φ| on all calls, of equal ones those with the lower first atom,
/// then with the lower second one; ascending places.
fn strongest(mut places: Vec<u32>, most: usize, pairs: &[Pair], margins: &Margins) -> Vec<u32> {
    if places.len() <= most {
        return places;
    }
    let of_place = |&place: &u32| {
        let pair = &pairs[place as usize];
        // The bits of numbers without their sign ascend with the size; NaN has no rank.
        let phi = margins.phi(Group::All, pair).abs();
        let size = if phi.is_nan() { 0 } else { phi.to_bits() };
        (std::cmp::Reverse(size), pair.a, pair.b, place)
    };
    let mut ranked: Vec<_> = places.par_iter().map(of_place).collect();
    ranked.select_nth_unstable(most);
    ranked.truncate(most);
    places.clear();
    places.extend(ranked.into_iter().map(|(.., place)| place));
    places.sort_unstable();
    places
}
