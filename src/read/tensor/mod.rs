//! Tensors in files of any format: where their bytes lie, and how they are read.

mod dtype;
mod layout;
mod rows;
mod whole;

use super::source::Source;
pub(crate) use dtype::Dtype;
pub(crate) use rows::TensorRows;
pub(crate) use whole::read_whole;

/// A run of bytes in a file.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    pub(crate) source: Source,
    pub(crate) start: u64,
    pub(crate) length: u64,
}

impl Storage {
    /// Makes a storage of a whole file.
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
    /// Makes a tensor without gaps, the last index running fastest, or the first if `by_column`;
    /// `None` if the storage does not have exactly its bytes.
    pub(crate) fn dense(
        dtype: Dtype,
        shape: Vec<usize>,
        by_column: bool,
        storage: Storage,
    ) -> Option<Self> {
        let mut strides = vec![0; shape.len()];
        let mut count = 1_u64;
        let mut step = |(stride, &size): (&mut u64, &usize)| {
            *stride = count;
            count = count.checked_mul(size as u64)?;
            Some(())
        };
        let mut each = strides.iter_mut().zip(&shape);
        let all = if by_column {
            each.try_for_each(|pair| step(pair).ok_or(()))
        } else {
            each.rev().try_for_each(|pair| step(pair).ok_or(()))
        };
        all.ok()?;
        let bytes = count.checked_mul(dtype.size() as u64)?;
        (bytes == storage.length).then_some(Self {
            dtype,
            shape,
            strides,
            offset: 0,
            storage,
        })
    }

    /// Returns the number of elements.
    pub(crate) fn count(&self) -> usize {
        // The product was checked to fit when the tensor was made.
        self.shape.iter().product()
    }
}

/// Writes a shape as torch does, `[3, 4]`.
pub(crate) fn shape_text<T: ToString>(shape: &[T]) -> String {
    let sizes: Vec<_> = shape.iter().map(ToString::to_string).collect();
    format!("[{}]", sizes.join(", "))
}
