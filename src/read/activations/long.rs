//! A Parquet table of activations: a line for each atom that fires on a row, in the columns `row`,
//! `atom` and `value`. Lines may stand in any order.
//!
//! Nothing is sorted but what is asked for: a first pass over the column `row` notes which rows each
//! row group has, and rows are made from the groups that have some of them. So a table that is sorted
//! by row is read twice, and any other once more for every part of a cohort.

use std::ops::Range;

use parquet::basic::{ConvertedType, LogicalType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::schema::types::ColumnDescPtr;
use rayon::prelude::*;

use super::super::metadata::parquet::{Checked, Pages, bad, check_range, in_parser_thread};
use super::super::source::Source;
use super::rows::{ActiveAtoms, Bounds, Builder};
use crate::control::Control;
use crate::error::{Error, Result};

/// Lines that are read at a time.
const AT_ONCE: usize = 1 << 14;

const NAMES: [&str; 3] = ["row", "atom", "value"];

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
            for number in 0..table.file.num_row_groups() {
                groups.push(table.rows_of(number)?);
            }
            let lines = table.file.metadata().file_metadata().num_rows();
            Ok(Self {
                source: source.clone(),
                groups,
                lines: u64::try_from(lines).unwrap_or(0),
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
                    table.each(number, &mut entries)?;
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

/// An open file, with the places of the three columns.
struct Table<'a> {
    source: &'a Source,
    file: SerializedFileReader<Pages>,
    columns: [usize; 3],
}

impl<'a> Table<'a> {
    fn open(source: &'a Source) -> Result<Self> {
        let footer = |error| bad(source, "the footer", &error);
        let file = SerializedFileReader::new(Pages(source.clone())).map_err(footer)?;
        let mut lines: i64 = 0;
        for group in file.metadata().row_groups() {
            lines = lines.saturating_add(group.num_rows().max(0));
            for column in group.columns() {
                check_range(source, column.byte_range())?;
            }
        }
        let claimed = file.metadata().file_metadata().num_rows();
        if lines != claimed {
            let text = format!("{lines} lines in all row groups, not {claimed}");
            return Err(footer(ParquetError::General(text)));
        }
        let columns = columns(source, &file)?;
        Ok(Self {
            source,
            file,
            columns,
        })
    }

    fn group(&self, number: usize) -> Result<Group<'_>> {
        let failed = |error| bad(self.source, "the row groups", &error);
        let reader = self.file.get_row_group(number).map_err(failed)?;
        let left = usize::try_from(reader.metadata().num_rows()).unwrap_or(0);
        Ok(Group {
            table: self,
            reader,
            left,
        })
    }

    /// The rows of a row group.
    fn rows_of(&self, number: usize) -> Result<Range<u64>> {
        let mut group = self.group(number)?;
        let mut column = group.column(0)?;
        let (mut all, mut rows): (Option<Range<u64>>, _) = (None, Vec::new());
        while let Some(count) = group.next() {
            group.whole(&mut column, 0, count, &mut rows)?;
            for &row in &rows {
                let Ok(row) = u64::try_from(row) else {
                    return Err(Error::input(
                        self.source.name(),
                        "column row",
                        format!("the row {row}"),
                        "rows from 0 on, in the order of the table of calls",
                        "number the rows as the calls are",
                    ));
                };
                let before = all.unwrap_or(row..row);
                let end = row.saturating_add(1);
                all = Some(before.start.min(row)..before.end.max(end));
            }
        }
        Ok(all.unwrap_or(0..0))
    }

    /// Hands over every line of a row group.
    fn each(&self, number: usize, entries: &mut Entries) -> Result<()> {
        let mut group = self.group(number)?;
        let mut columns = [group.column(0)?, group.column(1)?, group.column(2)?];
        let [row, atom, value] = &mut columns;
        let (mut rows, mut atoms, mut values) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(count) = group.next() {
            group.whole(row, 0, count, &mut rows)?;
            group.whole(atom, 1, count, &mut atoms)?;
            group.floats(value, count, &mut values)?;
            for ((&row, &atom), &value) in rows.iter().zip(&atoms).zip(&values) {
                entries.add(row, atom, value)?;
            }
        }
        Ok(())
    }
}

/// Finds the three columns.
fn columns(source: &Source, file: &SerializedFileReader<Pages>) -> Result<[usize; 3]> {
    let schema = file.metadata().file_metadata().schema_descr();
    let mut found = [0; 3];
    for (name, found) in NAMES.iter().zip(&mut found) {
        let is_it = |column: &ColumnDescPtr| column.path().parts() == [(*name).to_owned()];
        let mut places = (0..schema.num_columns()).filter(|&at| is_it(&schema.column(at)));
        let (place, more) = (places.next(), places.next());
        let (Some(place), None) = (place, more) else {
            let names = schema.columns().iter().map(|column| column.path().string());
            let names: Vec<_> = names.take(12).collect();
            return Err(Error::input(
                source.name(),
                "the columns",
                format!(
                    "{} of the name {name} among {}",
                    if more.is_some() { "two" } else { "none" },
                    names.join(", ")
                ),
                "the columns row, atom and value: a line for each atom that fires on a row",
                "rename the columns so, and number rows as the calls are, from 0 on",
            ));
        };
        *found = place;
    }
    Ok(found)
}

/// A row group that is read in pieces, the same number of lines of each column.
struct Group<'a> {
    table: &'a Table<'a>,
    reader: Box<dyn RowGroupReader + 'a>,
    left: usize,
}

