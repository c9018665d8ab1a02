//! A model in words.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Activation, Sae};

/// A description of a model in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ModelAbout {
    /// The family: the library whose formula it is.
    pub family: String,
    /// The library, with the version that was looked at.
    pub library: String,
    /// How scores are computed, in symbols.
    pub scores: String,
    /// Which atoms fire.
    pub fires: String,
    /// D, the length of an embedding.
    pub input_dim: usize,
    /// F, the number of features.
    pub feature_dim: usize,
    /// Answers of the caller to what no file says, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answered: Vec<String>,
    /// Assumptions on what no file says, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
    /// The files beside the weights that were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<PathBuf>,
    /// The source of a model that was converted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// The source of a model in our own form.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// The family that it was converted from, and its library.
    pub family: String,
    /// The files that were read: of a model that was converted more than once, those of every time.
    pub files: Vec<OriginFile>,
    /// What was answered or assumed then, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
}

/// A file that a model was converted from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OriginFile {
    /// Its name, without its folder.
    pub name: String,
    /// The SHA-256 of its content, in hexadecimal.
    pub sha256: String,
}

impl ModelAbout {
    pub(crate) fn new(family: &str, library: &str, scores: String, sae: &Sae) -> Self {
        let bound = sae
            .most()
            .map(|most| format!("; a call with more than {most} is an error"));
        Self {
            family: family.to_owned(),
            library: library.to_owned(),
            scores,
            fires: in_words(sae.activation()) + &bound.unwrap_or_default(),
            input_dim: sae.input_dim(),
            feature_dim: sae.feature_dim(),
            answered: Vec::new(),
            assumed: Vec::new(),
            beside: Vec::new(),
            origin: None,
        }
    }
}

impl fmt::Display for ModelAbout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (family, library) = (&self.family, &self.library);
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
        let Some(origin) = &self.origin else {
            return Ok(());
        };
        let files: Vec<_> = origin.files.iter().map(|file| &*file.name).collect();
        writeln!(
            f,
            "  converted from: {}, {}",
            origin.family,
            files.join(", ")
        )?;
        for sentence in &origin.assumed {
            writeln!(f, "  when it was converted: {sentence}")?;
        }
        Ok(())
    }
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
