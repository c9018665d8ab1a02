//! Tables of results: as Arrow, and column by column.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Float32Array, Float64Array, Int32Array, Int64Array,
    LargeStringArray, RecordBatch, UInt32Array, UInt64Array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use atomscope::report::table::{Table as LibraryTable, Values};
use pyo3::exceptions::{PyIndexError, PyKeyError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList, PyTuple};

use crate::arrow::{schema_of, stream_of};
use crate::errors::bad;
use crate::numbers::Numbers;
use crate::run::guard;
use crate::words::spoken;

/// A table of results.
#[pyclass(frozen, module = "atomscope._core")]
pub(crate) struct Table(Arc<LibraryTable>);

impl Table {
    pub(crate) fn new(table: LibraryTable) -> Self {
        Self(Arc::new(table))
    }

    fn find(&self, name: &str) -> PyResult<usize> {
        let mut columns = self.0.columns.iter();
        let found = columns.position(|column| column.name == name);
        found.ok_or_else(|| PyKeyError::new_err(format!("{name}: no column of {}", self.0.name)))
    }

    fn arrow(&self) -> PyResult<(Vec<RecordBatch>, SchemaRef)> {
        let fields = self.0.columns.iter().map(|column| {
            let about = [("about".to_owned(), spoken(column.about))];
            Field::new(
                column.name.as_ref(),
                type_of(&column.values),
                column.values.may_miss(),
            )
            .with_metadata(about)
        });
        let about = [("about".to_owned(), spoken(self.0.about))];
        let fields: Vec<_> = fields.collect();
        let schema = Arc::new(Schema::new(fields).with_metadata(about));
        let arrays = self
            .0
            .columns
            .iter()
            .map(|column| array_of(&column.values))
            .collect();
        let batch = RecordBatch::try_new(schema.clone(), arrays)
            .map_err(|error| bad(self.0.name, &error.to_string(), "a table of one length"))?;
        Ok((vec![batch], schema))
    }
}

#[pymethods]
impl Table {
    #[getter]
    fn name(&self) -> &str {
        self.0.name
    }

    /// What one row is.
    #[getter]
    fn about(&self) -> String {
        spoken(self.0.about)
    }

    #[getter]
    fn columns(&self) -> Vec<&str> {
        let columns = self.0.columns.iter();
        columns.map(|column| column.name.as_ref()).collect()
    }

    fn __len__(&self) -> usize {
        self.0.rows()
    }

    /// What a column means.
    fn describe(&self, column: &str) -> PyResult<String> {
        let found = self.0.columns.get(self.find(column)?);
        Ok(spoken(found.map_or("", |column| column.about)))
    }

    /// A column as (kind, values, more): numbers with a mask of missing ones or None, texts, or codes
    /// with their categories.
    fn column<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyTuple>> {
        let at = self.find(name)?;
        guard(|| self.column_at(py, at))
    }

    /// Rows as tuples.
    fn rows<'py>(
        &self,
        py: Python<'py>,
        start: usize,
        stop: usize,
    ) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        if start > stop || stop > self.0.rows() {
            return Err(PyIndexError::new_err("no such rows"));
        }
        let row = |row| {
            let each = self
                .0
                .columns
                .iter()
                .map(|column| value(py, &column.values, row));
            PyTuple::new(py, each.collect::<PyResult<Vec<_>>>()?)
        };
        (start..stop).map(row).collect()
    }

    /// The same table with these rows, in this order.
    fn pick(&self, rows: Vec<usize>) -> PyResult<Self> {
        if rows.iter().any(|&row| row >= self.0.rows()) {
            return Err(PyIndexError::new_err("no such row"));
        }
        let mut table = LibraryTable::clone(&self.0);
        for column in &mut table.columns {
            column.values = picked(&column.values, &rows);
        }
        Ok(Self::new(table))
    }

    /// The table as Arrow. As the specification allows, a schema that is asked for is the asker's to make.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let (batches, schema) = guard(|| self.arrow())?;
        stream_of(py, batches, schema)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let (_, schema) = guard(|| self.arrow())?;
        schema_of(py, schema)
    }
}

impl Table {
    fn column_at<'py>(&self, py: Python<'py>, at: usize) -> PyResult<Bound<'py, PyTuple>> {
        let Some(column) = self.0.columns.get(at) else {
            return Err(PyIndexError::new_err("no such column"));
        };
        let shared = |values: &[u8], kind: &'static str, length| {
            Numbers::shared(self.0.clone(), values.as_ptr() as usize, kind, vec![length])
        };
        let none = py.None();
        Ok(match &column.values {
            Values::U32(all) => {
                ("number", shared(as_bytes(all), "<u4", all.len()), none).into_pyobject(py)?
            }
            Values::U64(all) => {
                ("number", shared(as_bytes(all), "<u8", all.len()), none).into_pyobject(py)?
            }
            Values::F64(all) => {
                ("number", shared(as_bytes(all), "<f8", all.len()), none).into_pyobject(py)?
            }
            Values::F32(all) => {
                ("number", shared(as_bytes(all), "<f4", all.len()), none).into_pyobject(py)?
            }
            Values::I64(all) => {
                let missing = all.iter().map(|value| u8::from(value.is_none())).collect();
                let numbers = all
                    .iter()
                    .map(|value| value.unwrap_or(0))
                    .collect::<Vec<_>>();
                (
                    "number",
                    Numbers::of(numbers, "<i8"),
                    Numbers::of::<u8>(missing, "|b1"),
                )
                    .into_pyobject(py)?
            }
            Values::Bool(all) => {
                let missing = all.iter().map(|value| u8::from(value.is_none())).collect();
                let flags = all
                    .iter()
                    .map(|value| u8::from(value.unwrap_or(false)))
                    .collect();
                (
                    "bool",
                    Numbers::of::<u8>(flags, "|b1"),
                    Numbers::of::<u8>(missing, "|b1"),
                )
                    .into_pyobject(py)?
            }
            Values::Text(all) => ("text", PyList::new(py, all)?, none).into_pyobject(py)?,
            Values::Category { codes, names } => {
                let codes = codes.iter().map(|&code| code as i32).collect::<Vec<_>>();
                (
                    "category",
                    Numbers::of(codes, "<i4"),
                    PyList::new(py, names)?,
                )
                    .into_pyobject(py)?
            }
        })
    }
}

