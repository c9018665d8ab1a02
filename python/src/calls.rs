//! Calls from Python: lists of dicts, columns, Arrow tables, files.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array as _, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, SchemaRef};
use atomscope::cohort::{ClassRule, Label, Number};
use atomscope::read::{
    CallTable, CallValue, ReadCalls, read_call_file, read_call_table, read_cohort_choosing,
};
use atomscope::report::table::{Column, Table, Values};
use atomscope::{Call, Calls as LibraryCalls, Error};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};
use pyo3_arrow::PyTable;

use crate::errors::{OrRaise, bad};
use crate::run::guard;
use crate::table;

/// The calls of a cohort, in the order of the embeddings' rows.
#[pyclass(frozen, module = "atomscope._core")]
pub(crate) struct Calls {
    pub(crate) calls: Arc<LibraryCalls>,
    /// True if there is a column of classes.
    #[pyo3(get)]
    has_classes: bool,
    /// Sentences on what is odd about the calls.
    #[pyo3(get)]
    warnings: Vec<String>,
}

impl Calls {
    pub(crate) fn new(calls: LibraryCalls) -> Self {
        Self {
            calls: Arc::new(calls),
            has_classes: true,
            warnings: Vec::new(),
        }
    }

    /// Calls of which nothing is known.
    pub(crate) fn unknown_of(rows: usize) -> LibraryCalls {
        (0..rows).map(|_| Call::default()).collect()
    }

    fn of(read: ReadCalls) -> Self {
        Self {
            calls: Arc::new(read.calls),
            has_classes: read.has_classes,
            warnings: read.warnings,
        }
    }
}

/// The rule of which classes are true calls.
pub(crate) fn rule(class_column: Option<&str>, true_class: &[String]) -> ClassRule {
    ClassRule::new(class_column, true_class)
}

#[pymethods]
impl Calls {
    /// Reads columns: a list for each name. None and NaN are missing values.
    #[staticmethod]
    #[pyo3(signature = (names, columns, rows, class_column, true_class))]
    fn of_columns(
        names: Vec<String>,
        columns: Vec<Bound<'_, PyList>>,
        rows: usize,
        class_column: Option<&str>,
        true_class: Vec<String>,
    ) -> PyResult<Self> {
        let table = Columns {
            names,
            columns,
            rows,
        };
        read(&table, &rule(class_column, &true_class))
    }

    /// Reads a list of dicts, as the notebook's sv_info. None is a value, as there.
    #[staticmethod]
    #[pyo3(signature = (calls, class_column, true_class))]
    fn of_dicts(
        calls: &Bound<'_, PyList>,
        class_column: Option<&str>,
        true_class: Vec<String>,
    ) -> PyResult<Self> {
        let table = Dicts::new(calls)?;
        read(&table, &rule(class_column, &true_class))
    }

    /// Reads a table that has `__arrow_c_stream__`.
    #[staticmethod]
    #[pyo3(signature = (table, class_column, true_class))]
    fn of_arrow(
        table: PyTable,
        class_column: Option<&str>,
        true_class: Vec<String>,
    ) -> PyResult<Self> {
        let (batches, schema) = table.into_inner();
        let table = Batches { batches, schema };
        read(&table, &rule(class_column, &true_class))
    }

    /// Reads a file of calls, one for each of `rows` rows.
    #[staticmethod]
    #[pyo3(signature = (path, rows, embeddings, class_column, true_class))]
    fn of_file(
        path: PathBuf,
        rows: usize,
        embeddings: &str,
        class_column: Option<&str>,
        true_class: Vec<String>,
    ) -> PyResult<Self> {
        let rule = rule(class_column, &true_class);
        guard(|| {
            read_call_file(&path, rows, embeddings, &rule)
                .map(Self::of)
                .or_raise()
        })
    }

