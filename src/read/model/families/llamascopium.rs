//! llamascopium (`OpenMOSS`, once lm-saes): `config.json` and `sae_weights.safetensors`.

use serde_json::Value;

use super::{ELSEWHERE, Family};
use crate::error::Result;
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::config::Config;
use crate::read::model::decoder;
use crate::read::model::encoder::Encoder;
use crate::read::model::weights::OTHER_MODEL;
use crate::sae::Activation;

pub(super) const FAMILY: Family = Family {
    name: "llamascopium",
    library: "llamascopium 2.0.0b34",
    files: "`config.json`, `sae_weights.safetensors` or `.pt`",
    known_by: "`W_E`, `b_E`",
    orientation: "`W_E` [d_in, d_sae]",
    scores: "x · `W_E` + `b_E`, times ‖row of `W_D`‖ to decide with `sparsity_include_decoder_norm`; \
             `b_D` is not subtracted, and x is not scaled by `norm_activation`",
    fires: "`relu` above 0; `topk` k largest above 0; `batchtopk` k · N largest of the N rows given \
            together, above 0; `jumprelu` above exp(`activation_function.log_jumprelu_threshold`)",
    claims: |of| of.weights.has(&["W_E", "b_E"]),
    read,
};

/// Keys of its config, of which the library writes all.
const KEYS: [&str; 9] = [
    "act_fn",
    "sae_type",
    "d_model",
    "expansion_factor",
    "top_k",
    "hook_point_in",
    "norm_activation",
    "sparsity_include_decoder_norm",
    "use_glu_encoder",
];

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let config = of.needed_config("config.json")?.of_keys(&KEYS)?;
    if !matches!(config.text("sae_type")?, None | Some("sae")) {
        return Err(config.bad("sae_type", "sae", ELSEWHERE));
    }
    if config.flag("use_glu_encoder", false)? {
        return Err(config.bad("use_glu_encoder", "false", ELSEWHERE));
    }
    let mut encoder = of.encoder("W_E", Some(Orientation::InputsFirst), Bias::Named("b_E"))?;
    config.check_size("d_model", encoder.input_dim)?;
    check_expansion(config, &encoder)?;
    "x · W_E + b_E".clone_into(&mut encoder.scores);
    let norms = config
        .flag("sparsity_include_decoder_norm", true)?
        .then(|| decoder::norms(of.weights, "W_D", false, &encoder))
        .transpose()?;
    if let Some(norms) = &norms {
        encoder.scale_features(norms);
        encoder.scores += ", times ‖W_D row‖";
    }
    match &*config.text("act_fn")?.unwrap_or("relu").to_lowercase() {
        "relu" => encoder.relu(),
        "batchtopk" => {
            let k = of.k(config.count("top_k")?)?;
            encoder.activation = Activation::BatchTopK { k };
        }
        "topk" => encoder.top_k(of.k(config.count("top_k")?)?),
        "jumprelu" => {
            let name = "activation_function.log_jumprelu_threshold";
            let logarithms = of.weights.vector(name, encoder.features)?;
            encoder.above_exp(&logarithms);
        }
        _ => {
            let expected = "relu, topk, batchtopk or jumprelu";
            return Err(config.bad("act_fn", expected, ELSEWHERE));
        }
    }
    if let Some(norms) = norms {
        let inverse = |norm: f64| if norm == 0.0 { 1.0 } else { 1.0 / norm };
        encoder.value_factors(&norms.into_iter().map(inverse).collect::<Vec<_>>());
    }
    if let Some(how) = config
        .text("norm_activation")?
        .filter(|how| *how != "inference")
    {
        encoder.warnings.push(format!(
            "norm_activation is {how}, which the library's encode does not do: embeddings are taken to be \
             scaled already"
        ));
    }
    of.weights
        .check_unused(&["W_D", "b_D", "dataset_average_activation_norm.*"])?;
    Ok(encoder)
}

/// An error unless the config's factor makes as many features as the weights have.
fn check_expansion(config: &Config, encoder: &Encoder) -> Result<()> {
    let Some(factor) = config.get("expansion_factor").and_then(Value::as_f64) else {
        return Ok(());
    };
    // As the library computes it, in binary64.
    let made = (encoder.input_dim as f64 * factor).trunc();
    if made == encoder.features as f64 {
        return Ok(());
    }
    let (dim, features) = (encoder.input_dim, encoder.features);
    let expected = format!("one that makes {features} features of {dim}");
    Err(config.bad("expansion_factor", expected, OTHER_MODEL))
}
