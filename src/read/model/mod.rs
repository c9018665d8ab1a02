//! The model: a file or a folder of one of many libraries, told by its keys, its config and its bytes.
//!
//! ```text
//! find        the file of weights that a path means
//! weights     its tensors by name, whatever the format; config: what stands beside them
//! candidate   both, with the caller's answers: what a family reads
//! decoder     its norms, where they scale scores or values
//! families    one a file: what it is known by, and its formula
//! encoder     the formula as the model has it
//! in_memory   the same of tensors and a config in memory
//! ```

mod answers;
mod candidate;
mod config;
mod decoder;
mod encoder;
mod families;
mod find;
mod in_memory;
mod inner;
mod layers;
mod nearest;
mod outside;
mod refused;
mod said;
mod weights;

use std::path::{Path, PathBuf};

use self::candidate::Candidate;
use self::config::Config;
use self::encoder::Encoder;
use self::families::{FAMILIES, Family, PLAIN, notebook, own};
use self::refused::{
    no_tensors, refuse_computed, refuse_foreign, refuse_module, refuse_quantised, unknown,
};
use self::weights::Weights;
use super::layer_name::is_of_layer;
use super::source::Stamp;
use super::torch::TorchFile;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::sae::{ModelAbout, Sae};
pub use answers::{ModelAnswers, Orientation};
pub use decoder::Decoder;
pub use find::{find_model, model_files};
pub use in_memory::{TensorModel, read_model_tensors};
pub use weights::NamedTensor;

/// A model, and the file that it was read from.
#[derive(Debug)]
pub struct LoadedModel {
    /// The encoder with what is done to embeddings before it.
    pub sae: Sae,
    /// The decoder, where there is one.
    pub decoder: Option<Decoder>,
    /// The file of weights.
    pub path: PathBuf,
    /// The stamp of the file when it was opened.
    pub(crate) stamp: Option<Stamp>,
    /// A description of the model in words.
    pub about: ModelAbout,
    /// The digest by which it is known.
    pub identity: Identity,
    /// The oddities of the model, one sentence each.
    pub warnings: Vec<String>,
}

/// The digest by which a model is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// That of its file: the notebook's models.
    File,
    /// One that our own form has from the file that it was converted from, for the content with this
    /// digest alone.
    Given {
        /// The digest of the file that was converted.
        digest: Digest,
        /// [`Sae::digest`] of what was written then.
        content: Digest,
    },
    /// That of its content, [`Sae::digest`].
    Content,
}

impl Identity {
    /// The digest, of a model whose file has this one. That of the content, which a given one is checked
    /// by, takes a second for a few gigabytes.
    ///
    /// # Errors
    /// A given digest, and other content than it was given for.
    pub fn digest(self, sae: &Sae, of_file: Digest) -> Result<Digest> {
        let (digest, expected) = match self {
            Self::File => return Ok(of_file),
            Self::Content => return Ok(sae.digest()),
            Self::Given { digest, content } => (digest, content),
        };
        let found = sae.digest();
        if found == expected {
            return Ok(digest);
        }
        Err(Error::input(
            sae.name(),
            "content",
            format!("{found}, the digest of the numbers and words in this file"),
            format!("{expected}, that of the model which was converted"),
            "the file was changed afterwards: convert the model again",
        ))
    }
}

/// Reads a model that leaves no question open. `path` is its file of weights, or its folder; the
/// notebook's may be named by a `BEST_MODEL.json`, whose `best_dir` is tried from the working
/// directory, then from the JSON's folder, then as a folder of that name beside the JSON.
///
/// # Errors
/// As [`read_model_with`].
pub fn read_model(path: &Path) -> Result<LoadedModel> {
    read_model_with(path, &ModelAnswers::default())
}

/// Reads a model, of which the caller says what its files leave open.
///
/// # Errors
/// Files that cannot be read; that are no model, or of no family that is known; that contradict each
/// other; a question that is open; an answer to none.
pub fn read_model_with(path: &Path, answers: &ModelAnswers) -> Result<LoadedModel> {
    answers.check()?;
    let path = find_model(path, answers)?;
    let Some(weights) = Weights::open(&path)? else {
        // The error says what the file is.
        let file = TorchFile::open(&path)?;
        return notebook::read(&file).and_then(|_| Err(no_tensors(&path)));
    };
    refuse_quantised(&weights)?;
    let (config, broken) = Config::beside(&path);
    let candidate = Candidate::new(&weights, (&config, broken), answers);
    let family = family_of(&candidate)?;
    let loaded = match (family, weights.torch()) {
        (Told::Notebook, Some(file)) => {
            candidate.check_answers(notebook::NAME)?;
            of_notebook(path, file)?
        }
        (Told::Family(family), _) => of_family(path, family, &candidate)?,
        (_, Some(file)) => {
            refuse_module(file)?;
            candidate.check_config()?;
            refuse_foreign(&weights, file)?;
            refuse_computed(&weights)?;
            if notebook::is_meant(&weights) {
                notebook::read(file)?;
            }
            return Err(unknown(&weights));
        }
        _ => {
            candidate.check_config()?;
            refuse_computed(&weights)?;
            return Err(unknown(&weights));
        }
    };
    weights.source.check_unchanged()?;
    let mut about = loaded.about;
    let layer = answers.layer.as_ref();
    let layer = layer.filter(|layer| is_of_layer(&loaded.path, layer));
    about
        .answered
        .extend(layer.map(|layer| format!("layer {layer}, as answered")));
    Ok(LoadedModel {
        decoder: Decoder::of(&weights, &loaded.sae),
        stamp: weights.source.stamp(),
        about,
        ..loaded
    })
}

