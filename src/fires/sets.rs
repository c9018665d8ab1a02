//! The firing sets of some rows: the atoms that fire on each, ascending.

use std::ops::Range;

use rayon::prelude::*;

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

/// Where each row's atoms are.
#[derive(Debug, Clone, PartialEq)]
enum Layout {
    /// So many atoms a row, at least one.
    Uniform(usize),
    /// Where each row's atoms end.
    Ragged(Vec<usize>),
}

impl Default for Layout {
    fn default() -> Self {
        Self::Ragged(Vec::new())
    }
}

impl FiringSets {
    /// Makes sets of `k` atoms a row. `atoms` holds those of every kept row, in input order,
    /// ascending in each row; `dropped` the input rows that have no firing set, ascending.
    ///
    /// # Panics
    /// If `k` is 0, or `atoms` is not made of whole rows.
    pub fn uniform(k: usize, atoms: Vec<u32>, dropped: Vec<usize>) -> Self {
        assert!(
            k > 0 && atoms.len().is_multiple_of(k),
            "firing sets are whole rows of k atoms"
        );
        Self {
            layout: Layout::Uniform(k),
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

    /// The number of atoms of every row, where it is known to be one and the same.
    pub fn uniform_size(&self) -> Option<usize> {
        match self.layout {
            Layout::Uniform(k) => Some(k),
            Layout::Ragged(_) => None,
        }
    }

    /// How many rows have a firing set, which may be empty.
    pub fn rows(&self) -> usize {
        self.all().len()
    }

    /// How many firings there are: atoms, over all rows.
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

    /// Where in [`atoms`](Self::atoms) and [`scores`](Self::scores) the `row`-th kept row is.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn place(&self, row: usize) -> Range<usize> {
        match &self.layout {
            Layout::Uniform(k) => row * k..(row + 1) * k,
            Layout::Ragged(ends) => row.checked_sub(1).map_or(0, |before| ends[before])..ends[row],
        }
    }

    /// All kept rows.
    pub fn all(&self) -> SetSlice<'_> {
        let ends = match &self.layout {
            Layout::Uniform(k) => Ends::Uniform(*k),
            Layout::Ragged(ends) => Ends::Ragged(ends),
        };
        SetSlice {
            ends,
            before: 0,
            atoms: &self.atoms,
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
    /// Sets that no engine makes of a model of so many features.
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
        let atoms = rows.atoms.to_vec();
        match rows.uniform_size() {
            Some(k) => Self::uniform(k, atoms, Vec::new()),
            None => {
                let mut end = 0;
                let ends = rows.iter().map(|row| {
                    end += row.len();
                    end
                });
                Self::ragged(ends.collect(), atoms, Vec::new())
            }
        }
    }
}

/// The firing sets of consecutive rows.
#[derive(Debug, Clone, Copy)]
pub struct SetSlice<'a> {
    ends: Ends<'a>,
    /// Atoms before the first row.
    before: usize,
    atoms: &'a [u32],
}

#[derive(Debug, Clone, Copy)]
enum Ends<'a> {
    Uniform(usize),
    Ragged(&'a [usize]),
}

impl<'a> SetSlice<'a> {
    /// How many rows.
    pub fn len(&self) -> usize {
        match self.ends {
            Ends::Uniform(k) => self.atoms.len() / k,
            Ends::Ragged(ends) => ends.len(),
        }
    }

    /// Says whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of atoms of every row, where it is one and the same and not 0.
    fn uniform_size(&self) -> Option<usize> {
        match self.ends {
            Ends::Uniform(k) => Some(k),
            Ends::Ragged(_) => {
                let mut sizes = self.iter().map(<[u32]>::len);
                let first = sizes.next().filter(|&size| size > 0)?;
                sizes.all(|size| size == first).then_some(first)
            }
        }
    }

    /// The atoms of all rows.
    pub fn atoms(&self) -> &'a [u32] {
        self.atoms
    }

    /// The atoms of each row.
    pub fn iter(self) -> SetIter<'a> {
        SetIter(self)
    }

    /// Some of the rows.
    ///
    /// # Panics
    /// If there are not so many.
    #[must_use]
    pub fn slice(self, rows: Range<usize>) -> Self {
        let end = |row: usize| match self.ends {
            Ends::Uniform(k) => row * k,
            Ends::Ragged(ends) => row
                .checked_sub(1)
                .map_or(0, |last| ends[last] - self.before),
        };
        let (start, stop) = (end(rows.start), end(rows.end));
        Self {
            ends: match self.ends {
                Ends::Uniform(k) => Ends::Uniform(k),
                Ends::Ragged(ends) => Ends::Ragged(&ends[rows]),
            },
            before: self.before + start,
            atoms: &self.atoms[start..stop],
        }
    }
}

