//! JSON lines: an object a line. A key that is not there is a missing value; null is a value, as
//! None is in `sv_info`.

use std::borrow::Cow;
use std::fmt;
use std::io::{BufRead, Read};

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::plain::Scalar;
use super::text::{LONGEST, Text, broken};
use super::{COUNT, NoNumber, Outline, Sink, field_of};
use crate::error::{Error, Result};

pub(super) fn read(text: Text, sink: &mut Sink<'_>) -> Result<Outline> {
    let mut number = text.blank_lines;
    let (source, mut bytes) = text.into_parts();
    let mut line = Vec::new();
    let mut columns = Vec::new();
    let mut rows = 0;
    loop {
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
        let call: Call<'_> =
            serde_json::from_slice(&line).map_err(|error| unreadable(sink, number, &error))?;
        if rows == 0 {
            columns = keys(&line);
        }
        for (field, value) in call.0.iter().enumerate() {
            if value.is_some() {
                sink.see(field);
            }
        }
        if rows < sink.most {
            push(call, number, sink)?;
        }
        rows += 1;
    }
    Ok(Outline {
        format: "JSON lines",
        columns,
        rows,
    })
}

fn unreadable(sink: &Sink<'_>, number: usize, error: &serde_json::Error) -> Error {
    let text = error.to_string();
    // The line that the parser counts is the one within this line.
    let what = text.split(" at line ").next().unwrap_or(&text);
    Error::input(
        sink.source.name(),
        format!("line {number}, column {}", error.column()),
        what,
        "an object with the call's fields",
        "mend this line: each must be a whole JSON object",
    )
}

/// The keys of an object.
fn keys(line: &[u8]) -> Vec<String> {
    let object = serde_json::from_slice::<serde_json::Map<_, _>>(line);
    object
        .map(|object| object.into_iter().map(|(key, _)| key).collect())
        .unwrap_or_default()
}

fn push(call: Call<'_>, number: usize, sink: &mut Sink<'_>) -> Result<()> {
    for (field, value) in call.0.into_iter().enumerate() {
        let pushed = match value {
            None => {
                sink.gathered.push_missing(field);
                Ok(())
            }
            Some(JsonValue::Text(text)) => match sink.gathered.push_text(field, &text) {
                Ok(()) => Ok(()),
                Err(NoNumber) => Err(format!("{text:?}")),
            },
            Some(JsonValue::Scalar(value)) => {
                let shown = value.clone();
                match sink.gathered.push_scalar(field, value) {
                    Ok(()) => Ok(()),
                    Err(NoNumber) => Err(shown.into_text()),
                }
            }
            Some(JsonValue::Nested(what)) => Err(what.to_owned()),
        };
        pushed.map_err(|found| sink.unlike(&format!("line {number}"), field, found))?;
    }
    Ok(())
}

/// A call's fields.
struct Call<'a>([Option<JsonValue<'a>>; COUNT]);

/// A value of a field.
enum JsonValue<'a> {
    Text(Cow<'a, str>),
    Scalar(Scalar),
    /// A list or an object.
    Nested(&'static str),
}

impl<'de: 'a, 'a> Deserialize<'de> for Call<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        from.deserialize_map(CallVisitor)
    }
}

struct CallVisitor;

impl<'de> Visitor<'de> for CallVisitor {
    type Value = Call<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<Call<'de>, M::Error> {
        let mut call = Call([const { None }; COUNT]);
        while let Some(key) = map.next_key::<Key<'_>>()? {
            match field_of(&key.0).and_then(|field| call.0.get_mut(field)) {
                Some(slot) => *slot = Some(map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(call)
    }
}

/// A key, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for JsonValue<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        from.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = JsonValue<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> std::result::Result<Self::Value, E> {
        Ok(JsonValue::Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<Self::Value, E> {
        Ok(JsonValue::Text(text.to_owned().into()))
    }

    fn visit_bool<E>(self, flag: bool) -> std::result::Result<Self::Value, E> {
        Ok(JsonValue::Scalar(Scalar::Bool(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> std::result::Result<Self::Value, E> {
        Ok(JsonValue::Scalar(Scalar::Int(number)))
    }

    fn visit_u64<E>(self, number: u64) -> std::result::Result<Self::Value, E> {
        let scalar = i64::try_from(number).map_or(Scalar::Large(number as f64), Scalar::Int);
        Ok(JsonValue::Scalar(scalar))
    }

    fn visit_f64<E>(self, number: f64) -> std::result::Result<Self::Value, E> {
        Ok(JsonValue::Scalar(Scalar::Float(number)))
    }

    fn visit_unit<E>(self) -> std::result::Result<Self::Value, E> {
        Ok(JsonValue::Scalar(Scalar::None))
    }

    fn visit_seq<S: SeqAccess<'de>>(
        self,
        mut items: S,
    ) -> std::result::Result<Self::Value, S::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(JsonValue::Nested("a list"))
    }

    fn visit_map<M: MapAccess<'de>>(
        self,
        mut map: M,
    ) -> std::result::Result<Self::Value, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(JsonValue::Nested("an object"))
    }
}
