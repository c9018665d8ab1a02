//! Qwen Scope: a state dict whose matrix lies the other way round.

use super::Family;
use crate::error::Result;
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::encoder::Encoder;

pub(super) const FAMILY: Family = Family {
    name: "Qwen Scope",
    library: "Qwen's published SAEs, as sae-lens 6.54.12 loads them",
    files: "`layerN.sae.pt`",
    known_by: "`W_enc` [d_sae, d_in], `W_dec`, `b_enc`, `b_dec` and nothing else in a torch file",
    orientation: "`W_enc` [d_sae, d_in]",
    scores: "x · `W_enc`ᵀ + `b_enc`; `b_dec` is not subtracted",
    fires: "k largest above 0; k is in the repository's name alone, and is asked",
    claims,
    read,
};

fn claims(of: &Candidate<'_>) -> bool {
    let weights = of.weights;
    let sides = |name| weights.shape(name).map(<[usize]>::to_vec);
    let (Some(matrix), Some(bias)) = (sides("W_enc"), sides("b_enc")) else {
        return false;
    };
    let lies_so = match (matrix.as_slice(), bias.as_slice()) {
        (&[rows, columns], &[features]) => rows == features && rows != columns,
        _ => false,
    };
    let is_alone = weights.names().count() == 4 && weights.has(&["W_dec", "b_dec"]);
    weights.is_state_dict()
        && lies_so
        && is_alone
        && weights.within.is_empty()
        && !of.is_with_config()
}

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let usual = Some(Orientation::FeaturesFirst);
    let mut encoder = of.encoder("W_enc", usual, Bias::Named("b_enc"))?;
    "x · W_encᵀ + b_enc".clone_into(&mut encoder.scores);
    encoder.top_k(of.k(None)?);
    of.weights.check_unused(&["W_dec", "b_dec"])?;
    Ok(encoder)
}
