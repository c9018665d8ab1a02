//! The calls: one column a field, strings interned, in the order of the embeddings' rows.

mod ids;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexSet;

pub use ids::IdColumn;

/// What the truth benchmark says of a call.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Label {
    /// True positive.
    Tp,
    /// False positive.
    Fp,
}

impl Label {
    /// The notebook's rule: exactly `TP` or `tp_comp_vcf` is true; anything else, even a
    /// missing class, is false.
    pub fn of_class(class: Option<&str>) -> Self {
        match class {
            Some("TP" | "tp_comp_vcf") => Self::Tp,
            _ => Self::Fp,
        }
    }

    /// `TP` or `FP`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tp => "TP",
            Self::Fp => "FP",
        }
    }
}

/// A column of text, each distinct value stored once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextColumn {
    values: Arc<IndexSet<Box<str>>>,
    codes: Vec<u32>,
}

impl TextColumn {
    pub(crate) const MISSING: u32 = u32::MAX;

    /// Appends a call's value; `None` where the field is missing.
    pub fn push(&mut self, value: Option<&str>) {
        let code = match value {
            None => Self::MISSING,
            Some(text) => self.intern(text),
        };
        self.codes.push(code);
    }

    /// A call's value, `None` where the field is missing.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.value(self.codes[row])
    }

    /// A call's value as a small number, the same for equal values; missing has one too.
    pub fn code(&self, row: usize) -> u32 {
        self.codes[row]
    }

    /// The value behind a code.
    pub fn value(&self, code: u32) -> Option<&str> {
        self.values.get_index(code as usize).map(|text| &**text)
    }

    /// How many calls the column has.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether the column has no calls.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The values behind the codes; the code of a missing value is none of them.
    pub(crate) fn values(&self) -> &Arc<IndexSet<Box<str>>> {
        &self.values
    }

    /// The code of every call.
    pub(crate) fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// A column of these codes; those that are none of the values' are missing.
    pub(crate) fn from_codes(values: Arc<IndexSet<Box<str>>>, codes: Vec<u32>) -> Self {
        Self { values, codes }
    }

    /// Some calls' part of the column.
    fn slice(&self, rows: Range<usize>) -> Self {
        Self::from_codes(self.values.clone(), self.codes[rows].to_vec())
    }

    /// Distinct values with their number of calls, in the order in which they are first seen.
    /// Rows come from `rows`, so that dropped calls are not counted.
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

/// A column of text, to those who fill it.
pub(crate) trait Texts {
    /// The code of a value, which need not be any call's yet.
    fn intern(&mut self, text: &str) -> u32;

    /// Appends a call's value by the code that [`Texts::intern`] gave.
    fn push_code(&mut self, code: u32);

    /// Appends a call's value; `None` where the field is missing.
    fn push(&mut self, value: Option<&str>);
}

impl Texts for TextColumn {
    fn intern(&mut self, text: &str) -> u32 {
        // A hit, by far the most common case, allocates nothing.
        match self.values.get_index_of(text) {
            Some(code) => code as u32,
            None => Arc::make_mut(&mut self.values).insert_full(text.into()).0 as u32,
        }
    }

    fn push_code(&mut self, code: u32) {
        self.codes.push(code);
    }

    fn push(&mut self, value: Option<&str>) {
        Self::push(self, value);
    }
}

/// A number as Python holds it: shown as Python shows it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Number {
    /// A Python `int`.
    Int(i64),
    /// A Python `float`.
    Float(f64),
}

impl Number {
    /// The number as binary64.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(n) => n as f64,
            Self::Float(x) => x,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(n) => f.pad(&n.to_string()),
            Self::Float(x) => f.pad(&crate::python::repr(*x)),
        }
    }
}

/// A column of numbers: integers, with the few floats that a cohort may have beside them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NumberColumn {
    integers: Vec<i64>,
    /// Rows whose value is a float, ascending by row.
    floats: Vec<(u32, f64)>,
}

impl NumberColumn {
    /// Appends a call's number.
    pub fn push(&mut self, number: Number) {
        let integer = match number {
            Number::Int(n) => n,
            Number::Float(x) => {
                self.floats.push((self.integers.len() as u32, x));
                0
            }
        };
        self.integers.push(integer);
    }

    /// A call's number.
    pub fn get(&self, row: usize) -> Number {
        match self
            .floats
            .binary_search_by_key(&row, |&(at, _)| at as usize)
        {
            Ok(i) => Number::Float(self.floats[i].1),
            Err(_) => Number::Int(self.integers[row]),
        }
    }

    /// The numbers, 0 where one is a float.
    pub(crate) fn integers(&self) -> &[i64] {
        &self.integers
    }

