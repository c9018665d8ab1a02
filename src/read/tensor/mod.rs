//! Tensors in files, whatever their format: where their bytes lie, and reading them.

mod dtype;
mod layout;
mod rows;
mod whole;

use super::source::Source;
pub(crate) use dtype::Dtype;
pub use rows::TensorRows;
pub(crate) use whole::read_whole;

/// A run of bytes in a file.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    pub(crate) source: Source,
    pub(crate) start: u64,
    pub(crate) length: u64,
}

impl Storage {
    /// A whole file.
    pub(crate) fn of(source: &Source) -> Self {
        Self {
            source: source.clone(),
            start: 0,
            length: source.len(),
        }
    }
}

/// A strided view of a storage. All its elements lie within the storage.
#[derive(Debug, Clone)]
pub(crate) struct Tensor {
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    /// Elements from one index to the next, for each dimension.
    pub(crate) strides: Vec<u64>,
    /// Elements before the first one.
    pub(crate) offset: u64,
    pub(crate) storage: Storage,
}

impl Tensor {
    /// A matrix without gaps, row by row or column by column; `None` if the storage does not have
    /// exactly its bytes.
    pub(crate) fn dense_matrix(
        dtype: Dtype,
        [rows, columns]: [usize; 2],
        by_column: bool,
        storage: Storage,
    ) -> Option<Self> {
        let bytes = rows.checked_mul(columns)?.checked_mul(dtype.size())?;
        let strides = if by_column {
            vec![1, rows as u64]
        } else {
            vec![columns as u64, 1]
        };
        (bytes as u64 == storage.length).then_some(Self {
            dtype,
            shape: vec![rows, columns],
            strides,
            offset: 0,
            storage,
        })
    }

    /// How many elements there are.
    pub(crate) fn count(&self) -> usize {
        // Checked to fit when the tensor was made.
        self.shape.iter().product()
    }
}

/// A shape as torch prints it, `[3, 4]`.
pub(crate) fn shape_text<T: ToString>(shape: &[T]) -> String {
    let sizes: Vec<_> = shape.iter().map(ToString::to_string).collect();
    format!("[{}]", sizes.join(", "))
}
