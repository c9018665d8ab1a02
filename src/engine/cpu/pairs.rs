//! Open pairs of rows and atoms, and their order by atom.

use super::select::Candidate;

/// A row with open atoms.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenRow {
    /// In the block.
    pub(super) row: u32,
    /// How many of its open atoms fire.
    pub(super) missing: u32,
    /// Where its pairs begin.
    pub(super) first: usize,
}

/// An open atom of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub(super) row: u32,
    pub(super) open: Candidate,
    /// Whether it goes through the second screen.
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
    /// Where each atom's next pair goes; once all are placed, where they end.
    pub(super) places: Vec<u32>,
    pub(super) pairs: Vec<u32>,
    pub(super) atoms: Vec<u32>,
    pub(super) rows: Vec<u32>,
    pub(super) products: Vec<f64>,
}

impl ByAtom {
    /// A counting sort of those that are near.
    pub(super) fn sort(&mut self, pairs: &[Pair], features: usize) {
        let near = || pairs.iter().enumerate().filter(|(_, pair)| pair.near);
        self.places.clear();
        self.places.resize(features + 1, 0);
        for (_, pair) in near() {
            self.places[pair.open.atom as usize + 1] += 1;
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
        self.products.clear();
        self.products.resize(count, 0.0);
        for (i, pair) in near() {
            let place = &mut self.places[pair.open.atom as usize];
            let to = *place as usize;
            *place += 1;
            self.pairs[to] = i as u32;
            self.atoms[to] = pair.open.atom;
            self.rows[to] = pair.row;
        }
    }
}
