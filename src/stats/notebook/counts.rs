//! Distributions of names over calls.

use indexmap::IndexMap;
use serde::Serialize;

use crate::cohort::TextColumn;

/// A value and the number of calls that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedCount {
    /// The value.
    pub name: String,
    /// The number of calls.
    pub count: u64,
}

/// A counter of a column's values, in the order in which rows show them first. A call without a
/// value counts under `missing`, together with calls that have that very text.
#[derive(Debug, Clone)]
pub struct Counter {
    counts: IndexMap<String, u64>,
    missing: &'static str,
}

impl Counter {
    /// Makes an empty counter.
    pub fn new(missing: &'static str) -> Self {
        Self {
            counts: IndexMap::new(),
            missing,
        }
    }

    /// Counts some rows of a column.
    pub fn add(&mut self, column: &TextColumn, rows: impl Iterator<Item = usize>) {
        for (value, count) in column.counts(rows) {
            self.add_value(value, count);
        }
    }

    /// Counts calls that have this value.
    pub fn add_value(&mut self, value: Option<&str>, calls: u64) {
        let name = value.unwrap_or(self.missing);
        match self.counts.get_mut(name) {
            Some(sum) => *sum += calls,
            None => drop(self.counts.insert(name.to_owned(), calls)),
        }
    }

    /// Returns the counts in the order of first sight.
    pub fn first_seen(self) -> Vec<NamedCount> {
        let named = |(name, count)| NamedCount { name, count };
        self.counts.into_iter().map(named).collect()
    }

    /// Returns the counts, most frequent first and equal counts in the order of first sight, as
    /// Python's `Counter.most_common` does.
    pub fn most_common(self) -> Vec<NamedCount> {
        let mut counts = self.first_seen();
        counts.sort_by_key(|named| std::cmp::Reverse(named.count));
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::Counter;
    use crate::cohort::TextColumn;

    #[test]
    fn counter_merges_missing_with_its_own_name() {
        let mut column = TextColumn::default();
        for value in [Some("B"), None, Some("A"), Some("UNK"), Some("A")] {
            column.push(value);
        }
        let plain = |counts: Vec<super::NamedCount>| -> Vec<(String, u64)> {
            counts.into_iter().map(|c| (c.name, c.count)).collect()
        };
        let pairs = |list: &[(&str, u64)]| -> Vec<(String, u64)> {
            list.iter().map(|&(name, n)| (name.to_owned(), n)).collect()
        };
        let counted = |from: usize, middle: usize, to: usize| {
            let mut counter = Counter::new("UNK");
            counter.add(&column, from..middle);
            counter.add(&column, middle..to);
            counter
        };
        let seen = plain(counted(0, 0, 5).first_seen());
        assert_eq!(seen, pairs(&[("B", 1), ("UNK", 2), ("A", 2)]));
        let common = plain(counted(0, 2, 5).most_common());
        assert_eq!(common, pairs(&[("UNK", 2), ("A", 2), ("B", 1)]));
        // Dropped rows are not counted.
        assert_eq!(plain(counted(2, 3, 3).most_common()), pairs(&[("A", 1)]));
    }
}
