//! `dictionary_learning`: `ae.pt` and `config.json`, whose `dict_class` says what the file is.

use super::Family;
use crate::error::Result;
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::decoder;
use crate::read::model::encoder::Encoder;

pub(super) const FAMILY: Family = Family {
    name: "dictionary_learning",
    library: "dictionary-learning 0.1.0",
    files: "`ae.pt`, `config.json`, in folders `trainer_N` where there are several",
    known_by: "a torch state dict, and `trainer` in `config.json` beside it",
    orientation: "`encoder.weight` [d_sae, d_in]; JumpRelu and Matryoshka: `W_enc` [d_in, d_sae]",
    scores: "(x − b) · W + bias, b: AutoEncoder `bias`, GatedAutoEncoder `decoder_bias`, TopK, \
             BatchTopK, Matryoshka `b_dec`; AutoEncoderNew, JumpReluAutoEncoder x itself",
    fires: "AutoEncoder (activations times decoder norms), AutoEncoderNew above 0; TopK k largest above \
            0; BatchTopKSAE, MatryoshkaBatchTopKSAE above `threshold` and 0; JumpRelu above each \
            `threshold`; gated both conditions",
    claims,
    read,
};

const CLASS: &str = "trainer.dict_class";

fn claims(of: &Candidate<'_>) -> bool {
    let is_config = of.config.is_some_and(|config| config.has("trainer"));
    of.weights.is_state_dict() && of.weights.within.is_empty() && is_config
}

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let config = of.needed_config("config.json")?;
    let class = config.text(CLASS)?.unwrap_or_default();
    let linear = || {
        let bias = Bias::Named("encoder.bias");
        of.encoder("encoder.weight", Some(Orientation::FeaturesFirst), bias)
    };
    let inputs_first = || {
        of.encoder(
            "W_enc",
            Some(Orientation::InputsFirst),
            Bias::Named("b_enc"),
        )
    };
    let (mut encoder, subtracted) = match class {
        "AutoEncoder" => (linear()?, Some("bias")),
        "AutoEncoderNew" => (linear()?, None),
        "AutoEncoderTopK" | "BatchTopKSAE" => (linear()?, Some("b_dec")),
        "MatryoshkaBatchTopKSAE" => (inputs_first()?, Some("b_dec")),
        "JumpReluAutoEncoder" => (inputs_first()?, None),
        "GatedAutoEncoder" => {
            let bias = Bias::NoneAs("gate_bias");
            let encoder = of.encoder("encoder.weight", Some(Orientation::FeaturesFirst), bias)?;
            (encoder, Some("decoder_bias"))
        }
        _ => {
            let expected = "AutoEncoder, AutoEncoderNew, AutoEncoderTopK, BatchTopKSAE, \
                            MatryoshkaBatchTopKSAE, JumpReluAutoEncoder or GatedAutoEncoder";
            return Err(config.bad(CLASS, expected, "this class cannot be read yet"));
        }
    };
    config.check_size("trainer.activation_dim", encoder.input_dim)?;
    config.check_size("trainer.dict_size", encoder.features)?;
    let x = match subtracted {
        Some(bias) => {
            encoder.input.push(of.subtract(bias, encoder.input_dim)?);
            format!("(x − {bias})")
        }
        None => "x".to_owned(),
    };
    encoder.scores = format!("{x} · W + bias, {class}");
    fires(of, class, &mut encoder)?;
    of.weights.check_unused(&[
        "decoder.weight",
        "decoder.bias",
        "W_dec",
        "b_dec",
        "k",
        "threshold",
        "group_sizes",
    ])?;
    Ok(encoder)
}

fn fires(of: &Candidate<'_>, class: &str, encoder: &mut Encoder) -> Result<()> {
    let weights = of.weights;
    match class {
        "AutoEncoder" => {
            encoder.relu();
            encoder.value_factors(&decoder::norms(weights, "decoder.weight", true, encoder)?);
        }
        "AutoEncoderTopK" => {
            let of_config = of.config.map(|config| config.count("trainer.k"));
            let of_config = of_config.transpose()?.flatten();
            let k = weights.count("k")?;
            if let (Some(config), Some(k)) = (of.config, k) {
                config.check_size("trainer.k", k)?;
            }
            encoder.top_k(of.k(k.or(of_config))?);
        }
        "BatchTopKSAE" | "MatryoshkaBatchTopKSAE" => {
            let threshold = weights.number("threshold")?;
            if threshold < 0.0 {
                encoder.warnings.push(format!(
                    "threshold is {threshold}, as before training sets it: every score above 0 fires"
                ));
            }
            encoder.above_one(f64::from(threshold));
        }
        "JumpReluAutoEncoder" => encoder.above(&weights.vector("threshold", encoder.features)?),
        "GatedAutoEncoder" => {
            let vector = |name| weights.vector(name, encoder.features);
            let (gate, magnitude, r) =
                (vector("gate_bias")?, vector("mag_bias")?, vector("r_mag")?);
            encoder.gated(&gate, &magnitude, &r);
        }
        _ => encoder.relu(),
    }
    Ok(())
}
