//! overcomplete: a state dict of an encoder, which may end in a `BatchNorm1d`, or be its dictionary.

use super::{ELSEWHERE, Family};
use crate::error::Result;
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::encoder::{Encoder, exp};

/// The matrix of the usual encoders, of an untied one, and of one that is the dictionary.
const HEAD: &str = "encoder.final_block.0.weight";
const UNTIED: &str = "encoder.weight";
const TIED: &str = "encoder.tied_to._weights";
const NORM: &str = "encoder.final_block.1.running_mean";
/// A part of every kind of dictionary.
const DICTIONARY: &str = "dictionary.multiplier";

pub(super) const FAMILY: Family = Family {
    name: "overcomplete",
    library: "overcomplete 0.3.0",
    files: "a state dict, `*.pt`, `*.pth` (a pickled module is refused)",
    known_by: "`encoder.final_block.0.weight`, or `dictionary.multiplier`",
    orientation: "[d_sae, d_in]",
    scores: "x · Wᵀ + bias, then BatchNorm1d with its running statistics (1e-5 inside the root) where \
             there is one; both are folded into one matrix. W is `encoder.final_block.0.weight`, \
             `encoder.weight` of an untied encoder, or the dictionary, \
             `encoder.tied_to._weights` · exp(`multiplier`), of a tied one",
    fires: "`thresholds`: at least exp(`thresholds`) and above 0; else k largest above 0, or at least the threshold of \
            BatchTopK, which is in no key: both are asked",
    claims: |of| of.weights.has(&[HEAD]) || of.weights.has(&[DICTIONARY]),
    read,
};

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let mut encoder = encoder(of)?;
    if of.weights.has(&["thresholds"]) {
        let logarithms = of.weights.vector("thresholds", encoder.features)?;
        encoder.at_least(logarithms.into_iter().map(exp).map(f64::from));
    } else if let Some(threshold) = of.answered_threshold() {
        of.note_answer(format!(
            "scores of at least {threshold} fire, as answered: no key says it"
        ));
        encoder.at_least(std::iter::repeat_n(threshold, encoder.features));
    } else {
        encoder.top_k(of.k(None)?);
    }
    of.weights.check_unused(&[
        "dictionary.*",
        "bandwith",
        "bandwidth",
        "encoder.final_block.1.num_batches_tracked",
        "running_threshold",
    ])?;
    Ok(encoder)
}

fn encoder(of: &Candidate<'_>) -> Result<Encoder> {
    let rows = Some(Orientation::FeaturesFirst);
    let bias = if of.weights.has(&["encoder.bias"]) {
        Bias::Named("encoder.bias")
    } else {
        Bias::None
    };
    let mut encoder = if of.weights.has(&[HEAD]) {
        of.encoder(HEAD, rows, Bias::Named("encoder.final_block.0.bias"))?
    } else if of.weights.has(&[UNTIED]) {
        of.encoder(UNTIED, rows, bias)?
    } else if of.weights.has(&[TIED]) {
        tied(of, of.encoder(TIED, rows, bias)?)?
    } else {
        let found = if of.weights.has(&["encoder.tied_to.multiplier"]) {
            "an encoder that is tied to a dictionary of data points"
        } else {
            "a dictionary and no encoder, as matching pursuit has it"
        };
        let expected = "the weights of a linear encoder";
        return Err(of.weights.bad(DICTIONARY, found, expected, ELSEWHERE));
    };
    "x · Wᵀ + bias".clone_into(&mut encoder.scores);
    if of.weights.has(&[NORM]) {
        fold_batch_norm(of, &mut encoder)?;
        encoder.scores += ", BatchNorm1d";
    }
    Ok(encoder)
}

/// A tied encoder's matrix, times the dictionary's multiplier. The library normalises a dictionary when
/// `eval()` is called, how is in no key: so it must be normalised already, in one of the library's ways.
fn tied(of: &Candidate<'_>, mut encoder: Encoder) -> Result<Encoder> {
    const NEAR: f64 = 1e-5;
    let is_one = |norm: f64| (norm - 1.0).abs() < NEAR;
    let rows = || encoder.weight.chunks_exact(encoder.input_dim.max(1));
    let sums = |power: i32| {
        rows().map(move |row| {
            row.iter()
                .map(|&x| f64::from(x).abs().powi(power))
                .sum::<f64>()
        })
    };
    let lengths: Vec<f64> = sums(2).map(f64::sqrt).collect();
    let absolute: Vec<f64> = sums(1).collect();
    let is_normal = |norms: &[f64]| {
        let largest = norms.iter().copied().fold(0.0, f64::max);
        is_one(largest) || norms.iter().all(|&norm| is_one(norm))
    };
    if !is_normal(&lengths) && !is_normal(&absolute) {
        let found =
            "a dictionary that is not normalised, and how eval() would normalise it is in no key";
        let action = "in Python, save the state dict after eval(); with normalization identity, encode with the \
                      library";
        let expected = "atoms of norm 1";
        return Err(of.weights.bad(TIED, found, expected, action));
    }
    let multiplier = f64::from(of.weights.number("encoder.tied_to.multiplier")?);
    let factors = vec![libm::exp(multiplier); encoder.features];
    let bias = encoder.bias.clone();
    encoder.scale_features(&factors);
    encoder.bias = bias;
    Ok(encoder)
}

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
