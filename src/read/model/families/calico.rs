//! Calico's sae-borzoi: the names of `OpenAI` with a temperature.

use super::{Family, openai};
use crate::error::Result;
use crate::read::model::candidate::Candidate;
use crate::read::model::encoder::Encoder;
use crate::sae::Activation;

pub(super) const FAMILY: Family = Family {
    name: "Calico sae-borzoi",
    library: "calico/sae-borzoi at 83b5cc0",
    files: "`best_model.pt`",
    known_by: "`temperature` beside `pre_bias`, `latent_bias`",
    orientation: "`encoder.weight` [d_sae, d_in]",
    scores: "((x − mean) / (std + 1e-5) − `pre_bias`) · `encoder.weight`ᵀ + `latent_bias`",
    fires: "all scores of at least the k-th largest, negative ones too; k is in no key, and is asked",
    claims,
    read,
};

fn claims(of: &Candidate<'_>) -> bool {
    of.weights
        .has(&["pre_bias", "latent_bias", "temperature", "encoder.weight"])
}

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let mut encoder = openai::encoder(of, Some(1e-5))?;
    encoder.activation = Activation::TopKWithTies { k: of.k(None)? };
    of.weights
        .check_unused(&["decoder.weight", "temperature", "stats_last_nonzero"])?;
    Ok(encoder)
}
