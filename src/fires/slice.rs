//! The firing sets of consecutive rows, as somebody else holds them.

use std::ops::Range;

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
    /// Rows of `size` atoms each.
    pub(super) fn uniform(size: usize, atoms: &'a [u32]) -> Self {
        Self {
            ends: Ends::Uniform(size),
            before: 0,
            atoms,
        }
    }

    /// Rows whose atoms end where it is said.
    pub(super) fn ragged(row_ends: &'a [usize], atoms: &'a [u32]) -> Self {
        Self {
            ends: Ends::Ragged(row_ends),
            before: 0,
            atoms,
        }
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        match self.ends {
            Ends::Uniform(size) => self.atoms.len() / size,
            Ends::Ragged(ends) => ends.len(),
        }
    }

    /// Says whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of atoms of every row, where it is one and the same and not 0.
    pub(super) fn uniform_size(&self) -> Option<usize> {
        match self.ends {
            Ends::Uniform(size) => Some(size),
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
    /// If there are not that many rows.
    #[must_use]
    pub fn slice(self, rows: Range<usize>) -> Self {
        let end = |row: usize| match self.ends {
            Ends::Uniform(size) => row * size,
            Ends::Ragged(ends) => row
                .checked_sub(1)
                .map_or(0, |last| ends[last] - self.before),
        };
        let (start, stop) = (end(rows.start), end(rows.end));
        Self {
            ends: match self.ends {
                Ends::Uniform(size) => Ends::Uniform(size),
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
            Ends::Uniform(size) => (left.atoms.len() >= *size).then_some(*size)?,
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
