//! Files of embeddings. Their bytes determine the format, never their name.

use std::path::Path;

use super::embedding_rows::{EmbeddingRows, NoRows};
#[cfg(feature = "parquet")]
use super::lists::{ArrowTable, ParquetTable, is_arrow};
use super::matrices::{Matrices, Matrix, Taken, no_keys};
#[cfg(feature = "parquet")]
use super::metadata::texts;
#[cfg(feature = "parquet")]
use super::naming::{ID, Naming};
use super::pickle::Id;
use super::safetensors::{SafeTensors, is_safetensors};
use super::source::Source;
use super::tensor::{Dtype, Storage, Tensor, shape_text};
use super::torch::{TorchFile, TorchMatrices};
use super::zipped::Archive;
use super::{npy, npz, sniff};
use crate::cohort::IdColumn;
use crate::error::Result;
use crate::rows::{EmbeddingsChoice, TakenEmbeddings};

/// An open file of one of the formats.
#[derive(Debug)]
pub(super) enum File {
    Torch(Box<TorchFile>),
    Npy(npy::Array),
    Npz(Source, Archive),
    SafeTensors(SafeTensors),
    #[cfg(feature = "parquet")]
    Parquet(ParquetTable),
    #[cfg(feature = "parquet")]
    Arrow(ArrowTable),
}

/// Reads the embeddings of a file alone, without its calls. They stay in the file until they are needed.
///
/// # Errors
/// Fails as reading a cohort's embeddings does.
pub fn read_rows(path: &Path, choice: &EmbeddingsChoice) -> Result<EmbeddingRows> {
    File::open(path)?.rows(choice)
}

/// Looks what would be taken as embeddings of a file.
///
/// # Errors
/// Fails as [`read_rows`] does.
pub(super) fn taken(path: &Path, choice: &EmbeddingsChoice) -> Result<TakenEmbeddings> {
    let file = File::open(path)?;
    match &file {
        #[cfg(feature = "parquet")]
        File::Parquet(table) => table.look(choice),
        #[cfg(feature = "parquet")]
        File::Arrow(table) => table.look(choice),
        _ => Ok(file.rows(choice)?.about().clone()),
    }
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
        #[cfg(feature = "parquet")]
        if head.starts_with(b"PAR1") {
            return ParquetTable::open(&source).map(Self::Parquet);
        }
        #[cfg(feature = "parquet")]
        if is_arrow(&head, source.len()) {
            return ArrowTable::open(&source).map(Self::Arrow);
        }
        if super::torch::is_legacy(&head) {
            return TorchFile::of_stream(source, &head)
                .map(Box::new)
                .map(Self::Torch);
        }
        let found = sniff::describe(&head, source.len());
        Err(sniff::not_embeddings(&source, &found))
    }

    /// Returns the file's embeddings, by what was chosen.
    pub(super) fn rows(&self, choice: &EmbeddingsChoice) -> Result<EmbeddingRows> {
        match self {
            Self::Torch(file) => TorchMatrices(file).rows(choice),
            Self::Npy(array) => of_array(array, choice),
            Self::Npz(source, archive) => of_archive(source, archive, choice),
            Self::SafeTensors(file) => of_tensors(file, choice),
            #[cfg(feature = "parquet")]
            Self::Parquet(table) => table.rows(choice),
            #[cfg(feature = "parquet")]
            Self::Arrow(table) => table.rows(choice),
        }
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

    /// Returns the calls' IDs that an archive or a table keeps with the embeddings of so many rows.
    #[cfg_attr(not(feature = "parquet"), expect(unused_variables))]
    pub(super) fn ids(&self, rows: usize) -> Result<Option<IdColumn>> {
        match self {
            Self::Npz(source, archive) => npz::ids(source, archive),
            #[cfg(feature = "parquet")]
            Self::Parquet(table) => table_ids(&table.source, &table.columns, rows),
            #[cfg(feature = "parquet")]
            Self::Arrow(table) => table_ids(&table.source, &table.columns(), rows),
            _ => Ok(None),
        }
    }

    /// Returns what an archive says of its rows in an array of this name; `None` of any other file.
    pub(super) fn texts(&self, name: &str) -> Result<Option<IdColumn>> {
        match self {
            Self::Npz(source, archive) => npz::texts(source, archive, name),
            _ => Ok(None),
        }
    }

    /// Returns the names of a table's columns; none of any other file.
    pub(super) fn columns(&self) -> Vec<String> {
        match self {
            #[cfg(feature = "parquet")]
            Self::Parquet(table) => table.columns.clone(),
            #[cfg(feature = "parquet")]
            Self::Arrow(table) => table.columns(),
            _ => Vec::new(),
        }
    }
}

