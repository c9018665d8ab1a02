//! The named tensors of a model's file, whatever its format.

mod in_memory;
mod open;

use std::cell::RefCell;

use indexmap::IndexMap;
use serde_json::Value;

use crate::error::{Error, Result, first_of};
use crate::read::npz;
use crate::read::pickle::Id;
use crate::read::safetensors::SafeTensors;
use crate::read::source::Source;
use crate::read::tensor::{Dtype, Storage, Tensor, TensorRows, read_whole, shape_text};
use crate::read::torch::TorchFile;
use crate::read::zipped::Archive;
pub use in_memory::NamedTensor;

/// An open file of weights.
pub(super) struct Weights {
    pub(super) source: Source,
    container: Container,
    /// The numbers, by their names without prefixes, in the file's order.
    tensors: IndexMap<String, Named>,
    /// Values of a torch file that are no tensors, and stand beside the state dict or in it.
    pub(super) beside: Value,
    /// The key under which the state dict stands; empty where the file is the state dict.
    pub(super) within: &'static str,
    /// Two names in the file of one parameter, or of one state dict.
    twice: Option<[String; 2]>,
    used: RefCell<Vec<String>>,
}

/// The format of the file.
pub(super) enum Container {
    Torch(Box<TorchFile>),
    SafeTensors(SafeTensors),
    Npz(Archive),
    Memory,
}

/// A tensor by its place in the file.
struct Named {
    /// The name in the file.
    full: String,
    at: At,
    shape: Vec<usize>,
    dtype: String,
}

enum At {
    Torch(Id),
    SafeTensors(String),
    Npz(String),
    Memory(Box<Tensor>),
    /// Numbers of a type that is not read.
    Unread,
}

impl At {
    /// Says whether both are one tensor of the file.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Torch(one), Self::Torch(other)) => one == other,
            (Self::SafeTensors(one), Self::SafeTensors(other))
            | (Self::Npz(one), Self::Npz(other)) => one == other,
            _ => false,
        }
    }
}

impl Weights {
    /// The torch file, where it is one.
    pub(super) fn torch(&self) -> Option<&TorchFile> {
        match &self.container {
            Container::Torch(file) => Some(file),
            _ => None,
        }
    }

    /// An error if a parameter stands in the file twice, or something beside the weights, which no family
    /// uses, is named as what is done to embeddings.
    pub(super) fn refuse_ambiguous(&self) -> Result<()> {
        if let Some([first, second]) = &self.twice {
            return Err(Error::input(
                self.source.name(),
                second.clone(),
                format!("the same parameters as {first}"),
                "one of them",
                "which of the two is meant cannot be known: save the model's own state_dict()",
            ));
        }
        let Some(file) = self.torch() else {
            return Ok(());
        };
        let root = file.document.root;
        let held = file.document.get(root, self.within).unwrap_or(root);
        super::outside::refuse_statistics(file, (self.within, held))
    }

    /// Says whether the file is a safetensors file, or tensors in memory, which may be one.
    pub(super) fn is_safetensors(&self) -> bool {
        matches!(
            self.container,
            Container::SafeTensors(_) | Container::Memory
        )
    }

    /// Says whether the file is a torch file, or tensors in memory, which may be one.
    pub(super) fn is_state_dict(&self) -> bool {
        matches!(self.container, Container::Torch(_) | Container::Memory)
    }

    /// Says whether these are tensors in memory.
    pub(super) fn is_in_memory(&self) -> bool {
        matches!(self.container, Container::Memory)
    }

    /// Says whether the file is an archive of numpy arrays.
    pub(super) fn is_npz(&self) -> bool {
        matches!(self.container, Container::Npz(_))
    }

