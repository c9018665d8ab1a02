//! `sv_info`: a list of dicts, one a call, or a dict of columns, one a field.
//!
//! A field's key whose value is not understood is an error: its calls are never read as calls that
//! lack the field.

use std::collections::HashMap;

use super::budget::Budget;
use super::fields::{COUNT, Column, Gathered, NAMES, is_number, number};
use super::naming::{Match, Naming};
use super::pickle::{Document, Id, Value};
use super::plain::{self, Scalar, numpy_scalar, ordered, raw_bytes, scalar};
use super::torch::TorchFile;
use crate::cohort::{Calls, Number, NumberColumn, Texts};
use crate::control;
use crate::error::{Error, Result};

/// The most keys that a call may have. One dict can stand for any number of calls at hardly any
/// cost in bytes, so without a limit a small file could take for ever.
const MOST_KEYS: usize = 4096;
/// The keys from which a dict's fields are kept for the calls that share it.
const MANY_KEYS: usize = 32;

/// A call's values, `None` for a missing field.
type Fields = [Option<Id>; COUNT];

/// Reads the calls, and sentences about what is odd in them. There must be as many calls as `rows`,
/// if that is known.
pub(super) fn read_calls(
    file: &TorchFile,
    info: Id,
    rows: Option<usize>,
    naming: Naming<'_>,
) -> Result<(Calls, Vec<String>)> {
    let unequal = |found: usize, rows: usize| {
        file.bad(
            "key sv_info",
            format!("{found} calls"),
            format!("{rows}, one for each row of embeddings"),
            "save both from the same run",
        )
    };
    let mut builder = Builder::new(file, naming);
    builder.budget = builder.budget.beside(rows.unwrap_or(0));
    let document = &file.document;
    if let Some(items) = ordered(document, info) {
        // This precedes reading the calls, so that a wrong pair of files is reported at once.
        if let Some(rows) = rows.filter(|&rows| rows != items.len()) {
            return Err(unequal(items.len(), rows));
        }
        for (row, item) in items.into_iter().enumerate() {
            control::hear_at(row)?;
            let fields = builder.fields(row, item)?;
            builder.push(row, fields)?;
            builder.gathered.check(row, &builder.budget)?;
        }
    } else if document.entries(info).is_some() {
        builder.push_columns(info, rows)?;
    } else {
        let found = file.kind(info);
        let action = as_columns(&found);
        let expected = "a list of dicts, one for each call, or a dict of columns";
        return Err(file.bad("key sv_info", found, expected, action));
    }
    let found = builder.gathered.calls.len();
    if let Some(rows) = rows.filter(|&rows| rows != found) {
        return Err(unequal(found, rows));
    }
    let mut warnings = builder.gathered.warnings("sv_info");
    let twice = NAMES.iter().zip(builder.spelled_twice);
    warnings.extend(twice.filter(|(_, twice)| *twice).map(|(name, _)| {
        format!("sv_info: another spelling of {name} is passed over, since there are two keys of that field")
    }));
    Ok((builder.gathered.calls, warnings))
}

/// Returns the expression that makes a dict of columns of some library's table.
fn as_columns(found: &str) -> &'static str {
    let known = [
        ("pandas", "save sv_info=table.to_dict(\"list\")"),
        ("polars", "save sv_info=table.to_dict(as_series=False)"),
        ("pyarrow", "save sv_info=table.to_pydict()"),
        ("datasets", "save sv_info=dataset.to_dict()"),
        (
            "structured",
            "save sv_info={name: array[name].tolist() for name in array.dtype.names}",
        ),
    ];
    let of = known.iter().find(|(library, _)| found.contains(library));
    of.map_or("save sv_info as a list of dicts", |(_, action)| action)
}

/// A cache of results for the values met last, by their index in the arena. Calls often share
/// values.
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
    budget: Budget,
    /// The fields of dicts of many keys, each looked at once.
    large: HashMap<Id, Fields>,
    keys: Recent<Option<(usize, Match)>>,
    /// Fields of which a second spelling was met and ignored.
    spelled_twice: [bool; COUNT],
    codes: [Recent<u32>; COUNT],
}

