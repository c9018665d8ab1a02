//! Tensors: the elements that they take from a storage, checked against the bytes of the file.

use super::super::pickle::{Document, Id, Object, Value};
use super::super::tensor::{Dtype, Storage, Tensor, shape_text};
use super::TorchFile;
use super::storage::{Reference, natural};
use crate::error::Result;

/// A tensor as the pickle describes it, unchecked.
#[derive(Debug)]
pub(crate) struct Description {
    pub(crate) shape: Vec<u64>,
    pub(crate) strides: Vec<u64>,
    offset: u64,
    storage: Reference,
    /// A type other than the storage's.
    dtype: Option<String>,
    /// True if its numbers are negated or conjugated when they are read.
    lazy: bool,
}

impl Description {
    /// Returns the element type's name.
    pub(crate) fn dtype_name(&self) -> String {
        match (self.dtype(), &self.dtype) {
            (Some(dtype), _) => dtype.name().to_owned(),
            (None, Some(name)) => name.clone(),
            (None, None) => self.storage.class.clone(),
        }
    }

    fn dtype(&self) -> Option<Dtype> {
        match &self.dtype {
            Some(name) => Dtype::of_name(name),
            None => self.storage.dtype(),
        }
    }

    /// Reads the call that rebuilds a tensor or a parameter; `None` if it is another value.
    pub(crate) fn read(document: &Document, mut id: Id) -> Option<Self> {
        // A parameter wraps a tensor; a cycle of parameters ends here.
        for _ in 0..4 {
            let object = document.object(id)?;
            let args = document.args(object);
            match document.callable(object) {
                ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state")
                | ("torch.nn.parameter", "Parameter" | "Buffer") => id = *args.first()?,
                ("torch._tensor", "_rebuild_from_type_v2") => {
                    let &[function, class, inner, _attributes] = args else {
                        return None;
                    };
                    let class = document.global(class)?;
                    let function = document.global(function)?;
                    let inner = document.tuple(inner)?;
                    if !is_tensor_class(&class.module, &class.name) {
                        return None;
                    }
                    match (&*function.module, &*function.name) {
                        ("torch._utils", "_rebuild_parameter") => id = *inner.first()?,
                        ("torch._utils", name) => return Self::rebuilt(document, name, inner),
                        _ => return None,
                    }
                }
                ("torch._utils", name) => return Self::rebuilt(document, name, args),
                _ => return None,
            }
        }
        None
    }

    fn rebuilt(document: &Document, name: &str, args: &[Id]) -> Option<Self> {
        const MOST_DIMENSIONS: usize = 64;
        let (&[storage, offset, size, stride], rest) = args.split_first_chunk()?;
        let naturals = |id| -> Option<Vec<u64>> {
            let items = document.items(id)?;
            let numbers: Option<Vec<_>> = items
                .take(MOST_DIMENSIONS + 1)
                .map(|id| natural(document, id))
                .collect();
            numbers.filter(|numbers| numbers.len() <= MOST_DIMENSIONS)
        };
        let (shape, strides) = (naturals(size)?, naturals(stride)?);
        let (dtype, metadata) = match name {
            "_rebuild_tensor" => (None, None),
            "_rebuild_tensor_v2" => (None, rest.get(2)),
            "_rebuild_tensor_v3" => {
                let global = document.global(*rest.get(2)?)?;
                (Some(global.name.clone()), rest.get(3))
            }
            _ => return None,
        };
        let set = |(_, flag): (Id, Id)| document.value(flag) == Value::Bool(true);
        let lazy = metadata
            .and_then(|&metadata| document.entries(metadata))
            .is_some_and(|mut flags| flags.any(set));
        (shape.len() == strides.len()).then_some(Self {
            shape,
            strides,
            offset: natural(document, offset)?,
            storage: Reference::read(document, storage)?,
            dtype,
            lazy,
        })
    }

