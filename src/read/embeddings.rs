//! Files of embeddings. Their bytes determine the format, never their name.

use std::path::Path;

use super::pickle::Id;
use super::safetensors::{Entry, SafeTensors, is_safetensors};
use super::source::Source;
use super::tensor::{Dtype, Storage, Tensor, TensorRows, shape_text};
use super::torch::TorchFile;
use super::zipped::Archive;
use super::{npy, npz, sniff};
use crate::cohort::IdColumn;
use crate::error::{Error, Result};
use crate::rows::Rows;

/// An open file of one of the formats.
#[derive(Debug)]
pub(super) enum File {
    Torch(Box<TorchFile>),
    Npy(npy::Array),
    Npz(Source, Archive),
    SafeTensors(SafeTensors),
}

/// Reads the embeddings of a file alone, without its calls.
///
/// # Errors
/// Fails as reading a cohort's embeddings does.
pub(crate) fn read_rows(path: &Path) -> Result<TensorRows> {
    File::open(path)?.rows()
}

impl File {
    /// Opens a file of any of the formats.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let source = Source::open(path)?;
        let head = source.head(sniff::HEAD)?;
        if sniff::is_zip(&head) {
            let archive = Archive::open(&source)?;
            return if sniff::zip_of(&archive.names()) == sniff::Zip::Arrays {
                Ok(Self::Npz(source, archive))
            } else {
                TorchFile::of_archive(source, archive)
                    .map(Box::new)
                    .map(Self::Torch)
            };
        }
        if head.starts_with(npy::MAGIC) {
            let array = npy::Array::read(&Storage::of(&source), "the header")?;
            return Ok(Self::Npy(array));
        }
        if is_safetensors(&head, source.len()) {
            return SafeTensors::open(&source).map(Self::SafeTensors);
        }
        if super::torch::is_legacy(&head) {
            return TorchFile::of_stream(source, &head)
                .map(Box::new)
                .map(Self::Torch);
        }
        let found = sniff::describe(&head, source.len());
        Err(sniff::not_embeddings(&source, &found))
    }

    /// Returns the file's matrix of embeddings.
    pub(super) fn rows(&self) -> Result<TensorRows> {
        let (tensor, place) = match self {
            Self::Torch(file) => return torch_rows(file),
            Self::Npy(array) => (array.matrix("the array")?, "the array"),
            Self::Npz(source, archive) => (npz::embeddings(source, archive)?, "the embeddings"),
            Self::SafeTensors(file) => (matrix(file)?, "the embeddings"),
        };
        let name = tensor.storage.source.name();
        rows_of(&tensor)
            .map_err(|(found, expected, action)| Error::input(name, place, found, expected, action))
    }

    /// Returns the calls that a torch file keeps with the embeddings.
    pub(super) fn sv_info(&self) -> Option<(&TorchFile, Id)> {
        match self {
            Self::Torch(file) => {
                let info = file.document.get(file.document.root, "sv_info")?;
                Some((file, info))
            }
            _ => None,
        }
    }

    /// Describes the objects of a torch file that are not data.
    pub(super) fn passed_over(&self) -> Option<String> {
        match self {
            Self::Torch(file) => file.passed_over(),
            _ => None,
        }
    }

    /// Returns the calls' IDs that an archive keeps with the embeddings.
    pub(super) fn ids(&self) -> Result<Option<IdColumn>> {
        match self {
            Self::Npz(source, archive) => npz::ids(source, archive),
            _ => Ok(None),
        }
    }
}

const MATRIX: &str = "a two-dimensional tensor, one row for each call";

/// Returns the rows of a matrix, which may have none. The error gives what was found, what was
/// expected, and what to do.
fn rows_of(
    tensor: &Tensor,
) -> std::result::Result<TensorRows, (String, &'static str, &'static str)> {
    let shape = format!(
        "{} of shape {}",
        tensor.dtype.name(),
        shape_text(&tensor.shape)
    );
    let Some(rows) = TensorRows::new(tensor) else {
        return Err((shape, MATRIX, "save the embeddings as a matrix"));
    };
    if rows.dim() == 0 {
        let expected = "at least one number a row, of no rows too: shape [0, D]";
        return Err((shape, expected, "check how the cohort was made"));
    }
    Ok(rows)
}

/// Returns the rows of a torch file: its `embeddings`, or the file's only tensor.
fn torch_rows(file: &TorchFile) -> Result<TensorRows> {
    file.refuse_harmful()?;
    let root = file.document.root;
    if let Some(tensor) = file.tensor(root, "the tensor")? {
        return rows_of(&tensor)
            .map_err(|(found, expected, action)| file.bad("the tensor", found, expected, action));
    }
    let place = "key embeddings";
    let looks_like_a_model = file.document.get(root, "model_state_dict").is_some();
    let advice = if looks_like_a_model {
        "this is a model: swap embeddings and model, or leave it out of the pattern of embeddings"
    } else {
        "save a dict with the embeddings under this key and the calls under sv_info"
    };
    let id = file.required("embeddings", advice)?;
    let Some(tensor) = file.tensor(id, place)? else {
        let found = format!("{}, no tensor", file.kind(id));
        let advice = "save the embeddings as a tensor: torch.from_numpy(...), torch.tensor(...)";
        return Err(file.bad(place, found, MATRIX, advice));
    };
    rows_of(&tensor).map_err(|(found, expected, action)| file.bad(place, found, expected, action))
}

/// Returns the tensor `embeddings` of a safetensors file, or its only matrix.
fn matrix(file: &SafeTensors) -> Result<Tensor> {
    const SHOWN: usize = 12;
    let found = file.tensors.get("embeddings").or_else(|| {
        let is_matrix = |entry: &&Entry| {
            entry.shape.len() == 2 && Dtype::of_safetensors(&entry.dtype).is_some()
        };
        let mut matrices = file.tensors.values().filter(is_matrix);
        matrices.next().filter(|_| matrices.next().is_none())
    });
    let tensor = found.and_then(|entry| {
        let &[rows, columns] = entry.shape.as_slice() else {
            return None;
        };
        let storage = Storage {
            source: file.source.clone(),
            start: entry.start,
            length: entry.length,
        };
        let dtype = Dtype::of_safetensors(&entry.dtype)?;
        Tensor::dense_matrix(dtype, [rows, columns], false, storage)
    });
    tensor.ok_or_else(|| {
        let all = file.tensors.iter().take(SHOWN);
        let all: Vec<_> = all
            .map(|(name, entry)| format!("{name} ({} {})", entry.dtype, shape_text(&entry.shape)))
            .collect();
        let found = match all.as_slice() {
            [] => "no tensors at all".to_owned(),
            all => format!("the tensors {}", all.join(", ")),
        };
        Error::input(
            file.source.name(),
            "the tensors",
            found,
            "a two-dimensional tensor embeddings of F16, BF16, F32 or F64, or one such tensor alone",
            "save them with safetensors.torch.save_file({\"embeddings\": ...}, file)",
        )
    })
}
