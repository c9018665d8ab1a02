//! The firing sets of some rows: the atoms that fire on each, ascending.

use std::ops::Range;

use rayon::prelude::*;

use super::slice::SetSlice;
use crate::error::{Error, Result};

/// The firing set of every row that was not dropped, with the canonical scores of its atoms where
/// these were kept.
///
/// A row may have any number of atoms, none included. How the sets lie in memory is nobody else's
/// business: rows of equal length need no ends.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FiringSets {
    layout: Layout,
    atoms: Vec<u32>,
    scores: Option<Vec<f64>>,
    dropped: Vec<usize>,
}

/// The place of each row's atoms.
#[derive(Debug, Clone, PartialEq)]
enum Layout {
    /// The same number of atoms for each row, at least one.
    Uniform(usize),
    /// The end of each row's atoms.
    Ragged(Vec<usize>),
}

impl Default for Layout {
    fn default() -> Self {
        Self::Ragged(Vec::new())
    }
}

impl FiringSets {
    /// Makes sets of `size` atoms a row. `atoms` holds those of every kept row, in input order,
    /// ascending in each row; `dropped` the input rows that have no firing set, ascending.
    ///
    /// # Panics
    /// If `size` is 0, or `atoms` is not made of whole rows.
    pub fn uniform(size: usize, atoms: Vec<u32>, dropped: Vec<usize>) -> Self {
        assert!(
            size > 0 && atoms.len().is_multiple_of(size),
            "firing sets are whole rows of as many atoms each"
        );
        Self {
            layout: Layout::Uniform(size),
            atoms,
            scores: None,
            dropped,
        }
    }

    /// Makes sets of any size. `row_ends` says where the atoms of each kept row end in `atoms`.
    ///
    /// # Panics
    /// If `row_ends` falls, or does not end where `atoms` does.
    pub fn ragged(row_ends: Vec<usize>, atoms: Vec<u32>, dropped: Vec<usize>) -> Self {
        assert!(
            row_ends.is_sorted() && row_ends.last().copied().unwrap_or(0) == atoms.len(),
            "row ends ascend to the last firing"
        );
        Self {
            layout: Layout::Ragged(row_ends),
            atoms,
            scores: None,
            dropped,
        }
    }

    /// The same sets with the canonical score of every atom that fires, in the order of
    /// [`atoms`](Self::atoms).
    ///
    /// # Panics
    /// If there are not as many scores as atoms.
    #[must_use]
    pub fn with_scores(self, scores: Vec<f64>) -> Self {
        assert_eq!(
            scores.len(),
            self.atoms.len(),
            "a score for each atom that fires"
        );
        Self {
            scores: Some(scores),
            ..self
        }
    }

    /// The same sets with other rows dropped, ascending.
    #[must_use]
    pub(crate) fn with_dropped(self, dropped: Vec<usize>) -> Self {
        Self { dropped, ..self }
    }

    /// The same sets with other scores, each made from its atom and what it was.
    #[must_use]
    pub(crate) fn map_scores(mut self, value: impl Fn(u32, f64) -> f64 + Sync) -> Self {
        if let Some(scores) = &mut self.scores {
            let each = scores.par_iter_mut().zip(&self.atoms);
            each.for_each(|(score, &atom)| *score = value(atom, *score));
        }
        self
    }

    /// The number of atoms of every row, where it is known to be one and the same.
    pub fn uniform_size(&self) -> Option<usize> {
        match self.layout {
            Layout::Uniform(size) => Some(size),
            Layout::Ragged(_) => None,
        }
    }

    /// Returns the number of rows that have a firing set, which may be empty.
    pub fn rows(&self) -> usize {
        self.all().len()
    }

    /// Returns the number of firings: the atoms, summed over all rows.
    pub fn firings(&self) -> usize {
        self.atoms.len()
    }

    /// Bytes that it takes in memory.
    pub(crate) fn bytes(&self) -> u64 {
        let scores = self.scores.as_deref().map_or(0, size_of_val);
        let ends = match &self.layout {
            Layout::Uniform(_) => 0,
            Layout::Ragged(ends) => size_of_val(&**ends),
        };
        (ends + size_of_val(&*self.atoms) + scores + size_of_val(&*self.dropped)) as u64
    }

    /// The input rows that were dropped (`--nonfinite skip`), ascending.
    pub fn dropped(&self) -> &[usize] {
        &self.dropped
    }

    /// All atoms, row after row.
    pub fn atoms(&self) -> &[u32] {
        &self.atoms
    }

