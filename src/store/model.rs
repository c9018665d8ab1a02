//! A model in our own form: a safetensors file with words in its metadata (docs/MODELS.md).

use std::path::Path;

use serde_json::json;

use crate::digest::Digest;
use crate::error::Result;
use crate::sae::content::{
    ASSUMED, CONTENT, FAMILY, FILES, FORMAT, IDENTITY, MODEL, Numbers, SCORES, VERSION,
};
use crate::sae::{Origin, Sae};
use crate::write::safetensors;
use crate::write::torch::Tensor;
use crate::write::whole::WholeFile;

/// The source of a converted model.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// The family, the files and what was answered or assumed.
    pub origin: Origin,
    /// The formula, in symbols.
    pub scores: String,
    /// The digest by which the model was known, where that was its file's.
    pub identity: Option<Digest>,
}

/// Writes a model in our own form, to be published. The same model and provenance give the same bytes.
///
/// # Errors
/// A file that cannot be written.
pub fn write_model(sae: &Sae, from: &Provenance, path: &Path) -> Result<WholeFile> {
    let tensors = sae.tensors().into_iter().map(|(name, shape, numbers)| {
        let tensor = match numbers {
            Numbers::Single(numbers) => Tensor::new(&shape, numbers),
            Numbers::Double(numbers) => Tensor::new(&shape, numbers),
        };
        (name, tensor)
    });
    safetensors::save(path, &metadata(sae, from), tensors)
}

fn metadata(sae: &Sae, from: &Provenance) -> Vec<(&'static str, String)> {
    let origin = &from.origin;
    let mut all = vec![
        ("format", FORMAT.to_owned()),
        ("version", VERSION.to_owned()),
        (MODEL, json!(sae.form()).to_string()),
        (SCORES, from.scores.clone()),
        (FAMILY, origin.family.clone()),
        (FILES, json!(origin.files).to_string()),
        (ASSUMED, json!(origin.assumed).to_string()),
    ];
    if let Some(identity) = from.identity {
        all.push((IDENTITY, identity.to_string()));
        all.push((CONTENT, sae.digest().to_string()));
    }
    all
}
