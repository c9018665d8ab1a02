//! The model: a file or a folder of one of many libraries, told by its keys, its config and its bytes.
//!
//! ```text
//! find        the file of weights that a path means
//! weights     its tensors by name, whatever the format; config: what stands beside them
//! candidate   both, with the caller's answers: what a family reads
//! families    one a file: what it is known by, and its formula
//! encoder     the formula as the model has it
//! ```

mod answers;
mod candidate;
mod config;
mod encoder;
mod families;
mod find;
mod inner;
mod layers;
mod weights;

use std::fmt;
use std::path::{Path, PathBuf};

use self::candidate::Candidate;
use self::config::Config;
use self::encoder::Encoder;
use self::families::{FAMILIES, Family, PLAIN, notebook, own};
use self::weights::Weights;
use super::source::Stamp;
use super::torch::TorchFile;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::sae::{Activation, Sae};
pub use answers::{ModelAnswers, Orientation};
pub use find::{find_model, model_files};

/// A model, and the file that it was read from.
#[derive(Debug)]
pub struct LoadedModel {
    /// The encoder with what is done to embeddings before it.
    pub sae: Sae,
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
    /// One that our own form has from the file that it was converted from.
    Given(Digest),
    /// That of its content, [`Sae::digest`].
    Content,
}

impl Identity {
    /// The digest, of a model whose file has this one. That of the content takes a second for a few
    /// gigabytes.
    pub fn digest(self, sae: &Sae, of_file: Digest) -> Digest {
        match self {
            Self::File => of_file,
            Self::Given(digest) => digest,
            Self::Content => sae.digest(),
        }
    }
}

/// A description of a model in words.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ModelAbout {
    /// The family: the library whose formula it is.
    pub family: &'static str,
    /// The library, with the version that was looked at.
    pub library: &'static str,
    /// How scores are computed, in symbols.
    pub scores: String,
    /// Which atoms fire.
    pub fires: String,
    /// D, the length of an embedding.
    pub input_dim: usize,
    /// F, the number of features.
    pub feature_dim: usize,
    /// Answers of the caller to what no file says, one sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answered: Vec<String>,
    /// Assumptions on what no file says, one sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
    /// The files beside the weights that were read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<PathBuf>,
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
    let path = find_model(path, answers)?;
    let Some(weights) = Weights::open(&path)? else {
        // The error says what the file is.
        let file = TorchFile::open(&path)?;
        return notebook::read(&file).and_then(|_| Err(unknown(&path, "a file of no tensors")));
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
            // The error names the keys of the only torch file that needs no family's.
            notebook::read(file)?;
            return Err(unknown(&path, &weights.describe()));
        }
        _ => {
            candidate.check_config()?;
            return Err(unknown(&path, &weights.describe()));
        }
    };
    weights.source.check_unchanged()?;
    Ok(LoadedModel {
        stamp: weights.source.stamp(),
        ..loaded
    })
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
        path,
        stamp: None,
        about,
        identity: Identity::File,
        warnings,
    })
}

fn of_family(path: PathBuf, family: &Family, candidate: &Candidate<'_>) -> Result<LoadedModel> {
    let mut encoder: Encoder = (family.read)(candidate)?;
    candidate.check_answers(family.name)?;
    let mut warnings = std::mem::take(&mut encoder.warnings);
    warnings.extend(candidate.weights.torch().and_then(TorchFile::passed_over));
    let scores = std::mem::take(&mut encoder.scores);
    let sae = encoder.into_sae(candidate.weights.source.name())?;
    let mut about = ModelAbout::new(family.name, family.library, scores, &sae);
    about.answered = candidate.answered();
    about.assumed = candidate.assumed();
    about.beside = candidate
        .config
        .and_then(|config| config.path.clone())
        .into_iter()
        .collect();
    warnings.extend(about.assumed.iter().cloned());
    Ok(LoadedModel {
        identity: own::identity(candidate).map_or(Identity::Content, Identity::Given),
        sae,
        path,
        stamp: None,
        about,
        warnings,
    })
}

impl ModelAbout {
    fn new(family: &'static str, library: &'static str, scores: String, sae: &Sae) -> Self {
        Self {
            family,
            library,
            scores,
            fires: in_words(sae.activation()),
            input_dim: sae.input_dim(),
            feature_dim: sae.feature_dim(),
            answered: Vec::new(),
            assumed: Vec::new(),
            beside: Vec::new(),
        }
    }
}

