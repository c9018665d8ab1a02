//! `EleutherAI`'s sparsify: `cfg.json` and `sae.safetensors`, often a folder for each layer.

use super::Family;
use crate::error::Result;
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::config::Config;
use crate::read::model::encoder::Encoder;
use crate::read::model::weights::OTHER_MODEL;
use crate::sae::Activation;

pub(super) const FAMILY: Family = Family {
    name: "sparsify",
    library: "eai-sparsify 1.3.3",
    files: "`cfg.json`, `sae.safetensors`, in folders `layers.N` where there are several",
    known_by: "`encoder.weight` and `W_dec` in a safetensors file; `d_in` and `k`, no `sae_type`, in \
               `cfg.json`",
    orientation: "`encoder.weight` [d_sae, d_in]",
    scores: "(x − `b_dec`) · `encoder.weight`ᵀ + `encoder.bias`; with `transcode` x itself",
    fires: "k largest above 0; `groupmax` the largest of each of k groups of neighbours, above 0; \
            `signed` (2024) k largest magnitudes",
    claims,
    read,
};

fn claims(of: &Candidate<'_>) -> bool {
    let names = ["encoder.weight", "encoder.bias", "W_dec"];
    let is_cfg = |config: &Config| config.has("k") && !config.has("sae_type");
    of.weights.is_safetensors() && of.weights.has(&names) && of.config.is_some_and(is_cfg)
}

/// The encoder, with the sizes that the config gives checked: the same in latentsae.
pub(super) fn encoder(of: &Candidate<'_>, config: &Config) -> Result<Encoder> {
    let bias = Bias::Named("encoder.bias");
    let encoder = of.encoder("encoder.weight", Some(Orientation::FeaturesFirst), bias)?;
    config.check_size("d_in", encoder.input_dim)?;
    match config.count("num_latents")? {
        Some(0) | None => {
            let factor = config.count("expansion_factor")?;
            let expected = factor.and_then(|factor| factor.checked_mul(encoder.input_dim));
            if expected.is_some_and(|expected| expected != encoder.features) {
                let expected = format!(
                    "one that makes {} features of {}",
                    encoder.features, encoder.input_dim
                );
                return Err(config.bad("expansion_factor", expected, OTHER_MODEL));
            }
        }
        Some(_) => config.check_size("num_latents", encoder.features)?,
    }
    Ok(encoder)
}

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let config = of.needed_config("cfg.json")?;
    let mut encoder = encoder(of, config)?;
    let mut x = "x";
    if !config.flag("transcode", false)? {
        encoder.input.push(of.subtract("b_dec", encoder.input_dim)?);
        x = "(x − b_dec)";
    }
    encoder.scores = format!("{x} · encoder.weightᵀ + encoder.bias");
    let k = of.k(config.count("k")?)?;
    match config.text("activation")?.unwrap_or("topk") {
        "topk" if config.flag("signed", false)? => encoder.activation = Activation::AbsTopK { k },
        "topk" => encoder.top_k(k),
        "groupmax" => encoder.activation = Activation::GroupMax { groups: k },
        _ => {
            let action = "this model cannot be read yet";
            return Err(config.bad("activation", "topk or groupmax", action));
        }
    }
    of.weights.check_unused(&["W_dec", "b_dec", "W_skip"])?;
    Ok(encoder)
}
