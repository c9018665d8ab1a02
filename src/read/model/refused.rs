//! Errors for files that are no model, or none that can be computed.

use std::path::Path;

use super::families::FAMILIES;
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

/// The error of a file that no family knows.
pub(super) fn unknown(path: &Path, found: &str) -> Error {
    let names = FAMILIES.map(|family| family.name).join(", ");
    let expected = format!(
        "the notebook's keys, or those of {names}, or encoder.weight or W_enc with its bias"
    );
    let action = "encode with the library that made it, and give the activations instead of \
                  embeddings and model";
    Error::input(
        path.display().to_string(),
        "the tensors",
        found,
        expected,
        action,
    )
}
