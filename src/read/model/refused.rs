//! Errors for files that are no model, or none that can be computed.

use std::path::Path;

use super::nearest::nearest;
use super::weights::Weights;
use crate::error::{Error, Result};
use crate::read::torch::TorchFile;

/// An error for a module that was pickled whole: its class is needed, and none is made.
pub(super) fn refuse_module(file: &TorchFile) -> Result<()> {
    let root = file.document.root;
    let kind = file.kind(root);
    if !kind.contains("torch.nn.Module") {
        return Ok(());
    }
    let action = "nothing was executed; in Python, with its library installed: \
                  torch.save(torch.load(FILE, weights_only=False).state_dict(), \"sae.pt\"), and say \
                  then what its attributes say (k, a threshold)";
    let expected = "a state dict: names and tensors";
    Err(file.bad("the top level", kind, expected, action))
}

/// An error for weights that were quantised, whose numbers mean something by others beside them.
pub(super) fn refuse_quantised(weights: &Weights) -> Result<()> {
    // bitsandbytes; GPTQ and AWQ; compressed-tensors and float8; torch's own.
    const ENDINGS: [&str; 9] = [
        "absmax",
        "quant_map",
        "SCB",
        "qweight",
        "qzeros",
        "weight_scale",
        "weight_scale_inv",
        "weight_packed",
        "_packed_params",
    ];
    let is_quantised = |name: &&str| {
        let last = name.rsplit('.').next().unwrap_or_default();
        ENDINGS.contains(&last) || name.contains(".quant_state.")
    };
    let Some(name) = weights.names().find(is_quantised) else {
        return Ok(());
    };
    let action = "give the model as it was before it was quantised";
    let expected = "weights in float16, bfloat16, float32 or float64";
    Err(weights.bad(name, "a part of quantised weights", expected, action))
}

/// The ending of a name, another beside it, what that is, and the way back in Python.
const WAYS: [(&str, &str, &str, &str); 5] = [
    (
        ".weight_g",
        ".weight_v",
        "length and direction of weights (weight_norm)",
        "torch.nn.utils.remove_weight_norm(MODULE)",
    ),
    (
        ".weight_orig",
        ".weight_mask",
        "weights before they are pruned",
        "torch.nn.utils.prune.remove(MODULE, \"weight\")",
    ),
    (
        ".weight_orig",
        ".weight_u",
        "weights before they are divided by their norm (spectral_norm)",
        "torch.nn.utils.remove_spectral_norm(MODULE)",
    ),
    (
        ".lora_A.weight",
        ".lora_B.weight",
        "what is added to weights (LoRA)",
        "MODEL.merge_and_unload()",
    ),
    (
        ".parametrizations.weight.original",
        "",
        "weights before they are parametrised",
        "torch.nn.utils.parametrize.remove_parametrizations(MODULE, \"weight\")",
    ),
];

/// An error for an encoder whose weights stand in the file as what they are computed from.
pub(super) fn refuse_computed(weights: &Weights) -> Result<()> {
    for name in weights.names() {
        let dotted = format!(".{name}");
        for (ending, beside, found, way) in WAYS {
            let stem = match (beside, dotted.find(ending)) {
                ("", Some(at)) => dotted.get(..at),
                _ => dotted.strip_suffix(ending),
            };
            let with = |stem: &&str| {
                let other = format!("{stem}{beside}");
                beside.is_empty() || weights.has(&[other.trim_start_matches('.')])
            };
            if stem.as_ref().is_some_and(with) {
                let action = format!("in Python: {way}, and save the state_dict() again");
                return Err(weights.bad(name, found, "the weights themselves", &action));
            }
        }
    }
    Ok(())
}

/// An error for tensors of a torch file that are no arrays of numbers.
pub(super) fn refuse_foreign(weights: &Weights, file: &TorchFile) -> Result<()> {
    let document = &file.document;
    let dict = document.get(document.root, weights.within);
    let entries = document.entries(dict.unwrap_or(document.root));
    for (key, id) in entries.into_iter().flatten() {
        let Some(name) = document.text(key) else {
            continue;
        };
        let kind = file.kind(id);
        let is = |word| kind.contains(word);
        let (found, action) = if is("sparse tensor") {
            let action = "in Python: replace it by its .to_dense(), and save it again";
            (kind, action)
        } else if is("quantised tensor") || name.ends_with("_packed_params") {
            let found = if is("quantised") {
                kind
            } else {
                "quantised weights".to_owned()
            };
            (found, "give the model as it was before it was quantised")
        } else if is("device meta") {
            let action = "save the model after its weights were loaded into it";
            (kind, action)
        } else {
            continue;
        };
        let expected = "weights in float16, bfloat16, float32 or float64";
        return Err(weights.bad(&name, found, expected, action));
    }
    Ok(())
}

/// The error of a file that no family knows.
pub(super) fn unknown(weights: &Weights) -> Error {
    const ELSE: &str = "else encode with the library that made it, and give the activations instead of \
                        embeddings and model";
    let (expected, action) = match nearest(weights) {
        Some(family) => (
            format!(
                "those of a library that is known; the nearest is {}, known by {}",
                family.name,
                family.known_by.replace('`', "")
            ),
            format!("save them under its names, if that is what they are; {ELSE}"),
        ),
        None => (
            "those of a library that is known; none has names like these".to_owned(),
            format!(
                "where scores are x · W + bias, save W [d_sae, d_in] as encoder.weight and the bias as \
                 encoder.bias; {ELSE}"
            ),
        ),
    };
    let file = weights.source.name();
    Error::input(file, "the tensors", weights.describe(), expected, action)
}

/// The error of a file without tensors.
pub(super) fn no_tensors(path: &Path) -> Error {
    let expected = "a model of a library that is known";
    let action = "give the file that the library wrote; docs/MODELS.md lists them";
    let file = path.display().to_string();
    Error::input(file, "the file", "no tensors", expected, action)
}
