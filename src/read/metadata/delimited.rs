//! CSV and TSV; the header decides which. An empty field is a missing value, and so are `.`, as VCF
//! tools write it, and `NA`, as R writes it.
//!
//! If the header has one name fewer than the rows have fields, R's `write.table` wrote it: the
//! first field of each row is the row's name.

use std::cell::Cell;
use std::rc::Rc;

use csv::{ByteRecord, ErrorKind, ReaderBuilder};

use super::super::budget::dividers;
use super::super::naming::{Naming, Twice};
use super::text::{LONGEST, Limited, Text, broken};
use super::{NoNumber, Outline, Sink, foreign, is_number, listed};
use crate::error::{Error, Result};

/// The fields that a table's columns hold.
struct Columns {
    names: Vec<String>,
    /// The field of each column, if it is one.
    fields: Vec<Option<usize>>,
    /// The fields that no column holds.
    absent: Vec<usize>,
}

/// A record, and its place in the file.
struct Row<'r> {
    line: usize,
    record: &'r ByteRecord,
}

pub(super) fn read(text: Text, sink: &mut Sink<'_>) -> Result<Outline> {
    let (delimiter, format) = separator(&text.first_line, sink.naming);
    let skipped = text.lines_before;
    let names = dividers(&text.first_line, delimiter) + 1;
    sink.take_columns(names, text.first_line.len(), "the header")?;
    let (source, bytes) = text.into_parts();
    let left = Rc::new(Cell::new(LONGEST));
    let bytes = Limited {
        bytes,
        left: Rc::clone(&left),
        delimiter,
        fields: 0,
    };
    let mut records = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes);
    let mut record = ByteRecord::new();
    let mut columns: Option<Columns> = None;
    let mut rows = 0;
    while !sink.is_enough(rows) {
        left.set(LONGEST);
        let ended = records.position().line();
        let more = records.read_byte_record(&mut record).map_err(|error| {
            // A truncated record begins after the last whole one.
            let place = error.position().map_or(ended, csv::Position::line);
            let line = place as usize + skipped;
            unreadable(sink, line, &error)
        })?;
        if !more {
            break;
        }
        let row = Row {
            line: record.position().map_or(0, csv::Position::line) as usize + skipped,
            record: &record,
        };
        match &mut columns {
            None => columns = Some(header(&row, sink)?),
            Some(columns) => {
                if rows == 0 && columns.lack_row_names(&record) {
                    columns.add_row_names();
                }
                columns.check(&row, sink)?;
                if rows < sink.most {
                    push(&row, columns, sink)?;
                    sink.kept(rows)?;
                }
                rows += 1;
            }
        }
    }
    let Some(columns) = columns else {
        let error = std::io::ErrorKind::UnexpectedEof.into();
        return Err(broken(&source, skipped + 1, &error));
    };
    Ok(Outline {
        format,
        columns: columns.names,
        rows,
    })
}

/// Returns the separator of columns, and the name of a table that has it. Spaces separate columns,
/// as R's `write.table` writes them, if they enclose a field's name.
fn separator(header: &[u8], naming: Naming<'_>) -> (u8, &'static str) {
    let has = |byte: u8| header.contains(&byte);
    let is_known = |name: &[u8]| {
        let name = name.trim_ascii();
        let name = name.strip_prefix(b"\"").unwrap_or(name);
        let name = name.strip_suffix(b"\"").unwrap_or(name);
        std::str::from_utf8(name).is_ok_and(|name| naming.field(name).is_some())
    };
    if has(b'\t') {
        (b'\t', "TSV")
    } else if !has(b',') && has(b' ') && header.split(|&byte| byte == b' ').any(is_known) {
        (b' ', "table with spaces")
    } else {
        (b',', "CSV")
    }
}

fn unreadable(sink: &Sink<'_>, line: usize, error: &csv::Error) -> Error {
    match error.kind() {
        ErrorKind::Io(error) => broken(sink.source, line, error),
        _ => Error::input(
            sink.source.name(),
            format!("line {line}"),
            error.to_string(),
            "a line of a table in UTF-8",
            "save the table again in UTF-8, one call a line",
        ),
    }
}

