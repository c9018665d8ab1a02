//! A model in our own form: a safetensors file with words in its metadata (docs/MODELS.md).

use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::sae::Sae;
use crate::sae::content::{FORMAT, IDENTITY, MODEL, Numbers, SCORES, VERSION};
use crate::write::whole::WholeFile;

/// What a model was converted from.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// The family, and its library.
    pub family: String,
    /// The formula, in symbols.
    pub scores: String,
    /// The names of the files that were read, with their digests.
    pub files: Vec<(String, Digest)>,
    /// What was assumed or answered.
    pub assumed: Vec<String>,
    /// The digest by which the model was known, where that was its file's.
    pub identity: Option<Digest>,
}

/// Writes a model in our own form, to be published. The same model and provenance give the same bytes.
///
/// # Errors
/// A file that cannot be written.
pub fn write_model(sae: &Sae, from: &Provenance, path: &Path) -> Result<WholeFile> {
    let whole = WholeFile::create(path)?;
    let failed = |error| Error::writing(path, error);
    let tensors = sae.tensors();
    let mut header = Map::new();
    header.insert("__metadata__".to_owned(), metadata(sae, from));
    let mut end = 0;
    for (name, shape, numbers) in &tensors {
        let start = end;
        end += numbers.bytes().len();
        let dtype = match numbers {
            Numbers::Single(_) => "F32",
            Numbers::Double(_) => "F64",
        };
        let entry = json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, end] });
        header.insert(name.clone(), entry);
    }
    let mut text = Value::Object(header).to_string().into_bytes();
    // Numbers begin at a multiple of 8.
    text.resize(text.len().next_multiple_of(8), b' ');
    let mut out = BufWriter::new(whole.file());
    out.write_all(&(text.len() as u64).to_le_bytes())
        .map_err(failed)?;
    out.write_all(&text).map_err(failed)?;
    for (_, _, numbers) in &tensors {
        out.write_all(numbers.bytes()).map_err(failed)?;
    }
    out.flush().map_err(failed)?;
    drop(out);
    Ok(whole)
}

fn metadata(sae: &Sae, from: &Provenance) -> Value {
    let files: Vec<_> = from
        .files
        .iter()
        .map(|(name, digest)| json!({ "name": name, "sha256": digest.to_string() }))
        .collect();
    let mut all = Map::new();
    let mut add = |key: &str, text: String| all.insert(key.to_owned(), Value::String(text));
    add("format", FORMAT.to_owned());
    add("version", VERSION.to_owned());
    add(MODEL, json!(sae.form()).to_string());
    add(SCORES, from.scores.clone());
    add("family", from.family.clone());
    add("files", Value::Array(files).to_string());
    add("assumed", json!(from.assumed).to_string());
    if let Some(identity) = from.identity {
        add(IDENTITY, identity.to_string());
    }
    Value::Object(all)
}