/// Numbers as the bytes that they are.
fn as_bytes<T: bytemuck::NoUninit>(numbers: &[T]) -> &[u8] {
    bytemuck::cast_slice(numbers)
}

fn value<'py>(py: Python<'py>, values: &Values, row: usize) -> PyResult<Bound<'py, PyAny>> {
    let none = || py.None().into_bound(py);
    Ok(match values {
        Values::U32(all) => all.get(row).into_pyobject(py)?,
        Values::U64(all) => all.get(row).into_pyobject(py)?,
        Values::I64(all) => all.get(row).copied().flatten().into_pyobject(py)?,
        Values::F64(all) => match all.get(row) {
            Some(number) if !number.is_nan() => number.into_pyobject(py)?.into_any(),
            _ => none(),
        },
        Values::F32(all) => match all.get(row) {
            Some(number) if !number.is_nan() => number.into_pyobject(py)?.into_any(),
            _ => none(),
        },
        Values::Bool(all) => all.get(row).copied().flatten().into_pyobject(py)?,
        Values::Text(all) => all.get(row).and_then(Option::as_ref).into_pyobject(py)?,
        Values::Category { codes, names } => {
            let name = codes.get(row).and_then(|&code| names.get(code as usize));
            name.into_pyobject(py)?
        }
    })
}

fn picked(values: &Values, rows: &[usize]) -> Values {
    fn each<T: Clone>(all: &[T], rows: &[usize]) -> Vec<T> {
        rows.iter()
            .filter_map(|&row| all.get(row).cloned())
            .collect()
    }
    match values {
        Values::U32(all) => Values::U32(each(all, rows)),
        Values::U64(all) => Values::U64(each(all, rows)),
        Values::I64(all) => Values::I64(each(all, rows)),
        Values::F64(all) => Values::F64(each(all, rows)),
        Values::F32(all) => Values::F32(each(all, rows)),
        Values::Bool(all) => Values::Bool(each(all, rows)),
        Values::Text(all) => Values::Text(each(all, rows)),
        Values::Category { codes, names } => Values::Category {
            codes: each(codes, rows),
            names: names.clone(),
        },
    }
}

fn type_of(values: &Values) -> DataType {
    match values {
        Values::U32(_) => DataType::UInt32,
        Values::U64(_) => DataType::UInt64,
        Values::I64(_) => DataType::Int64,
        Values::F64(_) => DataType::Float64,
        Values::F32(_) => DataType::Float32,
        Values::Bool(_) => DataType::Boolean,
        Values::Text(_) => DataType::LargeUtf8,
        Values::Category { .. } => {
            DataType::Dictionary(DataType::Int32.into(), DataType::LargeUtf8.into())
        }
    }
}

fn array_of(values: &Values) -> ArrayRef {
    match values {
        Values::U32(all) => Arc::new(UInt32Array::from(all.clone())),
        Values::U64(all) => Arc::new(UInt64Array::from(all.clone())),
        Values::I64(all) => Arc::new(Int64Array::from(all.clone())),
        Values::F64(all) => {
            let nulls = nulls(all, |number| number.is_nan());
            Arc::new(Float64Array::new(all.clone().into(), nulls))
        }
        Values::F32(all) => {
            let nulls = nulls(all, |number| number.is_nan());
            Arc::new(Float32Array::new(all.clone().into(), nulls))
        }
        Values::Bool(all) => Arc::new(BooleanArray::from(all.clone())),
        Values::Text(all) => Arc::new(
            all.iter()
                .map(Option::as_deref)
                .collect::<LargeStringArray>(),
        ),
        Values::Category { codes, names } => {
            let codes: Int32Array = codes.iter().map(|&code| Some(code as i32)).collect();
            let names: LargeStringArray = names.iter().map(Some).collect();
            // Codes were checked to have a text; where one has none, the column is one of nulls.
            let found = DictionaryArray::<Int32Type>::try_new(codes.clone(), Arc::new(names));
            found.map_or_else(
                |_| arrow_array::new_null_array(&type_of(values), codes_len(&codes)),
                |array| Arc::new(array) as ArrayRef,
            )
        }
    }
}

/// As in Parquet: NaN is a missing number.
fn nulls<T>(all: &[T], is_missing: fn(&T) -> bool) -> Option<NullBuffer> {
    let present = all.iter().map(|number| !is_missing(number));
    all.iter().any(is_missing).then(|| present.collect())
}

fn codes_len(codes: &Int32Array) -> usize {
    arrow_array::Array::len(codes)
}
