//! overcomplete: a state dict of an encoder that may end in a `BatchNorm1d`.

use super::Family;
use crate::error::Result;
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::encoder::Encoder;
use crate::sae::Activation;

const HEAD: &str = "encoder.final_block.0.weight";
const NORM: &str = "encoder.final_block.1.running_mean";

pub(super) const FAMILY: Family = Family {
    name: "overcomplete",
    library: "overcomplete 0.3.0",
    files: "a state dict, `*.pt`, `*.pth` (a pickled module is refused)",
    known_by: "`encoder.final_block.0.weight`",
    orientation: "[d_sae, d_in]",
    scores: "x · Wᵀ + bias, then BatchNorm1d with its running statistics (1e-5 inside the root) where \
             there is one; both are folded into one matrix",
    fires: "`thresholds`: at least exp(`thresholds`) and above 0; else k largest above 0, or at least the threshold of \
            BatchTopK, which is in no key: both are asked",
    claims: |of| of.weights.has(&[HEAD]),
    read,
};

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let bias = Bias::Named("encoder.final_block.0.bias");
    let mut encoder = of.encoder(HEAD, Some(Orientation::FeaturesFirst), bias)?;
    "x · Wᵀ + bias".clone_into(&mut encoder.scores);
    if of.weights.has(&[NORM]) {
        fold_batch_norm(of, &mut encoder)?;
        encoder.scores += ", BatchNorm1d";
    }
    if of.weights.has(&["thresholds"]) {
        let logarithms = of.weights.vector("thresholds", encoder.features)?;
        encoder.at_least_exp(&logarithms);
    } else if let Some(threshold) = of.answered_threshold() {
        of.note_answer(format!(
            "scores of at least {threshold} fire, as answered: no key says it"
        ));
        let below = if threshold > 0.0 {
            threshold.next_down()
        } else {
            0.0
        };
        encoder.activation = Activation::thresholds(encoder.features, below);
        of.weights.check_unused(HARMLESS)?;
        return Ok(encoder);
    } else {
        encoder.top_k(of.k(None)?);
    }
    of.weights.check_unused(HARMLESS)?;
    Ok(encoder)
}

/// Parts that come after the encoder.
const HARMLESS: &[&str] = &[
    "dictionary.*",
    "bandwith",
    "bandwidth",
    "encoder.final_block.1.num_batches_tracked",
    "running_threshold",
];

fn fold_batch_norm(of: &Candidate<'_>, encoder: &mut Encoder) -> Result<()> {
    let part = |name: &str| {
        of.weights
            .vector(&format!("encoder.final_block.1.{name}"), encoder.features)
    };
    let (mean, variance, weight, bias) = (
        part("running_mean")?,
        part("running_var")?,
        part("weight")?,
        part("bias")?,
    );
    let factor = |(&weight, &variance): (&f32, &f32)| {
        f64::from(weight) / (f64::from(variance) + 1e-5).sqrt()
    };
    let factors: Vec<f64> = weight.iter().zip(&variance).map(factor).collect();
    let shift = |((&factor, &mean), &bias): ((&f64, &f32), &f32)| {
        f64::from(bias) - factor * f64::from(mean)
    };
    let shifts: Vec<f64> = factors.iter().zip(&mean).zip(&bias).map(shift).collect();
    encoder.scale_features(&factors);
    encoder.shift_features(&shifts);
    Ok(())
}