impl fmt::Display for ModelAbout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (family, library) = (self.family, self.library);
        writeln!(f, "model: {family} ({library})")?;
        writeln!(
            f,
            "  {} numbers an embedding, {} atoms",
            self.input_dim, self.feature_dim
        )?;
        writeln!(f, "  scores: {}", self.scores)?;
        writeln!(f, "  fire: {}", self.fires)?;
        for sentence in &self.answered {
            writeln!(f, "  answered: {sentence}")?;
        }
        for sentence in &self.assumed {
            writeln!(f, "  assumed: {sentence}")?;
        }
        Ok(())
    }
}

/// The families of models as a table in Markdown.
pub fn families_markdown() -> String {
    families::markdown()
}

/// A description of a file or folder, if it is a model: `Err` says what is wrong with it, or which question is
/// open. `None` of a file that no family knows.
pub(super) fn about(path: &Path, answers: &ModelAnswers) -> Option<Result<ModelAbout>> {
    let is_known = path.is_dir() || find_model(path, answers).is_ok_and(|path| is_model(&path));
    is_known.then(|| read_model_with(path, answers).map(|loaded| loaded.about))
}

/// A rule of firing in words.
fn in_words(activation: &Activation) -> String {
    match activation {
        Activation::TopK { k, relu: false } => format!("the {k} largest scores"),
        Activation::TopK { k, relu: true } => {
            format!("the {k} largest scores, as far as they are above 0")
        }
        Activation::TopKWithTies { k } => format!("every score of at least the {k}th largest"),
        Activation::AbsTopK { k } => format!("the {k} scores of the largest magnitude, but 0"),
        Activation::GroupMax { groups } => {
            format!("the largest score of each of {groups} groups of neighbours, if above 0")
        }
        Activation::Threshold { thresholds } => match thresholds.split_first() {
            Some((first, rest)) if rest.iter().all(|least| least == first) => {
                format!("scores above {first}")
            }
            _ => "scores above the atom's own threshold".to_owned(),
        },
        Activation::BatchTopK { k } => {
            format!(
                "the {k} · N largest scores of the N calls of a batch, as far as they are above 0"
            )
        }
    }
}

/// An error for a module that was pickled whole: its class is needed, and none is made.
fn refuse_module(file: &TorchFile) -> Result<()> {
    let root = file.document.root;
    let kind = file.kind(root);
    if !kind.contains("torch.nn.Module") {
        return Ok(());
    }
    let action = "nothing was executed; in Python, with its library installed: \
                  torch.save(torch.load(FILE, weights_only=False).state_dict(), \"sae.pt\"), and say \
                  then what its attributes say (k, a threshold)";
    let expected = "a state dict: names and tensors";
    Err(file.bad("the top level", kind, expected, action))
}

/// An error for weights that were quantised, whose numbers mean something by others beside them.
fn refuse_quantised(weights: &Weights) -> Result<()> {
    // bitsandbytes; GPTQ and AWQ; compressed-tensors and float8; torch's own.
    const ENDINGS: [&str; 9] = [
        "absmax",
        "quant_map",
        "SCB",
        "qweight",
        "qzeros",
        "weight_scale",
        "weight_scale_inv",
        "weight_packed",
        "_packed_params",
    ];
    let is_quantised = |name: &&str| {
        let last = name.rsplit('.').next().unwrap_or_default();
        ENDINGS.contains(&last) || name.contains(".quant_state.")
    };
    let Some(name) = weights.names().find(is_quantised) else {
        return Ok(());
    };
    let action = "give the model as it was before it was quantised";
    let expected = "weights in float16, bfloat16, float32 or float64";
    Err(weights.bad(name, "a part of quantised weights", expected, action))
}

/// The error of a file that no family knows.
fn unknown(path: &Path, found: &str) -> Error {
    let names = FAMILIES.map(|family| family.name).join(", ");
    let expected = format!(
        "the notebook's keys, or those of {names}, or encoder.weight or W_enc with its bias"
    );
    let action = "encode with the library that made it, and give the activations instead of \
                  embeddings and model";
    Error::input(
        path.display().to_string(),
        "the tensors",
        found,
        expected,
        action,
    )
}
