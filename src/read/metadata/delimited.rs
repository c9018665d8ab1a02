//! CSV and TSV: the header tells which. An empty field is a missing value.

use std::cell::Cell;
use std::rc::Rc;

use csv::{ByteRecord, ErrorKind, ReaderBuilder};

use super::text::{LONGEST, Limited, Text, broken};
use super::{NoNumber, Outline, Sink, field_of, listed};
use crate::error::{Error, Result};

/// What a table's columns are.
struct Columns {
    names: Vec<String>,
    /// The field that each column is, if it is one.
    fields: Vec<Option<usize>>,
    /// The fields that no column is.
    absent: Vec<usize>,
}

pub(super) fn read(text: Text, sink: &mut Sink<'_>) -> Result<Outline> {
    let tab = text.first_line.contains(&b'\t');
    let skipped = text.blank_lines;
    let (source, bytes) = text.into_parts();
    let left = Rc::new(Cell::new(LONGEST));
    let bytes = Limited {
        bytes,
        left: Rc::clone(&left),
    };
    let mut records = ReaderBuilder::new()
        .delimiter(if tab { b'\t' } else { b',' })
        .has_headers(false)
        .from_reader(bytes);
    let mut record = ByteRecord::new();
    let mut columns: Option<Columns> = None;
    let mut rows = 0;
    loop {
        left.set(LONGEST);
        let ended = records.position().line();
        let more = records.read_byte_record(&mut record).map_err(|error| {
            // A record that breaks off begins after the last whole one.
            let place = error.position().map_or(ended, csv::Position::line);
            let line = place as usize + skipped;
            unreadable(sink, line, &error)
        })?;
        if !more {
            break;
        }
        let line = record.position().map_or(0, csv::Position::line) as usize + skipped;
        match &columns {
            None => columns = Some(header(&record, line, sink)?),
            Some(columns) => {
                if rows < sink.most {
                    push(&record, columns, line, sink)?;
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
        format: if tab { "TSV" } else { "CSV" },
        columns: columns.names,
        rows,
    })
}

fn unreadable(sink: &Sink<'_>, line: usize, error: &csv::Error) -> Error {
    match error.kind() {
        ErrorKind::Io(error) => broken(sink.source, line, error),
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => Error::input(
            sink.source.name(),
            format!("line {line}"),
            format!("{len} fields"),
            format!("{expected_len}, as in the header"),
            "mend this line: a separator within a value needs quotes around the value",
        ),
        _ => Error::input(
            sink.source.name(),
            format!("line {line}"),
            error.to_string(),
            "a line of a table",
            "mend this line",
        ),
    }
}

fn header(record: &ByteRecord, line: usize, sink: &mut Sink<'_>) -> Result<Columns> {
    let names: Vec<_> = record
        .iter()
        .map(|name| String::from_utf8_lossy(name.trim_ascii()).into_owned())
        .collect();
    let fields: Vec<_> = names.iter().map(|name| field_of(name)).collect();
    for (at, field) in fields.iter().enumerate() {
        let again = fields.iter().skip(at + 1).any(|other| other == field);
        if let Some(field) = *field {
            sink.see(field);
            if again {
                return Err(Error::input(
                    sink.source.name(),
                    format!("line {line}, the header"),
                    listed(&names),
                    "each column once",
                    "rename or remove the column that is there twice",
                ));
            }
        }
    }
    let absent = (0..super::COUNT).filter(|field| !fields.contains(&Some(*field)));
    Ok(Columns {
        absent: absent.collect(),
        names,
        fields,
    })
}

fn push(record: &ByteRecord, columns: &Columns, line: usize, sink: &mut Sink<'_>) -> Result<()> {
    for (value, field) in record.iter().zip(&columns.fields) {
        let Some(field) = *field else { continue };
        if value.is_empty() {
            sink.gathered.push_missing(field);
            continue;
        }
        let place = || format!("line {line}");
        let Ok(text) = std::str::from_utf8(value) else {
            return Err(Error::input(
                sink.source.name(),
                place(),
                format!("{:?}", String::from_utf8_lossy(value)),
                "text in UTF-8",
                "save the file in UTF-8",
            ));
        };
        if let Err(NoNumber) = sink.gathered.push_text(field, text) {
            return Err(sink.unlike(&place(), field, format!("{text:?}")));
        }
    }
    for &field in &columns.absent {
        sink.gathered.push_missing(field);
    }
    Ok(())
}
