//! Firing sets made row by row.

use super::sets::FiringSets;
use super::slice::SetSlice;

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

    /// Returns the number of firings that were added.
    pub fn firings(&self) -> usize {
        self.atoms.len()
    }

    /// The rows so far.
    pub fn rows(&self) -> SetSlice<'_> {
        SetSlice::ragged(&self.row_ends, &self.atoms)
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
