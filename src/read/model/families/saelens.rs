//! `SAELens`: `cfg.json` and `sae_weights.safetensors`, versions 3 to 6.

use serde_json::Value;

use super::{ELSEWHERE, Family};
use crate::error::{Error, Result};
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::config::Config;
use crate::read::model::decoder;
use crate::read::model::encoder::Encoder;
use crate::read::model::weights::OTHER_MODEL;
use crate::sae::{Activation, InputStep, Values};

pub(super) const FAMILY: Family = Family {
    name: "SAELens",
    library: "sae-lens 3.0.0, 5.11.0, 6.54.12",
    files: "`cfg.json`, `sae_weights.safetensors`",
    known_by: "`W_enc` or `W_dec` in a safetensors file, and `cfg.json` beside it",
    orientation: "`W_enc` [d_in, d_sae]",
    scores: "(n(x) − `b_dec`) · `W_enc` + `b_enc`; `b_dec` only if `apply_b_dec_to_input` (true where \
             it is missing), never in a transcoder. n, by `normalize_activations`: `layer_norm` \
             (x − mean) / (std + 1e-5); `constant_norm_rescale` x · √d_in / ‖x‖; others: x",
    fires: "`standard` above 0; `jumprelu` above `threshold` and 0; `topk` k largest above 0, by scores \
            times decoder norms with `rescale_acts_by_decoder_norm`; `abstopk` k largest magnitudes; \
            `gated` both conditions; `batchtopk` k · N largest of N rows",
    claims,
    read,
};

fn claims(of: &Candidate<'_>) -> bool {
    let is_cfg = of.config.is_some_and(|config| {
        config.has("d_sae")
            || config.has("activation_fn_str")
            || config.has("metadata.sae_lens_version")
    });
    of.weights.is_safetensors() && of.weights.has(&["W_dec"]) && is_cfg
}

/// The kind of a model by its config, and whether activations are tanh of scores; in versions before 6
/// `topk` hides in the activation.
fn kind(config: &Config) -> Result<(String, bool)> {
    let kind = config.text("architecture")?.unwrap_or("standard");
    let key = if config.has("activation_fn_str") {
        "activation_fn_str"
    } else {
        "activation_fn"
    };
    let found = match (kind, config.text(key)?.unwrap_or("relu")) {
        // Then all positive scores fire, whatever the architecture is called.
        ("topk", "relu") if config.has(key) => {
            return Err(config.bad(key, "topk, with the architecture topk", ELSEWHERE));
        }
        (kind, "relu") => (kind, false),
        ("topk" | "standard" | "standard_transcoder" | "transcoder", "topk") => ("topk", false),
        (kind @ ("standard" | "jumprelu"), "tanh-relu") => (kind, true),
        (_, "topk" | "tanh-relu") => {
            let expected = format!("relu, with the architecture {kind}");
            return Err(config.bad(key, expected, ELSEWHERE));
        }
        _ => return Err(config.bad(key, "relu, topk or tanh-relu", ELSEWHERE)),
    };
    Ok((found.0.to_owned(), found.1))
}

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let config = of.needed_config("cfg.json")?;
    let (kind, is_tanh) = kind(config)?;
    let known = [
        "standard",
        "jumprelu",
        "topk",
        "abstopk",
        "gated",
        "batchtopk",
        "matryoshka_batchtopk",
    ];
    let plain = kind
        .replace("skip_transcoder", "transcoder")
        .replace("_transcoder", "");
    let plain = if plain == "transcoder" {
        "standard"
    } else {
        plain.as_str()
    };
    if !known.contains(&plain) {
        return Err(refused(config, &kind));
    }
    let bias = if plain == "gated" {
        Bias::NoneAs("b_gate")
    } else {
        Bias::Named("b_enc")
    };
    let mut encoder = of.encoder("W_enc", Some(Orientation::InputsFirst), bias)?;
    config.check_size("d_in", encoder.input_dim)?;
    config.check_size("d_sae", encoder.features)?;
    input(of, config, &kind, &mut encoder)?;
    warn_of_rounding(of, config, &mut encoder)?;
    if plain.ends_with("topk") && config.flag("rescale_acts_by_decoder_norm", false)? {
        encoder.scale_features(&decoder::norms(of.weights, "W_dec", false, &encoder)?);
        encoder.scores += " · ‖W_dec row‖";
    }
    fires(of, config, plain, &mut encoder)?;
    if is_tanh {
        encoder.values = Values::Tanh;
    }
    of.weights.check_unused(&[
        "W_dec",
        "b_dec",
        "b_dec_out",
        "W_skip",
        "scaling_factor",
        "log_feature_sparsity",
        "topk_threshold",
        "finetuning_scaling_factor",
    ])?;
    Ok(encoder)
}

