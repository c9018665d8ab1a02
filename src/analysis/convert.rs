//! A model of any library as one file of our own form.

use std::path::Path;

use super::place::{check_new, claim};
use super::shards::InputFile;
use crate::control::Control;
use crate::error::Result;
use crate::read::{Identity, ModelAnswers, read_model_alone};
use crate::sae::{ModelAbout, Origin, OriginFile};
use crate::store::{Provenance, write_model};
use crate::write::inputs::Inputs;

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
    let loaded = read_model_alone(model, answers)?;
    let about = loaded.about;
    let mut read = vec![loaded.path];
    read.extend(about.beside.iter().cloned());
    let inputs = Inputs::of(read.iter().cloned());
    let _lock = claim(out, || check_new(out, &inputs, force))?;
    // Of a model that was converted before, the source is that of the first time.
    let first = || Origin {
        family: format!("{} ({})", about.family, about.library),
        ..Origin::default()
    };
    let mut origin = about.origin.clone().unwrap_or_else(first);
    let mut of_weights = None;
    for path in &read {
        let file = InputFile::of("model", path, control)?;
        of_weights.get_or_insert(file.sha256);
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let sha256 = file.sha256.to_string();
        origin.files.push(OriginFile { name, sha256 });
    }
    let sentences = about.answered.iter().chain(&about.assumed);
    origin.assumed.extend(sentences.cloned());
    // The notebook's model is known by its file.
    let is_of_file = loaded.identity != Identity::Content;
    let identity = of_weights
        .filter(|_| is_of_file)
        .map(|of_file| loaded.identity.digest(&loaded.sae, of_file));
    let from = Provenance {
        origin,
        scores: about.scores.clone(),
        identity: identity.transpose()?,
    };
    write_model(&loaded.sae, &from, out)?.publish()?;
    Ok(about)
}
