//! Counts of the work that certified selection did.

/// The work that certified selection did over a run. These numbers depend on the machine's screen,
/// so they are part of a run's record, never of its answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Certificate {
    /// The number of rows that were selected.
    pub rows: u64,
    /// The number of rows whose set the screen alone resolved.
    pub rows_certified_outright: u64,
    /// The number of atoms that the screen's bound left ambiguous, over all rows.
    pub ambiguous_atoms: u64,
    /// The number of them that went through a second, narrower screen.
    pub second_scores: u64,
    /// The number of them that were scored canonically.
    pub canonical_scores: u64,
    /// The most of them in one row.
    pub most_ambiguous_in_a_row: u64,
    /// The number of rows that were scored canonically in full.
    pub rows_rescored_in_full: u64,
}

impl Certificate {
    /// Adds the certificates of two runs.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let sum = u64::saturating_add;
        Self {
            rows: sum(self.rows, other.rows),
            rows_certified_outright: sum(
                self.rows_certified_outright,
                other.rows_certified_outright,
            ),
            ambiguous_atoms: sum(self.ambiguous_atoms, other.ambiguous_atoms),
            second_scores: sum(self.second_scores, other.second_scores),
            canonical_scores: sum(self.canonical_scores, other.canonical_scores),
            most_ambiguous_in_a_row: self
                .most_ambiguous_in_a_row
                .max(other.most_ambiguous_in_a_row),
            rows_rescored_in_full: sum(self.rows_rescored_in_full, other.rows_rescored_in_full),
        }
    }
}
