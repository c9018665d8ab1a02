//! llamascopium (`OpenMOSS`, once lm-saes): `config.json` and `sae_weights.safetensors`.

use super::Family;
use crate::error::Result;
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::encoder::Encoder;

pub(super) const FAMILY: Family = Family {
    name: "llamascopium",
    library: "llamascopium 2.0.0b34",
    files: "`config.json`, `sae_weights.safetensors`",
    known_by: "`W_E`, `b_E`",
    orientation: "`W_E` [d_in, d_sae]",
    scores: "x · `W_E` + `b_E`, times ‖row of `W_D`‖ to decide with `sparsity_include_decoder_norm`; \
             `b_D` is not subtracted, and x is not scaled by `norm_activation`",
    fires: "`relu` above 0; `topk` k largest above 0; `jumprelu` above \
            exp(`activation_function.log_jumprelu_threshold`)",
    claims: |of| of.weights.has(&["W_E", "b_E"]),
    read,
};

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let config = of.needed_config("config.json")?;
    if config.flag("use_glu_encoder", false)? {
        let action =
            "encode with the library, and give the activations instead of embeddings and model";
        return Err(config.bad("use_glu_encoder", "false", action));
    }
    let mut encoder = of.encoder("W_E", Some(Orientation::InputsFirst), Bias::Named("b_E"))?;
    config.check_size("d_model", encoder.input_dim)?;
    "x · W_E + b_E".clone_into(&mut encoder.scores);
    let norms = config
        .flag("sparsity_include_decoder_norm", true)?
        .then(|| of.decoder_norms("W_D", false))
        .transpose()?;
    if let Some(norms) = &norms {
        encoder.scale_features(norms);
        encoder.scores += ", times ‖W_D row‖";
    }
    match config.text("act_fn")?.unwrap_or("relu") {
        "relu" => encoder.relu(),
        "topk" => encoder.top_k(of.k(config.count("top_k")?)?),
        "jumprelu" => {
            let name = "activation_function.log_jumprelu_threshold";
            let logarithms = of.weights.vector(name, encoder.features)?;
            encoder.above_exp(&logarithms);
        }
        _ => {
            let expected = "relu, topk or jumprelu";
            return Err(config.bad("act_fn", expected, "this model cannot be read yet"));
        }
    }
    if let Some(norms) = norms {
        let inverse = |norm: f64| if norm == 0.0 { 1.0 } else { 1.0 / norm };
        encoder.value_factors(&norms.into_iter().map(inverse).collect::<Vec<_>>());
    }
    if config.text("norm_activation")? == Some("dataset-wise") {
        encoder.warnings.push(
            "norm_activation is dataset-wise, which the library's encode does not do: embeddings are \
             taken to be scaled already"
                .to_owned(),
        );
    }
    of.weights
        .check_unused(&["W_D", "b_D", "dataset_average_activation_norm.*"])?;
    Ok(encoder)
}
