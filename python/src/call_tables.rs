//! Tables of calls of Python's values: columns, lists of dicts.

use atomscope::Error;
use atomscope::read::{CallTable, CallValue};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};

use crate::errors::bad;

/// The rows after which Python's signals are looked for.
const SIGNAL_ROWS: usize = 4096;

/// Looks for signals now and then.
fn check_signals(py: Python<'_>, row: usize) -> atomscope::Result<()> {
    if !row.is_multiple_of(SIGNAL_ROWS) {
        return Ok(());
    }
    py.check_signals().map_err(|error| left(py, error))
}

/// Ends the reading, and leaves an exception of Python for who asked for it.
fn left(py: Python<'_>, error: PyErr) -> Error {
    error.restore(py);
    Error::Cancelled
}

pub(crate) fn no_value(table: &str, column: &str, row: usize, found: &str) -> Error {
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
pub(crate) fn float(number: f64, none: CallValue<'static>) -> CallValue<'static> {
    if number.is_nan() && none == CallValue::Missing {
        return CallValue::Missing;
    }
    CallValue::Float(number)
}

/// Columns of Python's values.
pub(crate) struct Columns<'py> {
    pub(crate) names: Vec<String>,
    /// Gives the list of the column of a number; called for those that are read.
    pub(crate) column: Bound<'py, PyAny>,
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
        let values = self
            .column
            .call1((column,))
            .and_then(|values| Ok(values.cast_into::<PyList>()?));
        let values = values.map_err(|error| left(self.column.py(), error))?;
        for (row, value) in values.iter().enumerate() {
            check_signals(value.py(), row)?;
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
            if row.is_multiple_of(SIGNAL_ROWS) {
                call.py().check_signals()?;
            }
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
            check_signals(call.py(), row)?;
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
