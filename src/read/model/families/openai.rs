//! `OpenAI`'s sparse autoencoders: a state dict with text among its tensors.

use serde_json::Value;

use super::Family;
use crate::error::Result;
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::encoder::Encoder;
use crate::sae::InputStep;

pub(super) const FAMILY: Family = Family {
    name: "OpenAI",
    library: "openai/sparse_autoencoder at 4965b94",
    files: "`N.pt`",
    known_by: "`pre_bias`, `latent_bias`, and the text `activation`",
    orientation: "`encoder.weight` [d_sae, d_in]",
    scores: "(n(x) − `pre_bias`) · `encoder.weight`ᵀ + `latent_bias`; with `activation` TopK n(x) is \
             (x − mean) / (std + 1e-5), else x",
    fires: "`TopK` k largest above 0 (without ReLU where `postact_fn` is Identity); `ReLU` above 0",
    claims,
    read,
};

fn claims(of: &Candidate<'_>) -> bool {
    let is_named = of
        .weights
        .beside
        .get("activation")
        .is_some_and(Value::is_string);
    is_named
        && of
            .weights
            .has(&["pre_bias", "latent_bias", "encoder.weight"])
}

/// The encoder with the names of `OpenAI`, which others took over.
pub(super) fn encoder(of: &Candidate<'_>, standardized: Option<f32>) -> Result<Encoder> {
    let bias = Bias::Named("latent_bias");
    let mut encoder = of.encoder("encoder.weight", Some(Orientation::FeaturesFirst), bias)?;
    let subtracted = of.subtract("pre_bias", encoder.input_dim)?;
    let step = standardized.map(|epsilon| InputStep::Standardize { epsilon });
    encoder.input = step.into_iter().chain([subtracted]).collect();
    let x = match standardized {
        Some(epsilon) => format!("(x − mean) / (std + {epsilon:e})"),
        None => "x".to_owned(),
    };
    encoder.scores = format!("({x} − pre_bias) · encoder.weightᵀ + latent_bias");
    Ok(encoder)
}

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let said = of.beside();
    let kind = said.text("activation")?.unwrap_or_default();
    let mut encoder = match kind {
        "TopK" => encoder(of, Some(1e-5))?,
        "ReLU" => encoder(of, None)?,
        _ => {
            return Err(said.bad(
                "activation",
                "TopK or ReLU",
                "this model cannot be read yet",
            ));
        }
    };
    if kind == "TopK" {
        let k = of.k(said.count("activation_state_dict.k")?)?;
        let key = "activation_state_dict.postact_fn";
        let relu = match said.text(key)?.unwrap_or("ReLU") {
            "ReLU" => true,
            "Identity" => false,
            _ => return Err(said.bad(key, "ReLU or Identity", "this model cannot be read yet")),
        };
        encoder.activation = crate::sae::Activation::TopK { k, relu };
    } else {
        encoder.relu();
    }
    of.weights
        .check_unused(&["decoder.weight", "stats_last_nonzero", "latents_*"])?;
    Ok(encoder)
}