    /// Reads the calls that are in files of embeddings, or beside them.
    #[staticmethod]
    #[pyo3(signature = (paths, metadata, choice, class_column, true_class))]
    fn of_cohort(
        paths: Vec<PathBuf>,
        metadata: Vec<PathBuf>,
        choice: (Option<String>, Option<String>, Option<String>),
        class_column: Option<&str>,
        true_class: Vec<String>,
    ) -> PyResult<Self> {
        let rule = rule(class_column, &true_class);
        let choice = crate::rows::choice(choice.0, choice.1, choice.2.as_deref())?;
        guard(|| {
            let mut all = LibraryCalls::default();
            let (mut has_classes, mut warnings) = (false, Vec::new());
            for (number, path) in paths.iter().enumerate() {
                let table = metadata.get(number).map(PathBuf::as_path);
                let cohort = read_cohort_choosing(path, table, &rule, &choice).or_raise()?;
                (0..cohort.calls.len()).for_each(|row| all.push(&cohort.calls.get(row)));
                has_classes |= cohort.has_classes;
                warnings.extend(cohort.warnings);
            }
            all.rule = rule.clone();
            Ok(Self {
                calls: Arc::new(all),
                has_classes,
                warnings,
            })
        })
    }

    fn __len__(&self) -> usize {
        self.calls.len()
    }

    /// The calls as a table.
    fn table(&self) -> table::Table {
        table::Table::new(calls_table(&self.calls))
    }

    /// True calls, and false ones.
    fn counts(&self) -> (usize, usize) {
        let tp = self
            .calls
            .labels()
            .filter(|label| *label == Label::Tp)
            .count();
        (tp, self.calls.len() - tp)
    }
}

fn read(table: &dyn CallTable, rule: &ClassRule) -> PyResult<Calls> {
    guard(|| read_call_table(table, rule).map(Calls::of).or_raise())
}

/// The calls as a table: what was read, with the label that the rule gives.
fn calls_table(calls: &LibraryCalls) -> Table {
    let rows = 0..calls.len();
    let text = |get: &dyn Fn(Call<'_>) -> Option<String>| {
        Values::Text(rows.clone().map(|row| get(calls.get(row))).collect())
    };
    let number = |get: &dyn Fn(Call<'_>) -> Number| {
        let whole = |number| match number {
            Number::Int(number) => Some(number),
            Number::Float(x) => (x.fract() == 0.0 && x.abs() < 9e15).then_some(x as i64),
        };
        Values::I64(rows.clone().map(|row| whole(get(calls.get(row)))).collect())
    };
    let owned = |value: Option<&str>| value.map(str::to_owned);
    let labels = calls
        .labels()
        .map(|label| u32::from(label == Label::Fp))
        .collect();
    let columns = [
        ("chrom", "Chromosome.", text(&|call| owned(call.chrom))),
        (
            "pos",
            "Position, from 1; 0 where there is none.",
            number(&|call| call.pos),
        ),
        ("svtype", "SV type.", text(&|call| owned(call.svtype))),
        (
            "svlen",
            "Length in base pairs, with its sign; 0 where there is none.",
            number(&|call| call.svlen),
        ),
        (
            "label",
            "TP or FP: what the class counts as.",
            Values::Category {
                codes: labels,
                names: vec!["TP".to_owned(), "FP".to_owned()],
            },
        ),
        (
            "truvari_class",
            "The benchmark's own class.",
            text(&|call| owned(call.truvari_class)),
        ),
        ("dataset", "The dataset.", text(&|call| owned(call.dataset))),
        ("id", "The ID.", text(&|call| owned(call.id))),
    ];
    Table {
        name: "calls",
        about: "One row is a call, in the order of the embeddings.",
        columns: columns
            .map(|(name, about, values)| Column::new(name, about, values))
            .into(),
    }
}

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
struct Columns<'py> {
    names: Vec<String>,
    columns: Vec<Bound<'py, PyList>>,
    rows: usize,
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
struct Dicts<'py> {
    calls: Vec<Bound<'py, PyDict>>,
    names: Vec<String>,
}

impl<'py> Dicts<'py> {
    fn new(list: &Bound<'py, PyList>) -> PyResult<Self> {
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
struct Batches {
    batches: Vec<RecordBatch>,
    schema: SchemaRef,
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
