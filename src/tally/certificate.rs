//! What certified selection left open: a record of how a machine came to the answer.

/// What certified selection left open, over a run. These depend on the machine's screen, and
/// so are part of a run's record, never of its answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Certificate {
    /// Rows that were selected.
    pub rows: u64,
    /// Rows whose set the screen alone resolved.
    pub rows_certified_outright: u64,
    /// Atoms that the screen's bound left open, over all rows.
    pub ambiguous_atoms: u64,
    /// Those of them that went through a second, narrower screen.
    pub second_scores: u64,
    /// Those of them that were scored canonically.
    pub canonical_scores: u64,
    /// The most of them in one row.
    pub most_ambiguous_in_a_row: u64,
    /// Rows that were scored canonically in full.
    pub rows_rescored_in_full: u64,
}

impl Certificate {
    /// The certificate of both runs together.
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
