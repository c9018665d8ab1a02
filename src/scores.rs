//! Scores of atoms on every row: what an engine computes, and statistics compare.

use std::ops::Range;

use crate::control::Control;
use crate::error::Result;
use crate::rows::Rows;

/// Scores of some atoms on all calls, \[atoms, calls\]: where those of a part's rows go.
#[derive(Debug)]
pub struct ScoresOf<'a> {
    /// Row-major: an atom's scores are consecutive.
    pub scores: &'a mut [f64],
    /// The number of all calls.
    pub calls: usize,
    /// The call of the part's first row that is kept.
    pub first: usize,
}

/// Computes the canonical scores of any atoms on any rows, whether or not they fire there.
pub trait ScoreAtoms {
    /// Scores consecutive `atoms` on all `rows` but those `dropped` (ascending, counted from the
    /// first). Returns the call after the last that was scored. `control` learns how many rows of the
    /// part are done.
    ///
    /// # Errors
    /// Rows of another length than the model's, rows that cannot be read, a row with a NaN or an
    /// infinity that was not dropped, cancellation.
    fn score(
        &self,
        rows: &dyn Rows,
        dropped: &[usize],
        atoms: &Range<usize>,
        to: &mut ScoresOf<'_>,
        control: &Control,
    ) -> Result<usize>;
}
