//! Statistics of embeddings that stand beside a state dict in a torch file: no family uses them.

use crate::error::{Error, Result};
use crate::read::pickle::{Id, Value};
use crate::read::plain::{Scalar, scalar};
use crate::read::tensor::shape_text;
use crate::read::torch::{Description, TorchFile};

/// Mappings in mappings that are looked into.
const DEEPEST: usize = 4;
/// Keys that are looked at in all: one mapping can stand in many places.
const MOST_KEYS: usize = 1 << 16;

/// An error if something beside the state dict `held` is named as what is done to embeddings or scores:
/// a tensor, an array, a list or a number. The tensors of the state dict itself are left to the family.
pub(super) fn refuse_statistics(file: &TorchFile, (within, held): (&str, Id)) -> Result<()> {
    let root = file.document.root;
    let mut search = Search {
        file,
        held,
        left: MOST_KEYS,
    };
    search.mapping(root, "", DEEPEST)?;
    if held == root {
        return Ok(());
    }
    search.mapping(held, within, DEEPEST)
}

struct Search<'a> {
    file: &'a TorchFile,
    held: Id,
    left: usize,
}

impl Search<'_> {
    fn mapping(&mut self, id: Id, within: &str, depth: usize) -> Result<()> {
        let document = &self.file.document;
        for (key, value) in document.entries(id).into_iter().flatten() {
            let Some(left) = self.left.checked_sub(1) else {
                return Ok(());
            };
            self.left = left;
            let Some(name) = document.text(key).filter(|name| !is_of_training(name)) else {
                continue;
            };
            let is_tensor = Description::read(document, value).is_some();
            if value == self.held || is_tensor && id == self.held {
                continue;
            }
            let place = match within {
                "" => name.to_string(),
                _ => format!("{within}.{name}"),
            };
            if !is_tensor && document.entries(value).is_some() {
                if let Some(less) = depth.checked_sub(1) {
                    self.mapping(value, &place, less)?;
                }
            } else if is_statistic(&name)
                && let Some(found) = self.found(value, &place)
            {
                return Err(self.unused(&place, &found));
            }
        }
        Ok(())
    }

    /// A description of a value that could change something; `None` of one that says nothing, or is
    /// text.
    fn found(&self, id: Id, place: &str) -> Option<String> {
        let document = &self.file.document;
        if let Some(tensor) = Description::read(document, id) {
            let shape = shape_text(&tensor.shape);
            return Some(format!("a tensor of {} {shape}", tensor.dtype_name()));
        }
        if let Some(items) = document.items(id) {
            let count = items.into_iter().count();
            return (count > 0).then(|| format!("a list of {count}"));
        }
        if document.value(id) == Value::None {
            return None;
        }
        match scalar(self.file, id, place) {
            Ok(Some(Scalar::None | Scalar::Bool(_) | Scalar::Text(_))) => None,
            Ok(Some(number)) => Some(number.into_text()),
            Ok(None) | Err(_) => Some(self.file.kind(id)),
        }
    }

    fn unused(&self, place: &str, found: &str) -> Error {
        self.file.bad(
            place,
            format!("{found}, which is not used and could change which atoms fire"),
            "no statistics of embeddings beside the weights of this kind of model",
            "if it changes nothing, save the model without it; else encode with the code that made \
             it, and give the activations instead of embeddings and model",
        )
    }
}

/// The words of a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let name = name.to_lowercase();
    name.split(|c: char| !c.is_alphanumeric())
        .map(str::to_owned)
        .collect()
}

/// Says whether a name belongs to training: its losses, its optimizers, its counts.
fn is_of_training(name: &str) -> bool {
    const WORDS: [&str; 24] = [
        "aux",
        "auxk",
        "callbacks",
        "coef",
        "coeff",
        "dead",
        "decoder",
        "ema",
        "eval",
        "fvu",
        "grad",
        "history",
        "l0",
        "l1",
        "logs",
        "loops",
        "loss",
        "losses",
        "lr",
        "metric",
        "metrics",
        "optimizer",
        "scheduler",
        "val",
    ];
    const STARTS: [&str; 4] = ["optim", "lr_sched", "grad", "rng"];
    let lower = name.to_lowercase();
    STARTS.iter().any(|start| lower.starts_with(start))
        || words(name).iter().any(|word| WORDS.contains(&&**word))
}

/// Says whether a name is one that statistics of embeddings, or parameters of an encoder, have.
fn is_statistic(name: &str) -> bool {
    const WORDS: [&str; 17] = [
        "mean",
        "means",
        "std",
        "stds",
        "mu",
        "μ",
        "\u{b5}",
        "sigma",
        "σ",
        "var",
        "variance",
        "median",
        "whitening",
        "zca",
        "pca",
        "threshold",
        "thresholds",
    ];
    const NAMES: [&str; 16] = [
        "norm",
        "norms",
        "scale",
        "scales",
        "scaler",
        "input_scale",
        "norm_factor",
        "scaling_factor",
        "offset",
        "shift",
        "b_dec",
        "b_pre",
        "pre_bias",
        "center",
        "centre",
        "log_threshold",
    ];
    NAMES.contains(&&*name.to_lowercase())
        || words(name).iter().any(|word| WORDS.contains(&&**word))
}

#[cfg(test)]
mod tests {
    use super::{is_of_training, is_statistic};

    #[test]
    fn names_of_statistics_are_told_from_those_of_training() {
        for name in [
            "mean",
            "μ",
            "train_mean",
            "Std",
            "sigma",
            "b_dec",
            "scale",
            "threshold",
        ] {
            assert!(is_statistic(name) && !is_of_training(name), "{name}");
        }
        for name in [
            "mean_loss",
            "dead_threshold",
            "optimizer_state_dict",
            "val_mean",
            "grad_scaler",
        ] {
            assert!(is_of_training(name), "{name}");
        }
        for name in [
            "normalization",
            "epoch",
            "loss_scale",
            "lr",
            "k",
            "input_dim",
            "seed",
        ] {
            assert!(!is_statistic(name), "{name}");
        }
    }
}
