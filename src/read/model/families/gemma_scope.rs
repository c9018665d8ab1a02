//! Gemma Scope, 1 and 2.

use super::Family;
use crate::error::Result;
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::encoder::Encoder;

pub(super) const FAMILY: Family = Family {
    name: "Gemma Scope",
    library: "as sae-lens 6.54.12 loads it",
    files: "`params.npz` (1); `config.json`, `params.safetensors` (2)",
    known_by: "`W_enc`, `b_enc`, `threshold` in an `.npz`; `w_enc`, `threshold` in a safetensors file \
               with `architecture: jump_relu`",
    orientation: "`W_enc`, `w_enc` [d_in, d_sae]",
    scores: "x · `W_enc` + `b_enc`; `b_dec` is not subtracted",
    fires: "above `threshold` and 0",
    claims,
    read,
};

fn claims(of: &Candidate<'_>) -> bool {
    let weights = of.weights;
    let first = weights.is_npz() && weights.has(&["W_enc", "b_enc", "threshold"]);
    first || (weights.is_safetensors() && weights.has(&["w_enc", "b_enc", "threshold"]))
}

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let matrix = if of.weights.is_npz() {
        "W_enc"
    } else {
        "w_enc"
    };
    if !of.weights.is_npz() {
        let config = of.needed_config("config.json")?;
        let key = "architecture";
        if !matches!(config.text(key)?, Some("jump_relu" | "jumprelu")) {
            return Err(config.bad(key, "jump_relu", "this kind of model cannot be read yet"));
        }
    }
    let mut encoder = of.encoder(matrix, Some(Orientation::InputsFirst), Bias::Named("b_enc"))?;
    if let Some(config) = of.config.filter(|_| !of.weights.is_npz()) {
        config.check_size("width", encoder.features)?;
    }
    encoder.scores = format!("x · {matrix} + b_enc");
    encoder.above(&of.weights.vector("threshold", encoder.features)?);
    let harmless = [
        "W_dec",
        "w_dec",
        "b_dec",
        "affine_skip_connection",
        "W_skip",
        "w_skip",
    ];
    of.weights.check_unused(&harmless)?;
    Ok(encoder)
}
