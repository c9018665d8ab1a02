//! Which layout a file of activations has.

use std::path::Path;

use super::super::npy;
use super::super::npz;
use super::super::safetensors::{SafeTensors, is_safetensors};
use super::super::sniff::{self, Zip};
use super::super::source::Source;
use super::super::tensor::{Storage, shape_text};
use super::super::zipped::Archive;
use super::Layout;
use super::compressed::Compressed;
use super::dense::Dense;
use super::listed::Listed;
use super::numbers::Numbers;
use crate::cohort::IdColumn;
use crate::error::{Error, Result};

/// The name of a dense matrix among other arrays, and those of lists.
const ACTS: &str = "acts";
const TOP_INDICES: &str = "top_indices";
const TOP_ACTS: &str = "top_acts";

/// A file of activations, before it is known what its calls are.
#[derive(Debug)]
pub(in crate::read) struct Opened {
    pub(super) source: Source,
    pub(super) layout: Layout,
    /// Atoms that fire on a row of a dense matrix, from some rows.
    pub(super) sampled: usize,
    /// The calls' IDs that are kept with the activations.
    pub(in crate::read) ids: Option<IdColumn>,
    /// Sentences about what is odd.
    pub(in crate::read) warnings: Vec<String>,
    /// Sentences about what was taken, and how.
    pub(in crate::read) notes: Vec<String>,
}

impl Opened {
    /// Opens a file of any layout.
    ///
    /// # Errors
    /// A file that cannot be read, is damaged, or holds no activations.
    pub(in crate::read) fn at(path: &Path) -> Result<Self> {
        let source = Source::open(path)?;
        let head = source.head(sniff::HEAD)?;
        if sniff::is_zip(&head) {
            return Self::of_zip(&source);
        }
        if head.starts_with(npy::MAGIC) {
            let array = npy::Array::read(&Storage::of(&source), "the header")?;
            let header = &array.header;
            let place = "the array";
            // What an analysis writes of firing sets: 32-bit numbers, which no activations are.
            let layout = if header.dtype().is_some() && header.descr.ends_with("u4") {
                Layout::Listed(Listed::of_atoms(Numbers::of_npy(&array, place)?)?)
            } else {
                let dense = Dense::of_npy(&array, place)?;
                Layout::Dense(dense.ok_or_else(|| not_two(&source, place, &header.describe()))?)
            };
            return Self::of(source, layout);
        }
        if is_safetensors(&head, source.len()) {
            let layout = of_tensors(&SafeTensors::open(&source)?)?;
            return Self::of(source, layout);
        }
        if head.starts_with(b"PAR1") {
            let layout = parquet(&source)?;
            return Self::of(source, layout);
        }
        Err(not_activations(
            &source,
            &sniff::describe(&head, source.len()),
        ))
    }

    fn of(source: Source, layout: Layout) -> Result<Self> {
        let (mut sampled, mut warnings, mut notes) = (0, Vec::new(), Vec::new());
        if let Layout::Dense(matrix) = &layout {
            let everywhere;
            (sampled, everywhere) = matrix.sample()?;
            if everywhere {
                warnings.push(format!(
                    "{}: no activation is 0 in the rows that were looked at, so that every atom fires on \
                     them: are these embeddings, or scores before the activation function?",
                    source.name()
                ));
            }
        }
        if let Layout::Listed(listed) = &layout
            && !listed.has_values()
        {
            notes.push(format!(
                "{} says which atoms fire, and not how strongly: each has the value 1",
                source.name()
            ));
        }
        Ok(Self {
            source,
            layout,
            sampled,
            ids: None,
            warnings,
            notes,
        })
    }

    fn of_zip(source: &Source) -> Result<Self> {
        let archive = Archive::open(source)?;
        let names = archive.names();
        let found = match sniff::zip_of(&names) {
            Zip::Arrays => None,
            Zip::Torch => Some("a file of torch.save".to_owned()),
            Zip::Other => Some(sniff::describe_zip(&names)),
        };
        if let Some(found) = found {
            return Err(not_activations(source, &found));
        }
        let has = |name: &str| {
            names
                .iter()
                .any(|known| known.strip_suffix(".npy") == Some(name))
        };
        let mut passed_over = None;
        let layout = if Compressed::is_here(&names) {
            Layout::Compressed(Compressed::open(source, &archive)?)
        } else if has(TOP_INDICES) || has(TOP_ACTS) {
            let array = |name: &str| {
                let found = npz::array(&archive, &format!("{name}.npy"))?;
                let place = npz::place(name);
                let found = found.ok_or_else(|| not_both(source, &place))?;
                Numbers::of_npy(&found, &place)
            };
            Layout::Listed(Listed::new(array(TOP_INDICES)?, array(TOP_ACTS)?)?)
        } else {
            let (name, dense, others) = dense_of(source, &archive)?;
            if !others.is_empty() {
                passed_over = Some(format!(
                    "{}: the array {name} is taken, and {} passed over",
                    source.name(),
                    others.join(", ")
                ));
            }
            Layout::Dense(dense)
        };
        let mut opened = Self::of(source.clone(), layout)?;
        opened.notes.extend(passed_over);
        opened.ids = npz::ids(source, &archive)?;
        Ok(opened)
    }
}

