//! Where the scores end that fire, in batches of rows that are cut together.

use crate::error::{Error, Result};

/// The least score of a batch that fires, and the last place where it does: a score above it fires,
/// and an equal one in an earlier row, or in this row with this or a smaller atom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// The least score that fires; of a batch in which no score is above 0, 0.
    pub score: f64,
    /// The row of the last firing with this score, counted as [`Cuts`] counts rows.
    pub row: u64,
    /// The atom of that firing.
    pub atom: u32,
}

impl Cut {
    /// The cut of a batch of which all scores above 0 fire.
    pub const ZERO: Self = Self {
        score: 0.0,
        row: 0,
        atom: 0,
    };

    /// Says whether an atom of a row fires with this score.
    pub fn fires(&self, row: u64, atom: u32, score: f64) -> bool {
        let is_in_time = (row, atom) <= (self.row, self.atom);
        score > 0.0 && (score > self.score || (score == self.score && is_in_time))
    }
}

/// The cuts of consecutive batches of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Cuts {
    /// Rows of each batch but the last, at least 1.
    rows: u64,
    of_batch: Vec<Cut>,
    /// The number of the first row that is encoded.
    first: u64,
}

impl Cuts {
    /// Makes the cuts of batches of `rows` rows each, but for the last, which may have fewer. Rows are
    /// counted from the first of the first batch on.
    ///
    /// # Panics
    /// If `rows` is 0.
    pub fn new(rows: u64, of_batch: Vec<Cut>) -> Self {
        assert!(rows > 0, "a batch has rows");
        let first = 0;
        Self {
            rows,
            of_batch,
            first,
        }
    }

    /// The same cuts for rows of which the first that is encoded has the number `first`.
    #[must_use]
    pub fn from_row(&self, first: u64) -> Self {
        Self {
            first,
            ..self.clone()
        }
    }

    /// The number of the `row`-th of the rows that are encoded, and its cut.
    ///
    /// # Panics
    /// If the row has none.
    pub fn of_row(&self, row: usize) -> (u64, Cut) {
        let number = self.first + row as u64;
        (number, self.of_batch[(number / self.rows) as usize])
    }

    /// Checks that each of `count` rows has its cut.
    pub(crate) fn check(&self, count: usize) -> Result<()> {
        let rows = self.first.saturating_add(count as u64);
        if self.of_batch.len() as u64 >= rows.div_ceil(self.rows) {
            return Ok(());
        }
        Err(Error::Argument {
            name: "cuts",
            found: format!("{} batches of {} rows", self.of_batch.len(), self.rows),
            expected: format!("batches of all {rows} rows"),
        })
    }
}
