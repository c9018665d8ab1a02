//! The matrices of a torch file, and which of them are the embeddings.

use indexmap::IndexMap;

use super::{Description, TorchFile};
use crate::error::{Error, Result};
use crate::read::embedding_rows::EmbeddingRows;
use crate::read::matrices::{EMBEDDINGS, Matrices, Matrix, Taken, no_keys};
use crate::read::pickle::{Document, Id};
use crate::read::plain::{numbers_of, taken_out};
use crate::read::tensor::{Dtype, Tensor, shape_text};
use crate::rows::EmbeddingsChoice;

/// The deepest dict, and the most values, that are looked at.
const DEEPEST: usize = 5;
const MOST: usize = 100_000;

/// The matrices of a file: tensors and numpy arrays of numbers, by the keys that lead to them.
pub(in crate::read) struct TorchMatrices<'a>(pub(in crate::read) &'a TorchFile);

impl TorchMatrices<'_> {
    /// The rows of the embeddings: of the matrix that is chosen, of `embeddings`, or of the only value of
    /// the file.
    pub(in crate::read) fn rows(&self, choice: &EmbeddingsChoice) -> Result<EmbeddingRows> {
        let file = self.0;
        file.refuse_harmful()?;
        let root = file.document.root;
        if let Some(tensor) = self.tensor(root, "the tensor")? {
            if let Some(key) = &choice.key {
                return Err(no_keys(&file.name(), key));
            }
            return self.rows_of(&tensor, &Taken::default(), choice, "the tensor");
        }
        let found = self.found();
        let nothing_chosen = choice.key.is_none() && choice.layer.is_none();
        let is_model = file.document.get(root, "model_state_dict").is_some();
        if is_model && nothing_chosen && !found.contains_key(EMBEDDINGS) {
            return Err(self.nothing());
        }
        let matrices = Matrices {
            file: file.name(),
            what: "matrices",
            place: "the top level",
            expected: "a key embeddings",
            all: found.values().map(|(matrix, _)| matrix.clone()).collect(),
            takes_only: false,
        };
        let taken = matrices.choose(choice)?;
        let chosen = taken.and_then(|taken| {
            let (_, id) = found.get(taken.key.as_deref()?)?;
            Some((taken, *id))
        });
        let Some((taken, id)) = chosen else {
            return Err(self.nothing());
        };
        let place = format!("key {}", taken.key.as_deref().unwrap_or_default());
        let Some(tensor) = self.tensor(id, &place)? else {
            let found = format!("{}, no tensor", file.kind(id));
            let expected = "a two-dimensional tensor, one row for each call";
            let advice =
                "save the embeddings as a tensor: torch.from_numpy(...), torch.tensor(...)";
            return Err(file.bad(&place, found, expected, advice));
        };
        self.rows_of(&tensor, &taken, choice, &place)
    }

    fn tensor(&self, id: Id, place: &str) -> Result<Option<Tensor>> {
        match self.0.tensor(id, place)? {
            None => taken_out(self.0, id, place),
            found => Ok(found),
        }
    }

    fn rows_of(
        &self,
        tensor: &Tensor,
        taken: &Taken,
        choice: &EmbeddingsChoice,
        place: &str,
    ) -> Result<EmbeddingRows> {
        let decided = taken.decided(choice);
        EmbeddingRows::new(tensor, &self.0.source, taken.key.clone(), &decided)
            .map_err(|why| why.at(self.0.name(), place))
    }

    /// The error of a file whose embeddings are under no key.
    fn nothing(&self) -> Error {
        let root = self.0.document.root;
        let advice = if self.0.document.get(root, "model_state_dict").is_some() {
            "this is a model: swap embeddings and model, or leave it out of the pattern of embeddings"
        } else {
            "save a dict with the embeddings under this key and the calls under sv_info"
        };
        match self.0.required(EMBEDDINGS, advice) {
            Err(error) => error,
            Ok(id) => self.0.bad(
                "key embeddings",
                format!("{}, no tensor", self.0.kind(id)),
                "a two-dimensional tensor, one row for each call",
                advice,
            ),
        }
    }

    /// The matrices by key, with dots where dicts are nested. Two that come to one key are both left out.
    fn found(&self) -> IndexMap<String, (Matrix, Id)> {
        let document = &self.0.document;
        let (mut all, mut left) = (Vec::new(), MOST);
        walk(document, document.root, "", DEEPEST, &mut left, &mut all);
        let mut found: IndexMap<String, (Matrix, Id)> = IndexMap::new();
        let mut twice = Vec::new();
        for (matrix, id) in all {
            let key = matrix.key.clone();
            if found.insert(key.clone(), (matrix, id)).is_some() {
                twice.push(key);
            }
        }
        found.retain(|key, _| !twice.contains(key));
        found
    }
}

/// Adds the matrices of a mapping, and of those in it.
fn walk(
    document: &Document,
    id: Id,
    before: &str,
    depth: usize,
    left: &mut usize,
    all: &mut Vec<(Matrix, Id)>,
) {
    // Of equal keys the last one counts, as in Python.
    let mut entries = IndexMap::new();
    for (key, value) in document.entries(id).into_iter().flatten() {
        let Some(fewer) = left.checked_sub(1) else {
            break;
        };
        *left = fewer;
        let name = match document.value(key) {
            crate::read::pickle::Value::Int(n) => n.to_string(),
            _ => document.text(key).unwrap_or_default().into_owned(),
        };
        entries.insert(name, value);
    }
    for (name, value) in entries {
        let key = format!("{before}{name}");
        if let Some((dimensions, described)) = describe(document, value) {
            let may_be = matches!(dimensions, 2 | 3) || key == EMBEDDINGS;
            let matrix = Matrix {
                key,
                described,
                dimensions,
            };
            all.extend(may_be.then_some((matrix, value)));
        } else if document.entries(value).is_some() {
            if depth > 0 {
                walk(document, value, &format!("{key}."), depth - 1, left, all);
            }
        } else if key == EMBEDDINGS {
            // Its error says what it is.
            let (described, dimensions) = (document.kind(value).to_owned(), 2);
            let matrix = Matrix {
                key,
                described,
                dimensions,
            };
            all.push((matrix, value));
        }
    }
}

/// The number of dimensions, type and shape of a tensor or array of floating-point numbers; of other
/// numbers too, since a caller may name them.
fn describe(document: &Document, id: Id) -> Option<(usize, String)> {
    if let Some(tensor) = Description::read(document, id) {
        let name = tensor.dtype_name();
        Dtype::of_name(&name)?;
        let described = format!("{name} {}", shape_text(&tensor.shape));
        return Some((tensor.shape.len(), described));
    }
    let (shape, dtype) = numbers_of(document, id)?;
    Some((
        shape.len(),
        format!("{} {}", dtype.name(), shape_text(&shape)),
    ))
}
