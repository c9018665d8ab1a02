//! Modules of one's own: nothing but the names and shapes of tensors.

use super::Family;
use crate::error::Result;
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::encoder::Encoder;
use crate::read::model::said::{self, Rule, Said};

/// Names of an encoder's matrix with those of its bias, and how the matrix lies where that is known.
const ENCODERS: [(&str, &str, Option<Orientation>); 4] = [
    (
        "encoder.weight",
        "encoder.bias",
        Some(Orientation::FeaturesFirst),
    ),
    (
        "encoder.0.weight",
        "encoder.0.bias",
        Some(Orientation::FeaturesFirst),
    ),
    ("W_enc", "b_enc", None),
    ("w_enc", "b_enc", None),
];

/// Names of a bias that may be subtracted from embeddings.
const DECODER_BIASES: [&str; 5] = ["b_dec", "decoder.bias", "bias", "pre_bias", "b_pre"];

pub(super) const FAMILY: Family = Family {
    name: "a plain module",
    library: "torch.nn.Module, Lightning, safetensors.torch.save_model",
    files: "`*.pt`, `*.ckpt`, `*.safetensors`; a config beside or in the file is read: its sizes, k and \
            activation are met, and whatever else it says that changes which atoms fire is refused",
    known_by: "`encoder.weight` or `W_enc` with its bias, and no family's keys",
    orientation: "`encoder.weight` [d_sae, d_in]; `W_enc` by its shape, asked where it is square",
    scores: "x · W + bias; the decoder's bias is subtracted from x or not, as answered",
    fires: "above 0; k largest above 0 where k is answered; above one threshold where that is answered",
    claims: |of| encoder_names(of).is_some(),
    read,
};

fn encoder_names(of: &Candidate<'_>) -> Option<(&'static str, &'static str, Option<Orientation>)> {
    let mut all = ENCODERS.into_iter();
    all.find(|(matrix, bias, _)| of.weights.has(&[matrix, bias]))
}

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let (matrix, bias, usual) = encoder_names(of).unwrap_or(ENCODERS[0]);
    let weights = of.weights;
    of.check_config()?;
    refuse_half_a_folder(of)?;
    let mut encoder = of.encoder(matrix, usual, Bias::Named(bias))?;
    let said = said::of_plain(of, encoder.input_dim, encoder.features)?;
    let mut x = "x".to_owned();
    let of_decoder = DECODER_BIASES
        .into_iter()
        .find(|name| weights.shape(name) == Some(&[encoder.input_dim]));
    if let Some(name) = of_decoder {
        let subtracts = match &said.subtracts {
            Some((yes, place)) => of.subtracts_as(*yes, place)?,
            None => of.subtracts(name)?,
        };
        if subtracts {
            encoder.input.push(of.subtract(name, encoder.input_dim)?);
            x = format!("(x − {name})");
        }
    }
    encoder.scores = format!("{x} · {matrix} + {bias}");
    fires(of, &said, of_decoder.is_some(), &mut encoder)?;
    let mut harmless = vec!["decoder.*", "W_dec", "w_dec"];
    harmless.extend(of_decoder);
    weights.check_unused(&harmless)?;
    Ok(encoder)
}

/// The rule by which atoms fire: as configs say, or as answered.
fn fires(of: &Candidate<'_>, said: &Said, is_whole: bool, encoder: &mut Encoder) -> Result<()> {
    let (k, threshold) = (of.answered_k(), of.answered_threshold());
    said.check_answers(k, threshold)?;
    let of_config = said.k.as_ref().map(|(k, _)| *k);
    match (said.rule.as_ref().map(|(rule, _)| *rule), k, threshold) {
        (Some(Rule::Relu), ..) => encoder.relu(),
        (Some(Rule::TopK), ..) => encoder.top_k(of.k(of_config)?),
        (None, ..) if of_config.is_some() => encoder.top_k(of.k(of_config)?),
        (Some(Rule::BatchTopK), _, Some(threshold)) | (_, None, Some(threshold)) => {
            of.note_answer(format!("scores above {threshold} fire, as answered"));
            encoder.above_one(threshold);
        }
        (_, Some(k), _) => {
            of.note_answer(format!(
                "the {k} largest scores fire, as answered, as far as they are above 0"
            ));
            encoder.top_k(k);
        }
        (Some(Rule::BatchTopK), None, None) => return Err(of.ask_threshold()),
        // Weights that nobody has said a word of may be half of a file of any kind.
        (None, None, None) if !is_whole => encoder.top_k(of.k(None)?),
        (None, None, None) => {
            of.assume("scores above 0 fire (ReLU): no key says otherwise");
            encoder.relu();
        }
    }
    Ok(())
}

/// An error for weights that some library keeps a config for.
fn refuse_half_a_folder(of: &Candidate<'_>) -> Result<()> {
    let weights = of.weights;
    let is_tied = weights.beside.get("encoder.weight").is_some();
    let config = if weights.is_safetensors() && weights.has(&["W_enc", "W_dec", "b_dec"]) {
        "SAELens' cfg.json"
    } else if weights.is_safetensors() && weights.has(&["encoder.weight", "W_dec"]) && !is_tied {
        "sparsify's cfg.json"
    } else if weights.has(&["threshold"]) || weights.has(&["k"]) {
        "dictionary_learning's config.json, which says TopK, BatchTopK or JumpReLU,"
    } else {
        return Ok(());
    };
    match of.config {
        None => of.needed_config(config).map(drop),
        Some(found) => Err(found.bad(
            "the config",
            format!("{config} for these weights"),
            "put the config of this model beside its weights",
        )),
    }
}
