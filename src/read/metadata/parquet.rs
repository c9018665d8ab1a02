//! Parquet: each column read in pieces, whatever its encoding. Null is a missing value.
//!
//! The parser of pages may panic on damaged bytes; it runs in a thread of its own, so that a panic
//! becomes an error like any other.

use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::thread;

use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::DataType;
use parquet::errors::{ParquetError, Result as PageResult};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescPtr;

use super::super::plain::Scalar;
use super::super::source::Source;
use super::{NAMES, NoNumber, Outline, Sink};
use crate::error::{Error, Result};

/// The name of the thread in which Parquet is parsed, by which a program can keep its panics
/// silent: they become errors.
pub const THREAD: &str = "atomscope-parquet";

/// The longest description of columns and pages that is read.
const LONGEST_FOOTER: u64 = 64 << 20;
/// Stack for each of its bytes: groups in groups are read by recursion, and take 5 bytes each.
const STACK: usize = 512;
/// Calls that are read at once.
const AT_ONCE: usize = 1024;

const DAMAGED: &str =
    "the file is cut short or damaged: copy it again from where it was whole, or save it again";

pub(super) fn read(source: &Source, sink: &mut Sink<'_>) -> Result<Outline> {
    let footer = check_footer(source)?;
    let stack = (4 << 20) + footer as usize * STACK;
    let reading = |error| Error::reading(source.path(), error);
    let ended = thread::scope(|scope| {
        let work = AssertUnwindSafe(|| read_here(source, sink));
        let thread = thread::Builder::new().name(THREAD.to_owned());
        let thread = thread.stack_size(stack).spawn_scoped(scope, move || work());
        thread.map_err(reading).map(thread::ScopedJoinHandle::join)
    });
    ended?.unwrap_or_else(|_| {
        let expected = "a whole Parquet file";
        let found = "bytes that make no sense";
        Err(Error::input(
            source.name(),
            "the pages",
            found,
            expected,
            DAMAGED,
        ))
    })
}

/// The file's end: the footer's length (4 bytes, little-endian), and the magic number again.
fn check_footer(source: &Source) -> Result<u64> {
    let mut end = [0; 8];
    if let Some(at) = source.len().checked_sub(12) {
        source.read_at(&mut end, at + 4)?;
    }
    let [a, b, c, d, magic @ ..] = end;
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    let most = LONGEST_FOOTER.min(source.len().saturating_sub(12));
    if &magic == b"PAR1" && length <= most {
        return Ok(length);
    }
    let found = if &magic == b"PAR1" {
        format!("a footer of {length} bytes")
    } else {
        "no PAR1 at the end".to_owned()
    };
    let expected = format!("a footer of at most {most} bytes, its length, and PAR1");
    Err(Error::input(
        source.name(),
        "the file's end",
        found,
        expected,
        DAMAGED,
    ))
}

fn bad(source: &Source, place: &str, error: &ParquetError) -> Error {
    let found = match error {
        ParquetError::General(text) | ParquetError::EOF(text) | ParquetError::NYI(text) => text,
        _ => &error.to_string(),
    };
    Error::input(source.name(), place, found, "a whole Parquet file", DAMAGED)
}

fn read_here(source: &Source, sink: &mut Sink<'_>) -> Result<Outline> {
    let footer = |error| bad(source, "the footer", &error);
    let file = source.file().try_clone();
    let file = file.map_err(|error| Error::reading(source.path(), error))?;
    let file = SerializedFileReader::new(file).map_err(footer)?;
    let facts = file.metadata().file_metadata();
    let schema = facts.schema_descr();
    let columns: Vec<_> = schema
        .root_schema()
        .get_fields()
        .iter()
        .map(|f| f.name().to_owned())
        .collect();
    let rows = usize::try_from(facts.num_rows()).unwrap_or(usize::MAX);
    let outline = Outline {
        format: "Parquet",
        columns,
        rows,
    };
    // Where the number of rows is wrong, that is the error; nothing more is read.
    if rows != sink.most {
        return Ok(outline);
    }
    let mut counted: usize = 0;
    for group in file.metadata().row_groups() {
        let rows = usize::try_from(group.num_rows()).unwrap_or(usize::MAX);
        counted = counted.saturating_add(rows);
        for column in group.columns() {
            check_range(source, column.byte_range())?;
        }
    }
    if counted != rows {
        let error = ParquetError::General(format!("{counted} rows in all row groups, not {rows}"));
        return Err(footer(error));
    }
    for (field, name) in NAMES.iter().enumerate() {
        let at = schema
            .columns()
            .iter()
            .position(|column| column.path().parts().first().map(String::as_str) == Some(name));
        match at {
            Some(at) => read_column(&file, at, field, sink)?,
            None => (0..rows).for_each(|_| sink.gathered.push_missing(field)),
        }
    }
    Ok(outline)
}

fn check_range(source: &Source, (start, length): (u64, u64)) -> Result<()> {
    if start
        .checked_add(length)
        .is_some_and(|end| end <= source.len())
    {
        return Ok(());
    }
    let text = format!("a column of {length} bytes from byte {start} on");
    Err(bad(source, "the footer", &ParquetError::General(text)))
}

/// How a column's numbers are to be taken.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Meaning {
    Signed,
    Unsigned,
    Text,
}

