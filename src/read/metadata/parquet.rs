//! Parquet tables. Each column is read in pieces, in any encoding. Null is a missing value.
//!
//! The parser of pages may panic on damaged bytes; it runs in a thread of its own, so that a panic
//! becomes an error like any other.

mod column;
mod pages;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::thread;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescPtr;

use super::super::budget::Budget;
use super::super::naming::{CLASS, Twice};
use super::super::source::Source;
use super::{COUNT, Outline, Sink, listed};
use crate::error::{Error, Result};
pub(in crate::read) use column::Checked;
pub(in crate::read) use pages::Pages;

/// The greatest length, in bytes, of the footer that describes columns and pages.
const LONGEST_FOOTER: u64 = 16 << 20;
/// Bytes of stack for each byte of the footer: groups in groups are read by recursion, and take 5
/// bytes each.
const STACK: usize = 512;

const DAMAGED: &str =
    "the file is cut short or damaged: copy it again from where it was whole, or save it again";

pub(super) fn read(source: &Source, sink: &mut Sink<'_>) -> Result<Outline> {
    in_parser_thread(source, || read_here(source, sink))
}

/// Checks the footer, and then parses in a thread of its own, whose panics are errors.
pub(in crate::read) fn in_parser_thread<T: Send>(
    source: &Source,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    let footer = check_footer(source)?;
    let stack = (4 << 20) + footer as usize * STACK;
    let reading = |error| Error::reading(source.path(), error);
    let ended = thread::scope(|scope| {
        let thread = thread::Builder::new().name(super::PARSER_THREAD.to_owned());
        let thread = thread
            .stack_size(stack)
            .spawn_scoped(scope, AssertUnwindSafe(work));
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

/// Checks the file's end: the footer's length (4 bytes, little-endian), and the magic number again.
/// Returns the footer's length.
fn check_footer(source: &Source) -> Result<u64> {
    let mut end = [0; 8];
    if let Some(at) = source.len().checked_sub(12) {
        source.read_at(&mut end, at + 4)?;
    }
    let [a, b, c, d, magic @ ..] = end;
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    let most = LONGEST_FOOTER.min(source.len().saturating_sub(12));
    if &magic == b"PAR1" && length <= most {
        check_columns(source, length)?;
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

/// Checks that the columns which a footer of so many bytes names can be kept, before it is parsed.
fn check_columns(source: &Source, length: u64) -> Result<()> {
    /// The bytes of memory that the parser takes for a column, and the least bytes of one in a footer.
    const COLUMN: u64 = 512;
    const LEAST: u64 = 5;
    let mut head = [0; 24];
    let part = head.get_mut(..length.min(24) as usize).unwrap_or_default();
    let start = source.len().saturating_sub(8 + length);
    source.read_at(part, start)?;
    let columns = named(part).unwrap_or(length / LEAST).min(length / LEAST);
    let bytes = columns.saturating_mul(COLUMN);
    Budget::of(source).check(bytes, "the footer", &format!("{columns} columns"))
}

/// Reads the number of columns that a footer names, in Thrift's compact protocol: its first field is the
/// version, and its second the list of columns. `None` if it begins in another way.
fn named(footer: &[u8]) -> Option<u64> {
    let rest = footer.strip_prefix(&[0x15])?;
    let end = rest.iter().position(|byte| byte & 0x80 == 0)?;
    let rest = rest.get(end + 1..)?.strip_prefix(&[0x19])?;
    let (&head, rest) = rest.split_first()?;
    if head >> 4 < 15 {
        return Some(u64::from(head >> 4));
    }
    let end = rest.iter().take(9).position(|byte| byte & 0x80 == 0)?;
    let digits = rest.get(..=end)?.iter().rev();
    Some(digits.fold(0, |n, byte| n << 7 | u64::from(byte & 0x7f)))
}

/// Makes an error of the parser's one about some place.
pub(in crate::read) fn bad(source: &Source, place: &str, error: &ParquetError) -> Error {
    let found = match error {
        ParquetError::General(text) | ParquetError::EOF(text) | ParquetError::NYI(text) => text,
        _ => &error.to_string(),
    };
    if found.contains("feature") {
        let expected = "a compression that is known: none, snappy, gzip, brotli, lz4 or zstd";
        let action = "save it again: in pandas, to_parquet(file, compression=\"zstd\")";
        return Error::input(source.name(), place, found, expected, action);
    }
    Error::input(source.name(), place, found, "a whole Parquet file", DAMAGED)
}

/// The texts that a file has of itself; of a key that is there twice the last.
pub(super) fn file_texts(source: &Source) -> Result<BTreeMap<String, String>> {
    in_parser_thread(source, || {
        let footer = |error| bad(source, "the footer", &error);
        let file = SerializedFileReader::new(Pages(source.clone())).map_err(footer)?;
        let texts = file.metadata().file_metadata().key_value_metadata();
        let pairs = texts.into_iter().flatten();
        let pairs = pairs.filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?)));
        Ok(pairs.collect())
    })
}

fn read_here(source: &Source, sink: &mut Sink<'_>) -> Result<Outline> {
    let footer = |error| bad(source, "the footer", &error);
    let file = SerializedFileReader::new(Pages(source.clone())).map_err(footer)?;
    let facts = file.metadata().file_metadata();
    let schema = facts.schema_descr();
    let columns: Vec<_> = schema
        .root_schema()
        .get_fields()
        .iter()
        .map(|f| f.name().to_owned())
        .collect();
    let fields = sink.naming.columns(columns.iter().map(String::as_str));
    let fields = fields.map_err(|Twice| {
        let action = "rename or remove the column that is there twice";
        let (name, found) = (source.name(), listed(&columns));
        Error::input(name, "the columns", found, "each column once", action)
    })?;
    sink.see_columns(&columns, &fields);
    let rows = usize::try_from(facts.num_rows()).unwrap_or(usize::MAX);
    let outline = Outline {
        format: "Parquet",
        columns,
        rows,
    };
    // A wrong number of rows is an error; nothing more is read.
    if rows != sink.most {
        return Ok(outline);
    }
    sink.check_claimed(rows)?;
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
    // Without rows the writer did not know the columns' types.
    if rows == 0 {
        return Ok(outline);
    }
    // A caller that wants only the first calls wants their classes alone.
    let wanted = |field: &usize| sink.enough.is_none() || *field == CLASS;
    let wanted: Vec<usize> = (0..COUNT).filter(wanted).collect();
    for field in wanted {
        let place = fields.iter().position(|column| *column == Some(field));
        let name = place.and_then(|place| outline.columns.get(place));
        let at = name.and_then(|name| {
            let of = |column: &ColumnDescPtr| column.path().parts().first() == Some(name);
            schema.columns().iter().position(of)
        });
        match at {
            Some(at) => column::read(&file, at, field, sink)?,
            None => (0..rows).for_each(|_| sink.gathered.push_missing(field)),
        }
    }
    Ok(outline)
}

/// Checks that the bytes of a column are in the file.
pub(in crate::read) fn check_range(source: &Source, (start, length): (u64, u64)) -> Result<()> {
    if start
        .checked_add(length)
        .is_some_and(|end| end <= source.len())
    {
        return Ok(());
    }
    let text = format!("a column of {length} bytes from byte {start} on");
    Err(bad(source, "the footer", &ParquetError::General(text)))
}