    /// The canonical score of every atom that fires, in the order of [`atoms`](Self::atoms); `None`
    /// where they were not kept.
    pub fn scores(&self) -> Option<&[f64]> {
        self.scores.as_deref()
    }

    /// The atoms of the `row`-th kept row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row: usize) -> &[u32] {
        &self.atoms[self.place(row)]
    }

    /// Returns the place of the `row`-th kept row in [`atoms`](Self::atoms) and
    /// [`scores`](Self::scores).
    ///
    /// # Panics
    /// If there is no such row.
    pub fn place(&self, row: usize) -> Range<usize> {
        match &self.layout {
            Layout::Uniform(size) => row * size..(row + 1) * size,
            Layout::Ragged(ends) => row.checked_sub(1).map_or(0, |before| ends[before])..ends[row],
        }
    }

    /// All kept rows.
    pub fn all(&self) -> SetSlice<'_> {
        match &self.layout {
            Layout::Uniform(size) => SetSlice::uniform(*size, &self.atoms),
            Layout::Ragged(ends) => SetSlice::ragged(ends, &self.atoms),
        }
    }

    /// Every kept row: its index in the input, and the atoms that fire on it, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[u32])> {
        let mut dropped = self.dropped.iter().copied().peekable();
        let mut row = 0;
        self.all().iter().map(move |atoms| {
            while dropped.next_if_eq(&row).is_some() {
                row += 1;
            }
            row += 1;
            (row - 1, atoms)
        })
    }

    /// The kept rows, `rows` at a time, in parallel.
    pub fn par_chunks(
        &self,
        rows: usize,
    ) -> impl IndexedParallelIterator<Item = SetSlice<'_>> + '_ {
        let all = self.all();
        let chunks = all.len().div_ceil(rows.max(1));
        (0..chunks).into_par_iter().map(move |chunk| {
            let start = chunk * rows;
            all.slice(start..all.len().min(start + rows))
        })
    }

    /// The same sets, each row changed by `change`, which keeps its length. Scores are left out.
    #[must_use]
    pub fn map_rows(&self, change: &(dyn Fn(&mut [u32]) + Sync)) -> Self {
        const ROWS: usize = 256;
        let mut atoms = self.atoms.clone();
        let mut rest = &mut atoms[..];
        let mut chunks = Vec::with_capacity(self.rows().div_ceil(ROWS));
        for start in (0..self.rows()).step_by(ROWS) {
            let rows = self.all().slice(start..self.rows().min(start + ROWS));
            let (chunk, after) = rest.split_at_mut(rows.atoms().len());
            rest = after;
            chunks.push((rows, chunk));
        }
        chunks.into_par_iter().for_each(|(rows, mut chunk)| {
            for row in rows.iter() {
                let (set, after) = chunk.split_at_mut(row.len());
                chunk = after;
                change(set);
            }
        });
        Self {
            layout: self.layout.clone(),
            atoms,
            scores: None,
            dropped: self.dropped.clone(),
        }
    }

    /// Checks that atoms ascend in each row and are below `feature_dim`.
    ///
    /// # Errors
    /// Sets that no engine makes of a model with this number of features.
    pub fn check(&self, feature_dim: usize) -> Result<()> {
        let good = |row: &[u32]| {
            let within = row.last().is_none_or(|&atom| (atom as usize) < feature_dim);
            within && row.is_sorted_by(|a, b| a < b)
        };
        let all = self.all();
        let rows = (0..all.len()).into_par_iter().with_min_len(1 << 12);
        match rows.position_first(|row| !good(self.row(row))) {
            None => Ok(()),
            Some(row) => Err(Error::Argument {
                name: "firing sets",
                found: format!("row {row} with atoms that repeat, fall, or are not the model's"),
                expected: format!("ascending atoms below {feature_dim} in each row"),
            }),
        }
    }
}

impl From<SetSlice<'_>> for FiringSets {
    /// A copy, no row of which was dropped.
    fn from(rows: SetSlice<'_>) -> Self {
        let atoms = rows.atoms().to_vec();
        if let Some(size) = rows.uniform_size() {
            return Self::uniform(size, atoms, Vec::new());
        }
        let mut end = 0;
        let ends = rows.iter().map(|row| {
            end += row.len();
            end
        });
        Self::ragged(ends.collect(), atoms, Vec::new())
    }
}

#[cfg(test)]
#[path = "sets_tests.rs"]
mod tests;
