//! Bussmann's `BatchTopK`: `sae.pt` and `config.json`.

use super::{ELSEWHERE, Family};
use crate::error::Result;
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::config::Config;
use crate::read::model::encoder::Encoder;
use crate::sae::{Activation, InputStep};

pub(super) const FAMILY: Family = Family {
    name: "BatchTopK (Bussmann)",
    library: "bartbussmann/BatchTopK at b9aab1c",
    files: "`sae.pt`, `config.json`",
    known_by: "a torch state dict with `W_enc`; `sae_type`, `act_size` in `config.json`",
    orientation: "`W_enc` [d_in, d_sae]",
    scores: "n(x) is (x − mean) / (std + 1e-5) with `input_unit_norm`, else x. topk, batchtopk: \
             (n(x) − `b_dec`) · `W_enc`, `b_enc` is added with `use_encoder_bias` alone; jumprelu: n(x) · `W_enc` + `b_enc`; \
             vanilla: (n(x) − `b_dec`) · `W_enc` + `b_enc`",
    fires: "`topk` k largest above 0; `batchtopk` k · N largest of the N rows given together, above 0; \
            `jumprelu` above exp(`jumprelu.log_threshold`); `vanilla` above 0",
    claims,
    read,
};

fn claims(of: &Candidate<'_>) -> bool {
    let is_config = of
        .config
        .is_some_and(|config| config.has("sae_type") && config.has("act_size"));
    let weights = of.weights;
    weights.is_state_dict()
        && weights.within.is_empty()
        && weights.has(&["W_enc", "b_dec"])
        && is_config
}

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let config = of.needed_config("config.json")?;
    let kind = config.text("sae_type")?.unwrap_or_default();
    let (is_top_k, subtracts) = match kind {
        "topk" | "batchtopk" => (true, true),
        "jumprelu" => (false, false),
        "vanilla" => (false, true),
        _ => {
            let expected = "topk, batchtopk, jumprelu or vanilla";
            return Err(config.bad("sae_type", expected, ELSEWHERE));
        }
    };
    check_older(config, kind)?;
    let has_bias = !is_top_k || config.flag("use_encoder_bias", false)?;
    let bias = if has_bias {
        Bias::Named("b_enc")
    } else {
        Bias::NoneAs("b_enc")
    };
    let mut encoder = of.encoder("W_enc", Some(Orientation::InputsFirst), bias)?;
    config.check_size("act_size", encoder.input_dim)?;
    config.check_size("dict_size", encoder.features)?;
    let mut x = "x".to_owned();
    if config.flag("input_unit_norm", false)? {
        encoder.input.push(InputStep::Standardize { epsilon: 1e-5 });
        "(x − mean) / (std + 1e-5)".clone_into(&mut x);
    }
    if subtracts {
        encoder.input.push(of.subtract("b_dec", encoder.input_dim)?);
        x = format!("({x} − b_dec)");
    }
    encoder.scores = format!("{x} · W_enc{}", if has_bias { " + b_enc" } else { "" });
    let k = || of.k(config.count("top_k")?);
    match kind {
        "topk" => encoder.top_k(k()?),
        "batchtopk" => encoder.activation = Activation::BatchTopK { k: k()? },
        "jumprelu" => {
            let logarithms = of
                .weights
                .vector("jumprelu.log_threshold", encoder.features)?;
            encoder.above_exp(&logarithms);
        }
        _ => encoder.relu(),
    }
    of.weights.check_unused(&["W_dec", "b_dec", "b_enc"])?;
    Ok(encoder)
}

/// An error for settings of the project's earlier days that are no rule that is known here.
fn check_older(config: &Config, kind: &str) -> Result<()> {
    let key = "activation";
    if !matches!(config.text(key)?, None | Some("relu")) {
        return Err(config.bad(key, "relu", ELSEWHERE));
    }
    // Then its plain class did not standardise rows, now it does.
    let is_older = config.has("use_encoder_bias");
    if is_older && kind == "vanilla" && config.flag("input_unit_norm", false)? {
        let expected = "false, with vanilla and use_encoder_bias";
        return Err(config.bad("input_unit_norm", expected, ELSEWHERE));
    }
    Ok(())
}
