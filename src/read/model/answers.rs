//! The answers of a caller to what a model's file does not say.

use std::fmt;
use std::str::FromStr;

/// Answers to what a file of a model may leave open. Each is asked for where a model needs it, and refused
/// where the model says otherwise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelAnswers {
    /// The number of features that fire on a row.
    pub k: Option<usize>,
    /// True if the decoder's bias is subtracted from embeddings before the encoder.
    pub subtract_decoder_bias: Option<bool>,
    /// The orientation of the encoder's matrix.
    pub orientation: Option<Orientation>,
    /// The one threshold of all features.
    pub threshold: Option<f64>,
    /// The layer, of a folder that has several: its number, or the name of its file or folder.
    pub layer: Option<String>,
}

/// The orientation of an encoder's matrix in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Orientation {
    /// \[`d_in`, `d_sae`\]: a row for each number of an embedding.
    InputsFirst,
    /// \[`d_sae`, `d_in`\]: a row for each feature, as `torch.nn.Linear` has it.
    FeaturesFirst,
}

impl Orientation {
    /// Both, by the names that people type.
    pub const NAMES: [(&'static str, Self); 2] = [
        ("inputs-first", Self::InputsFirst),
        ("features-first", Self::FeaturesFirst),
    ];
}

impl FromStr for Orientation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::NAMES.iter().find(|(name, _)| *name == text);
        known.map(|&(_, orientation)| orientation).ok_or_else(|| {
            "expected inputs-first, a row for each number of an embedding, or features-first, a row \
             for each feature"
                .to_owned()
        })
    }
}

impl fmt::Display for Orientation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Self::NAMES.iter().find(|(_, known)| known == self);
        f.write_str(known.map_or("", |(name, _)| name))
    }
}
