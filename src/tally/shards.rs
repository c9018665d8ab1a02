//! The rows of files that were counted, in the cohort's order, with their calls' SV types and
//! classes.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::cohort::{Calls, TextColumn};
use crate::digest::Digest;
use crate::natural;
use crate::rows::EmbeddingsChoice;

/// The number of calls with a value, and the first row that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountAndFirst {
    /// The number of calls that have it.
    pub calls: u64,
    /// The first row of the file that has it.
    pub first: u64,
}

/// The values of a column over some rows; `None` for calls without a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValueCounts(pub BTreeMap<Option<String>, CountAndFirst>);

impl ValueCounts {
    /// Counts the values of a column over some rows. Row 0 of the column is row `offset` of its
    /// file.
    pub fn of(column: &TextColumn, rows: impl Iterator<Item = usize>, offset: u64) -> Self {
        let mut seen = indexmap::IndexMap::<u32, CountAndFirst>::new();
        for row in rows {
            let first = offset + row as u64;
            seen.entry(column.code(row))
                .or_insert(CountAndFirst { calls: 0, first })
                .calls += 1;
        }
        let named = |(code, seen)| (column.value(code).map(str::to_owned), seen);
        Self(seen.into_iter().map(named).collect())
    }

    /// Returns the values with their calls, in the order in which rows show them first.
    pub fn in_order(self) -> Vec<(Option<String>, u64)> {
        let mut in_order: Vec<_> = self.0.into_iter().collect();
        in_order.sort_by_key(|(_, seen)| seen.first);
        let counts = in_order.into_iter();
        counts.map(|(value, seen)| (value, seen.calls)).collect()
    }

    fn merge(&mut self, other: Self) {
        for (value, theirs) in other.0 {
            let mine = self
                .0
                .entry(value)
                .or_insert(CountAndFirst { calls: 0, ..theirs });
            mine.calls += theirs.calls;
            mine.first = mine.first.min(theirs.first);
        }
    }
}

/// A range of rows of one embeddings file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// The file's name in the cohort, by which its shards are sorted.
    pub name: String,
    /// The digest of the embeddings file's content.
    pub sha256: Digest,
    /// The digest of the metadata file's content, if there is such a file.
    pub metadata: Option<Digest>,
    /// The matrix of the file that its rows are of, and what became of their tokens, as far as that was
    /// chosen.
    pub choice: EmbeddingsChoice,
    /// The rows of the file.
    pub rows: Range<u64>,
    /// The rows that were dropped for a NaN or an infinity, ascending.
    pub dropped: Vec<u64>,
    /// SV types of the calls that were not dropped.
    pub svtypes: ValueCounts,
    /// Truvari's classes of the calls that were not dropped.
    pub classes: ValueCounts,
}

impl Shard {
    /// Makes a shard of some rows of a file, without its calls' SV types and classes.
    pub fn new(name: String, sha256: Digest, rows: Range<u64>) -> Self {
        Self {
            name,
            sha256,
            metadata: None,
            choice: EmbeddingsChoice::default(),
            rows,
            dropped: Vec::new(),
            svtypes: ValueCounts::default(),
            classes: ValueCounts::default(),
        }
    }

    /// Returns the same shard with the SV types and classes of its `calls`. `dropped` are places
    /// among them.
    #[must_use]
    pub fn with_calls(self, calls: &Calls, dropped: &[usize]) -> Self {
        let kept = || {
            let mut dropped = dropped.iter().copied().peekable();
            (0..calls.len()).filter(move |row| dropped.next_if_eq(row).is_none())
        };
        let first = self.rows.start;
        Self {
            dropped: dropped.iter().map(|&row| first + row as u64).collect(),
            svtypes: ValueCounts::of(&calls.svtype, kept(), first),
            classes: ValueCounts::of(&calls.truvari_class, kept(), first),
            ..self
        }
    }

    /// Returns the number of its rows.
    pub fn count(&self) -> u64 {
        self.rows.end - self.rows.start
    }

