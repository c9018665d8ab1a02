//! JSON lines: one object a line. A key that an object lacks is a missing value; null is a value,
//! as None is in `sv_info`. `NaN`, `Infinity` and `-Infinity` are numbers under every key, as
//! Python writes and reads them.

use std::io::{BufRead, Read};

use indexmap::IndexSet;
use jiter::{Jiter, JiterError, JiterErrorType, JiterResult, NumberAny, NumberInt, Peek};

use super::super::naming::{Match, Naming};
use super::super::plain::Scalar;
use super::text::{LONGEST, Text, broken};
use super::{COUNT, NoNumber, Outline, Sink};
use crate::error::{Error, Result};

/// The first lines whose keys are the table's columns: a line may lack any of them.
const KEYS_OF: usize = 1000;
/// The most keys that later lines may add.
const MOST_KEYS: usize = 4096;

pub(super) fn read(text: Text, sink: &mut Sink<'_>) -> Result<Outline> {
    let mut number = text.lines_before;
    let (source, mut bytes) = text.into_parts();
    let mut line = Vec::new();
    let mut columns = IndexSet::new();
    let mut call = Call::default();
    let mut rows = 0;
    while !sink.is_enough(rows) {
        line.clear();
        number += 1;
        let mut limited = (&mut bytes).take(LONGEST);
        let read = limited.read_until(b'\n', &mut line);
        let read = read.map_err(|error| broken(&source, number, &error))?;
        if read == 0 {
            break;
        }
        if read as u64 == LONGEST && line.last() != Some(&b'\n') {
            let error = std::io::Error::other(format!("a line of more than {LONGEST} bytes"));
            return Err(broken(&source, number, &error));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let parsed = call.parse(&line, sink.naming);
        parsed.map_err(|error| unreadable(sink, number, &error))?;
        if rows < KEYS_OF {
            add_keys(&mut columns, &line, sink)?;
        }
        for (field, slot) in call.slots.iter().enumerate() {
            if slot.how.is_some() {
                sink.see(field);
            }
        }
        if rows < sink.most {
            push(&mut call, number, sink)?;
            sink.kept(rows)?;
        }
        rows += 1;
    }
    Ok(Outline {
        format: "JSON lines",
        columns: columns.into_iter().collect(),
        rows,
    })
}

fn unreadable(sink: &Sink<'_>, number: usize, error: &JiterError) -> Error {
    let mut action = "write each call as a whole JSON object, on a line of its own";
    let what = match &error.error_type {
        JiterErrorType::JsonError(what) => {
            let what = what.to_string();
            if what.starts_with("EOF") {
                action = "the line is cut off: write or copy the file again, with each call as a \
                          whole JSON object on a line of its own";
            }
            what
        }
        JiterErrorType::WrongType { actual, .. } => format!("invalid type: {actual}"),
    };
    Error::input(
        sink.source.name(),
        format!("line {number}, column {}", error.index + 1),
        what,
        "an object with the call's fields",
        action,
    )
}

/// Adds the keys of an object that are not among these. A line that is no object has none.
fn add_keys(all: &mut IndexSet<String>, line: &[u8], sink: &mut Sink<'_>) -> Result<()> {
    let is_first = all.is_empty();
    let mut json = Jiter::new(line).with_allow_inf_nan();
    let mut key = json.next_object().unwrap_or_default().map(str::to_owned);
    let mut at = 0;
    while let Some(name) = key {
        // Lines mostly have the keys of the line before, in the same order.
        let is_there = all.get_index(at).is_some_and(|known| *known == name);
        if !is_there && (is_first || all.len() < MOST_KEYS) && !all.contains(&name) {
            sink.take_columns(1, name.len(), "the keys of lines")?;
            all.insert(name);
        }
        at += 1;
        if json.next_skip().is_err() {
            break;
        }
        key = json.next_key().unwrap_or_default().map(str::to_owned);
    }
    Ok(())
}

fn push(call: &mut Call, number: usize, sink: &mut Sink<'_>) -> Result<()> {
    for (field, slot) in call.slots.iter_mut().enumerate() {
        let value = std::mem::take(&mut slot.value);
        let pushed = match value {
            Value::Absent => {
                sink.gathered.push_missing(field);
                Ok(())
            }
            Value::Text => {
                let pushed = sink.gathered.push_text(field, &slot.text);
                pushed.map_err(|NoNumber| format!("{:?}", slot.text))
            }
            Value::Scalar(value) => {
                let shown = value.clone();
                let pushed = sink.gathered.push_scalar(field, value);
                pushed.map_err(|NoNumber| shown.into_text())
            }
            Value::Nested(what) => Err(what.to_owned()),
        };
        pushed.map_err(|found| sink.unlike(&format!("line {number}"), field, found))?;
    }
    Ok(())
}

/// A call's fields. The buffers are reused for the next call.
#[derive(Default)]
struct Call {
    slots: [Slot; COUNT],
}

#[derive(Default)]
struct Slot {
    /// The certainty with which the value's key names the field.
    how: Option<Match>,
    value: Value,
    /// The value, if it is text.
    text: String,
}

/// The kind of a field's value.
#[derive(Default)]
enum Value {
    #[default]
    Absent,
    Text,
    Scalar(Scalar),
    /// A list or an object.
    Nested(&'static str),
}

impl Call {
    /// Reads a line. Of equal keys the last one counts, as in Python.
    fn parse(&mut self, line: &[u8], naming: Naming<'_>) -> JiterResult<()> {
        for slot in &mut self.slots {
            slot.how = None;
            slot.value = Value::Absent;
        }
        let mut json = Jiter::new(line).with_allow_inf_nan();
        let mut key = json.next_object()?;
        while let Some(name) = key {
            let found = naming.field(name);
            let slot = found.and_then(|(field, how)| {
                let slot = self.slots.get_mut(field)?;
                let is_better = slot.how.is_none_or(|before| how <= before);
                is_better.then_some((slot, how))
            });
            match slot {
                Some((slot, how)) => {
                    slot.how = Some(how);
                    slot.read(&mut json)?;
                }
                None => json.next_skip()?,
            }
            key = json.next_key()?;
        }
        json.finish()
    }
}

impl Slot {
    fn read(&mut self, json: &mut Jiter<'_>) -> JiterResult<()> {
        self.value = match json.peek()? {
            Peek::String => {
                self.text.clear();
                self.text.push_str(json.known_str()?);
                Value::Text
            }
            Peek::Null => {
                json.known_null()?;
                Value::Scalar(Scalar::None)
            }
            peek @ (Peek::True | Peek::False) => {
                Value::Scalar(Scalar::Bool(json.known_bool(peek)?))
            }
            peek @ Peek::Array => {
                json.known_skip(peek)?;
                Value::Nested("a list")
            }
            peek @ Peek::Object => {
                json.known_skip(peek)?;
                Value::Nested("an object")
            }
            peek if peek.is_num() => Value::Scalar(scalar(json.known_number(peek)?)),
            // Anything else is not JSON; this returns the error.
            peek => return json.known_skip(peek),
        };
        Ok(())
    }
}

/// Reads a number as Python does.
fn scalar(number: NumberAny) -> Scalar {
    match number {
        NumberAny::Int(NumberInt::Int(n)) => Scalar::Int(n),
        NumberAny::Int(large) => Scalar::Large(large.into()),
        NumberAny::Float(x) => Scalar::Float(x),
    }
}
