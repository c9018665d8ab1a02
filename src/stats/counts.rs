//! Distributions of names over calls.

use indexmap::IndexMap;
use serde::Serialize;

use crate::cohort::TextColumn;

/// A value and the calls that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedCount {
    /// The value.
    pub name: String,
    /// How many calls.
    pub count: u64,
}

/// Each value of a column over some rows, in the order in which the rows show it first; a call
/// without one counts under `missing`, together with calls that have that very text.
pub fn first_seen(
    column: &TextColumn,
    rows: impl Iterator<Item = usize>,
    missing: &str,
) -> Vec<NamedCount> {
    let mut named = IndexMap::<&str, u64>::new();
    for (value, count) in column.counts(rows) {
        *named.entry(value.unwrap_or(missing)).or_default() += count;
    }
    let owned = |(name, count): (&str, u64)| NamedCount {
        name: name.to_owned(),
        count,
    };
    named.into_iter().map(owned).collect()
}

/// The same, most frequent first and equal counts in the order of first sight, as Python's
/// `Counter.most_common`.
pub fn most_common(
    column: &TextColumn,
    rows: impl Iterator<Item = usize>,
    missing: &str,
) -> Vec<NamedCount> {
    let mut counts = first_seen(column, rows, missing);
    counts.sort_by_key(|named| std::cmp::Reverse(named.count));
    counts
}

#[cfg(test)]
mod tests {
    use super::{first_seen, most_common};
    use crate::cohort::TextColumn;

    #[test]
    fn missing_and_its_own_name_are_one() {
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
        let seen = plain(first_seen(&column, 0..5, "UNK"));
        assert_eq!(seen, pairs(&[("B", 1), ("UNK", 2), ("A", 2)]));
        let common = plain(most_common(&column, 0..5, "UNK"));
        assert_eq!(common, pairs(&[("UNK", 2), ("A", 2), ("B", 1)]));
        // Rows that were dropped are in none of it.
        assert_eq!(plain(most_common(&column, 2..3, "UNK")), pairs(&[("A", 1)]));
    }
}