impl Group<'_> {
    /// The number of lines of the next piece.
    fn next(&mut self) -> Option<usize> {
        let count = self.left.min(AT_ONCE);
        self.left -= count;
        (count > 0).then_some(count)
    }

    fn describe(&self, which: usize) -> (usize, ColumnDescPtr) {
        let at = self.table.columns.get(which).copied().unwrap_or(0);
        let schema = self.table.file.metadata().file_metadata().schema_descr();
        (at, schema.column(at))
    }

    fn column(&self, which: usize) -> Result<ColumnReader> {
        let (at, column) = self.describe(which);
        let pages = self.reader.get_column_page_reader(at);
        let pages = pages.map_err(|error| self.bad(which, &error))?;
        let pages = Box::new(Checked {
            pages,
            rows: usize::try_from(self.reader.metadata().num_rows()).unwrap_or(0),
        });
        if column.max_rep_level() > 0 {
            return Err(self.unlike(which));
        }
        Ok(get_column_reader(column, pages))
    }

    fn bad(&self, which: usize, error: &ParquetError) -> Error {
        let name = NAMES.get(which).copied().unwrap_or_default();
        bad(self.table.source, &format!("column {name}"), error)
    }

    /// Makes the error of a column whose values are no such numbers.
    fn unlike(&self, which: usize) -> Error {
        let (_, column) = self.describe(which);
        let (expected, kind) = match which {
            2 => ("floating-point or whole numbers", "float32"),
            _ => ("whole numbers", "int64"),
        };
        let name = NAMES.get(which).copied().unwrap_or_default();
        Error::input(
            self.table.source.name(),
            format!("column {name}"),
            format!("values of {}", column.physical_type()),
            expected,
            format!("convert it: in pandas, table.astype({{\"{name}\": \"{kind}\"}})"),
        )
    }

    /// Reads the next values of a column of whole numbers.
    fn whole(
        &self,
        column: &mut ColumnReader,
        which: usize,
        count: usize,
        out: &mut Vec<i64>,
    ) -> Result<()> {
        out.clear();
        let (_, about) = self.describe(which);
        let Some(unsigned) = is_unsigned(&about) else {
            return Err(self.unlike(which));
        };
        match column {
            ColumnReader::Int32ColumnReader(reader) => self.values(reader, which, count, |n| {
                out.push(if unsigned {
                    i64::from(*n as u32)
                } else {
                    i64::from(*n)
                });
            }),
            ColumnReader::Int64ColumnReader(reader) => self.values(reader, which, count, |n| {
                let n = if unsigned && *n < 0 { i64::MAX } else { *n };
                out.push(n);
            }),
            _ => Err(self.unlike(which)),
        }
    }

    /// Reads the next activations.
    fn floats(&self, column: &mut ColumnReader, count: usize, out: &mut Vec<f64>) -> Result<()> {
        out.clear();
        match column {
            ColumnReader::FloatColumnReader(reader) => {
                self.values(reader, 2, count, |x| out.push(f64::from(*x)))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                self.values(reader, 2, count, |x| out.push(*x))
            }
            other => {
                let mut whole = Vec::new();
                self.whole(other, 2, count, &mut whole)?;
                out.extend(whole.into_iter().map(|n| n as f64));
                Ok(())
            }
        }
    }

    fn values<T: DataType>(
        &self,
        reader: &mut ColumnReaderImpl<T>,
        which: usize,
        count: usize,
        mut take: impl FnMut(&T::T),
    ) -> Result<()> {
        let (mut values, mut levels, mut read) = (Vec::new(), Vec::new(), 0);
        while read < count {
            let more = reader.read_records(count - read, Some(&mut levels), None, &mut values);
            let (more, ..) = more.map_err(|error| self.bad(which, &error))?;
            if more == 0 {
                let text = format!("{} values too few", count - read);
                return Err(self.bad(which, &ParquetError::General(text)));
            }
            read += more;
        }
        if values.len() != count {
            let name = NAMES.get(which).copied().unwrap_or_default();
            return Err(Error::input(
                self.table.source.name(),
                format!("column {name}"),
                format!("{} missing values", count - values.len().min(count)),
                "a number in each line",
                "leave out lines without a row, atom or value: in pandas, dropna()",
            ));
        }
        values.iter().for_each(&mut take);
        Ok(())
    }
}

/// Says whether a column's whole numbers have no sign; `None` if they are no plain whole numbers.
fn is_unsigned(column: &ColumnDescPtr) -> Option<bool> {
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Integer(kind)), _) => Some(!kind.is_signed),
        (None, ConvertedType::UINT_8 | ConvertedType::UINT_16)
        | (None, ConvertedType::UINT_32 | ConvertedType::UINT_64) => Some(true),
        (
            None,
            ConvertedType::NONE
            | ConvertedType::INT_8
            | ConvertedType::INT_16
            | ConvertedType::INT_32
            | ConvertedType::INT_64,
        ) => Some(false),
        _ => None,
    }
}
