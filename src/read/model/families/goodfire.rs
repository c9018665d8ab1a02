//! Goodfire: Evo 2's tied SAE, and the SAEs of Llama.

use super::Family;
use crate::error::Result;
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::encoder::Encoder;
use crate::sae::Activation;

pub(super) const EVO_2: Family = Family {
    name: "Goodfire Evo 2",
    library: "the notebook of ArcInstitute/evo2 at 53f1959",
    files: "`sae-layer26-mixed-expansion_8-k_64.pt`",
    known_by: "`W` with `b_enc` (`_orig_mod.W`)",
    orientation: "`W` [d_in, d_sae], of encoder and decoder",
    scores: "x · `W` + `b_enc`; `b_dec` is not subtracted",
    fires: "k · N largest of the N rows given together, above 0; k is in the file's name alone, and is \
            asked",
    claims: |of| of.weights.has(&["W", "b_enc"]),
    read: read_evo_2,
};

pub(super) const LLAMA: Family = Family {
    name: "Goodfire Llama",
    library: "Goodfire's published SAEs of Llama 3",
    files: "`*.pt`, `*.pth`",
    known_by: "`encoder_linear.weight`",
    orientation: "`encoder_linear.weight` [d_sae, d_in]",
    scores: "x · `encoder_linear.weight`ᵀ + `encoder_linear.bias`",
    fires: "above 0",
    claims: |of| {
        of.weights
            .has(&["encoder_linear.weight", "encoder_linear.bias"])
    },
    read: read_llama,
};

fn read_evo_2(of: &Candidate<'_>) -> Result<Encoder> {
    let mut encoder = of.encoder("W", Some(Orientation::InputsFirst), Bias::Named("b_enc"))?;
    "x · W + b_enc".clone_into(&mut encoder.scores);
    encoder.activation = Activation::BatchTopK { k: of.k(None)? };
    of.weights.check_unused(&["b_dec"])?;
    Ok(encoder)
}

fn read_llama(of: &Candidate<'_>) -> Result<Encoder> {
    let bias = Bias::Named("encoder_linear.bias");
    let name = "encoder_linear.weight";
    let mut encoder = of.encoder(name, Some(Orientation::FeaturesFirst), bias)?;
    "x · encoder_linear.weightᵀ + encoder_linear.bias".clone_into(&mut encoder.scores);
    encoder.relu();
    of.weights.check_unused(&["decoder_linear.*"])?;
    Ok(encoder)
}
