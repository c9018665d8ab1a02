//! A Parquet table of activations: a line for each atom that fires on a row, in the columns `row`,
//! `atom` and `value`. Lines may stand in any order.
//!
//! Nothing is sorted but what is asked for: a first pass over the column `row` notes which rows each
//! row group has, and rows are made from the groups that have some of them. So a table that is sorted
//! by row is read twice, and any other once more for every part of a cohort.

mod table;

use std::ops::Range;

use rayon::prelude::*;

use super::super::metadata::parquet::in_parser_thread;
use super::super::source::Source;
use super::rows::{ActiveAtoms, Bounds, Builder};
use crate::control::Control;
use crate::error::{Error, Result};
use table::Table;

/// A table of activations.
#[derive(Debug)]
pub(super) struct Long {
    source: Source,
    /// The rows of each row group, from the first to the one after the last.
    groups: Vec<Range<u64>>,
    /// Lines in all.
    lines: u64,
}

impl Long {
    /// Opens a table, and looks through its rows.
    ///
    /// # Errors
    /// A damaged file; columns that are missing, or hold something else; rows below 0.
    pub(super) fn open(source: &Source) -> Result<Self> {
        in_parser_thread(source, || {
            let table = Table::open(source)?;
            let mut groups = Vec::new();
            for number in 0..table.groups() {
                groups.push(table.rows_of(number)?);
            }
            Ok(Self {
                source: source.clone(),
                groups,
                lines: table.lines(),
            })
        })
    }

    /// The row after the last that is named.
    pub(super) fn end(&self) -> u64 {
        self.groups.iter().map(|rows| rows.end).max().unwrap_or(0)
    }

    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    pub(super) fn read(
        &self,
        range: &Range<usize>,
        bounds: Bounds,
        control: &Control,
    ) -> Result<ActiveAtoms> {
        let wanted = range.start as u64..range.end as u64;
        let is_here = |rows: &Range<u64>| rows.start < wanted.end && wanted.start < rows.end;
        let mut entries = in_parser_thread(&self.source, || {
            let table = Table::open(&self.source)?;
            let mut entries = Entries::new(wanted.clone(), bounds);
            for (number, rows) in self.groups.iter().enumerate() {
                control.check()?;
                if is_here(rows) {
                    table.each(number, &mut |row, atom, value| {
                        entries.add(row, atom, value)
                    })?;
                }
            }
            Ok(entries)
        })?;
        entries.put_in_order()?;
        let mut builder = Builder::new(bounds, wanted.start);
        let mut next = entries.all.iter().peekable();
        for row in 0..range.len() as u64 {
            while let Some(entry) = next.next_if(|entry| u64::from(entry.row) == row) {
                builder.push_atom(entry.atom, entry.value)?;
            }
            builder.end_row()?;
        }
        control.report(range.len() as u64);
        Ok(builder.finish())
    }
}

/// An atom that fires.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// The row, counted from the first that is wanted.
    row: u32,
    atom: u32,
    value: f64,
}

/// The entries of the rows that are wanted.
struct Entries<'a> {
    wanted: Range<u64>,
    bounds: Bounds<'a>,
    all: Vec<Entry>,
    /// The number of entries at which they are looked through for one that is there twice.
    most: usize,
}

impl<'a> Entries<'a> {
    fn new(wanted: Range<u64>, bounds: Bounds<'a>) -> Self {
        Self {
            wanted,
            bounds,
            all: Vec::new(),
            most: 1 << 22,
        }
    }

    fn add(&mut self, row: i64, atom: i64, value: f64) -> Result<()> {
        let row = row as u64;
        if !self.wanted.contains(&row) {
            return Ok(());
        }
        let atom = self.bounds.atom(row, atom)?;
        self.bounds.value(row, atom, value)?;
        if value != 0.0 {
            let row = (row - self.wanted.start) as u32;
            self.all.push(Entry { row, atom, value });
        }
        if self.all.len() >= self.most {
            self.put_in_order()?;
            self.most = 2 * self.all.len();
        }
        Ok(())
    }

    /// Sorts entries by row and atom, each of which may be there once.
    fn put_in_order(&mut self) -> Result<()> {
        let key = |entry: &Entry| (entry.row, entry.atom);
        self.all.par_sort_unstable_by_key(key);
        let mut pairs = self.all.windows(2);
        let twice = pairs.find_map(|two| match two {
            [one, other] if key(one) == key(other) => Some(*one),
            _ => None,
        });
        let Some(Entry { row, atom, .. }) = twice else {
            return Ok(());
        };
        let row = self.wanted.start + u64::from(row);
        Err(Error::input(
            self.bounds.name,
            format!("row {row}, atom {atom}"),
            "two activations",
            "one line for each row and atom",
            "take out lines that are there twice: in pandas, drop_duplicates([\"row\", \"atom\"])",
        ))
    }
}
