//! The columns `row`, `atom` and `value` of a Parquet table, read in pieces.

use std::ops::Range;

use parquet::basic::{ConvertedType, LogicalType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::schema::types::ColumnDescPtr;

use crate::error::{Error, Result};
use crate::read::metadata::parquet::{Checked, Pages, bad, check_range};
use crate::read::source::Source;

/// Lines that are read at a time.
const AT_ONCE: usize = 1 << 14;

const NAMES: [&str; 3] = ["row", "atom", "value"];

/// An open file, with the places of the three columns.
pub(super) struct Table<'a> {
    source: &'a Source,
    file: SerializedFileReader<Pages>,
    columns: [usize; 3],
}

impl<'a> Table<'a> {
    /// Opens a file, and looks what its footer says.
    pub(super) fn open(source: &'a Source) -> Result<Self> {
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

    /// The number of row groups.
    pub(super) fn groups(&self) -> usize {
        self.file.num_row_groups()
    }

    /// The number of lines.
    pub(super) fn lines(&self) -> u64 {
        let lines = self.file.metadata().file_metadata().num_rows();
        u64::try_from(lines).unwrap_or(0)
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

    /// The rows of a row group, from the first to the one after the last.
    pub(super) fn rows_of(&self, number: usize) -> Result<Range<u64>> {
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

    /// Hands over row, atom and activation of every line of a row group.
    pub(super) fn each(
        &self,
        number: usize,
        take: &mut dyn FnMut(i64, i64, f64) -> Result<()>,
    ) -> Result<()> {
        let mut group = self.group(number)?;
        let mut columns = [group.column(0)?, group.column(1)?, group.column(2)?];
        let [row, atom, value] = &mut columns;
        let (mut rows, mut atoms, mut values) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(count) = group.next() {
            group.whole(row, 0, count, &mut rows)?;
            group.whole(atom, 1, count, &mut atoms)?;
            group.floats(value, count, &mut values)?;
            for ((&row, &atom), &value) in rows.iter().zip(&atoms).zip(&values) {
                take(row, atom, value)?;
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
        let rows = usize::try_from(self.reader.metadata().num_rows()).unwrap_or(0);
        let pages = Box::new(Checked::new(pages, rows, false));
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
        (
            None,
            ConvertedType::UINT_8
            | ConvertedType::UINT_16
            | ConvertedType::UINT_32
            | ConvertedType::UINT_64,
        ) => Some(true),
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
