//! The answers of a caller to what a model's file does not say.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::error::{Choice, Error, Result};
use crate::read::layer_name::is_of_layer;

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

impl ModelAnswers {
    /// Checks that the answers can be true of some model.
    ///
    /// # Errors
    /// A k of 0; a threshold that is no number, or below 0, where it would let nothing more fire than 0
    /// does; both, which no model needs.
    pub(super) fn check(&self) -> Result<()> {
        if self.k == Some(0) {
            return Err(Error::choice(Choice::TopK, "0", "a number of at least 1"));
        }
        let Some(threshold) = self.threshold else {
            return Ok(());
        };
        if !threshold.is_finite() || threshold < 0.0 {
            let expected =
                "a number of at least 0: what is not above 0 fires in no model that asks for one";
            return Err(Error::choice(
                Choice::Threshold,
                threshold.to_string(),
                expected,
            ));
        }
        if self.k.is_some() {
            let found = format!("{threshold} beside a number of atoms");
            let expected =
                "one of both: either the k largest scores fire, or those above a threshold";
            return Err(Error::choice(Choice::Threshold, found, expected));
        }
        Ok(())
    }
}

impl ModelAnswers {
    /// The answers that were given, but for the layer, which may be that of embeddings.
    pub(super) fn of_model(&self) -> impl Iterator<Item = (Choice, String)> {
        let yes_or_no = |yes| if yes { "yes" } else { "no" }.to_owned();
        let all = [
            (Choice::TopK, self.k.map(|k| k.to_string())),
            (
                Choice::SubtractDecoderBias,
                self.subtract_decoder_bias.map(yes_or_no),
            ),
            (Choice::Orientation, self.orientation.map(|o| o.to_string())),
            (Choice::Threshold, self.threshold.map(|t| t.to_string())),
        ];
        let given = |(choice, answer): (Choice, Option<String>)| Some((choice, answer?));
        all.into_iter().filter_map(given)
    }

    /// The same answers without the layer, which may be that of embeddings.
    #[must_use]
    pub fn without_layer(self) -> Self {
        Self {
            layer: None,
            ..self
        }
    }

    /// Checks that nothing was answered, where no model is read; `why` says so.
    ///
    /// # Errors
    /// An answer.
    pub fn check_none(&self, why: &str) -> Result<()> {
        let layer = self.layer.clone().map(|layer| (Choice::Layer, layer));
        match self.of_model().chain(layer).next() {
            Some((choice, answer)) => {
                Err(Error::choice(choice, answer, format!("no answer: {why}")))
            }
            None => Ok(()),
        }
    }

    /// Checks that a layer was answered only where it says something: `model` is the model's file, and
    /// `of_embeddings` says whether embeddings were chosen by it.
    ///
    /// # Errors
    /// A layer that the model's place does not name, and that chose no embeddings.
    pub(crate) fn check_layer(&self, model: Option<&Path>, of_embeddings: bool) -> Result<()> {
        let Some(layer) = self.layer.as_ref().filter(|_| !of_embeddings) else {
            return Ok(());
        };
        if model.is_some_and(|path| is_of_layer(path, layer)) {
            return Ok(());
        }
        let expected = "no answer: there are not several layers to choose from";
        Err(Error::choice(Choice::Layer, layer, expected))
    }
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

    fn from_str(text: &str) -> std::result::Result<Self, String> {
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

#[cfg(test)]
mod tests {
    use super::ModelAnswers;

    #[test]
    fn answers_that_no_model_can_need_are_refused() {
        let with = |k, threshold| ModelAnswers {
            k,
            threshold,
            ..ModelAnswers::default()
        };
        for good in [with(None, None), with(Some(5), None), with(None, Some(0.0))] {
            assert!(good.check().is_ok(), "{good:?}");
        }
        for (bad, words) in [
            (with(Some(0), None), "found 0"),
            (with(None, Some(f64::NAN)), "found NaN"),
            (with(None, Some(f64::INFINITY)), "found inf"),
            (with(None, Some(-1.0)), "found -1"),
            (with(Some(5), Some(0.5)), "one of both"),
        ] {
            let error = bad.check().expect_err("an answer to nothing").to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