/// What a column's values mean; `None` if they are no single numbers or text.
fn meaning(column: &ColumnDescPtr) -> Option<Meaning> {
    if column.path().parts().len() != 1 || column.max_rep_level() != 0 {
        return None;
    }
    match column.physical_type() {
        Type::INT96 | Type::FIXED_LEN_BYTE_ARRAY => return None,
        Type::BYTE_ARRAY => {
            let decimal = column.converted_type() == ConvertedType::DECIMAL;
            return (!decimal).then_some(Meaning::Text);
        }
        _ => {}
    }
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Integer(kind)), _) if kind.is_signed => Some(Meaning::Signed),
        (Some(LogicalType::Integer(_)), _)
        | (None, ConvertedType::UINT_32 | ConvertedType::UINT_64) => Some(Meaning::Unsigned),
        (None | Some(LogicalType::Unknown), ConvertedType::NONE)
        | (
            None,
            ConvertedType::INT_8
            | ConvertedType::INT_16
            | ConvertedType::INT_32
            | ConvertedType::INT_64
            | ConvertedType::UINT_8
            | ConvertedType::UINT_16,
        ) => Some(Meaning::Signed),
        _ => None,
    }
}

/// Appends a column of all row groups to a field's.
fn read_column(
    file: &SerializedFileReader<File>,
    at: usize,
    field: usize,
    sink: &mut Sink<'_>,
) -> Result<()> {
    sink.see(field);
    let column = file.metadata().file_metadata().schema_descr().column(at);
    let place = format!("column {}", column.name());
    let Some(meaning) = meaning(&column) else {
        return Err(Error::input(
            sink.source.name(),
            place,
            format!(
                "values of {} that are no plain numbers or text",
                column.physical_type()
            ),
            "integers, floating-point numbers, booleans or text",
            "convert the column and save the file again",
        ));
    };
    for number in 0..file.num_row_groups() {
        let failed = |error| bad(sink.source, &place, &error);
        let group = file.get_row_group(number).map_err(failed)?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(usize::MAX);
        let pages = group.get_column_page_reader(at).map_err(failed)?;
        let pages = Box::new(Checked { pages, rows });
        let descr = column.clone();
        macro_rules! pour {
            ($reader:expr, $scalar:expr) => {
                pour($reader, rows, (field, &place), sink, $scalar)?
            };
        }
        let unsigned = meaning == Meaning::Unsigned;
        let of_u64 = |n: u64| i64::try_from(n).map_or(Scalar::Large(n as f64), Scalar::Int);
        match get_column_reader(descr, pages) {
            ColumnReader::BoolColumnReader(r) => pour!(r, |x: &bool| Some(Scalar::Bool(*x))),
            ColumnReader::Int32ColumnReader(r) => {
                pour!(r, |x: &i32| Some(Scalar::Int(if unsigned {
                    i64::from(*x as u32)
                } else {
                    i64::from(*x)
                })))
            }
            ColumnReader::Int64ColumnReader(r) => pour!(r, |x: &i64| Some(if unsigned {
                of_u64(*x as u64)
            } else {
                Scalar::Int(*x)
            })),
            ColumnReader::FloatColumnReader(r) => pour!(r, |x: &f32| Some(Scalar::Single(*x))),
            ColumnReader::DoubleColumnReader(r) => pour!(r, |x: &f64| Some(Scalar::Float(*x))),
            ColumnReader::ByteArrayColumnReader(r) => {
                pour!(r, |x: &parquet::data_type::ByteArray| {
                    Some(Scalar::Text(x.as_utf8().ok()?.to_owned()))
                });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Appends a column of a row group to a field's.
fn pour<T: DataType>(
    mut column: ColumnReaderImpl<T>,
    rows: usize,
    (field, place): (usize, &str),
    sink: &mut Sink<'_>,
    scalar: impl Fn(&T::T) -> Option<Scalar>,
) -> Result<()> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let mut left = rows;
    while left > 0 {
        levels.clear();
        values.clear();
        let read = column.read_records(left.min(AT_ONCE), Some(&mut levels), None, &mut values);
        let (count, ..) = read.map_err(|error| bad(sink.source, place, &error))?;
        if count == 0 {
            let error = ParquetError::General(format!("{left} values too few"));
            return Err(bad(sink.source, place, &error));
        }
        let mut values = values.iter();
        for at in 0..count {
            // Without levels every call has a value.
            if levels.get(at).is_some_and(|&level| level == 0) {
                sink.gathered.push_missing(field);
                continue;
            }
            let value = values.next().and_then(&scalar);
            let pushed = value.map(|value| {
                let shown = value.clone();
                let pushed = sink.gathered.push_scalar(field, value);
                pushed.map_err(|NoNumber| shown.into_text())
            });
            let row = rows - left + at;
            match pushed {
                Some(Ok(())) => {}
                Some(Err(found)) => return Err(sink.no_number(format!("row {row}"), field, found)),
                None => {
                    let error = ParquetError::General(format!("no text in UTF-8 in row {row}"));
                    return Err(bad(sink.source, place, &error));
                }
            }
        }
        left -= count;
    }
    Ok(())
}

/// Pages whose counts were checked against their bytes and the row group: the parser makes room
/// for as many values as a page says that it has.
struct Checked {
    pages: Box<dyn PageReader>,
    rows: usize,
}

impl PageReader for Checked {
    fn get_next_page(&mut self) -> PageResult<Option<Page>> {
        let Some(page) = self.pages.get_next_page()? else {
            return Ok(None);
        };
        let (count, most) = match &page {
            // A value takes a byte at least.
            Page::DictionaryPage {
                buf, num_values, ..
            } => (*num_values, buf.len()),
            Page::DataPage { num_values, .. } | Page::DataPageV2 { num_values, .. } => {
                (*num_values, self.rows)
            }
        };
        if count as usize <= most {
            return Ok(Some(page));
        }
        let text = format!("a page of {count} values where {most} are the most");
        Err(ParquetError::General(text))
    }

    fn peek_next_page(&mut self) -> PageResult<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> PageResult<()> {
        self.pages.skip_next_page()
    }
}

impl Iterator for Checked {
    type Item = PageResult<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}