fn header(row: &Row<'_>, sink: &mut Sink<'_>) -> Result<Columns> {
    let names: Vec<_> = row
        .record
        .iter()
        .map(|name| String::from_utf8_lossy(name.trim_ascii()).into_owned())
        .collect();
    let place = || format!("line {}, the header", row.line);
    let fields = sink.naming.columns(names.iter().map(String::as_str));
    let fields = fields.map_err(|Twice| {
        Error::input(
            sink.source.name(),
            place(),
            listed(&names),
            "each column once",
            "rename or remove the column that is there twice",
        )
    })?;
    let is_data = |name: &String| name.trim().parse::<f64>().is_ok();
    if fields.iter().all(Option::is_none) && names.iter().any(is_data) {
        return Err(Error::input(
            sink.source.name(),
            place(),
            format!("no names, but values ({})", names.join(", ")),
            "the names of the columns in the first line",
            foreign::OF_BED,
        ));
    }
    sink.see_columns(&names, &fields);
    let absent = (0..super::COUNT).filter(|field| !fields.contains(&Some(*field)));
    Ok(Columns {
        absent: absent.collect(),
        names,
        fields,
    })
}

impl Columns {
    /// Says whether the first row has one field more than the header, and is valid if its first
    /// field is taken as the row's name.
    fn lack_row_names(&self, record: &ByteRecord) -> bool {
        let fits = |(value, field): (&[u8], &Option<usize>)| match field {
            Some(field) if is_number(*field) => {
                let text = std::str::from_utf8(value).unwrap_or("?");
                is_missing(*field, text) || text.trim().parse::<f64>().is_ok()
            }
            _ => true,
        };
        record.len() == self.names.len() + 1 && record.iter().skip(1).zip(&self.fields).all(fits)
    }

    fn add_row_names(&mut self) {
        self.names.insert(0, "(row names)".to_owned());
        self.fields.insert(0, None);
    }

    fn check(&self, row: &Row<'_>, sink: &Sink<'_>) -> Result<()> {
        let (found, expected) = (row.record.len(), self.names.len());
        if found == expected {
            return Ok(());
        }
        Err(Error::input(
            sink.source.name(),
            format!("line {}", row.line),
            format!("{found} fields"),
            format!("{expected}, as in the header"),
            if found < expected {
                "the line may be cut off, or a quote left open: write the table again, with all \
                 fields on each line"
            } else {
                "put quotes around a value that has a separator within"
            },
        ))
    }
}

/// Says whether a field's text means that the value is missing. `NA` may be the name of a
/// chromosome, so there it is a value.
fn is_missing(field: usize, text: &str) -> bool {
    const NUMBERS: [&str; 8] = ["None", "none", "null", "NULL", "<NA>", "N/A", "n/a", "#N/A"];
    let is_chromosome = field == 0;
    match text.trim() {
        // Spaces alone are a value of a text field.
        "" => text.is_empty() || is_number(field),
        "." => true,
        "NA" => !is_chromosome,
        plain => is_number(field) && NUMBERS.contains(&plain),
    }
}

fn push(row: &Row<'_>, columns: &Columns, sink: &mut Sink<'_>) -> Result<()> {
    for (value, field) in row.record.iter().zip(&columns.fields) {
        let Some(field) = *field else { continue };
        let place = || format!("line {}", row.line);
        let Ok(text) = std::str::from_utf8(value) else {
            return Err(Error::input(
                sink.source.name(),
                place(),
                format!("{:?}", String::from_utf8_lossy(value)),
                "text in UTF-8",
                "save the file in UTF-8",
            ));
        };
        if is_missing(field, text) {
            sink.gathered.push_missing(field);
        } else if let Err(NoNumber) = sink.gathered.push_text(field, text) {
            return Err(sink.unlike(&place(), field, format!("{text:?}")));
        }
    }
    for &field in &columns.absent {
        sink.gathered.push_missing(field);
    }
    Ok(())
}
