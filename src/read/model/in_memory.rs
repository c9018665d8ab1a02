//! A model in memory, told by its names and its config as a file would be.

use serde_json::Value;

use super::candidate::Candidate;
use super::config::Config;
use super::families::notebook;
use super::refused::{refuse_quantised, unknown};
use super::weights::{NamedTensor, Weights};
use super::{
    Decoder, Identity, LoadedModel, ModelAbout, ModelAnswers, PLAIN, Told, family_of, of_family,
};
use crate::error::{Error, Result};
use crate::sae::Sae;

/// A model in memory: its state dict, and what stands beside it.
#[derive(Debug, Clone, Default)]
pub struct TensorModel {
    /// The name that messages give to it.
    pub name: String,
    /// The tensors of its state dict.
    pub tensors: Vec<NamedTensor>,
    /// Its config, as its library writes it beside the weights; of a package a tensor in it is
    /// `{"tensor": shape}`.
    pub config: Option<Value>,
    /// The mean and the standard deviation of the whitening, \[D\] each or one number for all, of a
    /// model as the notebook trains it: scores are `(x − mean) / (std + 1e-6) · encoder.weightᵀ +
    /// encoder.bias`, and the k largest fire, be they negative.
    pub whitening: Option<[Vec<f32>; 2]>,
    /// True if it is a package as the notebook saves it, with its config. Then that must have the keys
    /// that a file's must.
    pub is_package: bool,
}

/// Reads a model in memory, of which the caller says what its tensors and config leave open. It is told
/// by the names of its tensors and the keys of its config, as [`read_model_with`](super::read_model_with)
/// tells files; its tensors may be those of a safetensors file or of a torch file.
///
/// # Errors
/// As [`read_model_with`](super::read_model_with).
pub fn read_model_tensors(model: TensorModel, answers: &ModelAnswers) -> Result<LoadedModel> {
    answers.check()?;
    let TensorModel { name, config, .. } = model;
    let weights = Weights::in_memory(&name, model.tensors);
    refuse_quantised(&weights)?;
    let config = config.map(|value| Config::in_memory(&name, value));
    let candidate = Candidate::new(&weights, (&config, None), answers);
    if let Some([mean, std]) = model.whitening {
        let (sae, warnings) = notebook::of_tensors(&candidate, mean, &std)?;
        candidate.check_answers(notebook::NAME)?;
        let loaded = of_notebook(&name, sae, warnings);
        return Ok(with_decoder(loaded, &weights));
    }
    match family_of(&candidate)? {
        Told::Family(family) if model.is_package && std::ptr::eq(family, PLAIN) => {
            Err(no_whitening(&candidate))
        }
        Told::Family(family) => {
            let loaded = of_family(name.into(), family, &candidate)?;
            Ok(with_decoder(loaded, &weights))
        }
        Told::Notebook | Told::Nothing => Err(unknown(&weights)),
    }
}

fn with_decoder(loaded: LoadedModel, weights: &Weights) -> LoadedModel {
    LoadedModel {
        decoder: Decoder::of(weights, &loaded.sae),
        ..loaded
    }
}

/// The error of a package whose config has no whitening, as of a file.
fn no_whitening(of: &Candidate<'_>) -> Error {
    let file = of.weights.source.name();
    let found = "no mean and standard deviation of the whitening";
    let expected = "keys μ (or mu, mean) and σ (or std, sigma)";
    let action = "save the whitening's mean and standard deviation in the config";
    Error::input(file, "config", found, expected, action)
}

fn of_notebook(name: &str, sae: Sae, warnings: Vec<String>) -> LoadedModel {
    let scores = notebook::SCORES.to_owned();
    let about = ModelAbout::new(notebook::NAME, "this project", scores, &sae);
    LoadedModel {
        sae,
        decoder: None,
        path: name.into(),
        stamp: None,
        about,
        identity: Identity::Content,
        warnings,
    }
}
