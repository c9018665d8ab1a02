//! ESM C: one safetensors file a layer.

use super::Family;
use crate::error::Result;
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::encoder::Encoder;
use crate::sae::InputStep;

pub(super) const FAMILY: Family = Family {
    name: "ESM C",
    library: "esm 3.4.1.post1",
    files: "`config.json` (`model_type: esmc_sae`), `layer_N.safetensors`",
    known_by: "`W_enc`, `idf` in a safetensors file",
    orientation: "`W_enc` [d_in, d_sae]",
    scores: "((x − mean) / (std + 1e-5) − `b_dec`) · `W_enc`; no bias",
    fires: "k largest above 0; `idf` and `max` change nothing",
    claims,
    read,
};

fn claims(of: &Candidate<'_>) -> bool {
    of.weights.is_safetensors() && of.weights.has(&["W_enc", "b_dec", "idf"])
}

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let config = of.needed_config("config.json")?;
    let mut encoder = of.encoder("W_enc", Some(Orientation::InputsFirst), Bias::NoneAs("idf"))?;
    config.check_size("d_model", encoder.input_dim)?;
    config.check_size("codebook_dim", encoder.features)?;
    let bias = of.subtract("b_dec", encoder.input_dim)?;
    encoder.input = vec![InputStep::Standardize { epsilon: 1e-5 }, bias];
    encoder.scores = FAMILY.scores.replace('`', "");
    encoder.top_k(of.k(config.count("k")?)?);
    of.weights.check_unused(&["W_dec", "idf", "max"])?;
    Ok(encoder)
}
