//! A column of a Parquet file.

use num_bigint::{BigInt, Sign};
use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray};
use parquet::errors::{ParquetError, Result as PageResult};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescPtr;

use super::super::super::plain::Scalar;
use super::super::{NoNumber, Sink};
use super::bad;
use super::pages::Pages;
use crate::control;
use crate::error::{Error, Result};

/// The number of calls that are read at once.
const AT_ONCE: usize = 1024;

/// The meaning of a column's stored numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Meaning {
    Signed,
    Unsigned,
    Text,
    /// A decimal number: a whole number with so many digits after the point.
    Decimal(usize),
    /// IEEE 754 binary16.
    Half,
}

/// The most digits of a decimal number in any of the types.
const MOST_DIGITS: i32 = 76;

/// Returns the meaning of a column's values; `None` if they are not single numbers or text.
fn meaning(column: &ColumnDescPtr) -> Option<Meaning> {
    if column.path().parts().len() != 1 || column.max_rep_level() != 0 {
        return None;
    }
    let scale = match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Decimal(decimal)), _) => Some(decimal.scale),
        (None, ConvertedType::DECIMAL) => Some(column.type_scale()),
        _ => None,
    };
    if let Some(scale) = scale {
        let scale = usize::try_from(scale).ok().filter(|_| scale <= MOST_DIGITS);
        return scale.map(Meaning::Decimal);
    }
    match column.physical_type() {
        Type::INT96 => return None,
        Type::FIXED_LEN_BYTE_ARRAY => {
            let is_half = column.logical_type_ref() == Some(&LogicalType::Float16);
            return (is_half && column.type_length() == 2).then_some(Meaning::Half);
        }
        Type::BYTE_ARRAY => return Some(Meaning::Text),
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
pub(super) fn read(
    file: &SerializedFileReader<Pages>,
    at: usize,
    field: usize,
    sink: &mut Sink<'_>,
) -> Result<()> {
    let column = file.metadata().file_metadata().schema_descr().column(at);
    let place = format!("column {}", column.name());
    let Some(meaning) = meaning(&column) else {
        return Err(Error::input(
            sink.source.name(),
            place,
            format!(
                "values of {}{} that are no plain numbers or text",
                column.physical_type(),
                kind(&column)
            ),
            "integers, decimal or floating-point numbers, booleans or text",
            "convert the column and save the file again",
        ));
    };
    for number in 0..file.num_row_groups() {
        let failed = |error| bad(sink.source, &place, &error);
        let group = file.get_row_group(number).map_err(failed)?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(usize::MAX);
        let pages = group.get_column_page_reader(at).map_err(failed)?;
        let pages = Box::new(Checked::new(pages, rows, false));
        let reader = get_column_reader(column.clone(), pages);
        read_group(reader, meaning, rows, (field, &place), sink)?;
    }
    Ok(())
}

/// Describes a column's type, for a message.
fn kind(column: &ColumnDescPtr) -> String {
    match column.converted_type() {
        _ if column.path().parts().len() > 1 => " within others".to_owned(),
        ConvertedType::NONE => String::new(),
        kind => format!(" ({kind})"),
    }
}

/// Reads a decimal number in big-endian two's complement; `None` if it has more bytes than any of
/// the types.
fn of_big_endian(bytes: &[u8], after: usize) -> Option<Scalar> {
    const MOST: usize = 32;
    (bytes.len() <= MOST).then(|| decimal(&BigInt::from_signed_bytes_be(bytes), after))
}

/// Converts a whole number, with so many digits after the point, to a decimal one.
fn decimal(whole: &BigInt, after: usize) -> Scalar {
    let digits = whole.magnitude().to_string();
    let sign = if whole.sign() == Sign::Minus { "-" } else { "" };
    let digits = format!("{digits:0>width$}", width = after + 1);
    let (before, rest) = digits.split_at(digits.len() - after);
    let text = if after == 0 {
        format!("{sign}{before}")
    } else {
        format!("{sign}{before}.{rest}")
    };
    Scalar::Text(text)
}

/// Appends a column of a row group to a field's.
fn read_group(
    reader: ColumnReader,
    meaning: Meaning,
    rows: usize,
    at: (usize, &str),
    sink: &mut Sink<'_>,
) -> Result<()> {
    let unsigned = meaning == Meaning::Unsigned;
    let of_i64 = |n: &i64| match (meaning, i64::try_from(*n as u64)) {
        (Meaning::Decimal(after), _) => decimal(&BigInt::from(*n), after),
        (Meaning::Unsigned, Err(_)) => Scalar::Large(*n as u64 as f64),
        _ => Scalar::Int(*n),
    };
    let of_i32 = |n: &i32| {
        of_i64(&if unsigned {
            i64::from(*n as u32)
        } else {
            i64::from(*n)
        })
    };
    let of_bytes = |bytes: &ByteArray| match meaning {
        Meaning::Decimal(after) => of_big_endian(bytes.data(), after),
        _ => Some(Scalar::Text(bytes.as_utf8().ok()?.to_owned())),
    };
    let of_fixed = |bytes: &FixedLenByteArray| match (meaning, bytes.data()) {
        (Meaning::Decimal(after), bytes) => of_big_endian(bytes, after),
        (_, &[a, b]) => Some(Scalar::Single(half::f16::from_le_bytes([a, b]).to_f32())),
        _ => None,
    };
    match reader {
        ColumnReader::BoolColumnReader(r) => pour(r, rows, at, sink, |x| Some(Scalar::Bool(*x))),
        ColumnReader::Int32ColumnReader(r) => pour(r, rows, at, sink, |x| Some(of_i32(x))),
        ColumnReader::Int64ColumnReader(r) => pour(r, rows, at, sink, |x| Some(of_i64(x))),
        ColumnReader::FloatColumnReader(r) => pour(r, rows, at, sink, |x| Some(Scalar::Single(*x))),
        ColumnReader::DoubleColumnReader(r) => pour(r, rows, at, sink, |x| Some(Scalar::Float(*x))),
        ColumnReader::ByteArrayColumnReader(r) => pour(r, rows, at, sink, of_bytes),
        ColumnReader::FixedLenByteArrayColumnReader(r) => pour(r, rows, at, sink, of_fixed),
        // The column's meaning has refused this type before.
        ColumnReader::Int96ColumnReader(_) => Ok(()),
    }
}

/// Appends the values of a reader to a field's column.
fn pour<T: DataType>(
    mut column: ColumnReaderImpl<T>,
    rows: usize,
    (field, place): (usize, &str),
    sink: &mut Sink<'_>,
    scalar: impl Fn(&T::T) -> Option<Scalar>,
) -> Result<()> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let mut row = 0;
    while row < rows {
        control::hear_at(0)?;
        levels.clear();
        values.clear();
        let most = AT_ONCE.min(rows - row);
        let read = column.read_records(most, Some(&mut levels), None, &mut values);
        let (count, ..) = read.map_err(|error| bad(sink.source, place, &error))?;
        if count == 0 {
            let error = ParquetError::General(format!("{} values too few", rows - row));
            return Err(bad(sink.source, place, &error));
        }
        let mut values = values.iter();
        for at in 0..count {
            // Without levels every call has a value.
            if levels.get(at) == Some(&0) {
                sink.gathered.push_missing(field);
            } else {
                let value = values.next().and_then(&scalar);
                push(value, row + at, (field, place), sink)?;
            }
        }
        row += count;
        sink.gathered.check(0, &sink.budget)?;
    }
    Ok(())
}

