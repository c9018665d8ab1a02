//! Arrow's tables in capsules: `__arrow_c_stream__`, in and out.
//!
//! <https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>

use std::ffi::CStr;

use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{RecordBatch, RecordBatchIterator, RecordBatchReader as _};
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::errors::{InternalError, bad};

const STREAM: &CStr = c"arrow_array_stream";
const SCHEMA: &CStr = c"arrow_schema";

/// A stream of batches that another library reads.
pub(crate) fn stream_of(
    py: Python<'_>,
    batches: Vec<RecordBatch>,
    schema: SchemaRef,
) -> PyResult<Bound<'_, PyCapsule>> {
    let reader = RecordBatchIterator::new(batches.into_iter().map(Ok), schema);
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), STREAM)
}

/// A schema that another library reads.
pub(crate) fn schema_of(py: Python<'_>, schema: SchemaRef) -> PyResult<Bound<'_, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema.as_ref());
    let schema = schema.map_err(|error| InternalError::new_err(error.to_string()))?;
    PyCapsule::new_with_value(py, schema, SCHEMA)
}

/// Reads the stream of an object that has `__arrow_c_stream__`. `argument` is its name in messages.
///
/// # Errors
/// Those of the object's library; a stream of single values, which is no table.
pub(crate) fn batches_of(
    object: &Bound<'_, PyAny>,
    argument: &str,
) -> PyResult<(Vec<RecordBatch>, SchemaRef)> {
    let capsule = object.call_method0("__arrow_c_stream__")?;
    let capsule = capsule.cast::<PyCapsule>()?;
    let pointer = capsule.pointer_checked(Some(STREAM))?;
    let no_table = |error: ArrowError| {
        let found = format!("Arrow data that cannot be read ({error})");
        bad(argument, &found, "a stream of a table's batches")
    };
    // SAFETY: A capsule of this name has a stream as the specification lays it out, which its library
    // vouches for; `capsule` keeps it, and the GIL is held. What is moved out leaves an empty stream,
    // which the capsule's destructor passes over.
    let reader = unsafe { RecordBatchStreamReader::from_raw(pointer.cast().as_ptr()) };
    let reader = reader.map_err(no_table)?;
    let schema = reader.schema();
    let mut batches = Vec::new();
    for batch in reader {
        batches.push(batch.map_err(no_table)?);
        object.py().check_signals()?;
    }
    Ok((batches, schema))
}
