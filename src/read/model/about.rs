//! A model in words.

use std::fmt;
use std::path::PathBuf;

use crate::sae::{Activation, Sae};

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

impl ModelAbout {
    pub(super) fn new(
        family: &'static str,
        library: &'static str,
        scores: String,
        sae: &Sae,
    ) -> Self {
        let bound = sae
            .most()
            .map(|most| format!("; a call with more than {most} is an error"));
        Self {
            family,
            library,
            scores,
            fires: in_words(sae.activation()) + &bound.unwrap_or_default(),
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