    /// Rows whose number is a float, ascending, with it.
    pub(crate) fn floats(&self) -> &[(u32, f64)] {
        &self.floats
    }

    /// Some calls' part of the column.
    fn slice(&self, rows: Range<usize>) -> Self {
        let at = |row: usize| self.floats.partition_point(|&(at, _)| (at as usize) < row);
        let floats = &self.floats[at(rows.start)..at(rows.end)];
        Self {
            floats: floats
                .iter()
                .map(|&(at, x)| (at - rows.start as u32, x))
                .collect(),
            integers: self.integers[rows].to_vec(),
        }
    }

    /// How many calls the column has.
    pub fn len(&self) -> usize {
        self.integers.len()
    }

    /// Whether the column has no calls.
    pub fn is_empty(&self) -> bool {
        self.integers.is_empty()
    }
}

/// One call's fields; `None` and 0 where the field is missing, as the notebook has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Call<'a> {
    /// Chromosome.
    pub chrom: Option<&'a str>,
    /// Position, 1-based as in the VCF.
    pub pos: Number,
    /// Type of the variant: INS, DEL, …
    pub svtype: Option<&'a str>,
    /// Length in base pairs; negative for a deletion in most callers' files.
    pub svlen: Number,
    /// Truvari's class: `TP`, `tp_comp_vcf`, `FP`, …
    pub truvari_class: Option<&'a str>,
    /// The dataset (sample, caller) that the call is from.
    pub dataset: Option<&'a str>,
    /// The call's ID in its VCF.
    pub id: Option<&'a str>,
}

impl Default for Call<'_> {
    fn default() -> Self {
        Self {
            chrom: None,
            pos: Number::Int(0),
            svtype: None,
            svlen: Number::Int(0),
            truvari_class: None,
            dataset: None,
            id: None,
        }
    }
}

/// All calls, in the order of the embeddings' rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calls {
    /// Chromosome.
    pub chrom: TextColumn,
    /// Position.
    pub pos: NumberColumn,
    /// Type of the variant.
    pub svtype: TextColumn,
    /// Length in base pairs.
    pub svlen: NumberColumn,
    /// Truvari's class.
    pub truvari_class: TextColumn,
    /// Dataset.
    pub dataset: TextColumn,
    /// ID.
    pub id: IdColumn,
}

impl Calls {
    /// Appends a call.
    pub fn push(&mut self, call: &Call<'_>) {
        self.chrom.push(call.chrom);
        self.pos.push(call.pos);
        self.svtype.push(call.svtype);
        self.svlen.push(call.svlen);
        self.truvari_class.push(call.truvari_class);
        self.dataset.push(call.dataset);
        self.id.push(call.id);
    }

    /// How many calls there are.
    pub fn len(&self) -> usize {
        self.pos.len()
    }

    /// Whether there are no calls.
    pub fn is_empty(&self) -> bool {
        self.pos.is_empty()
    }

    /// One call.
    pub fn get(&self, row: usize) -> Call<'_> {
        Call {
            chrom: self.chrom.get(row),
            pos: self.pos.get(row),
            svtype: self.svtype.get(row),
            svlen: self.svlen.get(row),
            truvari_class: self.truvari_class.get(row),
            dataset: self.dataset.get(row),
            id: self.id.get(row),
        }
    }

    /// Some of the calls, in their order.
    ///
    /// # Panics
    /// If there are not as many.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        let mut id = IdColumn::default();
        for row in rows.clone() {
            id.push(self.id.get(row));
        }
        Self {
            chrom: self.chrom.slice(rows.clone()),
            pos: self.pos.slice(rows.clone()),
            svtype: self.svtype.slice(rows.clone()),
            svlen: self.svlen.slice(rows.clone()),
            truvari_class: self.truvari_class.slice(rows.clone()),
            dataset: self.dataset.slice(rows),
            id,
        }
    }

    /// About how many bytes it takes in memory, but for texts that calls share.
    pub(crate) fn bytes(&self) -> u64 {
        // Four codes and two numbers a call; an ID of its own.
        const EACH: usize = 4 * size_of::<u32>() + 2 * size_of::<i64>();
        (self.len() * EACH) as u64 + self.id.bytes()
    }

    /// What the benchmark says of a call.
    pub fn label(&self, row: usize) -> Label {
        Label::of_class(self.truvari_class.get(row))
    }
}

impl<'a> FromIterator<Call<'a>> for Calls {
    fn from_iter<I: IntoIterator<Item = Call<'a>>>(calls: I) -> Self {
        let mut all = Self::default();
        for call in calls {
            all.push(&call);
        }
        all
    }
}