fn push(
    value: Option<Scalar>,
    row: usize,
    (field, place): (usize, &str),
    sink: &mut Sink<'_>,
) -> Result<()> {
    let Some(value) = value else {
        let error = ParquetError::General(format!("no text in UTF-8 in row {row} of its group"));
        return Err(bad(sink.source, place, &error));
    };
    let pushed = match &value {
        Scalar::Text(text) => sink.gathered.push_text(field, text),
        value => sink.gathered.push_scalar(field, value.clone()),
    };
    pushed.map_err(|NoNumber| {
        let place = format!("row {row} of its group");
        sink.unlike(&place, field, value.into_text())
    })
}

/// Pages whose counts were checked against their bytes and the row group. The parser allocates as
/// many values as a page claims.
pub(in crate::read) struct Checked {
    pages: Box<dyn PageReader>,
    /// The rows of the group.
    rows: usize,
    /// True if a row has any number of values.
    lists: bool,
    /// The page after the last that was handed over, once it was looked at; `None` at the end too.
    next: Option<Page>,
    looked: bool,
}

/// The greatest number of values of a list column's page for each of its bytes, as runs of equal ones
/// take few; and the number that it may always have.
const MOST_IN_LISTS: usize = 1032;
const SMALL_LISTS: usize = 1 << 24;

impl Checked {
    /// Pages of a row group of so many rows; `lists` where a row has any number of values.
    pub(in crate::read) fn new(pages: Box<dyn PageReader>, rows: usize, lists: bool) -> Self {
        Self {
            pages,
            rows,
            lists,
            next: None,
            looked: false,
        }
    }

    /// The most values of a page of so many bytes.
    fn most(&self, bytes: usize) -> usize {
        if self.lists {
            bytes.saturating_mul(MOST_IN_LISTS).max(SMALL_LISTS)
        } else {
            self.rows
        }
    }
}

impl PageReader for Checked {
    /// Says whether the next page begins with a row, as the end and pages of version 2 do. The pages
    /// themselves are not asked, which would look for a page's header behind it.
    fn at_record_boundary(&mut self) -> PageResult<bool> {
        if !self.looked {
            self.next = self.get_next_page()?;
            self.looked = true;
        }
        Ok(matches!(self.next, None | Some(Page::DataPageV2 { .. })))
    }

    fn get_next_page(&mut self) -> PageResult<Option<Page>> {
        if std::mem::take(&mut self.looked) {
            return Ok(self.next.take());
        }
        let Some(page) = self.pages.get_next_page()? else {
            return Ok(None);
        };
        let (count, most) = match &page {
            // A value takes at least one byte.
            Page::DictionaryPage {
                buf, num_values, ..
            } => (*num_values, buf.len()),
            Page::DataPage {
                buf, num_values, ..
            }
            | Page::DataPageV2 {
                buf, num_values, ..
            } => (*num_values, self.most(buf.len())),
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
