//! latentsae: sparsify's files with a `sae_type`.

use super::{ELSEWHERE, Family, sparsify};
use crate::error::Result;
use crate::read::model::candidate::Candidate;
use crate::read::model::config::Config;
use crate::read::model::encoder::Encoder;
use crate::sae::Activation;

pub(super) const FAMILY: Family = Family {
    name: "latentsae",
    library: "latentsae 0.2.0",
    files: "`cfg.json`, `sae.safetensors`",
    known_by: "as sparsify, with `sae_type` in `cfg.json`",
    orientation: "`encoder.weight` [d_sae, d_in]",
    scores: "(x − `b_dec`) · `encoder.weight`ᵀ + `encoder.bias`; `mean_center` subtracts `input_mean` \
             first",
    fires: "`TOPK`, `MATRYOSHKA` k largest above 0; `BATCHTOPK` k largest that are at least \
            `batchtopk_threshold` and above 0; `ABSTOPK` k largest magnitudes; `JUMPRELU` above \
            exp(`log_threshold`), and a call with more than `jumprelu_max_active` is an error; MATRYOSHKA has the last of `matryoshka_ks` for k; other types are refused \
            by name",
    claims,
    read,
};

fn claims(of: &Candidate<'_>) -> bool {
    let is_cfg = |config: &Config| config.has("sae_type");
    of.weights.is_safetensors()
        && of.weights.has(&["W_dec", "b_dec"])
        && of.config.is_some_and(is_cfg)
}

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let config = of.needed_config("cfg.json")?;
    let kind = config.text("sae_type")?.unwrap_or_default().to_uppercase();
    check_kind(config, &kind)?;
    let mut encoder = sparsify::encoder(of, config)?;
    let dim = encoder.input_dim;
    let mut x = "x".to_owned();
    if config.flag("mean_center", false)? {
        encoder.input.push(of.subtract("input_mean", dim)?);
        x += " − input_mean";
    }
    encoder.input.push(of.subtract("b_dec", dim)?);
    encoder.scores = format!("({x} − b_dec) · encoder.weightᵀ + encoder.bias");
    let k = || of.k(config.count("k")?);
    let mut harmless = vec!["W_dec", "b_dec", "W_skip*", "input_mean"];
    match &*kind {
        "MATRYOSHKA" => {
            encoder.top_k(of.k(Some(last_of_list(config, "matryoshka_ks")?))?);
            // For batches of training: to encode a row the library does not look at it.
            harmless.push("batchtopk_threshold");
        }
        "BATCHTOPK" => {
            let threshold = of.weights.number("batchtopk_threshold")?;
            encoder.top_k_at_least(k()?, threshold);
        }
        "ABSTOPK" => encoder.activation = Activation::AbsTopK { k: k()? },
        "JUMPRELU" => jump(of, config, &mut encoder)?,
        _ => encoder.top_k(k()?),
    }
    of.weights.check_unused(&harmless)?;
    Ok(encoder)
}

/// An error for types whose rule is none that is known here.
fn check_kind(config: &Config, kind: &str) -> Result<()> {
    let known = ["TOPK", "MATRYOSHKA", "BATCHTOPK", "ABSTOPK", "JUMPRELU"];
    if known.contains(&kind) {
        return Ok(());
    }
    let action = match kind {
        "GATED" => {
            "one matrix chooses the atoms and another says which are above 0: encode with the library, and \
             give the activations instead of embeddings and model"
        }
        "COSINE" => {
            "each atom has its own power of the row's norm: encode with the library, and give the \
             activations instead of embeddings and model"
        }
        "LISTA" => {
            "its encoder is iterative: encode with the library, and give the activations instead of \
             embeddings and model"
        }
        _ => ELSEWHERE,
    };
    Err(config.bad("sae_type", known.join(", "), action))
}

fn jump(of: &Candidate<'_>, config: &Config, encoder: &mut Encoder) -> Result<()> {
    let logarithms = of.weights.vector("log_threshold", encoder.features)?;
    // The library's own number, where the config does not say it.
    let most = config.count("jumprelu_max_active")?.unwrap_or(512);
    if most < encoder.features {
        encoder.most = Some(most);
    }
    encoder.above_exp(&logarithms);
    Ok(())
}

/// The last number of a list that is written with commas.
fn last_of_list(config: &Config, key: &str) -> Result<usize> {
    let list = config.text(key)?.unwrap_or_default();
    let mut numbers = list.split(',').map(str::trim).filter(|n| !n.is_empty());
    let last = numbers.next_back().and_then(|n| n.parse().ok());
    last.ok_or_else(|| {
        config.bad(
            key,
            "numbers with commas between them",
            "check the model's config",
        )
    })
}
