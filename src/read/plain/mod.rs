//! The meaning of values: Python's, numpy's and torch's numbers and text.

mod column;
mod numbers;
mod numpy;
mod scalar;
mod single;
mod taken_out;

pub(crate) use column::{Column, column, ordered, unequal};
pub(crate) use numbers::numbers;
pub(crate) use numpy::{
    describe as describe_array, numbers_of, object_texts, scalar as numpy_scalar, type_in_words,
    utf32,
};
pub(crate) use scalar::{Scalar, raw_bytes, whole};
pub(crate) use single::scalar;
pub(crate) use taken_out::taken_out;