    /// Says whether there are tensors of all these names.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.tensors.contains_key(*name))
    }

    /// The names of all tensors.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The shape of a tensor.
    pub(super) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|tensor| &*tensor.shape)
    }

    /// The type of a tensor's numbers, by the name that its format gives to it.
    pub(super) fn dtype(&self, name: &str) -> Option<&str> {
        self.tensors.get(name).map(|tensor| &*tensor.dtype)
    }

    /// Names and shapes, for a message.
    pub(super) fn describe(&self) -> String {
        const SHOWN: usize = 10;
        let of = |tensor: &Named| format!("{} {}", tensor.full, shape_text(&tensor.shape));
        if self.tensors.is_empty() {
            return "no tensors".to_owned();
        }
        let shown = first_of(self.tensors.values().map(of), SHOWN);
        format!("the tensors {shown}")
    }

    /// Makes the error of a tensor.
    pub(super) fn bad(
        &self,
        name: &str,
        found: impl Into<String>,
        expected: impl Into<String>,
        action: &str,
    ) -> Error {
        let full = self.tensors.get(name).map_or(name, |named| &named.full);
        let place = match self.within {
            "" => full.to_owned(),
            within => format!("{within}.{full}"),
        };
        Error::input(self.source.name(), place, found, expected, action)
    }

    fn tensor(&self, name: &str) -> Result<Tensor> {
        self.used.borrow_mut().push(name.to_owned());
        let Some(named) = self.tensors.get(name) else {
            let expected = format!("a tensor {name}");
            let action = "give the whole model, as its library saved it";
            return Err(Error::input(
                self.source.name(),
                "the tensors",
                self.describe(),
                expected,
                action,
            ));
        };
        let unread = || self.unread(name, &named.dtype);
        let tensor = match (&self.container, &named.at) {
            (Container::Torch(_), _) if named.dtype.contains("float8") => return Err(unread()),
            (Container::Torch(file), At::Torch(id)) => {
                file.tensor(*id, &named.full)?.ok_or_else(unread)?
            }
            (Container::SafeTensors(file), At::SafeTensors(kept)) => {
                let entry = file.tensors.get(kept).ok_or_else(unread)?;
                let dtype = Dtype::of_safetensors(&entry.dtype).ok_or_else(unread)?;
                let storage = Storage {
                    source: file.source.clone(),
                    start: entry.start,
                    length: entry.length,
                };
                Tensor::dense(dtype, entry.shape.clone(), false, storage).ok_or_else(unread)?
            }
            (Container::Npz(archive), At::Npz(entry)) => {
                let array = npz::array(archive, entry)?.ok_or_else(unread)?;
                array.tensor(&named.full)?
            }
            (_, At::Memory(tensor)) => (**tensor).clone(),
            _ => return Err(unread()),
        };
        Ok(tensor)
    }

    /// A tensor of floating-point numbers.
    fn floats(&self, name: &str) -> Result<Tensor> {
        let tensor = self.tensor(name)?;
        if tensor.dtype.is_float() {
            return Ok(tensor);
        }
        Err(self.unread(name, tensor.dtype.name()))
    }

    fn unread(&self, name: &str, dtype: &str) -> Error {
        self.bad(
            name,
            format!("numbers of type {dtype}"),
            "float16, bfloat16, float32 or float64",
            "quantised and 8-bit weights are not what the model was trained as: give it as it was before, \
             saved as float32",
        )
    }

    /// A vector of `length` numbers, all finite.
    pub(super) fn vector(&self, name: &str, length: usize) -> Result<Vec<f32>> {
        let tensor = self.floats(name)?;
        if tensor.shape != [length] {
            let found = shape_text(&tensor.shape);
            let expected = format!("[{length}], as the encoder has it");
            return Err(self.bad(name, found, expected, OTHER_MODEL));
        }
        let numbers = read_whole(&tensor, name)?;
        self.check_finite(name, &numbers)?;
        Ok(numbers)
    }

    /// A vector of `length` numbers of binary64, as they are; infinities are allowed.
    pub(super) fn doubles(&self, name: &str, length: usize) -> Result<Vec<f64>> {
        let tensor = self.floats(name)?;
        if tensor.shape != [length] || tensor.dtype != Dtype::F64 {
            let found = format!("{} {}", tensor.dtype.name(), shape_text(&tensor.shape));
            return Err(self.bad(name, found, format!("float64 [{length}]"), OTHER_MODEL));
        }
        let mut bytes = vec![0; tensor.storage.length as usize];
        tensor
            .storage
            .source
            .read_at(&mut bytes, tensor.storage.start)?;
        let (numbers, _) = bytes.as_chunks();
        Ok(numbers
            .iter()
            .map(|bytes| f64::from_le_bytes(*bytes))
            .collect())
    }

    /// A matrix as it stands, or transposed, row-major.
    pub(super) fn matrix(&self, name: &str, transposed: bool) -> Result<(Vec<f32>, [usize; 2])> {
        let (tensor, shape) = self.plane(name, transposed)?;
        Ok((read_whole(&tensor, name)?, shape))
    }

    /// The rows of a matrix as it stands, or transposed, which stay in the file.
    pub(super) fn rows(&self, name: &str, transposed: bool) -> Result<TensorRows> {
        let (tensor, _) = self.plane(name, transposed)?;
        let found = || shape_text(&tensor.shape);
        TensorRows::new(&tensor).ok_or_else(|| self.bad(name, found(), "a matrix", OTHER_MODEL))
    }

    /// A tensor of two dimensions, as it stands or transposed, and its shape.
    fn plane(&self, name: &str, transposed: bool) -> Result<(Tensor, [usize; 2])> {
        let mut tensor = self.floats(name)?;
        let (&[rows, columns], true) = (tensor.shape.as_slice(), tensor.strides.len() == 2) else {
            let found = shape_text(&tensor.shape);
            return Err(self.bad(name, found, "a matrix", OTHER_MODEL));
        };
        let mut shape = [rows, columns];
        if transposed {
            shape.reverse();
            tensor.shape.reverse();
            tensor.strides.reverse();
        }
        Ok((tensor, shape))
    }

    /// The number of things that a tensor of one whole number says; `None` if there is none.
    pub(super) fn count(&self, name: &str) -> Result<Option<usize>> {
        if !self.has(&[name]) {
            return Ok(None);
        }
        let tensor = self.tensor(name)?;
        let numbers = if tensor.count() == 1 {
            read_whole(&tensor, name)?
        } else {
            Vec::new()
        };
        // Beyond 2^24 binary32 has gaps.
        let whole = |x: &f32| x.fract() == 0.0 && (0.0..16_777_216.0).contains(x);
        if let Some(&number) = numbers.first().filter(|x| whole(x)) {
            return Ok(Some(number as usize));
        }
        let found = numbers
            .first()
            .map_or(shape_text(&tensor.shape), f32::to_string);
        Err(self.bad(name, found, "one whole number of at least 0", OTHER_MODEL))
    }

    /// The one number of a tensor that has one.
    pub(super) fn number(&self, name: &str) -> Result<f32> {
        let tensor = self.floats(name)?;
        let numbers = if tensor.count() == 1 {
            read_whole(&tensor, name)?
        } else {
            Vec::new()
        };
        match *numbers.as_slice() {
            [number] if !number.is_nan() => Ok(number),
            [_] => Err(self.bad(name, "NaN", "a number", DIVERGED)),
            _ => {
                let found = shape_text(&tensor.shape);
                Err(self.bad(name, found, "one number", OTHER_MODEL))
            }
        }
    }

    fn check_finite(&self, name: &str, numbers: &[f32]) -> Result<()> {
        let Some(at) = numbers.iter().position(|number| !number.is_finite()) else {
            return Ok(());
        };
        let found = numbers.get(at).copied().unwrap_or(f32::NAN);
        let found = format!("{found} at {at}");
        Err(self.bad(name, found, "finite numbers", DIVERGED))
    }

    /// An error if a tensor was not used, and is not among those of `harmless` names.
    pub(super) fn check_unused(&self, harmless: &[&str]) -> Result<()> {
        let used = self.used.borrow();
        let is_known = |name: &str| {
            used.iter().any(|used| used == name)
                || harmless.iter().any(|known| {
                    name == *known || known.strip_suffix('*').is_some_and(|k| name.starts_with(k))
                })
        };
        let unknown = self.tensors.iter().find(|(name, _)| !is_known(name));
        let Some((name, tensor)) = unknown else {
            return Ok(());
        };
        Err(self.bad(
            name,
            format!(
                "numbers of shape {}, which are not used and could change which atoms fire",
                shape_text(&tensor.shape)
            ),
            "no tensor that this kind of model does not have",
            "if it changes nothing, save the model without it; else this model cannot be read yet",
        ))
    }
}

/// The advice where parts of two models seem to be together.
pub(super) const OTHER_MODEL: &str = "use the config and the weights of one model";
const DIVERGED: &str = "use a model whose training did not diverge";
