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

/// On how many calls of each category and label each atom fires.
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

    /// Adds counts of all atoms, \[F\], for a category and label.
    pub(super) fn add(&mut self, category: usize, label: usize, counts: &[u64]) {
        let stride = self.stride();
        let places = self.counts[category * 2 + label..].iter_mut();
        for (sum, n) in places.step_by(stride).zip(counts) {
            *sum += n;
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
    /// The log odds ratio of firing, the category's calls against all others.
    pub log_odds: Estimate,
    /// Fisher's exact test of it.
    pub p: PValue,
    /// Adjusted by Benjamini and Hochberg over all atoms with enough support and all categories;
    /// `None` for those without.
    pub fdr: Option<PValue>,
}

/// Every atom against every category.
#[derive(Debug, Clone)]
pub struct Enrichment {
    /// The categories.
    pub categories: Vec<Category>,
    /// Atom after atom, each with all categories.
    pub rows: Vec<CategoryAtom>,
}

impl Enrichment {
    /// Of the atoms that are `wanted`; `fires` \[F\] of each atom.
    pub(super) fn of(
        counts: &Counts,
        fires: &[u64],
        wanted: impl Fn(u64) -> bool + Sync,
        min_support: u64,
    ) -> Self {
        let n: u64 = counts.categories.iter().map(Category::calls).sum();
        let of_atom = |atom: u32| {
            let fires = fires[atom as usize];
            (0..counts.categories.len() as u32).map(move |category| {
                let within = counts.of(atom as usize, category as usize);
                let size = counts.categories[category as usize].calls();
                row(atom, category, within[0] + within[1], fires, size, n)
            })
        };
        let mut rows: Vec<CategoryAtom> = (0..fires.len() as u32)
            .into_par_iter()
            .with_min_len(64)
            .filter(|&atom| wanted(fires[atom as usize]))
            .flat_map_iter(of_atom)
            .collect();
        let tested = |row: &CategoryAtom| {
            let enough = row.table.fires() >= min_support.max(1);
            (enough && !row.table.is_degenerate()).then_some(row.p)
        };
        let p: Vec<_> = rows.iter().map(tested).collect();
        let adjusted = Family::of(&p).benjamini_hochberg();
        for (row, fdr) in rows.iter_mut().zip(adjusted) {
            row.fdr = fdr;
        }
        Self {
            categories: counts.categories.clone(),
            rows,
        }
    }
}

/// An atom that fires on `within` of a category's `size` calls, and on `fires` of all `n`.
fn row(atom: u32, category: u32, within: u64, fires: u64, size: u64, n: u64) -> CategoryAtom {
    let elsewhere = fires.saturating_sub(within);
    let table = Table2x2 {
        tp_on: within,
        fp_on: elsewhere,
        tp_off: size.saturating_sub(within),
        fp_off: (n - size).saturating_sub(elsewhere),
    };
    CategoryAtom {
        atom,
        category,
        table,
        log_odds: effect::log_odds_ratio(&table),
        p: fisher::exact_test(&table).p,
        fdr: None,
    }
}
