//! Activations that were computed elsewhere: which atoms fire on each row, and how strongly. An atom
//! fires where its activation is not 0, whatever its sign.
//!
//! | file | layout |
//! |---|---|
//! | `compressed` | scipy's sparse matrix in compressed rows, `.npz` |
//! | `dense` | a dense matrix \[N, F\]: `.npy`, `.npz`, safetensors |
//! | `listed` | `top_indices` and `top_acts` \[N, k\]: `.npz`, safetensors; `fires.npy` |
//! | `long` | a line for each atom that fires on a row: Parquet |
//! | `numbers` | arrays of numbers, read in pieces |
//! | `rows` | rows made of entries, checked |
//!
//! The bytes tell the layout, never the name. Files stay where they are: rows are read as they are
//! wanted, in memory that depends on the rows.

mod compressed;
mod dense;
mod listed;
#[cfg(feature = "parquet")]
mod long;
mod numbers;
mod open;
mod rows;

use std::ops::Range;

use super::source::{Source, Stamp};
use crate::control::Control;
use crate::error::{Choice, Error, Proposal, Result};
pub(super) use open::Opened;
pub use rows::ActiveAtoms;
use rows::Bounds;

/// The number of atoms beyond which a file's word is not enough: tables have lines for each of them,
/// however few bytes the file has.
const MOST_UNASKED: u64 = 1 << 20;

/// The activations of a cohort's calls in a file.
#[derive(Debug)]
pub struct Activations {
    source: Source,
    layout: Layout,
    rows: usize,
    atoms: usize,
    /// Atoms that fire on a row, about.
    firings_a_row: usize,
}

#[derive(Debug)]
enum Layout {
    Compressed(compressed::Compressed),
    Dense(dense::Dense),
    Listed(listed::Listed),
    #[cfg(feature = "parquet")]
    Long(long::Long),
}

impl Activations {
    /// N, the number of rows.
    pub fn count(&self) -> usize {
        self.rows
    }

    /// F, the number of atoms.
    pub fn atoms(&self) -> usize {
        self.atoms
    }

    /// The number of atoms that fire on a row, about: what memory is planned by.
    pub fn firings_a_row(&self) -> usize {
        self.firings_a_row
    }

    /// The file's name in messages.
    pub fn name(&self) -> String {
        self.source.name()
    }

    /// Returns an error if the file is no longer the one that was opened.
    ///
    /// # Errors
    /// A file that was replaced, has grown, or was rewritten.
    pub fn check_unchanged(&self) -> Result<()> {
        self.source.check_unchanged()
    }

    /// Returns the file's stamp when it was opened.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        self.source.stamp()
    }

    /// Reads rows `range`; `control` learns how many are done.
    ///
    /// # Errors
    /// Activations that are NaN or infinite, atoms that the model does not have, entries that do not
    /// belong to a row, each with its row; a file that cannot be read; cancellation.
    ///
    /// # Panics
    /// If there are not that many rows.
    pub fn read(&self, range: Range<usize>, control: &Control) -> Result<ActiveAtoms> {
        assert!(range.start <= range.end && range.end <= self.rows);
        let name = self.name();
        let bounds = Bounds {
            name: &name,
            atoms: self.atoms,
        };
        match &self.layout {
            Layout::Compressed(matrix) => matrix.read(&range, bounds, control),
            Layout::Dense(matrix) => matrix.read(&range, bounds, control),
            Layout::Listed(listed) => listed.read(&range, bounds, control),
            #[cfg(feature = "parquet")]
            Layout::Long(table) => table.read(&range, bounds, control),
        }
    }
}

impl Opened {
    /// Returns the number of rows that the file has; `None` if it does not say.
    #[cfg_attr(
        not(feature = "parquet"),
        expect(clippy::unnecessary_wraps, reason = "Parquet alone does not say")
    )]
    pub(super) fn rows(&self) -> Option<usize> {
        match &self.layout {
            Layout::Compressed(matrix) => Some(matrix.shape()[0]),
            Layout::Dense(matrix) => Some(matrix.shape()[0]),
            Layout::Listed(listed) => Some(listed.rows()),
            #[cfg(feature = "parquet")]
            Layout::Long(_) => None,
        }
    }

    /// Returns the number of atoms that the file has; `None` if it does not say.
    fn width(&self) -> Option<usize> {
        match &self.layout {
            Layout::Compressed(matrix) => Some(matrix.shape()[1]),
            Layout::Dense(matrix) => Some(matrix.shape()[1]),
            Layout::Listed(_) => None,
            #[cfg(feature = "parquet")]
            Layout::Long(_) => None,
        }
    }

    /// Completes the activations with what the file may not say: its `rows`, one for each call, and
    /// the number of `atoms`.
    ///
    /// # Errors
    /// Another number of atoms than the file's, or none where the file has none; rows beyond the
    /// last call.
    pub(super) fn with_calls(self, rows: usize, atoms: Option<u64>) -> Result<Activations> {
        let atoms = self.atoms(atoms)?;
        let firings_a_row = match &self.layout {
            Layout::Compressed(matrix) => matrix.entries_a_row(),
            Layout::Dense(_) => self.sampled,
            Layout::Listed(listed) => listed.k(),
            #[cfg(feature = "parquet")]
            Layout::Long(table) => {
                check_end(&self.source, table.end(), rows)?;
                table.lines().div_ceil(rows.max(1) as u64) as usize
            }
        };
        Ok(Activations {
            source: self.source,
            layout: self.layout,
            rows,
            atoms,
            firings_a_row: firings_a_row.min(atoms),
        })
    }

    fn atoms(&self, asked: Option<u64>) -> Result<usize> {
        let bad = |found: String, expected: &str, action: &str| {
            let place = "the number of atoms";
            Error::input(self.source.name(), place, found, expected, action)
        };
        let ask = |error: Error| error.proposing([Proposal::of(Choice::Atoms)]);
        let width = self.width().map(|width| width as u64);
        let atoms = match (width, asked) {
            (Some(width), Some(asked)) if asked != width => {
                let expected = format!(
                    "{width}, the width of {}; or leave it out",
                    self.source.name()
                );
                return Err(Error::choice(Choice::Atoms, asked.to_string(), expected));
            }
            (Some(width), None) if (MOST_UNASKED + 1..MOST).contains(&width) => {
                let expected = format!("at most {MOST_UNASKED}, or more if they are asked for");
                let action = "say the number, if that is it";
                return Err(ask(bad(width.to_string(), &expected, action)));
            }
            (None, None) => {
                let expected =
                    "F, the number of the model's atoms, which this layout does not hold";
                let action = "say how many there are";
                return Err(ask(bad(
                    "nothing that says it".to_owned(),
                    expected,
                    action,
                )));
            }
            (Some(atoms), _) | (None, Some(atoms)) => atoms,
        };
        if (1..MOST).contains(&atoms) {
            return Ok(atoms as usize);
        }
        let expected = format!("a number from 1 to {}", MOST - 1);
        Err(bad(
            atoms.to_string(),
            &expected,
            "check how the file was made",
        ))
    }
}

/// The number that atoms are fewer than: their indices have 32 bits.
const MOST: u64 = 1 << 32;

/// Checks that a table names no row beyond the last call.
#[cfg(feature = "parquet")]
fn check_end(source: &Source, end: u64, rows: usize) -> Result<()> {
    if end <= rows as u64 {
        return Ok(());
    }
    Err(Error::input(
        source.name(),
        "column row",
        format!("the row {}", end - 1),
        format!("rows below {rows}, the number of calls"),
        "number rows as the calls are, from 0 on, and give the table of these calls",
    ))
}
