//! Embeddings from Python: arrays where they lie, array-likes read block by block, and files.

use std::path::PathBuf;
use std::sync::Arc;

use atomscope::Device;
use atomscope::read::read_rows;
use atomscope::rows::{ElementType, EmbeddingsChoice, JoinedRows, Place, Rows as LibraryRows};
use pyo3::prelude::*;

use crate::array_rows::{ArrayRows, Numbers};
use crate::block_rows::{BlockRows, Raised, explained};
use crate::dlpack::Array;
use crate::errors::bad;
use crate::run::{guard, run};

/// What embeddings may be of.
const TYPES: &str = "float16, bfloat16, float32 or float64";

/// Rows that runs share.
pub(crate) type SharedRows = dyn LibraryRows + Send + Sync;

/// Embeddings: one row a call.
#[pyclass(frozen, module = "atomscope._core")]
pub(crate) struct Rows {
    pub(crate) rows: Arc<SharedRows>,
    /// The device that the rows lie on, which has to encode them.
    cuda: Option<u32>,
    /// What was done to them that costs memory, in words.
    #[pyo3(get)]
    note: Option<String>,
    /// The exception that their reader raised, where rows are read block by block.
    raised: Option<Raised>,
}

impl Rows {
    /// Returns what a run over these rows found, or its exception with that of their reader.
    pub(crate) fn explained<T>(&self, py: Python<'_>, found: PyResult<T>) -> PyResult<T> {
        found.map_err(|error| match &self.raised {
            Some(raised) => explained(py, raised, error),
            None => error,
        })
    }

    /// The device that encodes the rows, of which the caller asked for one.
    pub(crate) fn device(&self, asked: Device) -> PyResult<Device> {
        match (self.cuda, asked) {
            (None, asked) => Ok(asked),
            (Some(on), Device::Auto) => Ok(Device::Cuda(Some(on))),
            (Some(on), Device::Cuda(Some(number))) if on == number => Ok(asked),
            (Some(0), Device::Cuda(None)) => Ok(asked),
            (Some(on), asked) => Err(crate::errors::DeviceError::new_err(format!(
                "x: found an array on cuda:{on} and device=\"{asked}\", expected one device; copy x with \
                 .cpu(), or leave device out"
            ))),
        }
    }
}

#[pymethods]
impl Rows {
    /// Takes an array that has `__dlpack__`; `is_bf16` if its numbers are bfloat16 that it calls uint16.
    #[staticmethod]
    fn of_array(array: &Bound<'_, PyAny>, name: &str, is_bf16: bool) -> PyResult<Self> {
        guard(|| of_array(Array::take(array, name)?, name, is_bf16))
    }

    /// Takes what gives rows of an array of this shape: `block(start, stop)` is an array that has
    /// `__dlpack__`.
    #[staticmethod]
    fn of_blocks(block: Py<PyAny>, shape: [usize; 2], dtype: &str, name: String) -> PyResult<Self> {
        let Some(element) = element_of(dtype) else {
            return Err(bad(&name, &format!("numbers of type {dtype}"), TYPES));
        };
        let raised = Raised::default();
        Ok(Self {
            rows: Arc::new(BlockRows {
                block,
                shape,
                element,
                name,
                raised: raised.clone(),
            }),
            cuda: None,
            note: None,
            raised: Some(raised),
        })
    }

    /// Opens files of embeddings.
    #[staticmethod]
    #[pyo3(signature = (paths, key, layer, pool))]
    fn of_files(
        py: Python<'_>,
        paths: Vec<PathBuf>,
        key: Option<String>,
        layer: Option<String>,
        pool: Option<&str>,
    ) -> PyResult<Self> {
        let choice = choice(key, layer, pool)?;
        let rows = run(py, None, None, move |_| {
            let open = |path: &PathBuf| {
                let rows = read_rows(path, &choice)?;
                Ok(Box::new(rows) as Box<dyn LibraryRows + Send>)
            };
            let parts: atomscope::Result<Vec<_>> = paths.iter().map(open).collect();
            parts.and_then(JoinedRows::new)
        })?;
        Ok(Self {
            rows: Arc::new(rows),
            cuda: None,
            note: None,
            raised: None,
        })
    }

    /// Rows and numbers of a row.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.rows.count(), self.rows.dim())
    }

    /// The name in messages.
    #[getter]
    fn name(&self) -> String {
        self.rows.name()
    }

    /// The address of the first number, of an array that is not copied.
    #[getter]
    fn address(&self) -> Option<u64> {
        match self.rows.place() {
            Place::Memory(bytes) => Some(bytes.as_ptr() as u64),
            Place::Device { address, .. } => Some(address),
            _ => None,
        }
    }
}

/// The choice of a matrix in files of embeddings.
pub(crate) fn choice(
    key: Option<String>,
    layer: Option<String>,
    pool: Option<&str>,
) -> PyResult<EmbeddingsChoice> {
    let wrong = |text: &str, why: &str| {
        let why = why.trim_start_matches("expected ");
        bad("pool", &format!("{text:?}"), why)
    };
    let pool = pool.map(|text| text.parse().map_err(|why: String| wrong(text, &why)));
    Ok(EmbeddingsChoice {
        key,
        layer,
        pool: pool.transpose()?,
    })
}

fn element_of(dtype: &str) -> Option<ElementType> {
    Some(match dtype {
        "float16" => ElementType::F16,
        "bfloat16" => ElementType::Bf16,
        "float32" => ElementType::F32,
        "float64" => ElementType::F64,
        _ => return None,
    })
}

fn of_array(array: Array, name: &str, is_bf16: bool) -> PyResult<Rows> {
    let &[rows, dim] = &*array.shape else {
        let found = format!("an array of shape {:?}", array.shape);
        let more = if array.shape.len() == 3 {
            "; make one row of the tokens of each call first, as by x.mean(axis=1)"
        } else {
            ""
        };
        return Err(bad(name, &found, &format!("[calls, d_in]{more}")));
    };
    let element = match array.dtype.element() {
        None if is_bf16 => ElementType::Bf16,
        Some(element) => element,
        None => {
            return Err(bad(
                name,
                &format!("numbers of type {}", array.dtype.name()),
                TYPES,
            ));
        }
    };
    let by_rows = dim <= 1 || array.strides.last() == Some(&1);
    let cuda = array.cuda;
    if cuda.is_some() && !array.is_dense() {
        let found = "a CUDA array with gaps between rows or columns";
        return Err(bad(name, found, "one without; call .contiguous() first"));
    }
    let shape = [rows, dim];
    let (numbers, note) = if by_rows {
        (Numbers::Theirs(array), None)
    } else {
        let found = "an array whose columns do not follow one another";
        let Some(copy) = array.copied() else {
            return Err(bad(name, found, "rows of consecutive numbers"));
        };
        let note = format!(
            "{name}: {found}, and {} bytes were copied; a row-major array needs no copy",
            copy.len()
        );
        (Numbers::Ours(copy), Some(note))
    };
    Ok(Rows {
        rows: Arc::new(ArrayRows {
            numbers,
            shape,
            element,
            name: name.to_owned(),
        }),
        cuda,
        note,
        raised: None,
    })
}