/// The atoms of one row after another.
#[derive(Debug, Clone)]
pub struct SetIter<'a>(SetSlice<'a>);

impl<'a> Iterator for SetIter<'a> {
    type Item = &'a [u32];

    #[inline]
    fn next(&mut self) -> Option<&'a [u32]> {
        let left = &mut self.0;
        let size = match &mut left.ends {
            Ends::Uniform(k) => (left.atoms.len() >= *k).then_some(*k)?,
            Ends::Ragged(ends) => {
                let (&end, more) = ends.split_first()?;
                *ends = more;
                end - left.before
            }
        };
        let (row, rest) = left.atoms.split_at(size);
        left.before += size;
        left.atoms = rest;
        Some(row)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl ExactSizeIterator for SetIter<'_> {}

/// Makes firing sets row by row.
#[derive(Debug, Default)]
pub struct FiringSetsBuilder {
    row_ends: Vec<usize>,
    atoms: Vec<u32>,
}

impl FiringSetsBuilder {
    /// Adds the next kept row.
    pub fn push(&mut self, atoms: &[u32]) {
        self.atoms.extend_from_slice(atoms);
        self.row_ends.push(self.atoms.len());
    }

    /// How many firings were added.
    pub fn firings(&self) -> usize {
        self.atoms.len()
    }

    /// The rows so far.
    pub fn rows(&self) -> SetSlice<'_> {
        SetSlice {
            ends: Ends::Ragged(&self.row_ends),
            before: 0,
            atoms: &self.atoms,
        }
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.row_ends.clear();
        self.atoms.clear();
    }

    /// The firing sets, `dropped` among their input rows.
    pub fn finish(self, dropped: Vec<usize>) -> FiringSets {
        FiringSets::ragged(self.row_ends, self.atoms, dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::{FiringSets, FiringSetsBuilder};

    #[test]
    fn iter_passes_over_dropped_rows() {
        let sets = FiringSets::uniform(2, vec![1, 2, 3, 4, 5, 6], vec![0, 2, 3]);
        let rows: Vec<_> = sets
            .iter()
            .map(|(row, atoms)| (row, atoms.to_vec()))
            .collect();
        assert_eq!(rows, [(1, vec![1, 2]), (4, vec![3, 4]), (5, vec![5, 6])]);
    }

    #[test]
    fn ragged_sets_keep_empty_rows() {
        let mut builder = FiringSetsBuilder::default();
        let rows: [&[u32]; 5] = [&[], &[4, 7], &[], &[1], &[]];
        rows.iter().for_each(|row| builder.push(row));
        let sets = builder.finish(vec![1]);
        assert_eq!((sets.rows(), sets.firings()), (5, 3));
        let found: Vec<_> = sets.iter().collect();
        let numbers = [0, 2, 3, 4, 5];
        let expected: Vec<_> = numbers.into_iter().zip(rows).collect();
        assert_eq!(found, expected);
        for start in 0..=5 {
            for end in start..=5 {
                let slice = sets.all().slice(start..end);
                assert!(slice.iter().eq(rows[start..end].iter().copied()));
                // A slice of a slice.
                for from in 0..=slice.len() {
                    let inner = slice.slice(from..slice.len());
                    assert!(inner.iter().eq(rows[start + from..end].iter().copied()));
                }
            }
        }
        assert_eq!(sets.row(1), [4, 7]);
        assert_eq!(sets.place(3), 2..3);
    }

    #[test]
    fn uniform_and_ragged_slices_agree() {
        let atoms: Vec<u32> = (0..12).collect();
        let uniform = FiringSets::uniform(3, atoms.clone(), vec![]);
        let ragged = FiringSets::ragged(vec![3, 6, 9, 12], atoms, vec![]);
        for start in 0..=4 {
            for end in start..=4 {
                let [a, b] = [&uniform, &ragged].map(|sets| sets.all().slice(start..end));
                assert!(a.iter().eq(b.iter()) && a.atoms() == b.atoms() && a.len() == b.len());
            }
        }
    }
}