    /// Returns the bytes of the storage up to and with the last element; `None` on overflow.
    fn extent(&self, element: u64) -> Option<u64> {
        if self.shape.contains(&0) {
            return Some(0);
        }
        let mut last = self.offset;
        for (size, stride) in self.shape.iter().zip(&self.strides) {
            last = (size - 1).checked_mul(*stride)?.checked_add(last)?;
        }
        last.checked_add(1)?.checked_mul(element)
    }
}

/// Says whether instances of a class are plain tensors, whatever their attributes.
fn is_tensor_class(module: &str, name: &str) -> bool {
    matches!(
        (module, name),
        ("torch" | "torch._tensor", "Tensor") | ("torch.nn.parameter", "Parameter" | "Buffer")
    )
}

impl TorchFile {
    /// Reads a value as a tensor; `None` if it is another value. `place` is for messages.
    pub(crate) fn tensor(&self, id: Id, place: &str) -> Result<Option<Tensor>> {
        match Description::read(&self.document, id) {
            Some(description) => self.locate(&description, place).map(Some),
            None => Ok(None),
        }
    }

    fn locate(&self, tensor: &Description, place: &str) -> Result<Tensor> {
        let Some(dtype) = tensor.dtype().filter(|_| !tensor.lazy) else {
            let lazy = if tensor.lazy {
                ", negated or conjugated"
            } else {
                ""
            };
            return Err(self.bad(
                place,
                format!("a tensor of {}{lazy}", tensor.dtype_name()),
                "float16, bfloat16, float32, float64 or an integer type",
                "convert it with .float() and save it again",
            ));
        };
        let storage = self.locate_storage(tensor, dtype, place)?;
        let numbers = tensor
            .shape
            .iter()
            .try_fold(1_u64, |n, size| n.checked_mul(*size));
        let extent = tensor.extent(dtype.size() as u64);
        match (numbers.map(usize::try_from), extent) {
            (Some(Ok(_)), Some(extent)) if extent <= storage.length => Ok(Tensor {
                dtype,
                shape: tensor.shape.iter().map(|&size| size as usize).collect(),
                strides: tensor.strides.clone(),
                offset: tensor.offset,
                storage,
            }),
            (_, extent) => Err(self.bad(
                place,
                format!(
                    "a storage of {} bytes (from byte {} on)",
                    storage.length, storage.start
                ),
                format!(
                    "{} bytes for {} {}",
                    extent.map_or("more than 2^64".to_owned(), |n| n.to_string()),
                    dtype.name(),
                    shape_text(&tensor.shape),
                ),
                "the file is cut short or damaged: copy it again from where it was whole",
            )),
        }
    }

    fn locate_storage(&self, tensor: &Description, dtype: Dtype, place: &str) -> Result<Storage> {
        let key = &tensor.storage.key;
        let Some(mut storage) = self.storages.get(key)? else {
            return Err(self.bad(
                place,
                format!("a tensor whose storage {key} is not in the file"),
                format!("a storage {key}"),
                "the file is damaged: copy it again, or save it again with torch.save",
            ));
        };
        let Some((offset, length)) = tensor.storage.view else {
            return Ok(storage);
        };
        let size = tensor.storage.dtype().unwrap_or(dtype).size() as u64;
        let (start, bytes) = (offset.checked_mul(size), length.checked_mul(size));
        match start.zip(bytes) {
            Some((start, bytes))
                if start
                    .checked_add(bytes)
                    .is_some_and(|end| end <= storage.length) =>
            {
                storage.start += start;
                storage.length = bytes;
                Ok(storage)
            }
            _ => Err(self.bad(
                place,
                format!("a view of {length} elements from {offset} on"),
                format!("a view within the storage's {} bytes", storage.length),
                "the file is damaged: copy it again, or save it again with torch.save",
            )),
        }
    }
}

/// Returns the path of the name that an object calls, for messages.
pub(crate) fn callable_path(document: &Document, object: &Object) -> String {
    let (module, name) = document.callable(object);
    format!("{module}.{name}")
}
