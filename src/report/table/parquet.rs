//! Parquet. Numbers of things are unsigned integers, a missing value is null, an infinity is one.
//!
//! The bytes depend on the values alone: not on how many threads encode, nor on how the rows are
//! cut into the tables that are [added](Writer::add), and there is no time in them. The file's
//! metadata has what table and columns mean, under the keys of [`ABOUT`], [`COLUMNS`],
//! [`VERSION`] and [`DEFINITION`].

mod encode;
mod schema;

use std::borrow::Cow;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterPropertiesPtr;
use ::parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;

use super::{Table, Values};

pub use schema::{ABOUT, COLUMNS, DEFINITION, PAIRS, VERSION};

/// Rows of a row group; only the last one has fewer.
pub const GROUP: usize = 1 << 17;

/// Writes one table, which may come in several pieces.
///
/// ```
/// use atomscope::report::table::{Column, Table, Values, parquet};
///
/// let values = Values::U32(vec![4, 1]);
/// let table = Table {
///     name: "atoms",
///     about: "One row is an atom.",
///     columns: vec![Column::new("atom", "Its number.", values)],
/// };
/// let mut bytes = Vec::new();
/// let mut writer = parquet::Writer::begin(&table, &mut bytes)?;
/// writer.add(&table)?;
/// writer.finish()?;
/// assert_eq!(&bytes[..4], b"PAR1");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Writer<'a> {
    /// Into memory, which is emptied into `out` group by group.
    file: SerializedFileWriter<Vec<u8>>,
    out: &'a mut dyn Write,
    table: &'static str,
    names: Vec<Cow<'static, str>>,
    /// The rows that do not fill a group yet.
    waiting: Vec<Values>,
}

/// All of one table.
///
/// # Errors
/// Those of [`Writer`].
pub fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = Writer::begin(table, out)?;
    writer.add(table)?;
    writer.finish()
}

impl<'a> Writer<'a> {
    /// A file for tables with the columns of this one, of which no row is written yet.
    ///
    /// # Errors
    /// A table that fails its [check](Table::check), or a failed write.
    pub fn begin(table: &Table, out: &'a mut dyn Write) -> io::Result<Self> {
        table.check()?;
        let properties = Arc::new(schema::properties(table)?);
        let schema = Arc::new(schema::of(table).map_err(io::Error::other)?);
        let file = SerializedFileWriter::new(Vec::new(), schema, properties);
        let columns = &table.columns;
        let mut writer = Self {
            file: file.map_err(io::Error::other)?,
            out,
            table: table.name,
            names: columns.iter().map(|column| column.name.clone()).collect(),
            waiting: columns.iter().map(|column| column.values.none()).collect(),
        };
        writer.drain()?;
        Ok(writer)
    }

    /// Appends rows.
    ///
    /// # Errors
    /// A table with other columns than the file's, one that fails its [check](Table::check), or a
    /// failed write.
    pub fn add(&mut self, table: &Table) -> io::Result<()> {
        table.check()?;
        self.check_columns(table)?;
        let columns: Vec<_> = table.columns.iter().map(|column| &column.values).collect();
        let mut rest = 0..table.rows();
        while !rest.is_empty() {
            let waiting = self.waiting.first().map_or(0, Values::len);
            let next = rest.start..rest.end.min(rest.start + GROUP - waiting);
            rest.start = next.end;
            if next.len() == GROUP {
                self.group(&columns, next)?;
                continue;
            }
            let full = waiting + next.len() == GROUP;
            for (own, more) in self.waiting.iter_mut().zip(&columns) {
                own.append(more, next.clone());
            }
            if full {
                self.flush_waiting()?;
            }
        }
        Ok(())
    }

    /// Adds an entry to the file's metadata, beside those of [`ABOUT`] and the others.
    pub fn note(&mut self, key: &str, value: String) {
        let entry = KeyValue::new(key.to_owned(), value);
        self.file.append_key_value_metadata(entry);
    }

    /// Writes what is left, and the footer. Without it the file is none.
    ///
    /// # Errors
    /// A failed write.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush_waiting()?;
        self.file.finish().map_err(io::Error::other)?;
        self.drain()
    }

    fn check_columns(&self, table: &Table) -> io::Result<()> {
        let kinds = table.columns.iter().map(|c| (&c.name, c.values.none()));
        let own = self.names.iter().zip(&self.waiting);
        if kinds.eq(own.map(|(name, values)| (name, values.none()))) {
            return Ok(());
        }
        let text = "found other columns than those that the file was begun with";
        Err(io::Error::other(format!("{}: {text}", self.table)))
    }

    fn flush_waiting(&mut self) -> io::Result<()> {
        let none = self.waiting.iter().map(Values::none).collect();
        let full = std::mem::replace(&mut self.waiting, none);
        let columns: Vec<_> = full.iter().collect();
        match columns.first() {
            Some(first) if !first.is_empty() => self.group(&columns, 0..first.len()),
            _ => Ok(()),
        }
    }

    /// One row group; every column is encoded on its own, by whichever thread is free.
    fn group(&mut self, columns: &[&Values], rows: Range<usize>) -> io::Result<()> {
        let schema = self.file.schema_descr();
        let properties: &WriterPropertiesPtr = self.file.properties();
        let chunks: Vec<_> = columns
            .par_iter()
            .zip(schema.columns())
            .map(|(values, column)| encode::chunk(values, rows.clone(), column, properties))
            .collect::<Result<_, _>>()
            .map_err(io::Error::other)?;
        let mut group = self.file.next_row_group().map_err(io::Error::other)?;
        for (bytes, closed) in chunks {
            let appended = group.append_column(&bytes, closed);
            appended.map_err(io::Error::other)?;
        }
        group.close().map_err(io::Error::other)?;
        self.drain()
    }

    /// Hands on what the file has in memory; where in the file it is, it knows by itself.
    fn drain(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.out.write_all(self.file.inner())?;
        self.file.inner_mut().clear();
        Ok(())
    }
}
