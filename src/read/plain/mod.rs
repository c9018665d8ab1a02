//! What values mean: Python's own, numpy's and torch's numbers and text.

mod numbers;
mod numpy;
mod scalar;

pub(crate) use numbers::numbers;
pub(crate) use numpy::{describe as describe_array, scalar as numpy_scalar, utf32};
pub(crate) use scalar::{Scalar, integer, scalar};
