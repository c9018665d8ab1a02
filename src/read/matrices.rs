//! Which of a file's matrices are the embeddings.

use super::layer_name::{names_layer, names_some_layer};
use crate::error::{Choice, Error, Proposal, Result, first_of};
use crate::rows::EmbeddingsChoice;

/// The name of the embeddings among other matrices.
pub(super) const EMBEDDINGS: &str = "embeddings";

/// The matrices that are named in a message.
const SHOWN: usize = 12;

/// A matrix of a file, by its key.
#[derive(Debug, Clone)]
pub(super) struct Matrix {
    pub(super) key: String,
    /// Its type and shape, for a message.
    pub(super) described: String,
    /// The number of its dimensions.
    pub(super) dimensions: usize,
}

/// The matrices of a file, and how messages name them.
#[derive(Debug)]
pub(super) struct Matrices {
    /// The file's name.
    pub(super) file: String,
    /// What its matrices are: arrays, tensors, columns.
    pub(super) what: &'static str,
    /// The place of a message: where they are.
    pub(super) place: &'static str,
    /// One that is called `embeddings`.
    pub(super) expected: &'static str,
    /// All matrices of two or three dimensions.
    pub(super) all: Vec<Matrix>,
    /// True if a matrix alone is taken whatever its key.
    pub(super) takes_only: bool,
}

/// The matrix that is taken.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken {
    pub(super) key: Option<String>,
    /// True if it was found by the layer.
    pub(super) by_layer: bool,
}

impl Taken {
    /// The part of a choice that decided.
    pub(super) fn decided(&self, choice: &EmbeddingsChoice) -> EmbeddingsChoice {
        EmbeddingsChoice {
            key: choice.key.clone(),
            layer: choice.layer.clone().filter(|_| self.by_layer),
            pool: choice.pool,
        }
    }
}

impl Matrices {
    /// The matrix that is meant; `None` if the file has none that is taken without a choice.
    ///
    /// # Errors
    /// A key that is not there; a layer of no or several matrices; several matrices, and no choice.
    pub(super) fn choose(&self, choice: &EmbeddingsChoice) -> Result<Option<Taken>> {
        if let Some(key) = &choice.key {
            return self.of_key(key).map(Some);
        }
        if let Some(layer) = &choice.layer
            && let Some(key) = self.of_layer(layer, choice)?
        {
            let key = Some(key);
            return Ok(Some(Taken {
                key,
                by_layer: true,
            }));
        }
        let fitting = fitting(&self.all.iter().collect::<Vec<_>>(), choice);
        let is_default = self.all.iter().any(|matrix| matrix.key == EMBEDDINGS);
        let key = match fitting.as_slice() {
            _ if is_default => EMBEDDINGS.to_owned(),
            [only] if self.takes_only => only.key.clone(),
            [] => return Ok(None),
            _ => return Err(self.several(&fitting)),
        };
        Ok(Some(Taken {
            key: Some(key),
            by_layer: false,
        }))
    }

    fn of_key(&self, key: &str) -> Result<Taken> {
        let found: Vec<_> = self.all.iter().filter(|matrix| matrix.key == key).collect();
        if let [_] = found.as_slice() {
            return Ok(Taken {
                key: Some(key.to_owned()),
                by_layer: false,
            });
        }
        let found = match found.len() {
            0 => format!("no key {key} among {}", self.listed(&self.all)),
            count => format!("the key {key} {count} times"),
        };
        let expected = "the key of one matrix of numbers";
        let error = Error::input(
            &*self.file,
            self.place,
            found,
            expected,
            "name a key that is there",
        );
        Err(proposing(error, &self.all, false))
    }

    /// The matrix whose key names the layer; `None` if the layer is not one of this file's.
    fn of_layer(&self, layer: &str, choice: &EmbeddingsChoice) -> Result<Option<String>> {
        let named: Vec<_> = (self.all.iter())
            .filter(|matrix| names_layer(&matrix.key, layer))
            .collect();
        let chosen = fitting(&named, choice);
        if let [only] = chosen.as_slice() {
            return Ok(Some(only.key.clone()));
        }
        let other = self.all.iter().any(|matrix| names_some_layer(&matrix.key));
        let is_default = self.all.iter().any(|matrix| matrix.key == EMBEDDINGS);
        if named.is_empty() && (self.all.len() <= 1 || is_default) && !other {
            return Ok(None);
        }
        let found = if named.is_empty() {
            format!("none of layer {layer} among {}", self.listed(&self.all))
        } else {
            let named: Vec<_> = named.into_iter().cloned().collect();
            format!("{} of layer {layer}: {}", named.len(), self.listed(&named))
        };
        let expected = format!("one matrix whose key names layer {layer}");
        let error = Error::input(
            &*self.file,
            self.place,
            found,
            expected,
            "name the key that is meant",
        );
        Err(proposing(error, &self.all, false))
    }

    fn several(&self, fitting: &[&Matrix]) -> Error {
        let fitting: Vec<_> = fitting.iter().map(|&matrix| matrix.clone()).collect();
        let found = match fitting.len() {
            1 => format!("the matrix {}", self.listed(&fitting)),
            count => format!("{count} matrices: {}", self.listed(&fitting)),
        };
        let expected = format!("{}, or a choice", self.expected);
        let error = Error::input(
            &*self.file,
            self.place,
            found,
            expected,
            "say which one is meant",
        );
        proposing(error, &fitting, true)
    }

    fn listed(&self, of: &[Matrix]) -> String {
        let name = |matrix: &Matrix| format!("{} ({})", matrix.key, matrix.described);
        if of.is_empty() {
            return format!("no {} that can be embeddings", self.what);
        }
        first_of(of.iter().map(name), SHOWN)
    }
}

/// Those that have the dimensions for the choice, or all if none has.
fn fitting<'a>(of: &[&'a Matrix], choice: &EmbeddingsChoice) -> Vec<&'a Matrix> {
    let wanted = if choice.pool.is_some() { 3 } else { 2 };
    let is_fit = |matrix: &&Matrix| matrix.dimensions == wanted;
    let fitting: Vec<_> = of.iter().copied().filter(is_fit).collect();
    if fitting.is_empty() {
        of.to_vec()
    } else {
        fitting
    }
}

/// Proposes the key, with its value where only one can be meant, and the layer where keys name some.
fn proposing(error: Error, of: &[Matrix], layer_too: bool) -> Error {
    let key = match of {
        [] => return error,
        [only] => Proposal::new(Choice::Key, [only.key.clone()]),
        _ => Proposal::of(Choice::Key),
    };
    let has_layers = of.len() > 1 && of.iter().any(|matrix| names_some_layer(&matrix.key));
    let layer = (layer_too && has_layers).then(|| Proposal::of(Choice::Layer));
    error.proposing([key].into_iter().chain(layer))
}

/// Makes the error of a key for a file that is one array.
pub(super) fn no_keys(file: &str, key: &str) -> Error {
    let found = "an array without keys";
    let action = format!("leave out the key {key}");
    Error::input(file, "the array", found, "a file with keys", action)
}
