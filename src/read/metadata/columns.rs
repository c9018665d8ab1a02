//! A table of calls in memory, of whatever makes it.

use std::path::Path;

use bytes::Bytes;

use super::super::fields::is_number;
use super::super::naming::{CLASS, Naming, Twice, svtype};
use super::super::plain::Scalar;
use super::super::source::Source;
use super::{COUNT, NoNumber, Outline, Sink, Table, listed};
use crate::cohort::{Calls, ClassRule};
use crate::error::{Error, Result};

/// A table of calls in memory: named columns of one length.
pub trait CallTable {
    /// Returns the table's name in messages.
    fn name(&self) -> String;

    /// Returns the names of its columns.
    fn columns(&self) -> Vec<String>;

    /// Returns the number of its rows.
    fn rows(&self) -> usize;

    /// Passes the value of every row of a column, in order. Columns that hold no field are never asked
    /// for.
    ///
    /// # Errors
    /// Values that are no single ones, and those of `take`.
    fn values(
        &self,
        column: usize,
        take: &mut dyn FnMut(CallValue<'_>) -> Result<()>,
    ) -> Result<()>;
}

/// One value of a table of calls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CallValue<'a> {
    /// There is none.
    Missing,
    /// Python's None, which is a value: as text it is `None`, as in the notebook; as a number it is
    /// missing.
    None,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A number of binary32, which prints with fewer digits.
    Single(f32),
    /// Text.
    Text(&'a str),
}

/// The calls of a table in memory.
#[derive(Debug, Clone)]
pub struct ReadCalls {
    /// The calls, with the rule of which are true.
    pub calls: Calls,
    /// True if there is a column of classes.
    pub has_classes: bool,
    /// Sentences on what is odd in the calls.
    pub warnings: Vec<String>,
}

/// Reads the calls of a table in memory by the rules that hold for files: by the names of columns, in
/// any order, with SV types as the VCF specification writes them.
///
/// # Errors
/// A table without the column of classes that is asked for, or without any field; two columns of one
/// field; values that are not numbers where they must be; those of the table.
pub fn read_call_table(table: &dyn CallTable, rule: &ClassRule) -> Result<ReadCalls> {
    let source = Source::in_memory(&table.name(), Bytes::new());
    let rows = table.rows();
    let mut sink = Sink::new(&source, rows, Naming::of(rule));
    let outline = gather(table, &mut sink)?;
    sink.check_columns(&outline, false, rule)?;
    let (warnings, has_classes) = (
        sink.warnings(&source.name(), &outline, false),
        sink.has(CLASS),
    );
    Ok(ReadCalls {
        calls: labelled(sink.gathered.calls, rule),
        has_classes,
        warnings,
    })
}

/// Reads the calls of a table in a file, one for each of `rows` rows of embeddings. `embeddings` is their
/// name in messages.
///
/// # Errors
/// As [`read_cohort_with`](crate::read::read_cohort_with).
pub fn read_call_file(
    path: &Path,
    rows: usize,
    embeddings: &str,
    rule: &ClassRule,
) -> Result<ReadCalls> {
    let table = Table::read(path, rows, embeddings, rule)?;
    Ok(ReadCalls {
        calls: labelled(table.calls, rule),
        has_classes: table.has_classes,
        warnings: table.warnings,
    })
}

/// Notes the rule of which calls are true, and writes SV types as the VCF specification does.
fn labelled(mut calls: Calls, rule: &ClassRule) -> Calls {
    calls.rule = rule.clone();
    calls.svtype = calls.svtype.renamed(svtype);
    calls
}

fn gather(table: &dyn CallTable, sink: &mut Sink<'_>) -> Result<Outline> {
    let (columns, rows) = (table.columns(), table.rows());
    let fields = sink.naming.columns(columns.iter().map(String::as_str));
    let fields = fields.map_err(|Twice| {
        let action = "rename or remove the column that is there twice";
        let found = listed(&columns);
        Error::input(
            table.name(),
            "the columns",
            found,
            "each column once",
            action,
        )
    })?;
    sink.see_columns(&columns, &fields);
    for field in 0..COUNT {
        let Some(at) = fields.iter().position(|column| *column == Some(field)) else {
            (0..rows).for_each(|_| sink.gathered.push_missing(field));
            continue;
        };
        let mut row = 0;
        table.values(at, &mut |value| {
            push(sink, field, row, value)?;
            row += 1;
            Ok(())
        })?;
        if row != rows {
            return Err(Error::input(
                table.name(),
                format!("column {}", columns.get(at).map_or("", String::as_str)),
                format!("{row} values"),
                format!("{rows}, one for each call"),
                "give all columns one length",
            ));
        }
    }
    Ok(Outline {
        format: "a table in memory",
        columns,
        rows,
    })
}

fn push(sink: &mut Sink<'_>, field: usize, row: usize, value: CallValue<'_>) -> Result<()> {
    let is_nan = match value {
        CallValue::Float(x) => x.is_nan(),
        CallValue::Single(x) => x.is_nan(),
        _ => false,
    };
    let scalar = match value {
        CallValue::Missing => {
            sink.gathered.push_missing(field);
            return Ok(());
        }
        // No text is a NaN: it is how tables write that there is none.
        _ if is_nan && !is_number(field) => {
            sink.gathered.push_missing(field);
            return Ok(());
        }
        CallValue::Text(text) => {
            let pushed = sink.gathered.push_text(field, text);
            return pushed.map_err(|NoNumber| {
                sink.unlike(&format!("row {row}"), field, format!("{text:?}"))
            });
        }
        CallValue::None => Scalar::None,
        CallValue::Bool(flag) => Scalar::Bool(flag),
        CallValue::Int(number) => Scalar::Int(number),
        CallValue::Float(number) => Scalar::Float(number),
        CallValue::Single(number) => Scalar::Single(number),
    };
    let shown = scalar.clone();
    let pushed = sink.gathered.push_scalar(field, scalar);
    pushed.map_err(|NoNumber| sink.unlike(&format!("row {row}"), field, shown.into_text()))
}
