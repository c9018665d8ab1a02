//! The check that a table's rows are in the order of the embeddings.

use std::collections::HashSet;
use std::path::Path;

use crate::cohort::IdColumn;

/// Returns a call's ID. A missing ID is a point in VCF, and `None` in Python's text.
pub(super) fn id(ids: &IdColumn, row: usize) -> Option<&str> {
    ids.get(row).filter(|id| !matches!(*id, "" | "." | "None"))
}

/// The outcome of comparing the IDs on both sides.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Every ID was compared: rows in another order would have been seen.
    Checked,
    /// The table, the embeddings, or both have no IDs.
    NoIds(&'static str),
    /// So many calls lack an ID on one side.
    Lacking(usize),
    /// So many calls share their ID with another call; the first such ID.
    Repeated(usize, String),
}

impl Order {
    /// Compares a table's IDs with those that are `expected` from a file, which messages call `file`.
    pub(super) fn of(
        found: Option<&IdColumn>,
        expected: Option<&IdColumn>,
        file: &'static str,
    ) -> Self {
        const TABLE: &str = "the table";
        let (Some(found), Some(expected)) = (found, expected) else {
            return Self::NoIds(if found.is_none() { TABLE } else { file });
        };
        let has = |ids: &IdColumn, row| id(ids, row).is_some();
        for (ids, side) in [(found, TABLE), (expected, file)] {
            if !(0..ids.len()).any(|row| has(ids, row)) {
                return Self::NoIds(side);
            }
        }
        let lacking = (0..found.len()).filter(|&row| !has(found, row) || !has(expected, row));
        let lacking = lacking.count();
        if lacking > 0 {
            return Self::Lacking(lacking);
        }
        let mut seen = HashSet::with_capacity(found.len());
        let all = (0..found.len()).filter_map(|row| id(found, row));
        let mut again = all.filter(|id| !seen.insert(*id));
        let Some(first) = again.next() else {
            return Self::Checked;
        };
        let first = first.to_owned();
        Self::Repeated(1 + again.count(), first)
    }

    /// Writes a note on an order that could not be checked in full.
    pub(super) fn note(&self, table: &Path, embeddings: &str) -> Option<String> {
        let table = table.display();
        let order = format!("{table}: that its rows are in the order of {embeddings}");
        match self {
            Self::Checked => None,
            Self::NoIds(side) => Some(format!(
                "{order} cannot be checked: there are no IDs in {side}"
            )),
            Self::Lacking(rows) => Some(format!(
                "{order} cannot be checked for {rows} calls, which lack an ID there or here"
            )),
            Self::Repeated(rows, first) => Some(format!(
                "{order} is not sure where IDs repeat: {rows} calls have one that an earlier call has ({first:?} is \
                 the first)"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Order;
    use crate::cohort::IdColumn;

    fn ids(values: &[Option<&str>]) -> IdColumn {
        let mut column = IdColumn::default();
        for value in values {
            column.push(*value);
        }
        column
    }

    #[test]
    fn order_is_checked_only_if_every_call_has_its_own_id_on_both_sides() {
        let whole = ids(&[Some("a"), Some("b"), Some("c")]);
        let points = ids(&[Some("."), None, Some("")]);
        let some = ids(&[Some("a"), Some("."), None]);
        let twice = ids(&[Some("a"), Some("b"), Some("b")]);
        for (found, expected, order) in [
            (Some(&whole), Some(&whole), Order::Checked),
            (None, Some(&whole), Order::NoIds("the table")),
            (Some(&whole), None, Order::NoIds("the embeddings' file")),
            (Some(&points), Some(&whole), Order::NoIds("the table")),
            (
                Some(&whole),
                Some(&points),
                Order::NoIds("the embeddings' file"),
            ),
            (Some(&whole), Some(&some), Order::Lacking(2)),
            (Some(&some), Some(&whole), Order::Lacking(2)),
            (
                Some(&twice),
                Some(&twice),
                Order::Repeated(1, "b".to_owned()),
            ),
        ] {
            assert_eq!(Order::of(found, expected, "the embeddings' file"), order);
        }
    }
}
