//! Which atoms fire on which call.

/// The firing set of every row that was not dropped: `k` atoms each, ascending; with their canonical
/// scores where these were asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FiringSets {
    k: usize,
    atoms: Vec<u32>,
    scores: Option<Vec<f64>>,
    dropped: Vec<usize>,
}

impl FiringSets {
    /// `atoms` holds `k` atoms for each kept row, in input order, ascending in each row;
    /// `dropped` the input rows that have no firing set, ascending.
    ///
    /// # Panics
    /// If `atoms` is not made of whole rows.
    pub fn new(k: usize, atoms: Vec<u32>, dropped: Vec<usize>) -> Self {
        assert!(
            k > 0 && atoms.len().is_multiple_of(k),
            "firing sets are whole rows of k atoms"
        );
        Self {
            k,
            atoms,
            scores: None,
            dropped,
        }
    }

    /// The same sets with the canonical score of every atom that fires, row-major \[rows, k\].
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

    /// How many atoms fire a row.
    pub fn k(&self) -> usize {
        self.k
    }

    /// How many rows have a firing set.
    pub fn rows(&self) -> usize {
        self.atoms.len().checked_div(self.k).unwrap_or(0)
    }

    /// Bytes that it takes in memory.
    pub(crate) fn bytes(&self) -> u64 {
        let scores = self.scores.as_deref().map_or(0, size_of_val);
        (size_of_val(&*self.atoms) + scores + size_of_val(&*self.dropped)) as u64
    }

    /// The input rows that were dropped (`--nonfinite skip`), ascending.
    pub fn dropped(&self) -> &[usize] {
        &self.dropped
    }

    /// All sets after one another, row-major \[rows, k\].
    pub fn atoms(&self) -> &[u32] {
        &self.atoms
    }

    /// The canonical score of every atom that fires, row-major \[rows, k\] as [`atoms`](Self::atoms)
    /// are; `None` where they were not kept.
    pub fn scores(&self) -> Option<&[f64]> {
        self.scores.as_deref()
    }

    /// Every kept row: its index in the input, and the atoms that fire on it, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[u32])> {
        let mut dropped = self.dropped.iter().copied().peekable();
        let mut row = 0;
        self.atoms.chunks_exact(self.k.max(1)).map(move |atoms| {
            while dropped.next_if_eq(&row).is_some() {
                row += 1;
            }
            row += 1;
            (row - 1, atoms)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::FiringSets;

    #[test]
    fn iteration_passes_over_dropped_rows() {
        let sets = FiringSets::new(2, vec![1, 2, 3, 4, 5, 6], vec![0, 2, 3]);
        let rows: Vec<_> = sets
            .iter()
            .map(|(row, atoms)| (row, atoms.to_vec()))
            .collect();
        assert_eq!(rows, [(1, vec![1, 2]), (4, vec![3, 4]), (5, vec![5, 6])]);
    }
}