/// Reads the IDs of a table: of the column of IDs, or of one of the name `ids`.
#[cfg(feature = "parquet")]
fn table_ids(source: &Source, columns: &[String], rows: usize) -> Result<Option<IdColumn>> {
    let naming = Naming::default();
    let is_id = |name: &&String| naming.field(name).is_some_and(|(field, _)| field == ID);
    let column = columns.iter().find(is_id);
    let Some(column) = column.or_else(|| columns.iter().find(|name| *name == "ids")) else {
        return Ok(None);
    };
    let texts = texts(source.path(), column, rows)?;
    let mut ids = IdColumn::default();
    (0..rows).for_each(|row| ids.push(texts.get(row)));
    Ok(Some(ids))
}

/// The rows of an array alone.
fn of_array(array: &npy::Array, choice: &EmbeddingsChoice) -> Result<EmbeddingRows> {
    const PLACE: &str = "the array";
    let source = &array.elements.source;
    if let Some(key) = &choice.key {
        return Err(no_keys(&source.name(), key));
    }
    let tensor = array.embeddings(PLACE)?;
    let decided = Taken::default().decided(choice);
    EmbeddingRows::new(&tensor, source, None, &decided).map_err(|why| why.at(source.name(), PLACE))
}

/// The rows of an archive of arrays: of the one that is chosen, of `embeddings`, or of the only matrix.
fn of_archive(
    source: &Source,
    archive: &Archive,
    choice: &EmbeddingsChoice,
) -> Result<EmbeddingRows> {
    let matrices = Matrices {
        file: source.name(),
        what: "arrays",
        place: "the arrays",
        expected: "an array embeddings",
        all: npz::matrices(source, archive)?,
        takes_only: true,
    };
    let Some(taken) = matrices.choose(choice)? else {
        return Err(npz::no_matrix(source, archive));
    };
    let key = taken.key.clone().unwrap_or_default();
    let place = npz::place(&key);
    let Some(array) = npz::array(archive, &npz::entry(&key))? else {
        return Err(npz::no_matrix(source, archive));
    };
    let tensor = array.embeddings(&place)?;
    EmbeddingRows::new(&tensor, source, taken.key.clone(), &taken.decided(choice))
        .map_err(|why| why.at(source.name(), &place))
}

/// The rows of a safetensors file: of the tensor that is chosen, of `embeddings`, or of the only matrix
/// of floating-point numbers.
fn of_tensors(file: &SafeTensors, choice: &EmbeddingsChoice) -> Result<EmbeddingRows> {
    let is_float = |dtype: &str| Dtype::of_safetensors(dtype).is_some();
    let all = file.tensors.iter().filter(|(name, entry)| {
        *name == super::matrices::EMBEDDINGS
            || matches!(entry.shape.len(), 2 | 3) && is_float(&entry.dtype)
    });
    let matrices = Matrices {
        file: file.source.name(),
        what: "tensors",
        place: "the tensors",
        expected: "a tensor embeddings",
        all: all
            .map(|(name, entry)| Matrix {
                key: name.clone(),
                described: format!("{} {}", entry.dtype, shape_text(&entry.shape)),
                dimensions: entry.shape.len(),
            })
            .collect(),
        takes_only: true,
    };
    let taken = matrices.choose(choice)?;
    let key = taken.as_ref().and_then(|taken| taken.key.clone());
    let entry = key.as_deref().and_then(|key| file.tensors.get(key));
    let tensor = entry.and_then(|entry| {
        let storage = Storage {
            source: file.source.clone(),
            start: entry.start,
            length: entry.length,
        };
        let dtype = Dtype::of_safetensors(&entry.dtype)?;
        Tensor::dense(dtype, entry.shape.clone(), false, storage)
    });
    let (Some(taken), Some(tensor)) = (taken, tensor) else {
        return Err(no_tensor(file));
    };
    if !matches!(tensor.shape.len(), 2 | 3) {
        return Err(no_tensor(file));
    }
    EmbeddingRows::new(&tensor, &file.source, key, &taken.decided(choice))
        .map_err(|why: NoRows| why.at(file.source.name(), "the embeddings"))
}

/// Makes the error of a file without a tensor that can be embeddings.
fn no_tensor(file: &SafeTensors) -> crate::error::Error {
    const SHOWN: usize = 12;
    let all = file.tensors.iter().take(SHOWN);
    let all: Vec<_> = all
        .map(|(name, entry)| format!("{name} ({} {})", entry.dtype, shape_text(&entry.shape)))
        .collect();
    let found = match all.as_slice() {
        [] => "no tensors at all".to_owned(),
        all => format!("the tensors {}", all.join(", ")),
    };
    crate::error::Error::input(
        file.source.name(),
        "the tensors",
        found,
        "a two-dimensional tensor embeddings of F16, BF16, F32 or F64, or one such tensor alone",
        "save them with safetensors.torch.save_file({\"embeddings\": ...}, file)",
    )
}
