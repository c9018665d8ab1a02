//! `InterPLM`: `dictionary_learning`'s names with factors of activations.

use super::Family;
use crate::error::Result;
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::encoder::Encoder;
use crate::sae::InputStep;

pub(super) const FAMILY: Family = Family {
    name: "InterPLM",
    library: "ElanaPearl/InterPLM at 5f4cbf9",
    files: "`ae.pt` or `ae_normalized.pt`, `config.yaml`",
    known_by: "`activation_rescale_factor`",
    orientation: "`encoder.weight` [d_sae, d_in]",
    scores: "(n(x) − `bias`) · `encoder.weight`ᵀ + `encoder.bias`, with `normalize_to_sqrt_d` n(x) is \
             x · √d_in / ‖x‖, as its pipeline has it; where there is no `bias`, x − `b_dec` or, with \
             `decoder.bias`, x itself",
    fires: "`bias`: above 0; `b_dec`: above `threshold` and 0 (BatchTopK), or k largest above 0 (TopK, and \
            a `threshold` below 0, which no training has set); `decoder.bias`: above each `threshold`, or \
            above 0 without one. Activations are divided by `activation_rescale_factor`",
    claims: |of| {
        of.weights
            .has(&["activation_rescale_factor", "encoder.weight"])
    },
    read,
};

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let weights = of.weights;
    let bias = Bias::Named("encoder.bias");
    let mut encoder = of.encoder("encoder.weight", Some(Orientation::FeaturesFirst), bias)?;
    input(of, &mut encoder)?;
    if weights.has(&["bias"]) {
        encoder.relu();
    } else if weights.has(&["b_dec"]) {
        top_k(of, &mut encoder)?;
    } else if weights.has(&["threshold"]) {
        encoder.above(&weights.vector("threshold", encoder.features)?);
    } else {
        encoder.relu();
    }
    let factors = weights.vector("activation_rescale_factor", encoder.features)?;
    let inverse = |&factor: &f32| {
        if factor == 0.0 {
            1.0
        } else {
            1.0 / f64::from(factor)
        }
    };
    encoder.value_factors(&factors.iter().map(inverse).collect::<Vec<_>>());
    let harmless = [
        "decoder.weight",
        "decoder.bias",
        "k",
        "threshold",
        "normalize_to_sqrt_d",
    ];
    weights.check_unused(&harmless)?;
    Ok(encoder)
}

/// The steps before the encoder. All classes scale rows in `forward`; to encode, that of `bias` alone.
fn input(of: &Candidate<'_>, encoder: &mut Encoder) -> Result<()> {
    let (weights, dim) = (of.weights, encoder.input_dim);
    let subtracted = ["bias", "b_dec"]
        .into_iter()
        .find(|name| weights.has(&[name]));
    let mut x = "x";
    if weights.has(&["normalize_to_sqrt_d"]) && weights.count("normalize_to_sqrt_d")? == Some(1) {
        if subtracted == Some("bias") {
            let norm = (dim as f32).sqrt();
            encoder
                .input
                .push(InputStep::ScaleToNorm { norm, least: 1e-12 });
            x = "x · √d_in / ‖x‖";
        } else {
            encoder.warnings.push(
                "normalize_to_sqrt_d is set, which the library does in training and not where it encodes with \
                 this class: embeddings are taken as they are"
                    .to_owned(),
            );
        }
    }
    encoder.scores = match subtracted {
        Some(name) => {
            encoder.input.push(of.subtract(name, dim)?);
            format!("({x} − {name}) · encoder.weightᵀ + encoder.bias")
        }
        None => "x · encoder.weightᵀ + encoder.bias".to_owned(),
    };
    Ok(())
}

fn top_k(of: &Candidate<'_>, encoder: &mut Encoder) -> Result<()> {
    of.check_config()?;
    let class = of
        .config
        .map(|config| config.text("trainer_cfg"))
        .transpose()?
        .flatten();
    let class = class.map(|class| class.rsplit('.').next().unwrap_or(class));
    let threshold = of.weights.number("threshold")?;
    let is_top_k = match class {
        Some("TopKTrainerConfig") => true,
        _ if threshold < 0.0 => {
            of.assume("k largest: no training has set the threshold, which is below 0");
            true
        }
        Some("BatchTopKTrainerConfig") => false,
        _ => {
            let config = of.needed_config("config.yaml, which says TopK or BatchTopK,")?;
            let expected = "a class TopKTrainerConfig or BatchTopKTrainerConfig";
            return Err(config.bad("trainer_cfg", expected, "use the config of this model"));
        }
    };
    if is_top_k {
        encoder.top_k(of.k(of.weights.count("k")?)?);
    } else {
        encoder.above_one(f64::from(threshold));
    }
    Ok(())
}
