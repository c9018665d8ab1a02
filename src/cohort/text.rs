//! Columns of text, each distinct value stored once.

use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexSet;

/// A column of text, each distinct value stored once.
#[derive(Debug, Clone, Default)]
pub struct TextColumn {
    values: Arc<IndexSet<Box<str>>>,
    codes: Vec<u32>,
    /// The letters of values that were appended, in bytes.
    letters: usize,
}

impl PartialEq for TextColumn {
    fn eq(&self, other: &Self) -> bool {
        (&self.values, &self.codes) == (&other.values, &other.codes)
    }
}

impl Eq for TextColumn {}

impl TextColumn {
    pub(crate) const MISSING: u32 = u32::MAX;

    /// Appends a call's value, `None` if the field is missing.
    pub fn push(&mut self, value: Option<&str>) {
        let code = match value {
            None => Self::MISSING,
            Some(text) => self.intern(text),
        };
        self.codes.push(code);
    }

    /// Returns a call's value, `None` if the field is missing.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.value(self.codes[row])
    }

    /// Returns a call's value as a small code. Equal values have equal codes; a missing value has
    /// one too.
    pub fn code(&self, row: usize) -> u32 {
        self.codes[row]
    }

    /// Returns the value of a code.
    pub fn value(&self, code: u32) -> Option<&str> {
        self.values.get_index(code as usize).map(|text| &**text)
    }

    /// Returns the number of calls.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Says whether the column has no calls.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Returns the number of distinct values that were appended, and of their letters in bytes.
    pub(crate) fn held(&self) -> (usize, usize) {
        (self.values.len(), self.letters)
    }

    /// Returns the values in the order of their codes. The code of a missing value lies outside
    /// them.
    pub(crate) fn values(&self) -> &Arc<IndexSet<Box<str>>> {
        &self.values
    }

    /// Returns the code of every call.
    pub(crate) fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// Makes a column of these codes. Codes outside the values are missing values.
    pub(crate) fn from_codes(values: Arc<IndexSet<Box<str>>>, codes: Vec<u32>) -> Self {
        Self {
            values,
            codes,
            letters: 0,
        }
    }

    /// Copies the part of the column for some calls.
    pub(super) fn slice(&self, rows: Range<usize>) -> Self {
        Self::from_codes(self.values.clone(), self.codes[rows].to_vec())
    }

    /// Copies the values of these calls, in this order.
    ///
    /// # Panics
    /// Panics if a row goes beyond the last call.
    pub(super) fn pick(&self, rows: &[usize]) -> Self {
        let codes = rows.iter().map(|&row| self.codes[row]).collect();
        Self::from_codes(self.values.clone(), codes)
    }

    /// Renames every value by `name`.
    pub(crate) fn renamed(self, name: impl Fn(&str) -> &str) -> Self {
        if self.values.iter().all(|value| name(value) == &**value) {
            return self;
        }
        let mut values = IndexSet::new();
        let places = self.values.iter().map(|value| {
            let new = name(value);
            let known = values.get_index_of(new);
            known.unwrap_or_else(|| values.insert_full(Box::from(new)).0) as u32
        });
        let places: Vec<u32> = places.collect();
        let code = |&code: &u32| places.get(code as usize).copied();
        let codes = self.codes.iter();
        Self {
            codes: codes
                .map(|old| code(old).unwrap_or(Self::MISSING))
                .collect(),
            values: Arc::new(values),
            letters: self.letters,
        }
    }

    /// Counts the calls of each distinct value, in the order in which values are first seen. Rows
    /// come from `rows`, so that dropped calls are not counted.
    pub fn counts(&self, rows: impl Iterator<Item = usize>) -> Vec<(Option<&str>, u64)> {
        let mut counts = indexmap::IndexMap::<u32, u64>::new();
        for row in rows {
            *counts.entry(self.codes[row]).or_default() += 1;
        }
        counts
            .into_iter()
            .map(|(code, n)| (self.value(code), n))
            .collect()
    }
}

/// A column of text that readers can append to.
pub(crate) trait Texts {
    /// Returns the code of a value, which no call need have yet.
    fn intern(&mut self, text: &str) -> u32;

    /// Appends a call's value by the code that [`Texts::intern`] gave.
    fn push_code(&mut self, code: u32);

    /// Appends a call's value, `None` if the field is missing.
    fn push(&mut self, value: Option<&str>);
}

impl Texts for TextColumn {
    fn intern(&mut self, text: &str) -> u32 {
        // A hit is by far the most common case, and allocates nothing.
        if let Some(code) = self.values.get_index_of(text) {
            return code as u32;
        }
        self.letters += text.len();
        Arc::make_mut(&mut self.values).insert_full(text.into()).0 as u32
    }

    fn push_code(&mut self, code: u32) {
        self.codes.push(code);
    }

    fn push(&mut self, value: Option<&str>) {
        Self::push(self, value);
    }
}
