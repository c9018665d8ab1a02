//! Rows of an object that gives them by slicing.

use std::ops::Range;

use atomscope::Error;
use atomscope::rows::{ElementType, Rows};
use pyo3::prelude::*;
use pyo3::types::PySlice;

use crate::array_rows::{ArrayRows, Numbers};
use crate::dlpack::Array;
use crate::errors::bad;

/// Rows of an object that gives them by slicing: a data set of HDF5 or Zarr.
pub(crate) struct BlockRows {
    pub(crate) object: Py<PyAny>,
    pub(crate) shape: [usize; 2],
    pub(crate) element: ElementType,
    pub(crate) name: String,
}

impl BlockRows {
    /// Reads rows under the GIL. This is called by threads that do nothing but read.
    fn block(&self, py: Python<'_>, range: &Range<usize>) -> PyResult<ArrayRows> {
        let slice = PySlice::new(py, range.start as isize, range.end as isize, 1);
        let mut block = self.object.bind(py).get_item(slice)?;
        if self.element == ElementType::Bf16 && !block.hasattr("__dlpack_device__")? {
            block = py.import("numpy")?.call_method1("asarray", (block,))?;
        }
        let is_numpys = self.element == ElementType::Bf16 && block.hasattr("view")?;
        if is_numpys && block.get_type().module()?.to_string().starts_with("numpy") {
            block = block.call_method1("view", ("uint16",))?;
        }
        let array = Array::take(&block, &self.name)?;
        if *array.shape != [range.len(), self.shape[1]] {
            let found = format!("a block of shape {:?}", array.shape);
            let expected = format!("[{}, {}], as its shape says", range.len(), self.shape[1]);
            return Err(bad(&self.name, &found, &expected));
        }
        let element = array.dtype.element();
        if element.is_some_and(|element| element != self.element) {
            let found = format!("a block of {}", array.dtype.name());
            return Err(bad(
                &self.name,
                &found,
                "numbers of the type that its dtype says",
            ));
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
        Python::attach(|py| {
            self.block(py, range).map_err(|error| {
                Error::input(
                    self.name.clone(),
                    format!("rows {} to {}", range.start, range.end),
                    format!("{error}"),
                    "rows that can be read",
                    "see that the file is open, and whole",
                )
            })
        })
    }
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
