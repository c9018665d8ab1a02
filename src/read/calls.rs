//! `sv_info`: a list of dicts, one a call, or a dict of lists, one a field; into columns.

use super::fields::{COUNT, Column, Gathered, NAMES, number};
use super::naming::{Match, Naming};
use super::pickle::{Id, Value};
use super::plain::scalar;
use super::torch::TorchFile;
use crate::cohort::{Calls, Number, NumberColumn, Texts};
use crate::error::{Error, Result};

/// Keys that a call may have. One dict can stand for any number of calls at hardly any cost in
/// bytes, so that without a limit a small file could take for ever.
const MOST_KEYS: usize = 4096;

/// A call's values, `None` where a field is missing.
type Fields = [Option<Id>; COUNT];

/// The calls, and what is odd about them in words.
pub(super) fn read_calls(
    file: &TorchFile,
    info: Id,
    naming: Naming<'_>,
) -> Result<(Calls, Vec<String>)> {
    let mut builder = Builder::new(file, naming);
    let document = &file.document;
    if let Some(items) = document.items(info) {
        for (row, item) in items.enumerate() {
            let fields = builder.fields(row, item)?;
            builder.push(row, fields)?;
        }
    } else if document.entries(info).is_some() {
        builder.push_columns(info)?;
    } else {
        return Err(file.bad(
            "key sv_info",
            document.kind(info),
            "a list of dicts, one for each call",
            "save sv_info as a list of dicts",
        ));
    }
    let warnings = builder.gathered.warnings("sv_info");
    Ok((builder.gathered.calls, warnings))
}

/// Remembers something of the values that were met last, by their index in the arena. Values
/// that calls share are met again and again.
#[derive(Debug)]
struct Recent<T>(Vec<(Id, T)>);

impl<T: Copy> Recent<T> {
    const SLOTS: usize = 1 << 10;

    fn new(nothing: T) -> Self {
        Self(vec![(Id::MAX, nothing); Self::SLOTS])
    }

    fn get_or(&mut self, id: Id, find: impl FnOnce() -> T) -> T {
        let Some(slot) = self.0.get_mut(id as usize % Self::SLOTS) else {
            return find();
        };
        if slot.0 != id {
            *slot = (id, find());
        }
        slot.1
    }
}

struct Builder<'a> {
    file: &'a TorchFile,
    naming: Naming<'a>,
    gathered: Gathered,
    keys: Recent<Option<(usize, Match)>>,
    codes: [Recent<u32>; COUNT],
}

impl<'a> Builder<'a> {
    fn new(file: &'a TorchFile, naming: Naming<'a>) -> Self {
        Self {
            file,
            naming,
            gathered: Gathered::default(),
            keys: Recent::new(None),
            codes: std::array::from_fn(|_| Recent::new(0)),
        }
    }

    /// The values of a call that is a dict.
    fn fields(&mut self, row: usize, item: Id) -> Result<Fields> {
        let document = &self.file.document;
        let Some(entries) = document.entries(item) else {
            return Err(self.file.bad(
                &format!("sv_info[{row}]"),
                document.kind(item),
                "a dict with the call's fields",
                "save sv_info as a list of dicts",
            ));
        };
        let mut fields = [None; COUNT];
        let mut hows = [Match::Alias; COUNT];
        for (count, (key, value)) in entries.enumerate() {
            if count == MOST_KEYS {
                return Err(self.file.bad(
                    &format!("sv_info[{row}]"),
                    format!("a dict of more than {MOST_KEYS} keys"),
                    "a dict with the call's fields",
                    "save sv_info as a list of dicts",
                ));
            }
            let naming = self.naming;
            let found = self.keys.get_or(key, || naming.field(&document.text(key)?));
            let Some((field, how)) = found else { continue };
            if let (Some(slot), Some(before)) = (fields.get_mut(field), hows.get_mut(field))
                && how <= *before
            {
                *slot = Some(value);
                *before = how;
            }
        }
        Ok(fields)
    }

    /// Calls as a dict of lists.
    fn push_columns(&mut self, info: Id) -> Result<()> {
        let document = &self.file.document;
        let keys = self.fields(0, info)?;
        let columns = keys.map(|column| {
            let items = document.items(column?);
            items.map(Iterator::collect::<Vec<Id>>)
        });
        let rows = columns.iter().flatten().map(Vec::len).max();
        let even = columns
            .iter()
            .flatten()
            .all(|column| Some(column.len()) == rows);
        let Some(rows) = rows.filter(|_| even) else {
            return Err(self.file.bad(
                "key sv_info",
                format!("a dict with {}", self.file.keys(info)),
                "a list of dicts, or a dict of lists of the same length for chrom, pos, svtype, …",
                "save sv_info as a list of dicts, one for each call",
            ));
        };
        for row in 0..rows {
            let fields =
                std::array::from_fn(|field| columns.get(field)?.as_ref()?.get(row).copied());
            self.push(row, fields)?;
        }
        Ok(())
    }

    fn push(&mut self, row: usize, fields: Fields) -> Result<()> {
        let file = self.file;
        let all = NAMES.iter().zip(fields).zip(&mut self.codes);
        for (field, ((name, value), recent)) in all.enumerate() {
            match (value, self.gathered.column(field)) {
                (None, _) => self.gathered.push_missing(field),
                (Some(id), Column::Number(column)) => push_number(file, (row, name), id, column)?,
                (Some(id), Column::Text(column)) => {
                    push_text(file, (row, name), id, column, recent)?;
                }
            }
        }
        Ok(())
    }
}

fn push_text(
    file: &TorchFile,
    at: (usize, &str),
    id: Id,
    column: &mut dyn Texts,
    recent: &mut Recent<u32>,
) -> Result<()> {
    if let Some(text) = file.document.text(id) {
        let code = recent.get_or(id, || column.intern(&text));
        column.push_code(code);
        return Ok(());
    }
    match scalar(file, id, &place(at))? {
        Some(scalar) => column.push(Some(&scalar.into_text())),
        None => return Err(unlike(file, at, id, "text")),
    }
    Ok(())
}

fn push_number(
    file: &TorchFile,
    at: (usize, &str),
    id: Id,
    column: &mut NumberColumn,
) -> Result<()> {
    let number = match file.document.value(id) {
        Value::Int(n) => Number::Int(n),
        _ => match scalar(file, id, &place(at))?.and_then(number) {
            Some(number) => number,
            None => return Err(unlike(file, at, id, "a number")),
        },
    };
    column.push(number);
    Ok(())
}

fn place((row, field): (usize, &str)) -> String {
    format!("sv_info[{row}].{field}")
}

#[cold]
fn unlike(file: &TorchFile, at: (usize, &str), id: Id, expected: &str) -> Error {
    let found = match file.document.text(id) {
        Some(text) => format!("{text:?}"),
        None => file.document.kind(id).to_owned(),
    };
    file.bad(
        &place(at),
        found,
        expected,
        "correct this call and save the file again",
    )
}
