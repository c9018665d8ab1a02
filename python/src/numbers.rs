//! Numbers that numpy takes without a copy.

use std::any::Any;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// Numbers in memory, by numpy's `__array_interface__`: an array that is made of them keeps them.
#[pyclass(frozen, module = "atomscope._core")]
pub(crate) struct Numbers {
    /// What has the numbers, and never changes or moves them.
    _owner: Arc<dyn Any + Send + Sync>,
    address: usize,
    kind: &'static str,
    shape: Vec<usize>,
}

impl Numbers {
    /// Numbers at an address, which `owner` keeps as they are.
    pub(crate) fn shared(
        owner: Arc<dyn Any + Send + Sync>,
        address: usize,
        kind: &'static str,
        shape: Vec<usize>,
    ) -> Self {
        Self {
            _owner: owner,
            address,
            kind,
            shape,
        }
    }

    /// Numbers of one's own.
    pub(crate) fn of<T: Send + Sync + 'static>(numbers: Vec<T>, kind: &'static str) -> Self {
        let shape = vec![numbers.len()];
        Self::shaped(numbers, kind, shape)
    }

    /// The same in a shape that they fill.
    pub(crate) fn shaped<T: Send + Sync + 'static>(
        numbers: Vec<T>,
        kind: &'static str,
        shape: Vec<usize>,
    ) -> Self {
        let address = numbers.as_ptr() as usize;
        Self::shared(Arc::new(numbers), address, kind, shape)
    }
}

#[pymethods]
impl Numbers {
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("typestr", self.kind)?;
        interface.set_item("shape", PyTuple::new(py, &self.shape)?)?;
        // True: not to be written to.
        interface.set_item("data", (self.address, true))?;
        Ok(interface)
    }
}
