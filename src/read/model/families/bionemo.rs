//! NVIDIA `BioNeMo`'s recipes: checkpoints whose `config` is that of the training.

use super::{Family, openai};
use crate::error::Result;
use crate::read::model::candidate::Candidate;
use crate::read::model::config::Config;
use crate::read::model::encoder::Encoder;
use crate::sae::InputStep;

pub(super) const FAMILY: Family = Family {
    name: "NVIDIA BioNeMo",
    library: "NVIDIA/bionemo-framework at 3a9d005",
    files: "`checkpoint_final.pt`",
    known_by: "`hidden_dim` beside a `model_state_dict` with `pre_bias`, `latent_bias`",
    orientation: "`encoder.weight` [d_sae, d_in]",
    scores: "(n(x) − `pre_bias`) · `encoder.weight`ᵀ + `latent_bias`; with `normalize_input` n(x) is \
             (x − mean) / (std + 1e-8), else x; without `model_config` \
             (x − `pre_bias`) / ‖x − `pre_bias`‖ · `encoder.weight`ᵀ + `latent_bias`",
    fires: "`top_k` largest above 0; without `model_config` above 0",
    claims,
    read,
};

fn claims(of: &Candidate<'_>) -> bool {
    let is_checkpoint = of.beside().has("hidden_dim") || of.inner("model_config").is_some();
    is_checkpoint
        && of
            .weights
            .has(&["pre_bias", "latent_bias", "encoder.weight"])
        && !of.weights.has(&["temperature"])
}

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let said = of.beside();
    let config = of.inner("model_config");
    let encoder = if let Some(config) = &config {
        top_k(of, config)?
    } else {
        relu(of)?
    };
    said.check_size("input_dim", encoder.input_dim)?;
    said.check_size("hidden_dim", encoder.features)?;
    of.weights
        .check_unused(&["decoder.weight", "decoder.bias", "stats_last_nonzero"])?;
    Ok(encoder)
}

fn top_k(of: &Candidate<'_>, config: &Config) -> Result<Encoder> {
    let epsilon = config.flag("normalize_input", false)?.then_some(1e-8);
    let mut encoder = openai::encoder(of, epsilon)?;
    config.check_size("input_dim", encoder.input_dim)?;
    config.check_size("hidden_dim", encoder.features)?;
    encoder.top_k(of.k(config.count("top_k")?)?);
    Ok(encoder)
}

fn relu(of: &Candidate<'_>) -> Result<Encoder> {
    const OF_TOP_K: &str = "stats_last_nonzero";
    if of.weights.has(&[OF_TOP_K]) {
        let found = "a model of the k largest, and no model_config, which says k";
        let action = "give the checkpoint with its model_config";
        let expected = "a checkpoint with both, or of ReLU with L1";
        return Err(of.weights.bad(OF_TOP_K, found, expected, action));
    }
    let mut encoder = openai::encoder(of, None)?;
    let (norm, least) = (1.0, 1e-12);
    encoder.input.push(InputStep::ScaleToNorm { norm, least });
    let scores = "(x − pre_bias) / ‖x − pre_bias‖ · encoder.weightᵀ + latent_bias";
    scores.clone_into(&mut encoder.scores);
    of.assume(
        "ReLU with L1, as a checkpoint without model_config is, with normalize_input, the library's default: \
         no key says it",
    );
    encoder.relu();
    Ok(encoder)
}
