//! Tables of calls as Arrow IPC. Null is a missing value.

use super::super::lists::ArrowTable;
use super::super::naming::{CLASS, Twice};
use super::super::plain::Scalar;
use super::super::source::Source;
use super::{COUNT, NoNumber, Outline, Sink, listed};
use crate::error::{Error, Result};

pub(super) fn read(source: &Source, sink: &mut Sink<'_>) -> Result<Outline> {
    let table = ArrowTable::open(source)?;
    let columns = table.columns();
    let fields = sink.naming.columns(columns.iter().map(String::as_str));
    let fields = fields.map_err(|Twice| {
        let action = "rename or remove the column that is there twice";
        let (name, found) = (source.name(), listed(&columns));
        Error::input(name, "the columns", found, "each column once", action)
    })?;
    sink.see_columns(&columns, &fields);
    let rows = table.count();
    // A wrong number of rows is an error; nothing more is read.
    if rows == sink.most && rows > 0 {
        sink.check_claimed(rows)?;
        // A caller that wants only the first calls wants their classes alone.
        let wanted = |field: &usize| sink.enough.is_none() || *field == CLASS;
        let wanted: Vec<usize> = (0..COUNT).filter(wanted).collect();
        for field in wanted {
            match fields.iter().position(|column| *column == Some(field)) {
                Some(at) => table.scalars(at, &mut |row, value| {
                    push(sink, field, row, value)?;
                    sink.gathered.check(row, &sink.budget)
                })?,
                None => (0..rows).for_each(|_| sink.gathered.push_missing(field)),
            }
        }
    }
    Ok(Outline {
        format: "Arrow",
        columns,
        rows,
    })
}

fn push(sink: &mut Sink<'_>, field: usize, row: usize, value: Option<Scalar>) -> Result<()> {
    let Some(value) = value else {
        sink.gathered.push_missing(field);
        return Ok(());
    };
    let pushed = match &value {
        Scalar::Text(text) => sink.gathered.push_text(field, text),
        value => sink.gathered.push_scalar(field, value.clone()),
    };
    pushed.map_err(|NoNumber| sink.unlike(&format!("row {row}"), field, value.into_text()))
}
