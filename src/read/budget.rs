//! One budget an input: what is built of a file is counted against the file's own bytes before it is kept.
//!
//! A compressed file, a run of equal values, a shared object or a claimed shape can stand for any number of
//! values. So a reader may keep [`BASE`] bytes, and [`EACH`] more for each byte of the file. What only streams
//! by is not counted. Of real files a call takes less: some 60 to 300 bytes, for 30 bytes or more of a
//! compressed table and for hundreds of a file of embeddings.

use std::fmt::Display;

use super::source::Source;
use crate::error::{Error, Result};

/// The bytes that may be kept of any file.
const BASE: u64 = 176 << 20;
/// The bytes that may be kept for each byte of a file.
pub(super) const EACH: u64 = 8;
/// The bytes that a call takes in columns of numbers and codes, and the end of its ID.
pub(super) const CALL: u64 = 80;
/// The bytes that each distinct text of a column takes besides its letters.
pub(crate) const TEXT: u64 = 80;
/// The bytes that the name of a column takes in lists and tables of names, besides its letters.
pub(super) const NAME: u64 = 128;

#[cfg(test)]
thread_local! {
    /// The base that tests lower.
    static OF_TEST: std::cell::Cell<Option<u64>> = const { std::cell::Cell::new(None) };
}

/// Does some work with another base, on this thread.
#[cfg(test)]
pub(crate) fn with_base<T>(base: u64, work: impl FnOnce() -> T) -> T {
    let before = OF_TEST.replace(Some(base));
    let done = work();
    OF_TEST.set(before);
    done
}

fn base() -> u64 {
    #[cfg(test)]
    if let Some(base) = OF_TEST.get() {
        return base;
    }
    BASE
}

/// What may be kept of one file, in bytes.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    source: Source,
    most: u64,
    taken: u64,
}

impl Budget {
    /// Makes the budget of a file.
    pub(crate) fn of(source: &Source) -> Self {
        Self {
            source: source.clone(),
            most: base().saturating_add(source.packed().saturating_mul(EACH)),
            taken: 0,
        }
    }

    /// The same with room for the calls of so many rows, which another file has and was asked for.
    pub(super) fn beside(mut self, rows: usize) -> Self {
        self.most = self.most.saturating_add((rows as u64).saturating_mul(CALL));
        self
    }

    /// The bytes that are left.
    pub(crate) fn left(&self) -> u64 {
        self.most.saturating_sub(self.taken)
    }

    /// Counts some bytes for good, before they are kept. `place` says where in the file, and `what` they are of.
    ///
    /// # Errors
    /// More than are left.
    pub(crate) fn take(&mut self, bytes: u64, place: impl Display, what: &str) -> Result<()> {
        self.check(bytes, place, what)?;
        self.taken += bytes;
        Ok(())
    }

    /// Checks that so many bytes are left, of what grows.
    ///
    /// # Errors
    /// More than are left.
    pub(crate) fn check(&self, bytes: u64, place: impl Display, what: &str) -> Result<()> {
        if bytes <= self.left() {
            return Ok(());
        }
        Err(self.exceeded(bytes, place, what))
    }

    /// Checks that so many rows which a file claims, or calls, can be kept.
    ///
    /// # Errors
    /// More than have room.
    pub(super) fn check_rows(&self, rows: usize, place: impl Display, what: &str) -> Result<()> {
        let bytes = (rows as u64).saturating_mul(CALL);
        self.check(bytes, place, &format!("{rows} {what}"))
    }

    #[cold]
    fn exceeded(&self, bytes: u64, place: impl Display, what: &str) -> Error {
        Error::input(
            self.source.name(),
            place.to_string(),
            format!(
                "{what} that take {} bytes of memory or more",
                self.taken.saturating_add(bytes)
            ),
            format!(
                "at most {}, as the file has {} bytes",
                self.most,
                self.source.packed()
            ),
            "it stands for far more than it holds: give what is real of it, uncompressed, or in several files",
        )
    }
}

/// Counts the bytes that divide the fields of a line.
pub(super) fn dividers(line: &[u8], divider: u8) -> usize {
    line.split(|&byte| byte == divider).skip(1).count()
}

/// Checks that rows which a file claims are not far more than its bytes, and those of the table of their calls,
/// can stand for.
///
/// # Errors
/// More rows.
pub(super) fn check_rows(source: &Source, table: Option<&Source>, rows: usize) -> Result<()> {
    let mut budget = Budget::of(source);
    let of_table = table.map_or(0, Source::packed).saturating_mul(EACH);
    budget.most = budget.most.saturating_add(of_table);
    budget.check_rows(rows, "the number of rows", "rows")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Budget, CALL, EACH, check_rows, with_base};
    use crate::read::source::Source;

    #[test]
    fn take_counts_up_to_the_files_own_bytes() {
        let source = Source::in_memory("a.csv", Bytes::from_static(b"0123456789"));
        let most = 100 + 10 * EACH;
        with_base(100, || {
            let mut budget = Budget::of(&source);
            assert!(budget.take(most - 1, "line 1", "columns").is_ok());
            assert!(budget.check(1, "line 2", "columns").is_ok());
            let error = budget.take(2, "line 2", "columns").expect_err("too many");
            assert_eq!(
                error.to_string(),
                format!(
                    "a.csv: line 2: found columns that take {} bytes of memory or more, expected at most {most}, \
                     as the file has 10 bytes; it stands for far more than it holds: give what is real of it, \
                     uncompressed, or in several files",
                    most + 1
                )
            );
            assert_eq!(budget.left(), 1, "what was refused is not counted");
            let rows = (most / CALL) as usize;
            assert!(check_rows(&source, None, rows).is_ok());
            assert!(check_rows(&source, None, rows + 1).is_err());
            assert!(check_rows(&source, Some(&source), rows + 1).is_ok());
            assert!(check_rows(&source, Some(&source), usize::MAX).is_err());
        });
    }
}