impl<'a> Builder<'a> {
    fn new(file: &'a TorchFile, naming: Naming<'a>) -> Self {
        Self {
            file,
            naming,
            gathered: Gathered::default(),
            budget: file.budget.clone(),
            large: HashMap::new(),
            keys: Recent::new(None),
            spelled_twice: [false; COUNT],
            codes: std::array::from_fn(|_| Recent::new(0)),
        }
    }

    /// Says whether a key names its field at least as surely as the earlier keys, which `hows`
    /// holds. A second key of one field is recorded.
    fn takes(&mut self, field: usize, how: Match, hows: &mut [Option<Match>; COUNT]) -> bool {
        let (Some(before), Some(twice)) = (hows.get_mut(field), self.spelled_twice.get_mut(field))
        else {
            return false;
        };
        *twice |= before.is_some();
        let takes = before.is_none_or(|before| how <= before);
        if takes {
            *before = Some(how);
        }
        takes
    }

    /// Reads the values of a call that is a dict.
    fn fields(&mut self, row: usize, item: Id) -> Result<Fields> {
        if let Some(fields) = self.large.get(&item) {
            return Ok(*fields);
        }
        let document = &self.file.document;
        let Some(entries) = document.entries(item) else {
            return Err(self.file.bad(
                &format!("sv_info[{row}]"),
                self.file.kind(item),
                "a dict with the call's fields",
                "save sv_info as a list of dicts",
            ));
        };
        let mut fields = [None; COUNT];
        let mut hows = [None; COUNT];
        let mut keys = 0;
        for (key, value) in entries {
            keys += 1;
            if keys > MOST_KEYS {
                return Err(self.file.bad(
                    &format!("sv_info[{row}]"),
                    format!("a dict of more than {MOST_KEYS} keys"),
                    "a dict with the call's fields",
                    "save sv_info as a list of dicts",
                ));
            }
            let naming = self.naming;
            let found = self.keys.get_or(key, || named(document, key, naming));
            let Some((field, how)) = found else { continue };
            if self.takes(field, how, &mut hows)
                && let Some(slot) = fields.get_mut(field)
            {
                *slot = Some(value);
            }
        }
        if keys > MANY_KEYS {
            self.large.insert(item, fields);
        }
        Ok(fields)
    }

    /// Reads calls from a dict of columns, each with a value for each call.
    fn push_columns(&mut self, info: Id, rows: Option<usize>) -> Result<()> {
        let document = &self.file.document;
        let mut columns: [Option<plain::Column>; COUNT] = [const { None }; COUNT];
        let mut hows = [None; COUNT];
        let mut held = 0;
        for (key, value) in document.entries(info).into_iter().flatten() {
            let Some((field, how)) = named(document, key, self.naming) else {
                continue;
            };
            if !self.takes(field, how, &mut hows) {
                continue;
            }
            let name = NAMES.get(field).copied().unwrap_or_default();
            let column = plain::column(self.file, value, &format!("sv_info.{name}"), rows)?;
            held += column.held();
            self.budget
                .check(held, format_args!("sv_info.{name}"), "values")?;
            if let Some(slot) = columns.get_mut(field) {
                *slot = Some(column);
            }
        }
        let longest = columns
            .iter()
            .flatten()
            .filter_map(plain::Column::len)
            .max();
        let rows = match (longest, rows) {
            // One value may stand for all calls; another column then gives their number.
            (Some(longest), rows) => rows.unwrap_or(longest),
            (None, _) if columns.iter().any(Option::is_some) => 1,
            (None, Some(0)) => 0,
            (None, _) => {
                return Err(self.file.bad(
                    "key sv_info",
                    format!("a dict with {}", self.file.keys(info)),
                    "a list of dicts, or a dict of columns chrom, pos, svtype, …",
                    "save sv_info as a list of dicts, one for each call",
                ));
            }
        };
        self.budget.check_rows(rows, "sv_info", "calls")?;
        for (field, column) in columns.into_iter().enumerate() {
            self.push_column(field, column, rows)?;
        }
        Ok(())
    }

