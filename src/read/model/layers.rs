//! The layer that is meant, among files or folders that are named by their layers.

use std::path::{Path, PathBuf};

use super::answers::ModelAnswers;
use crate::error::{Choice, Error, Proposal, Result};

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

/// Says whether a name is the layer's, or has its number among its numbers.
fn is_layer(path: &Path, layer: &str) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut numbers = name.split(|c: char| !c.is_ascii_digit());
    name == layer || stem == layer || numbers.any(|number| !number.is_empty() && number == layer)
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