    /// Compares two shards by the cohort's order.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        let key = |shard: &Self| (shard.sha256, shard.metadata, shard.rows.start);
        natural::compare(&self.name, &other.name).then_with(|| key(self).cmp(&key(other)))
    }

    /// Says whether both have the same content, under any name.
    pub(crate) fn is_of_same_content(&self, other: &Self) -> bool {
        let content = |shard: &Self| (shard.sha256, shard.metadata);
        content(self) == content(other) && self.choice == other.choice
    }

    /// Says whether the rows of `other` are among these.
    pub(crate) fn holds(&self, other: &Self) -> bool {
        self.is_of_same_content(other)
            && self.rows.start <= other.rows.start
            && other.rows.end <= self.rows.end
    }

    fn continues(&self, other: &Self) -> bool {
        self.name == other.name
            && self.is_of_same_content(other)
            && other.rows.end == self.rows.start
    }

    fn append(&mut self, next: Self) {
        self.rows.end = next.rows.end;
        self.dropped.extend(next.dropped);
        self.svtypes.merge(next.svtypes);
        self.classes.merge(next.classes);
    }
}

/// Shards in the cohort's order: by name in natural order, then by content, then by row. Shards
/// that continue one another are one. So the same rows give the same list, whatever pieces they
/// came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shards(Vec<Shard>);

impl Shards {
    /// Sorts shards, and joins those that continue one another.
    pub fn new(mut shards: Vec<Shard>) -> Self {
        shards.sort_by(Shard::order);
        let mut joined = Vec::<Shard>::with_capacity(shards.len());
        for shard in shards {
            match joined.last_mut() {
                Some(last) if shard.continues(last) => last.append(shard),
                _ => joined.push(shard),
            }
        }
        Self(joined)
    }

    /// Returns the shards as a vector.
    pub fn into_vec(self) -> Vec<Shard> {
        self.0
    }

    /// Iterates over the shards, in the cohort's order.
    pub fn iter(&self) -> std::slice::Iter<'_, Shard> {
        self.0.iter()
    }

    /// Returns the number of shards.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether there are no shards.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Iterates over the shards, each with the cohort's row at which it begins.
    pub fn placed(&self) -> impl Iterator<Item = (u64, &Shard)> {
        self.0.iter().scan(0, |next, shard| {
            let first = *next;
            *next += shard.count();
            Some((first, shard))
        })
    }

    /// Counts all rows, dropped ones among them.
    pub fn rows(&self) -> u64 {
        self.0.iter().map(Shard::count).sum()
    }

    /// Says whether any row occurs twice.
    pub fn overlap(&self) -> bool {
        let mut rows: Vec<_> = self
            .iter()
            .map(|s| (s.sha256, s.rows.start, s.rows.end))
            .collect();
        rows.sort_unstable();
        rows.windows(2)
            .any(|two| two[0].0 == two[1].0 && two[1].1 < two[0].2)
    }

    /// Says whether all rows of `others` are among these.
    pub fn hold(&self, others: &Self) -> bool {
        let key = |shard: &Shard| (shard.sha256, shard.choice.clone());
        let mut files = HashMap::<(Digest, EmbeddingsChoice), Vec<Range<u64>>>::new();
        for shard in self {
            files
                .entry(key(shard))
                .or_default()
                .push(shard.rows.clone());
        }
        for rows in files.values_mut() {
            rows.sort_by_key(|rows| rows.start);
        }
        // No row occurs twice, so that ends ascend as starts do.
        let holds = |other: &Shard| {
            let all = files.get(&key(other)).map_or(&[][..], Vec::as_slice);
            let mut missing = other.rows.start;
            let first = all.partition_point(|rows| rows.end <= missing);
            for rows in &all[first..] {
                if rows.start > missing || missing >= other.rows.end {
                    break;
                }
                missing = rows.end;
            }
            missing >= other.rows.end
        };
        others.iter().all(holds)
    }

    /// Iterates over the cohort's dropped rows, ascending.
    pub fn dropped(&self) -> impl Iterator<Item = u64> {
        self.placed().flat_map(|(first, shard)| {
            shard
                .dropped
                .iter()
                .map(move |row| first + row - shard.rows.start)
        })
    }

    /// Returns the values of one column over all shards, in the order in which the cohort shows
    /// them.
    pub fn value_counts(
        &self,
        column: impl Fn(&Shard) -> &ValueCounts,
    ) -> Vec<(Option<String>, u64)> {
        let mut all = ValueCounts::default();
        for (first, shard) in self.placed() {
            let in_cohort = |(value, seen): (&Option<String>, &CountAndFirst)| {
                let first = first + seen.first - shard.rows.start;
                (value.clone(), CountAndFirst { first, ..*seen })
            };
            all.merge(ValueCounts(column(shard).0.iter().map(in_cohort).collect()));
        }
        all.in_order()
    }
}

impl<'a> IntoIterator for &'a Shards {
    type Item = &'a Shard;
    type IntoIter = std::slice::Iter<'a, Shard>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
