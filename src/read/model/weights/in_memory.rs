//! Named tensors in memory: a state dict of another program.

use bytes::Bytes;
use serde_json::Value;

use super::open::by_plain_name;
use super::{At, Container, Named, Weights};
use crate::read::source::Source;
use crate::read::tensor::{Dtype, Storage, Tensor};

/// A tensor of a model, in memory: row-major, without gaps, little-endian.
#[derive(Debug, Clone)]
pub struct NamedTensor {
    name: String,
    dtype: String,
    shape: Vec<usize>,
    bytes: Bytes,
}

impl NamedTensor {
    /// A tensor of this name and shape. `dtype` is the type of its numbers in the words of safetensors
    /// (`F32`, `BF16`, `I64`); `bytes` are not copied.
    pub fn new(
        name: impl Into<String>,
        dtype: impl Into<String>,
        shape: Vec<usize>,
        bytes: impl AsRef<[u8]> + Send + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            dtype: dtype.into(),
            shape,
            bytes: Bytes::from_owner(bytes),
        }
    }

    fn place(self, file: &str) -> Named {
        let source = Source::in_memory(file, self.bytes);
        let tensor = Dtype::of_any_safetensors(&self.dtype).and_then(|dtype| {
            Tensor::dense(dtype, self.shape.clone(), false, Storage::of(&source))
        });
        Named {
            full: self.name,
            at: tensor.map_or(At::Unread, |tensor| At::Memory(Box::new(tensor))),
            shape: self.shape,
            dtype: self.dtype,
        }
    }
}

impl Weights {
    /// Takes tensors by their names. Messages call them `name`.
    pub(in crate::read::model) fn in_memory(name: &str, tensors: Vec<NamedTensor>) -> Self {
        let source = Source::in_memory(name, Bytes::new());
        let all = tensors.into_iter().map(|tensor| tensor.place(name));
        let names = by_plain_name(all.collect());
        Self::new(source, Container::Memory, names, Value::Null, "")
    }
}