/// Reads a model alone, without embeddings whose layer an answer may be.
///
/// # Errors
/// As [`read_model_with`]; the answer of a layer that nothing in the model's place names.
pub fn read_model_alone(path: &Path, answers: &ModelAnswers) -> Result<LoadedModel> {
    let loaded = read_model_with(path, answers)?;
    answers.check_layer(Some(&loaded.path), false)?;
    Ok(loaded)
}

/// Says whether a file is a model of some family, without reading its numbers.
fn is_model(path: &Path) -> bool {
    let Ok(Some(weights)) = Weights::open(path) else {
        return false;
    };
    let ((config, broken), answers) = (Config::beside(path), ModelAnswers::default());
    let candidate = Candidate::new(&weights, (&config, broken), &answers);
    !matches!(family_of(&candidate), Ok(Told::Nothing))
}

/// The kind that a file was told to be.
enum Told {
    Notebook,
    Family(&'static Family),
    Nothing,
}

/// Tells the family of a file.
fn family_of(candidate: &Candidate<'_>) -> Result<Told> {
    let claimed: Vec<_> = FAMILIES
        .into_iter()
        .filter(|family| (family.claims)(candidate))
        .collect();
    match claimed.as_slice() {
        &[family] => Ok(Told::Family(family)),
        [] if notebook::claims(candidate.weights) => Ok(Told::Notebook),
        [] if (PLAIN.claims)(candidate) => Ok(Told::Family(PLAIN)),
        [] => Ok(Told::Nothing),
        several => {
            let names: Vec<_> = several.iter().map(|family| family.name).collect();
            let found = format!("the keys of {}", names.join(" and of "));
            let action = "save it with the keys of one library";
            let file = candidate.weights.source.name();
            Err(Error::input(
                file,
                "the tensors",
                found,
                "those of one family",
                action,
            ))
        }
    }
}

fn of_notebook(path: PathBuf, file: &TorchFile) -> Result<LoadedModel> {
    let (sae, warnings) = notebook::read(file)?;
    let scores = notebook::SCORES.to_owned();
    let about = ModelAbout::new(notebook::NAME, "this project", scores, &sae);
    Ok(LoadedModel {
        sae,
        decoder: None,
        path,
        stamp: None,
        about,
        identity: Identity::File,
        warnings,
    })
}

fn of_family(path: PathBuf, family: &Family, candidate: &Candidate<'_>) -> Result<LoadedModel> {
    candidate.weights.refuse_ambiguous()?;
    let mut encoder: Encoder = (family.read)(candidate)?;
    decoder::check_sizes(candidate, &encoder)?;
    candidate.check_answers(family.name)?;
    let mut warnings = std::mem::take(&mut encoder.warnings);
    warnings.extend(candidate.weights.torch().and_then(TorchFile::passed_over));
    let scores = std::mem::take(&mut encoder.scores);
    let sae = encoder.into_sae(candidate.weights.source.name())?;
    let mut about = ModelAbout::new(family.name, family.library, scores, &sae);
    about.answered = candidate.answered();
    about.assumed = candidate.assumed();
    about.origin = own::origin(candidate)?;
    about.beside = candidate
        .config
        .and_then(|config| config.path.clone())
        .into_iter()
        .collect();
    warnings.extend(about.assumed.iter().cloned());
    Ok(LoadedModel {
        identity: own::identity(candidate)?.unwrap_or(Identity::Content),
        sae,
        decoder: None,
        path,
        stamp: None,
        about,
        warnings,
    })
}

/// The families of models as a table in Markdown.
pub fn families_markdown() -> String {
    families::markdown()
}

/// A description of a file or folder, if it is a model: `Err` says what is wrong with it, or which question is
/// open. `None` of a file that no family knows.
pub(super) fn about(path: &Path, answers: &ModelAnswers) -> Option<Result<ModelAbout>> {
    let is_known = path.is_dir() || find_model(path, answers).is_ok_and(|path| is_model(&path));
    is_known.then(|| read_model_alone(path, answers).map(|loaded| loaded.about))
}
