//! The layer that is meant, among files or folders that are named by their layers.

use std::path::{Path, PathBuf};

use super::answers::ModelAnswers;
use crate::error::{Choice, Error, Proposal, Result, first_of};
use crate::read::layer_name::{is_of_layer, names_layer, names_some_layer, text};

/// The most names that a message lists.
const SHOWN: usize = 12;

/// The one of several that is meant: the only one, or that of the answered layer. `what` says what
/// they are.
pub(super) fn choose(
    folder: &Path,
    mut found: Vec<PathBuf>,
    what: &str,
    answers: &ModelAnswers,
) -> Result<PathBuf> {
    let shared = shared_folder(&found);
    let name = |path: &PathBuf| name_below(&shared, path);
    found.sort_by(|a, b| crate::natural::compare(&name(a), &name(b)));
    if let Some(layer) = &answers.layer {
        let chosen: Vec<_> = found
            .iter()
            .filter(|path| is_layer(path, &name(path), layer))
            .collect();
        if let [one] = chosen.as_slice() {
            return Ok((*one).clone());
        }
        // The layer may be that of embeddings, and the model's name may say none.
        if let [only] = found.as_slice()
            && !names_some_layer(&name(only))
        {
            return Ok(only.clone());
        }
        let of = if chosen.is_empty() {
            found
        } else {
            chosen.into_iter().cloned().collect()
        };
        let expected = format!("one of {}", first_of(of.iter().map(name), SHOWN));
        return Err(Error::choice(Choice::Layer, layer, expected));
    }
    match found.as_slice() {
        [only] => Ok(only.clone()),
        several => {
            let action = "say which layer is meant";
            let names = first_of(several.iter().map(name), SHOWN);
            let found = format!("{} {what}: {names}", several.len());
            let file = folder.display().to_string();
            let error = Error::input(file, "the folder", found, "one of them", action);
            Err(error.proposing([Proposal::of(Choice::Layer)]))
        }
    }
}

/// An error if a file that was named itself is by its name, or its folder's, of another layer.
pub(super) fn check_file(path: &Path, answers: &ModelAnswers) -> Result<()> {
    let Some(layer) = &answers.layer else {
        return Ok(());
    };
    let names = [path.file_name(), path.parent().and_then(Path::file_name)].map(text);
    match names.iter().find(|name| names_some_layer(name)) {
        Some(name) if !is_of_layer(path, layer) => {
            let expected = format!("no answer, or that of {name}, the file that was given");
            Err(Error::choice(Choice::Layer, layer, expected))
        }
        _ => Ok(()),
    }
}

/// Says whether a file or folder of this name below others is the layer's.
fn is_layer(path: &Path, name: &str, layer: &str) -> bool {
    name == layer
        || [path.file_name(), path.file_stem()]
            .map(text)
            .contains(&layer.to_owned())
        || names_layer(name, layer)
}

/// The folder that all lie in.
fn shared_folder(paths: &[PathBuf]) -> PathBuf {
    let folder = |path: &PathBuf| path.parent().unwrap_or(Path::new("")).to_owned();
    let mut folders = paths.iter().map(folder);
    let first = folders.next().unwrap_or_default();
    folders.fold(first, |shared, other| {
        let same = shared.iter().zip(other.iter()).take_while(|(a, b)| a == b);
        same.map(|(name, _)| name).collect()
    })
}

/// A path as it is below a folder, with slashes.
fn name_below(folder: &Path, path: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let names: Vec<_> = below.iter().map(|name| name.to_string_lossy()).collect();
    names.join("/")
}
