//! The layer that is meant, among files or folders that are named by their layers.

use std::path::{Path, PathBuf};

use super::answers::ModelAnswers;
use crate::error::{Choice, Error, Proposal, Result};
use crate::read::layer_name::{names_layer, names_some_layer};

/// The one of several that is meant: the only one, or that of the answered layer. `what` says what
/// they are.
pub(super) fn choose(
    folder: &Path,
    mut found: Vec<PathBuf>,
    what: &str,
    answers: &ModelAnswers,
) -> Result<PathBuf> {
    crate::natural::sort_paths(&mut found);
    if let Some(layer) = &answers.layer {
        let chosen: Vec<_> = found.iter().filter(|path| is_layer(path, layer)).collect();
        if let [one] = chosen.as_slice() {
            return Ok((*one).clone());
        }
        // The layer may be that of embeddings, and the model's name may say none.
        if let [only] = found.as_slice()
            && !says_layer(only)
        {
            return Ok(only.clone());
        }
        let expected = format!("one of {}", names(&found));
        return Err(Error::choice(Choice::Layer, layer, expected));
    }
    match found.as_slice() {
        [only] => Ok(only.clone()),
        several => {
            let action = "say which layer is meant";
            let found = format!("{} {what}: {}", several.len(), names(several));
            let file = folder.display().to_string();
            let error = Error::input(file, "the folder", found, format!("one {what}"), action);
            Err(error.proposing([Proposal::of(Choice::Layer)]))
        }
    }
}

/// Says whether a file or folder is the layer's, by its name.
fn is_layer(path: &Path, layer: &str) -> bool {
    let text =
        |name: Option<&std::ffi::OsStr>| name.unwrap_or_default().to_string_lossy().into_owned();
    let (name, stem) = (text(path.file_name()), text(path.file_stem()));
    stem == layer || names_layer(&name, layer)
}

/// Says whether a name has a word for a layer, and its number.
fn says_layer(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    names_some_layer(&name)
}

fn names(paths: &[PathBuf]) -> String {
    const SHOWN: usize = 12;
    let name = |path: &PathBuf| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let mut all: Vec<_> = paths.iter().map(name).take(SHOWN).collect();
    if paths.len() > SHOWN {
        all.push(format!("{} more", paths.len() - SHOWN));
    }
    all.join(", ")
}
