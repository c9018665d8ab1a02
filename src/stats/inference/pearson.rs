//! Pearson's chi-square test of independence on a 2×2 table, in log space.

use super::p_value::Test;
use super::table::Table2x2;

/// The test, and the expected count that shows whether to trust it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pearson {
    /// The statistic `n·(ad − bc)²/(product of the margins)`, one degree of freedom, with its
    /// p-value.
    pub test: Test,
    /// The smallest of the four expected counts. Below 5 the statistic is far from its asymptotic
    /// distribution, and Fisher's exact test is the one to read (Cochran, Biometrics 10, 1954).
    pub least_expected: f64,
}

/// Computes the test without Yates' correction; `None` if a margin is zero.
///
/// The statistic equals that of scipy's `chi2_contingency(table, correction=False)` but for
/// rounding: `ad − bc` is exact here, which matters if a large table is nearly independent.
/// [`chi2::contingency`](crate::stats::notebook::chi2::contingency) has scipy's bits.
pub fn independence(table: &Table2x2) -> Option<Pearson> {
    if table.is_degenerate() {
        return None;
    }
    let expected = table.expected();
    let difference = table.cross_difference() as f64 / table.n() as f64;
    // This is (x − e)²/e over the four cells; all |x − e| are equal.
    let inverses = expected.map(|e| 1.0 / e);
    let inverse = inverses[0] + inverses[1] + inverses[2] + inverses[3];
    let statistic = difference * difference * inverse;
    Some(Pearson {
        test: Test::of_chi2(statistic, 1),
        least_expected: expected.into_iter().fold(f64::INFINITY, f64::min),
    })
}
