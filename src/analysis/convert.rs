//! A model of any library as one file of our own form.

use std::path::Path;

use super::shards::InputFile;
use crate::control::Control;
use crate::error::{Choice, Error, Proposal, Result};
use crate::read::{Identity, ModelAbout, ModelAnswers, read_model_with};
use crate::store::{Provenance, write_model};

/// Reads a model, and writes it in our own form to `out`, whole or not at all. `force` replaces a file
/// that is there.
///
/// # Errors
/// A model that cannot be read, or leaves a question open; a file there; a folder that cannot be
/// written; cancellation.
pub fn convert(
    model: &Path,
    answers: &ModelAnswers,
    out: &Path,
    force: bool,
    control: &Control,
) -> Result<ModelAbout> {
    let loaded = read_model_with(model, answers)?;
    let about = loaded.about;
    let read = std::iter::once(&loaded.path).chain(&about.beside);
    let mut files = Vec::new();
    let mut of_weights = None;
    for path in read {
        check_place(out, path, force)?;
        let file = InputFile::of("model", path, control)?;
        of_weights.get_or_insert(file.sha256);
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        files.push((name, file.sha256));
    }
    // The notebook's model is known by its file.
    let identity = match loaded.identity {
        Identity::File => of_weights,
        Identity::Given(digest) => Some(digest),
        Identity::Content => None,
    };
    let from = Provenance {
        family: format!("{} ({})", about.family, about.library),
        scores: about.scores.clone(),
        files,
        assumed: about
            .answered
            .iter()
            .chain(&about.assumed)
            .cloned()
            .collect(),
        identity,
    };
    write_model(&loaded.sae, &from, out)?.publish()?;
    Ok(about)
}

/// An error if the output is an input, or a file that is not to be replaced.
fn check_place(out: &Path, read: &Path, force: bool) -> Result<()> {
    let is_input = match (out.canonicalize(), read.canonicalize()) {
        (Ok(out), Ok(read)) => out == read,
        _ => false,
    };
    let bad = |found: &str, action: &str| {
        let file = out.display().to_string();
        Error::input(file, "the output", found, "no such file", action)
    };
    if is_input {
        return Err(bad(
            "the model itself",
            "choose another name: what is read is never replaced",
        ));
    }
    if out.exists() && !force {
        let action = "nothing was written: choose another name, or let it be replaced";
        return Err(bad("a file there already", action).proposing([Proposal::of(Choice::Force)]));
    }
    Ok(())
}