    fn push_column(
        &mut self,
        field: usize,
        column: Option<plain::Column>,
        rows: usize,
    ) -> Result<()> {
        let name = NAMES.get(field).copied().unwrap_or_default();
        let length = column.as_ref().and_then(plain::Column::len);
        if let Some(length) = length.filter(|&length| length != rows) {
            let place = format!("sv_info.{name}");
            return Err(plain::unequal(self.file, &place, length, rows));
        }
        match column {
            None => (0..rows).for_each(|_| self.gathered.push_missing(field)),
            Some(plain::Column::Items(items)) => {
                for (row, id) in items.into_iter().enumerate() {
                    self.push_value(row, field, id)?;
                    self.gathered.check(row, &self.budget)?;
                }
            }
            Some(plain::Column::Values(values)) => {
                for (row, value) in values.into_iter().enumerate() {
                    self.push_scalar(row, field, value)?;
                    self.gathered.check(row, &self.budget)?;
                }
            }
            Some(plain::Column::One(value)) => self.push_one(field, &value, rows)?,
        }
        Ok(())
    }

    /// Appends one value for all calls: often a dataset or a chromosome, hardly a position.
    fn push_one(&mut self, field: usize, value: &Scalar, rows: usize) -> Result<()> {
        let name = NAMES.get(field).copied().unwrap_or_default();
        if rows != 1 && matches!(name, "pos" | "svlen" | "id") {
            return Err(self.file.bad(
                &format!("sv_info.{name}"),
                format!("one value, {}", value.clone().into_text()),
                format!("{rows}, one for each call"),
                "save a list with the value of each call",
            ));
        }
        for row in 0..rows {
            self.push_scalar(row, field, value.clone())?;
        }
        Ok(())
    }

    fn push_scalar(&mut self, row: usize, field: usize, value: Scalar) -> Result<()> {
        let name = NAMES.get(field).copied().unwrap_or_default();
        let shown = value.clone();
        let pushed = self.gathered.push_scalar(field, value);
        pushed.map_err(|_| {
            let found = format!("{:?}", shown.into_text());
            let action = "save it as a number, or as None where it is not known";
            self.file
                .bad(&place((row, name)), found, "a number", action)
        })
    }

    fn push(&mut self, row: usize, fields: Fields) -> Result<()> {
        for (field, value) in fields.into_iter().enumerate() {
            match value {
                None => self.gathered.push_missing(field),
                Some(id) => self.push_value(row, field, id)?,
            }
        }
        Ok(())
    }

    fn push_value(&mut self, row: usize, field: usize, id: Id) -> Result<()> {
        if is_number(field) && matches!(self.file.document.value(id), Value::None) {
            self.gathered.push_missing(field);
            return Ok(());
        }
        let at = (row, NAMES.get(field).copied().unwrap_or_default());
        match (self.gathered.column(field), self.codes.get_mut(field)) {
            (Column::Text(column), Some(recent)) => push_text(self.file, at, id, column, recent),
            (Column::Number(column), _) => push_number(self.file, at, id, column),
            // The numbers of columns and of fields are equal.
            (Column::Text(_), None) => Ok(()),
        }
    }
}

/// Returns the field that a call's key names, and how surely. Keys are text, numpy's text or bytes.
fn named(document: &Document, key: Id, naming: Naming<'_>) -> Option<(usize, Match)> {
    match document.value(key) {
        Value::Str(start, len) | Value::Bytes(start, len) => {
            naming.field(std::str::from_utf8(document.raw(start, len)).ok()?)
        }
        Value::Object(_) => match numpy_scalar(document, key)? {
            Scalar::Text(text) => naming.field(&text),
            _ => None,
        },
        _ => None,
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
    if let Some(bytes) = raw_bytes(&file.document, id) {
        let text = std::str::from_utf8(&bytes);
        column.push(Some(text.map_err(|_| unlike(file, at, id, "text"))?));
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
        None => file.kind(id),
    };
    file.bad(
        &place(at),
        found,
        expected,
        "save it as a plain value: a text or a number of Python",
    )
}
