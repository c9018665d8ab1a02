//! Rows of an object that gives them by slicing.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use atomscope::Error;
use atomscope::rows::{ElementType, Rows};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use crate::array_rows::{ArrayRows, Numbers};
use crate::at_exit::Inside;
use crate::dlpack::Array;
use crate::errors::{InputError, bad};

/// Rows of an object that gives them by slicing: a data set of HDF5 or Zarr.
pub(crate) struct BlockRows {
    /// Called with the first row and the one after the last, it gives them as an array that has
    /// `__dlpack__`; bfloat16 may be uint16.
    pub(crate) block: Py<PyAny>,
    pub(crate) shape: [usize; 2],
    pub(crate) element: ElementType,
    pub(crate) name: String,
    /// The exception that it raised, which goes to whoever asked for the rows.
    pub(crate) raised: Raised,
}

/// The first exception of a reader.
pub(crate) type Raised = Arc<Mutex<Option<PyErr>>>;

impl BlockRows {
    /// Reads rows under the GIL. This is called by threads that do nothing but read.
    fn block(&self, py: Python<'_>, range: &Range<usize>) -> PyResult<ArrayRows> {
        let block = self.block.bind(py).call1((range.start, range.end))?;
        let array = Array::take(&block, &self.name)?;
        if *array.shape != [range.len(), self.shape[1]] {
            let found = format!("a block of shape {:?}", array.shape);
            let expected = format!("[{}, {}], as its shape says", range.len(), self.shape[1]);
            return Err(bad(&self.name, &found, &expected));
        }
        let is_bits = self.element == ElementType::Bf16 && array.dtype.is_u16();
        if array.dtype.element() != Some(self.element) && !is_bits {
            let found = format!("a block of {}", array.dtype.name());
            let expected = "numbers of the type that its dtype says";
            return Err(bad(&self.name, &found, expected));
        }
        let bytes = array.copied();
        let bytes =
            bytes.ok_or_else(|| bad(&self.name, "a block on a device", "one of the host"))?;
        Ok(ArrayRows {
            numbers: Numbers::Ours(bytes),
            shape: [range.len(), self.shape[1]],
            element: self.element,
            name: self.name.clone(),
        })
    }

    fn read_block(&self, range: &Range<usize>) -> atomscope::Result<ArrayRows> {
        let _inside = Inside::enter().ok_or(Error::Cancelled)?;
        Python::attach(|py| {
            self.block(py, range).map_err(|error| {
                let kind = error.get_type(py).name();
                let kind = kind.map_or_else(|_| "an exception".to_owned(), |name| name.to_string());
                let found = format!("{kind}: {}", error.value(py));
                self.raised
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get_or_insert(error);
                Error::input(
                    self.name.clone(),
                    format!("rows {} to {}", range.start, range.end),
                    found,
                    "rows that can be read",
                    "the exception that is this one's cause says where it was raised",
                )
            })
        })
    }
}

/// The exception of a run over rows that a reader gave: what the reader raised, where that says all, or with it
/// as its cause.
pub(crate) fn explained(py: Python<'_>, raised: &Raised, error: PyErr) -> PyErr {
    let first = raised.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(first) = first else {
        return error;
    };
    // KeyboardInterrupt and SystemExit are none of `Exception`.
    let ends_all = !first.is_instance_of::<PyException>(py);
    if !error.is_instance_of::<InputError>(py) {
        return error;
    }
    if ends_all || first.is_instance_of::<InputError>(py) {
        return first;
    }
    error.set_cause(py, Some(first));
    error
}

impl Rows for BlockRows {
    fn count(&self) -> usize {
        self.shape[0]
    }

    fn dim(&self) -> usize {
        self.shape[1]
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn read(&self, range: Range<usize>, out: &mut [f32]) -> atomscope::Result<()> {
        let block = self.read_block(&range)?;
        block.read(0..range.len(), out)
    }

    fn element_type(&self) -> ElementType {
        self.element
    }

    fn read_stored(&self, range: Range<usize>, out: &mut [u8]) -> atomscope::Result<()> {
        let block = self.read_block(&range)?;
        block.read_stored(0..range.len(), out)
    }
}
