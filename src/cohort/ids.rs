//! The IDs of calls. Nearly all IDs are distinct, so a table of distinct values would cost more
//! than the values themselves.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::Texts;

/// A column of text whose values are mostly distinct. Values follow one another in memory, at 8
/// bytes a call plus their letters. A long value is kept once however many calls share it, so
/// memory stays within the letters that a file really has.
#[derive(Debug, Clone, Default)]
pub struct IdColumn {
    letters: String,
    /// The end of each value in `letters`.
    ends: Vec<usize>,
    rows: Rows,
    /// The letters of all calls' values, each counted once a call, in bytes.
    spelled: u64,
    /// The values of at least [`LONG`] bytes, by their hash.
    long: HashMap<u64, u32>,
    hasher: RandomState,
}

/// The value of each call.
#[derive(Debug, Clone)]
enum Rows {
    /// Values in the order of the calls: so many calls have so many values.
    InOrder(usize),
    /// The index of each call's value.
    Listed(Vec<u32>),
}

impl Default for Rows {
    fn default() -> Self {
        Self::InOrder(0)
    }
}

const MISSING: u32 = u32::MAX;

/// The least length, in bytes, from which a value is looked up among the earlier ones.
const LONG: usize = 64;

impl IdColumn {
    /// Appends a call's ID, `None` if it is missing.
    pub fn push(&mut self, value: Option<&str>) {
        let code = match value {
            None => MISSING,
            Some(text) => self.intern(text),
        };
        self.push_code(code);
    }

    /// Returns a call's ID, `None` if it is missing.
    pub fn get(&self, row: usize) -> Option<&str> {
        match &self.rows {
            Rows::InOrder(count) if row < *count => self.value(row),
            Rows::InOrder(_) => None,
            Rows::Listed(codes) => self.value(*codes.get(row)? as usize),
        }
    }

    fn value(&self, code: usize) -> Option<&str> {
        let end = *self.ends.get(code)?;
        let start = match code.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.letters.get(start..end)
    }

    /// Estimates the bytes that the column takes in memory.
    pub(super) fn bytes(&self) -> u64 {
        let codes = match &self.rows {
            Rows::InOrder(_) => 0,
            Rows::Listed(codes) => size_of_val(&**codes),
        };
        (self.letters.len() + size_of_val(&*self.ends) + codes) as u64
    }

    /// Returns the letters of all calls' values, in bytes: a value that calls share is counted for each. So
    /// many are written where calls go to a file.
    pub(crate) fn spelled(&self) -> u64 {
        self.spelled
    }

    /// Returns the number of calls.
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::InOrder(count) => *count,
            Rows::Listed(codes) => codes.len(),
        }
    }

    /// Says whether the column has no calls.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Texts for IdColumn {
    fn intern(&mut self, text: &str) -> u32 {
        let hash = (text.len() >= LONG).then(|| self.hasher.hash_one(text));
        let before = hash.and_then(|hash| self.long.get(&hash).copied());
        if let Some(code) = before
            && self.value(code as usize) == Some(text)
        {
            return code;
        }
        let code = self.ends.len() as u32;
        self.letters.push_str(text);
        self.ends.push(self.letters.len());
        if let Some(hash) = hash {
            self.long.insert(hash, code);
        }
        code
    }

    fn push_code(&mut self, code: u32) {
        self.spelled += self.value(code as usize).map_or(0, str::len) as u64;
        match &mut self.rows {
            Rows::InOrder(count) if code as usize == *count => *count += 1,
            Rows::InOrder(count) => {
                let mut codes: Vec<_> = (0..*count as u32).collect();
                codes.push(code);
                self.rows = Rows::Listed(codes);
            }
            Rows::Listed(codes) => codes.push(code),
        }
    }

    fn push(&mut self, value: Option<&str>) {
        Self::push(self, value);
    }
}

/// Compares the calls' IDs, however they are stored.
impl PartialEq for IdColumn {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && (0..self.len()).all(|row| self.get(row) == other.get(row))
    }
}

#[cfg(test)]
mod tests {
    use super::{IdColumn, Texts};

    #[test]
    fn ids_shared_or_missing_come_back_unchanged() {
        let long = "x".repeat(100);
        for values in [
            vec![Some("a"), Some(""), Some("ccc"), Some("a")],
            vec![None, Some("β"), Some("a"), None],
            vec![Some("a"), None],
            vec![Some(&long), Some("b"), Some(&long), Some(&long)],
            vec![],
        ] {
            let mut column = IdColumn::default();
            for value in &values {
                column.push(*value);
            }
            assert_eq!(column.len(), values.len());
            for (row, value) in values.iter().enumerate() {
                assert_eq!(column.get(row), *value, "row {row} of {values:?}");
            }
            assert_eq!(column.get(values.len()), None);
        }
    }

    #[test]
    fn ids_shared_by_calls_are_stored_once() {
        let long = "x".repeat(100);
        let mut column = IdColumn::default();
        let code = column.intern("shared");
        for _ in 0..1000 {
            column.push_code(code);
            column.push(Some(&long));
        }
        assert_eq!(column.letters.len(), 106);
        assert_eq!(column.spelled(), 1000 * 106);
        let mut one_by_one = IdColumn::default();
        for _ in 0..1000 {
            one_by_one.push(Some("shared"));
            one_by_one.push(Some(&long));
        }
        assert_eq!(column, one_by_one);
    }
}
