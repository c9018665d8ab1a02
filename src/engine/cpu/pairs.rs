//! Open pairs of rows and atoms, and their order by atom.

use std::ops::Range;

use super::select::Candidate;

/// A set of open atoms of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenSet {
    /// The row's index in the block.
    pub(super) row: u32,
    /// The most of them that fire.
    pub(super) slots_left: u32,
    /// The index of its first pair.
    pub(super) first: usize,
}

/// An open atom of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowAtom {
    pub(super) row: u32,
    pub(super) open: Candidate,
    /// `true` if it goes through the second screen.
    pub(super) near: bool,
    /// The second screen's score, without the bias.
    pub(super) product: f64,
}

/// A score's estimate, and how far it can be off.
pub(super) fn middle_and_width(open: Candidate) -> (f64, f64) {
    let (lower, upper) = (f64::from(open.lower), f64::from(open.upper));
    (f64::midpoint(lower, upper), (upper - lower) / 2.0)
}

/// Pairs sorted by atom.
#[derive(Default)]
pub(super) struct ByAtom {
    /// The index where each atom's next pair goes; once all are placed, where its pairs end.
    places: Vec<u32>,
    pub(super) pairs: Vec<u32>,
    atoms: Vec<u32>,
    pub(super) rows: Vec<u32>,
}

/// A pair to be sorted.
pub(super) struct Unsorted {
    /// The number by which its owner knows it.
    pub(super) pair: u32,
    pub(super) atom: u32,
    pub(super) row: u32,
}

/// All pairs of an atom.
pub(super) struct OfAtom {
    pub(super) atom: u32,
    /// The places of its pairs in the order by atom.
    pub(super) pairs: Range<usize>,
    /// The atom whose pairs come after them.
    pub(super) next: Option<u32>,
}

impl ByAtom {
    /// A counting sort; `pairs` gives the same ones each time.
    pub(super) fn sort<I>(&mut self, pairs: impl Fn() -> I, features: usize)
    where
        I: Iterator<Item = Unsorted>,
    {
        self.places.clear();
        self.places.resize(features + 1, 0);
        for pair in pairs() {
            self.places[pair.atom as usize + 1] += 1;
        }
        let mut end = 0;
        for count in &mut self.places {
            end += *count;
            *count = end;
        }
        let count = end as usize;
        for sorted in [&mut self.pairs, &mut self.atoms, &mut self.rows] {
            sorted.resize(count, 0);
        }
        for Unsorted { pair, atom, row } in pairs() {
            let place = &mut self.places[atom as usize];
            let to = *place as usize;
            *place += 1;
            self.pairs[to] = pair;
            self.atoms[to] = atom;
            self.rows[to] = row;
        }
    }

    /// Atom after atom.
    pub(super) fn each_atom(&self) -> impl Iterator<Item = OfAtom> {
        let mut first = 0;
        std::iter::from_fn(move || {
            let &atom = self.atoms.get(first)?;
            let end = self.places[atom as usize] as usize;
            let pairs = first..end;
            first = end;
            let next = self.atoms.get(end).copied();
            Some(OfAtom { atom, pairs, next })
        })
    }
}
