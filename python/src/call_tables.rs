//! Tables of calls of Python: columns, lists of dicts, Arrow.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array as _, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, SchemaRef};
use atomscope::Error;
use atomscope::read::{CallTable, CallValue};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};

use crate::errors::bad;

fn no_value(table: &str, column: &str, row: usize, found: &str) -> Error {
    Error::input(
        table,
        format!("row {row}, column {column}"),
        found,
        "text, a number, True, False or a missing value",
        "give one value for each call",
    )
}

/// Passes one value of Python.
fn take_value(
    value: &Bound<'_, PyAny>,
    none: CallValue<'static>,
    place: (&str, &str, usize),
    take: &mut dyn FnMut(CallValue<'_>) -> atomscope::Result<()>,
) -> atomscope::Result<()> {
    let (table, column, row) = place;
    let unread = || {
        let kind = value.get_type().name();
        let kind = kind.map_or_else(|_| "a value".to_owned(), |name| name.to_string());
        no_value(table, column, row, &format!("a value of type {kind}"))
    };
    if value.is_none() {
        return take(none);
    }
    if let Ok(text) = value.cast::<PyString>() {
        let text = text.to_str().map_err(|_| unread())?;
        return take(CallValue::Text(text));
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return take(CallValue::Bool(flag.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        return take(match value.extract() {
            Ok(number) => CallValue::Int(number),
            Err(_) => CallValue::Float(value.extract().map_err(|_| unread())?),
        });
    }
    if let Ok(number) = value.cast::<PyFloat>() {
        return take(float(number.value(), none));
    }
    let kind = value.get_type().name().map(|name| name.to_string());
    if matches!(kind.as_deref(), Ok("NAType" | "NaTType")) {
        return take(CallValue::Missing);
    }
    // numpy's scalars, and torch's, give Python's own.
    match value.call_method0("item") {
        Ok(inner) if !inner.hasattr("item").unwrap_or(true) => {
            take_value(&inner, none, place, take)
        }
        _ => Err(unread()),
    }
}

/// A number; in tables NaN is how a missing one is written.
fn float(number: f64, none: CallValue<'static>) -> CallValue<'static> {
    if number.is_nan() && none == CallValue::Missing {
        return CallValue::Missing;
    }
    CallValue::Float(number)
}

/// Columns of Python's values.
pub(crate) struct Columns<'py> {
    pub(crate) names: Vec<String>,
    pub(crate) columns: Vec<Bound<'py, PyList>>,
    pub(crate) rows: usize,
}

impl CallTable for Columns<'_> {
    fn name(&self) -> String {
        "calls".to_owned()
    }

    fn columns(&self) -> Vec<String> {
        self.names.clone()
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn values(
        &self,
        column: usize,
        take: &mut dyn FnMut(CallValue<'_>) -> atomscope::Result<()>,
    ) -> atomscope::Result<()> {
        let name = self.names.get(column).map_or("", String::as_str);
        let values = self.columns.get(column).into_iter().flatten();
        for (row, value) in values.enumerate() {
            take_value(&value, CallValue::Missing, ("calls", name, row), take)?;
        }
        Ok(())
    }
}

/// A list of dicts.
pub(crate) struct Dicts<'py> {
    calls: Vec<Bound<'py, PyDict>>,
    names: Vec<String>,
}

impl<'py> Dicts<'py> {
    pub(crate) fn new(list: &Bound<'py, PyList>) -> PyResult<Self> {
        let mut names = indexmap::IndexSet::new();
        let mut calls = Vec::with_capacity(list.len());
        for (row, call) in list.iter().enumerate() {
            let Ok(call) = call.cast_into::<PyDict>() else {
                let found = format!("a list whose item {row} is no dict");
                return Err(bad("calls", &found, "a dict for each call"));
            };
            for key in call.keys() {
                if let Ok(key) = key.cast::<PyString>()
                    && let Ok(key) = key.to_str()
                    && !names.contains(key)
                {
                    names.insert(key.to_owned());
                }
            }
            calls.push(call);
        }
        Ok(Self {
            calls,
            names: names.into_iter().collect(),
        })
    }
}

impl CallTable for Dicts<'_> {
    fn name(&self) -> String {
        "calls".to_owned()
    }

    fn columns(&self) -> Vec<String> {
        self.names.clone()
    }

    fn rows(&self) -> usize {
        self.calls.len()
    }

    fn values(
        &self,
        column: usize,
        take: &mut dyn FnMut(CallValue<'_>) -> atomscope::Result<()>,
    ) -> atomscope::Result<()> {
        let name = self.names.get(column).map_or("", String::as_str);
        for (row, call) in self.calls.iter().enumerate() {
            let value = call.get_item(name);
            let value = value.map_err(|error| no_value("calls", name, row, &error.to_string()))?;
            match value {
                None => take(CallValue::Missing)?,
                Some(value) => take_value(&value, CallValue::None, ("calls", name, row), take)?,
            }
        }
        Ok(())
    }
}

/// A table of Arrow.
pub(crate) struct Batches {
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) schema: SchemaRef,
}

impl CallTable for Batches {
    fn name(&self) -> String {
        "calls".to_owned()
    }

    fn columns(&self) -> Vec<String> {
        let fields = self.schema.fields().iter();
        fields.map(|field| field.name().clone()).collect()
    }

    fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn values(
        &self,
        column: usize,
        take: &mut dyn FnMut(CallValue<'_>) -> atomscope::Result<()>,
    ) -> atomscope::Result<()> {
        for batch in &self.batches {
            let array = plain(batch.column(column)).ok_or_else(|| {
                let name = self.columns().get(column).cloned().unwrap_or_default();
                let found = format!("values of type {}", batch.column(column).data_type());
                no_value("calls", &name, 0, &found)
            })?;
            take_array(&array, take)?;
        }
        Ok(())
    }
}

/// The same values in one of a few types; `None` where they are no single values.
fn plain(array: &ArrayRef) -> Option<ArrayRef> {
    use DataType as T;
    let to = match array.data_type() {
        T::Null | T::Boolean | T::Int64 | T::UInt64 | T::Float32 | T::Float64 | T::LargeUtf8 => {
            return Some(array.clone());
        }
        T::Int8 | T::Int16 | T::Int32 | T::UInt8 | T::UInt16 | T::UInt32 => T::Int64,
        T::Float16 => T::Float32,
        T::Decimal128(..) | T::Decimal256(..) => T::Float64,
        T::Utf8 | T::Utf8View => T::LargeUtf8,
        T::Dictionary(_, values) => return plain(&cast(array, values).ok()?),
        _ => return None,
    };
    cast(array, &to).ok()
}

fn take_array(
    array: &ArrayRef,
    take: &mut dyn FnMut(CallValue<'_>) -> atomscope::Result<()>,
) -> atomscope::Result<()> {
    let mut each = |value: &dyn Fn(usize) -> CallValue<'static>| {
        (0..array.len()).try_for_each(|row| {
            take(if array.is_null(row) {
                CallValue::Missing
            } else {
                value(row)
            })
        })
    };
    match array.data_type() {
        DataType::Null => each(&|_| CallValue::Missing),
        DataType::Boolean => {
            let values = array.as_boolean();
            each(&|row| CallValue::Bool(values.value(row)))
        }
        DataType::Int64 => {
            let values = array.as_primitive::<Int64Type>();
            each(&|row| CallValue::Int(values.value(row)))
        }
        DataType::UInt64 => {
            let values = array.as_primitive::<UInt64Type>();
            each(&|row| {
                let number = values.value(row);
                i64::try_from(number).map_or(CallValue::Float(number as f64), CallValue::Int)
            })
        }
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>();
            each(&|row| {
                let number = values.value(row);
                if number.is_nan() {
                    return CallValue::Missing;
                }
                CallValue::Single(number)
            })
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            each(&|row| float(values.value(row), CallValue::Missing))
        }
        _ => {
            let values = array.as_string::<i64>();
            values
                .iter()
                .try_for_each(|value| take(value.map_or(CallValue::Missing, CallValue::Text)))
        }
    }
}
