//! The tests of a family that were made.

use super::adjusted::Adjusted;
use super::law::Want;
use crate::stats::inference::LEVEL;

/// The tests of a family, one a pair.
pub(super) struct Made {
    pub(super) want: Want,
    /// `ln p` of each pair, as far as it is wanted; NaN where there is no test.
    pub(super) ln_p: Vec<f64>,
    pub(super) adjusted: Adjusted,
    /// The bits of the least |ln p| that is significant.
    reaches: u64,
}

impl Made {
    /// Adjusts tests, which are some of `family` tests.
    pub(super) fn of(want: Want, ln_p: Vec<f64>, family: u64) -> Self {
        let adjusted = Adjusted::of(&ln_p, family);
        Self {
            reaches: adjusted.reaches(LEVEL),
            want,
            ln_p,
            adjusted,
        }
    }

    pub(super) fn is_tested(&self, place: usize) -> bool {
        !self.ln_p[place].is_nan()
    }

    /// Says whether a pair's adjusted p-value is at most [`LEVEL`].
    pub(super) fn is_significant(&self, place: usize) -> bool {
        let ln_p = self.ln_p[place];
        ln_p < 0.0 && ln_p.abs().to_bits() >= self.reaches
    }
}