/// The steps before the encoder.
fn input(of: &Candidate<'_>, config: &Config, kind: &str, encoder: &mut Encoder) -> Result<()> {
    let dim = encoder.input_dim;
    let key = "normalize_activations";
    let how = match config.get(key) {
        None | Some(Value::Bool(false)) => "none",
        Some(Value::Bool(true)) => "expected_average_only_in",
        Some(_) => config.text(key)?.unwrap_or("none"),
    };
    let mut x = "x".to_owned();
    match how {
        "none" => {}
        "layer_norm" => {
            encoder.input.push(InputStep::Standardize { epsilon: 1e-5 });
            "(x − mean) / (std + 1e-5)".clone_into(&mut x);
        }
        "constant_norm_rescale" => {
            let norm = (dim as f32).sqrt();
            encoder
                .input
                .push(InputStep::ScaleToNorm { norm, least: 0.0 });
            "x · √d_in / ‖x‖".clone_into(&mut x);
        }
        "expected_average_only_in" | "covariance_whitening"
            if is_amid_training(config, kind, how) =>
        {
            let expected = "a model whose weights have the normalisation in them";
            let action =
                "save the model with the library's save_inference_model, which folds it in";
            return Err(config.bad(key, expected, action));
        }
        "expected_average_only_in" | "covariance_whitening" => encoder.warnings.push(format!(
            "{key} is {how}, which the library's encode does not do: embeddings are taken to be \
             normalised already, or the normalisation to be in the weights"
        )),
        _ => {
            let expected = "none, layer_norm, constant_norm_rescale, expected_average_only_in or \
                            covariance_whitening";
            return Err(config.bad(key, expected, "this model cannot be read yet"));
        }
    }
    if config.flag("apply_b_dec_to_input", true)? && !kind.contains("transcoder") {
        encoder.input.push(of.subtract("b_dec", dim)?);
        x = format!("{x} − b_dec");
    }
    encoder.scores = format!(
        "({x}) · W_enc{}",
        if kind.starts_with("gated") {
            ""
        } else {
            " + b_enc"
        }
    );
    Ok(())
}

/// Says whether these are weights amid training, which the trainer's statistics are not folded into: they
/// stand beside, or the model has no thresholds yet.
fn is_amid_training(config: &Config, kind: &str, how: &str) -> bool {
    let folder = config.path.as_deref().and_then(std::path::Path::parent);
    let is_beside = ["activation_scaler.json", "activation_whitening.safetensors"]
        .iter()
        .any(|name| folder.is_some_and(|folder| folder.join(name).is_file()));
    is_beside || how == "expected_average_only_in" && kind.contains("batchtopk")
}

/// A warning where the library, unless it is asked for float32, rounds the file's numbers as it loads
/// them: thresholds stay in float32 in a model that is trained in bfloat16.
fn warn_of_rounding(of: &Candidate<'_>, config: &Config, encoder: &mut Encoder) -> Result<()> {
    let dtype = config.text("dtype")?.unwrap_or_default();
    let dtype = dtype.strip_prefix("torch.").unwrap_or(dtype);
    let is_narrow = ["bfloat16", "float16", "half"].contains(&dtype);
    let wide = ["W_enc", "b_enc", "b_dec", "threshold"]
        .into_iter()
        .find(|name| matches!(of.weights.dtype(name), Some("F32" | "F64")));
    if let (true, Some(name)) = (is_narrow, wide) {
        encoder.warnings.push(format!(
            "dtype is {dtype}, to which the library rounds all numbers as it loads them, and {name} is in \
             float32: it is taken as it is, as by load_from_disk(..., dtype=\"float32\")"
        ));
    }
    Ok(())
}

fn fires(of: &Candidate<'_>, config: &Config, kind: &str, encoder: &mut Encoder) -> Result<()> {
    let weights = of.weights;
    let k = || {
        let (outer, inner) = (config.count("k")?, config.count("activation_fn_kwargs.k")?);
        if let (Some(outer), Some(inner)) = (outer, inner)
            && outer != inner
        {
            let expected = format!("{outer}, as k says");
            return Err(config.bad("activation_fn_kwargs.k", expected, OTHER_MODEL));
        }
        of.k(outer.or(inner))
    };
    match kind {
        // The name that training had in versions before 6.
        "jumprelu" if weights.has(&["log_threshold"]) && !weights.has(&["threshold"]) => {
            encoder.above_exp(&weights.vector("log_threshold", encoder.features)?);
        }
        "jumprelu" => encoder.above(&weights.vector("threshold", encoder.features)?),
        "topk" => encoder.top_k(k()?),
        "abstopk" => encoder.activation = Activation::AbsTopK { k: k()? },
        "batchtopk" | "matryoshka_batchtopk" => {
            if config
                .get("k")
                .and_then(Value::as_f64)
                .is_some_and(|k| k.fract() != 0.0)
            {
                let expected = "a whole number of atoms a row, on average";
                let action =
                    "save the model with the library's save_inference_model, which has a threshold";
                return Err(config.bad("k", expected, action));
            }
            encoder.activation = Activation::BatchTopK { k: k()? };
        }
        "gated" => {
            let vector = |name| weights.vector(name, encoder.features);
            let (gate, magnitude, r) = (vector("b_gate")?, vector("b_mag")?, vector("r_mag")?);
            encoder.gated(&gate, &magnitude, &r);
        }
        _ => encoder.relu(),
    }
    Ok(())
}

fn refused(config: &Config, kind: &str) -> Error {
    let expected =
        "standard, jumprelu, topk, abstopk, gated, batchtopk, or a transcoder of one of them";
    let action = match kind {
        "matching_pursuit" => {
            "matching pursuit has no encoder to multiply with: encode with the library, and give the \
             activations instead of embeddings and model"
        }
        _ => ELSEWHERE,
    };
    config.bad("architecture", expected, action)
}
