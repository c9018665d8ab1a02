//! The fields of a call. The same rules hold for every kind of file.

use super::budget::{Budget, CALL, TEXT};
use super::plain::Scalar;
use crate::cohort::{Calls, Number, NumberColumn, Texts};
use crate::error::Result as Checked;

/// The fields' names, in the order of [`Gathered::column`].
pub(super) const NAMES: [&str; COUNT] = [
    "chrom",
    "pos",
    "svtype",
    "svlen",
    "truvari_class",
    "dataset",
    "id",
    "reason",
    "mate_chrom",
    "mate_pos",
];
pub(super) const COUNT: usize = 10;

/// The fields that calls have in most tables: those that messages name. The others are a benchmark's.
pub(super) fn usual() -> &'static [&'static str] {
    NAMES.get(..7).unwrap_or(&NAMES)
}

/// Says whether a field is a number. All others are text.
pub(super) fn is_number(field: usize) -> bool {
    matches!(field, 1 | 3 | 9)
}

/// A field's column.
pub(super) enum Column<'a> {
    Text(&'a mut dyn Texts),
    Number(&'a mut NumberColumn),
}

/// Calls read so far, and the number of them that lack each field.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) calls: Calls,
    missing: [usize; COUNT],
    /// True after a long text, until it was counted.
    is_long: bool,
}

/// The calls after which what they take is counted again, and the length of a text from which it is at once.
const COUNTED_EVERY: usize = 64;
const LONG: usize = 1 << 12;

/// The error of a value that is not a number, in a field of numbers.
pub(super) struct NoNumber;

impl Gathered {
    /// Checks that calls take no more than may be kept of their file. It is asked at every call; `row` is the
    /// call's number.
    pub(super) fn check(&mut self, row: usize, budget: &Budget) -> Checked<()> {
        if !self.is_long && !row.is_multiple_of(COUNTED_EVERY) {
            return Ok(());
        }
        self.is_long = false;
        budget.check(self.held(), format_args!("row {row}"), "calls")
    }

    /// Estimates the bytes that the calls take.
    pub(super) fn held(&self) -> u64 {
        self.calls.held(CALL, TEXT)
    }

    pub(super) fn column(&mut self, field: usize) -> Column<'_> {
        let calls = &mut self.calls;
        match field {
            0 => Column::Text(&mut calls.chrom),
            1 => Column::Number(&mut calls.pos),
            2 => Column::Text(&mut calls.svtype),
            3 => Column::Number(&mut calls.svlen),
            4 => Column::Text(&mut calls.truvari_class),
            5 => Column::Text(&mut calls.dataset),
            6 => Column::Text(&mut calls.id),
            7 => Column::Text(&mut calls.reason),
            8 => Column::Text(&mut calls.mate_chrom),
            _ => Column::Number(&mut calls.mate_pos),
        }
    }

    /// Appends a call that lacks the field.
    pub(super) fn push_missing(&mut self, field: usize) {
        if let Some(missing) = self.missing.get_mut(field) {
            *missing += 1;
        }
        match self.column(field) {
            Column::Text(column) => column.push(None),
            Column::Number(column) => column.push(Number::Int(0)),
        }
    }

    /// Appends a call whose field is text in the file.
    pub(super) fn push_text(&mut self, field: usize, text: &str) -> Result<(), NoNumber> {
        self.is_long |= text.len() > LONG;
        match self.column(field) {
            Column::Text(column) => column.push(Some(text)),
            Column::Number(column) => column.push(parse(text).ok_or(NoNumber)?),
        }
        Ok(())
    }

    /// Appends a call whose field is any single value.
    pub(super) fn push_scalar(&mut self, field: usize, value: Scalar) -> Result<(), NoNumber> {
        match self.column(field) {
            Column::Text(column) => {
                let text = value.into_text();
                column.push(Some(&text));
                self.is_long |= text.len() > LONG;
            }
            Column::Number(_) if matches!(value, Scalar::None) => self.push_missing(field),
            Column::Number(column) => column.push(number(value).ok_or(NoNumber)?),
        }
        Ok(())
    }

    /// Writes warnings about fields that calls lack. `file` is the file's name in messages.
    pub(super) fn warnings(&self, file: &str) -> Vec<String> {
        let rows = self.calls.len();
        usual()
            .iter()
            .zip(self.missing)
            // The ID enters no statistic, and missing classes have a message of their own.
            .filter(|(name, missing)| *missing > 0 && !["id", "truvari_class"].contains(name))
            .map(|(name, missing)| {
                let shown = match *name {
                    "svtype" => "UNK",
                    "pos" | "svlen" => "0",
                    _ => "unknown",
                };
                format!("{file}: {missing} of {rows} calls have no {name} (it is missing, or None); it is taken as {shown}")
            })
            .collect()
    }
}

/// Converts a value to a number; `None` if it is not one.
pub(super) fn number(scalar: Scalar) -> Option<Number> {
    Some(match scalar {
        Scalar::None => Number::Int(0),
        Scalar::Bool(flag) => Number::Int(i64::from(flag)),
        Scalar::Int(n) => Number::Int(n),
        Scalar::Large(x) | Scalar::Float(x) => Number::Float(x),
        Scalar::Single(x) => Number::Float(f64::from(x)),
        Scalar::Text(text) => parse(&text)?,
    })
}

fn parse(text: &str) -> Option<Number> {
    let text = text.trim();
    match text.parse() {
        Ok(n) => Some(Number::Int(n)),
        Err(_) => text.parse().ok().map(Number::Float),
    }
}
