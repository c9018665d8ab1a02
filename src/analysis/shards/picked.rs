//! Rows that calls belong to, among consecutive rows of a shard.

use std::ops::Range;

use crate::cohort::Calls;
use crate::error::Result;
use crate::fires::FiringSets;
use crate::rows::{ElementType, Rows};

/// Some of consecutive rows, in their order.
pub(super) struct Picked<'a> {
    rows: &'a dyn Rows,
    first: usize,
    /// The places of the kept rows, from `first`.
    kept: &'a [usize],
}

impl<'a> Picked<'a> {
    /// Takes the rows at these places from `first` on.
    pub(super) fn new(rows: &'a dyn Rows, first: usize, kept: &'a [usize]) -> Self {
        Self { rows, first, kept }
    }

    /// Calls `read` for every run of consecutive rows, with the places in `range` that they go to.
    fn runs(
        &self,
        range: Range<usize>,
        mut read: impl FnMut(Range<usize>, Range<usize>) -> Result<()>,
    ) -> Result<()> {
        let start = range.start;
        let mut to = range.start;
        while to < range.end {
            let from = self.kept[to];
            let is_next = |&(at, &place): &(usize, &usize)| place == from + at;
            let run = self.kept[to..range.end]
                .iter()
                .enumerate()
                .take_while(is_next);
            let count = run.count();
            let from = self.first + from;
            read(from..from + count, to - start..to - start + count)?;
            to += count;
        }
        Ok(())
    }
}

impl Rows for Picked<'_> {
    fn count(&self) -> usize {
        self.kept.len()
    }

    fn dim(&self) -> usize {
        self.rows.dim()
    }

    fn name(&self) -> String {
        self.rows.name()
    }

    fn read(&self, range: Range<usize>, out: &mut [f32]) -> Result<()> {
        let dim = self.dim();
        self.runs(range, |from, to| {
            self.rows.read(from, &mut out[to.start * dim..to.end * dim])
        })
    }

    fn element_type(&self) -> ElementType {
        self.rows.element_type()
    }

    fn read_stored(&self, range: Range<usize>, out: &mut [u8]) -> Result<()> {
        let row = self.dim() * self.element_type().bytes();
        self.runs(range, |from, to| {
            self.rows
                .read_stored(from, &mut out[to.start * row..to.end * row])
        })
    }
}

/// Returns the places of the calls that rows belong to; `None` if that is all of them.
pub(super) fn with_call(calls: &Calls) -> Option<Vec<usize>> {
    calls.has_rows_without_call().then(|| {
        (0..calls.len())
            .filter(|&row| !calls.is_without_call(row))
            .collect()
    })
}

/// Says of sets of kept rows which of all rows were dropped: those without a call, and those that the
/// engine dropped.
pub(super) fn with_all_dropped(sets: FiringSets, kept: &[usize], rows: usize) -> FiringSets {
    let mut is_kept = vec![false; rows];
    let mut dropped = sets.dropped().iter().copied().peekable();
    for (at, &place) in kept.iter().enumerate() {
        is_kept[place] = dropped.next_if_eq(&at).is_none();
    }
    let dropped = (0..rows).filter(|&row| !is_kept[row]).collect();
    sets.with_dropped(dropped)
}

#[cfg(test)]
mod tests {
    use super::{Picked, with_all_dropped};
    use crate::error::Result;
    use crate::fires::FiringSets;
    use crate::rows::Rows;

    struct Numbers;

    impl Rows for Numbers {
        fn count(&self) -> usize {
            20
        }
        fn dim(&self) -> usize {
            2
        }
        fn name(&self) -> String {
            "numbers".to_owned()
        }
        fn read(&self, range: std::ops::Range<usize>, out: &mut [f32]) -> Result<()> {
            for (row, to) in range.zip(out.chunks_mut(2)) {
                to.copy_from_slice(&[row as f32, -(row as f32)]);
            }
            Ok(())
        }
    }

    #[test]
    fn picked_rows_are_those_that_were_asked_for() {
        let kept = [0, 1, 3, 4, 5, 9];
        let picked = Picked::new(&Numbers, 7, &kept);
        for start in 0..kept.len() {
            for end in start..=kept.len() {
                let mut out = vec![0.0; (end - start) * 2];
                picked.read(start..end, &mut out).unwrap();
                let expected: Vec<f32> = kept[start..end]
                    .iter()
                    .flat_map(|&at| [at as f32 + 7.0, -(at as f32) - 7.0])
                    .collect();
                assert_eq!(out, expected, "{start}..{end}");
            }
        }
        let mut bytes = vec![0; 8 * kept.len()];
        picked.read_stored(0..kept.len(), &mut bytes).unwrap();
        assert_eq!(bytes[16..20], 10.0_f32.to_ne_bytes());
    }

    #[test]
    fn dropped_rows_are_those_without_call_and_the_engines() {
        let sets = FiringSets::uniform(1, vec![7, 8], vec![1]);
        let sets = with_all_dropped(sets, &[1, 2, 5], 7);
        assert_eq!(sets.dropped(), [0, 2, 3, 4, 6]);
        assert_eq!(sets.rows(), 2);
    }
}
