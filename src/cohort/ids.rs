//! The IDs of calls: nearly all of them distinct, so that a table of distinct values would cost
//! more than the values themselves.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::Texts;

/// A column of text whose values are mostly distinct: one after the other in memory, at 8 bytes a
/// call beside its letters. Long values are kept once however many calls have them, so that memory
/// stays within that of the letters which a file really has.
#[derive(Debug, Clone, Default)]
pub struct IdColumn {
    letters: String,
    /// Where each value ends in `letters`.
    ends: Vec<usize>,
    rows: Rows,
    /// The values of at least [`LONG`] bytes, by their hash.
    long: HashMap<u64, u32>,
    hasher: RandomState,
}

/// Which value each call has.
#[derive(Debug, Clone)]
enum Rows {
    /// So many calls have so many values, in their order.
    InOrder(usize),
    /// The value of each call.
    Listed(Vec<u32>),
}

impl Default for Rows {
    fn default() -> Self {
        Self::InOrder(0)
    }
}

const MISSING: u32 = u32::MAX;

/// Bytes from which on a value is looked for among those before it.
const LONG: usize = 64;

impl IdColumn {
    /// Appends a call's ID; `None` where it is missing.
    pub fn push(&mut self, value: Option<&str>) {
        let code = match value {
            None => MISSING,
            Some(text) => self.intern(text),
        };
        self.push_code(code);
    }

    /// A call's ID, `None` where it is missing.
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

    /// About how many bytes it takes in memory.
    pub(super) fn bytes(&self) -> u64 {
        let codes = match &self.rows {
            Rows::InOrder(_) => 0,
            Rows::Listed(codes) => size_of_val(&**codes),
        };
        (self.letters.len() + size_of_val(&*self.ends) + codes) as u64
    }

    /// How many calls the column has.
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::InOrder(count) => *count,
            Rows::Listed(codes) => codes.len(),
        }
    }

    /// Whether the column has no calls.
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

/// Equal when the calls' IDs are, however they are kept.
impl PartialEq for IdColumn {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && (0..self.len()).all(|row| self.get(row) == other.get(row))
    }
}

#[cfg(test)]
mod tests {
    use super::{IdColumn, Texts};

    #[test]
    fn ids_come_back_whatever_is_shared_or_missing() {
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
    fn values_that_calls_share_are_kept_once() {
        let long = "x".repeat(100);
        let mut column = IdColumn::default();
        let code = column.intern("shared");
        for _ in 0..1000 {
            column.push_code(code);
            column.push(Some(&long));
        }
        assert_eq!(column.letters.len(), 106);
        let mut one_by_one = IdColumn::default();
        for _ in 0..1000 {
            one_by_one.push(Some("shared"));
            one_by_one.push(Some(&long));
        }
        assert_eq!(column, one_by_one);
    }
}
