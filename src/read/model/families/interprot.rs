//! `InterProt`: one safetensors file.

use super::Family;
use crate::error::Result;
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::encoder::Encoder;
use crate::sae::InputStep;

pub(super) const FAMILY: Family = Family {
    name: "InterProt",
    library: "etowahadams/interprot at 287c373",
    files: "`esm2_plm1280_l24_sae4096.safetensors` and the like",
    known_by: "`w_enc`, `b_pre`",
    orientation: "`w_enc` [d_in, d_sae]",
    scores: "((x − mean) / (std + 1e-5) − `b_pre`) · `w_enc` + `b_enc`",
    fires: "k largest above 0; k is in no key, and is asked",
    claims,
    read,
};

fn claims(of: &Candidate<'_>) -> bool {
    of.weights.has(&["w_enc", "b_pre", "b_enc"])
}

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let mut encoder = of.encoder(
        "w_enc",
        Some(Orientation::InputsFirst),
        Bias::Named("b_enc"),
    )?;
    let bias = of.subtract("b_pre", encoder.input_dim)?;
    encoder.input = vec![InputStep::Standardize { epsilon: 1e-5 }, bias];
    encoder.scores = FAMILY.scores.replace('`', "");
    encoder.top_k(of.k(None)?);
    of.weights.check_unused(&["w_dec", "stats_last_nonzero"])?;
    Ok(encoder)
}
