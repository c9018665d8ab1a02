//! Atoms against categories of calls (SV types, chromosomes, datasets): is one more often among the
//! calls on which an atom fires than among the others?

use rayon::prelude::*;

use super::super::inference::multiplicity::Family;
use super::super::inference::{Estimate, PValue, Table2x2, effect, fisher};

/// A category of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// Its name.
    pub name: String,
    /// True calls of it.
    pub tp: u64,
    /// False calls of it.
    pub fp: u64,
}

impl Category {
    /// Its calls.
    pub fn calls(&self) -> u64 {
        self.tp + self.fp
    }
}

/// The number of calls of each category and label on which each atom fires.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    /// The categories.
    pub(super) categories: Vec<Category>,
    /// `[atom][category][label]`, label 0 for true calls.
    counts: Vec<u64>,
}

impl Counts {
    pub(super) fn new(categories: Vec<Category>, features: usize) -> Self {
        let counts = vec![0; features * categories.len() * 2];
        Self { categories, counts }
    }

    /// Adds counts of atoms for a category and label.
    pub(super) fn add(
        &mut self,
        category: usize,
        label: usize,
        counts: impl Iterator<Item = (u32, u64)>,
    ) {
        let stride = self.stride();
        for (atom, number) in counts {
            self.counts[atom as usize * stride + category * 2 + label] += number;
        }
    }

    /// Numbers of an atom.
    fn stride(&self) -> usize {
        2 * self.categories.len()
    }

    /// The counts of some atoms after one another, to be filled in.
    pub(super) fn of_atoms_mut(&mut self, atoms: std::ops::Range<u32>) -> &mut [u64] {
        let stride = self.stride();
        &mut self.counts[atoms.start as usize * stride..atoms.end as usize * stride]
    }

    /// True and false calls of a category on which an atom fires.
    pub(super) fn of(&self, atom: usize, category: usize) -> [u64; 2] {
        let at = atom * self.stride() + 2 * category;
        [self.counts[at], self.counts[at + 1]]
    }
}

/// An atom against a category.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CategoryAtom {
    /// The atom.
    pub atom: u32,
    /// The category's place in the list.
    pub category: u32,
    /// Calls of the category on which the atom fires (`tp_on`), other calls on which it does
    /// (`fp_on`), and those of either on which it does not.
    pub table: Table2x2,
    /// The log odds ratio of firing, the category's calls against all others; `None` where the atom
    /// fires on no call.
    pub log_odds: Option<Estimate>,
    /// Fisher's exact test of it; `None` likewise.
    pub p: Option<PValue>,
    /// Adjusted by Benjamini and Hochberg over all atoms and categories with enough calls; `None` for
    /// others.
    pub fdr: Option<PValue>,
}

/// Every atom against every category.
#[derive(Debug, Clone)]
pub struct Enrichment {
    /// The categories.
    pub categories: Vec<Category>,
    /// The tests, atom after atom, each with all categories. Left out are atoms that fire on every
    /// call and a category that has every call: there is nothing to compare with.
    pub rows: Vec<CategoryAtom>,
}

impl Enrichment {
    /// Tests the `wanted` atoms against each category; `fires` \[F\] is the number of firings of
    /// each atom. An atom or a category of fewer than `min_support` calls is in no family. A contig
    /// of three calls can tell next to nothing, and a thousand of them would hide what others tell.
    pub(super) fn of(
        counts: &Counts,
        fires: &[u64],
        wanted: impl Fn(u64) -> bool + Sync,
        min_support: u64,
    ) -> Self {
        let n: u64 = counts.categories.iter().map(Category::calls).sum();
        let atoms = 0..fires.len() as u32;
        let compared = |fires: u64| fires < n && wanted(fires);
        let atoms: Vec<u32> = atoms
            .filter(|&atom| compared(fires[atom as usize]))
            .collect();
        let categories =
            (0..counts.categories.len()).filter(|&at| counts.categories[at].calls() < n);
        let categories: Vec<usize> = categories.collect();
        let each = categories.len();
        let row = |known: &mut Known, place: usize| {
            let (atom, category) = (atoms[place / each], categories[place % each]);
            let within = counts.of(atom as usize, category).iter().sum();
            let size = counts.categories[category].calls();
            let table = table(within, fires[atom as usize], size, n);
            known.row(atom, category as u32, table)
        };
        let places = (0..atoms.len() * each).into_par_iter();
        let rows = places.with_min_len(ROWS_TOGETHER).map_init(Known::new, row);
        let mut rows: Vec<CategoryAtom> = rows.collect();
        let ln_p = rows.par_iter().map(|row| {
            let enough = row.table.fires().min(row.table.tp()) >= min_support;
            row.p.filter(|_| enough).map_or(f64::NAN, PValue::ln)
        });
        let adjusted = Family::of_ln(ln_p).into_benjamini_hochberg_ln();
        let pairs = rows.par_iter_mut().zip(adjusted);
        pairs.for_each(|(row, ln)| row.fdr = (!ln.is_nan()).then(|| PValue::from_ln(ln)));
        Self {
            categories: counts.categories.clone(),
            rows,
        }
    }
}

/// Rows, at least, that share what is known of tables.
const ROWS_TOGETHER: usize = 1 << 14;

/// The table of an atom that fires on `within` of a category's `size` calls, and on `fires` of all
/// `n`.
fn table(within: u64, fires: u64, size: u64, n: u64) -> Table2x2 {
    let elsewhere = fires.saturating_sub(within);
    Table2x2 {
        tp_on: within,
        fp_on: elsewhere,
        tp_off: size.saturating_sub(within),
        fp_off: (n - size).saturating_sub(elsewhere),
    }
}

/// Rows that were computed before. Atoms of a large SAE fire on few calls each, so that the same
/// table comes again and again. The tests of a table are looked up by its hash. Of tables with the
/// same hash the last one is kept.
struct Known(Vec<CategoryAtom>);

impl Known {
    /// A power of two; about a megabyte.
    const PLACES: usize = 1 << 13;

    fn new() -> Self {
        Self(vec![compute(Table2x2::default()); Self::PLACES])
    }

    fn row(&mut self, atom: u32, category: u32, table: Table2x2) -> CategoryAtom {
        let cells = [table.tp_on, table.fp_on, table.tp_off];
        // Fibonacci hashing; the fourth cell follows from the others, since n is one.
        let mix = |hash: u64, cell: u64| {
            (hash ^ cell)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .rotate_left(29)
        };
        let place = cells.into_iter().fold(0, mix) as usize % Self::PLACES;
        let known = &mut self.0[place];
        if known.table != table {
            *known = compute(table);
        }
        CategoryAtom {
            atom,
            category,
            ..*known
        }
    }
}

fn compute(table: Table2x2) -> CategoryAtom {
    let varies = !table.is_degenerate();
    CategoryAtom {
        atom: 0,
        category: 0,
        table,
        log_odds: varies.then(|| effect::log_odds_ratio(&table)),
        p: varies.then(|| fisher::exact_test(&table).p),
        fdr: None,
    }
}

#[cfg(test)]
#[path = "categories_tests.rs"]
mod tests;