/// Finds the array `acts`, or the only one that can be a dense matrix. Returns its name, and those of
/// other matrices too.
fn dense_of(source: &Source, archive: &Archive) -> Result<(String, Dense, Vec<String>)> {
    const SHOWN: usize = 12;
    let (mut matrices, mut described) = (Vec::new(), Vec::new());
    for (entry, header) in npz::headers(source, archive)? {
        let name = entry.trim_end_matches(".npy").to_owned();
        described.push(format!("{name} ({})", header.describe()));
        if header.shape.len() == 2 && header.is_of_activations() {
            matrices.push(name);
        }
    }
    let taken = match matrices.as_slice() {
        [_] => Some(0),
        several => several.iter().position(|name| name == ACTS),
    };
    if let Some(at) = taken {
        let name = matrices.remove(at);
        if let Some(array) = npz::array(archive, &format!("{name}.npy"))?
            && let Some(dense) = Dense::of_npy(&array, &npz::place(&name))?
        {
            return Ok((name, dense, matrices));
        }
    }
    described.truncate(SHOWN);
    Err(Error::input(
        source.name(),
        "the arrays",
        described.join(", "),
        "those of a sparse matrix (scipy.sparse.save_npz), top_indices and top_acts, or one dense matrix \
         of numbers, acts",
        "save activations so, a row for each call: numpy.savez(FILE, acts=...)",
    ))
}

/// The layout of a safetensors file.
fn of_tensors(file: &SafeTensors) -> Result<Layout> {
    if let Some(format) = file
        .metadata
        .get("format")
        .filter(|text| text.starts_with("atomscope"))
    {
        return Err(Error::input(
            file.source.name(),
            "the header's format",
            format.clone(),
            "activations",
            "make a report of the tally and its firing sets: atomscope report TALLY",
        ));
    }
    let numbers = |name: &str| {
        let entry = file.tensors.get(name);
        let entry = entry.ok_or_else(|| not_both(&file.source, &format!("tensor {name}")))?;
        Numbers::of_tensor(file, name, entry)
    };
    if [TOP_INDICES, TOP_ACTS]
        .iter()
        .any(|name| file.tensors.contains_key(*name))
    {
        let listed = Listed::new(numbers(TOP_INDICES)?, numbers(TOP_ACTS)?)?;
        return Ok(Layout::Listed(listed));
    }
    let is_matrix = |name: &&String| {
        let entry = file.tensors.get(*name);
        entry.is_some_and(|entry| {
            entry.shape.len() == 2 && (entry.dtype.contains('F') || entry.dtype == "BOOL")
        })
    };
    let matrices: Vec<_> = file.tensors.keys().filter(is_matrix).collect();
    let taken = match matrices.as_slice() {
        [only] => Some(only.as_str()),
        several => several
            .iter()
            .find(|name| **name == ACTS)
            .map(|name| name.as_str()),
    };
    if let Some(name) = taken
        && let Some(dense) = Dense::of_tensor(numbers(name)?)
    {
        return Ok(Layout::Dense(dense));
    }
    let all = file.tensors.iter().take(12);
    let all: Vec<_> = all
        .map(|(name, entry)| format!("{name} ({} {})", entry.dtype, shape_text(&entry.shape)))
        .collect();
    Err(Error::input(
        file.source.name(),
        "the tensors",
        all.join(", "),
        "top_indices and top_acts [N, k], or one dense matrix of numbers, acts [N, F]",
        "save activations so: safetensors.torch.save_file({\"top_indices\": ..., \"top_acts\": ...}, FILE)",
    ))
}

#[cfg(feature = "parquet")]
fn parquet(source: &Source) -> Result<Layout> {
    super::long::Long::open(source).map(Layout::Long)
}

#[cfg(not(feature = "parquet"))]
fn parquet(source: &Source) -> Result<Layout> {
    Err(Error::input(
        source.name(),
        "the file's beginning",
        "a Parquet table, which this build leaves out",
        "an array",
        "build with the feature parquet, or save a sparse matrix with scipy.sparse.save_npz",
    ))
}

fn not_both(source: &Source, place: &str) -> Error {
    Error::input(
        source.name(),
        place,
        "none",
        "both top_indices and top_acts, of one shape [N, k]",
        "save them in one file",
    )
}

fn not_two(source: &Source, place: &str, described: &str) -> Error {
    Error::input(
        source.name(),
        place,
        format!("an array of {described}"),
        "two dimensions, N calls and F atoms",
        "save a row for each call, and a column for each atom",
    )
}

fn not_activations(source: &Source, found: &str) -> Error {
    Error::input(
        source.name(),
        "the file's beginning",
        found,
        "a sparse or dense matrix (.npz, .npy), safetensors, or Parquet",
        "save a sparse matrix, a row for each call and a column for each atom: \
         scipy.sparse.save_npz(FILE, scipy.sparse.csr_array(activations))",
    )
}
