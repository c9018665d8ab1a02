//! The meaning of the names of a model's tensors and of its config's keys.

use crate::read::plain::Scalar;

/// The meaning of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::read::model) enum Meaning {
    /// It is read.
    Used,
    /// It cannot change which atoms fire, nor can anything in it.
    Harmless,
    /// It cannot change which atoms fire; what is in it might.
    Described,
    /// It must be the k that is used.
    K,
    /// It must be the input's size, or the number of features.
    InputDim,
    FeatureDim,
    /// It must be the second over the first.
    Expansion,
    /// It says which kind of model this is.
    Kind,
    /// It could change which atoms fire.
    Changes,
    Unknown,
}

/// A tensor of the state dict, by its name without prefixes.
pub(super) fn of_tensor(name: &str) -> Meaning {
    const COUNTS: [&str; 22] = [
        "activation_count",
        "activation_counts",
        "dead",
        "dead_latents",
        "dead_mask",
        "epoch",
        "feature_counts",
        "firing_counts",
        "global_step",
        "last_active",
        "last_fired",
        "loss",
        "n_forward_passes_since_fired",
        "n_steps",
        "num_batches_not_active",
        "num_steps_inactive",
        "stats_last_nonzero",
        "step",
        "steps",
        "steps_since_active",
        "steps_since_fired",
        "usage",
    ];
    match name {
        "encoder.weight" | "encoder.bias" => Meaning::Used,
        "k" => Meaning::K,
        "W_dec" | "decoder_weight" => Meaning::Harmless,
        _ if name.starts_with("decoder.") || COUNTS.contains(&name) => Meaning::Harmless,
        _ => Meaning::Changes,
    }
}

/// A key of the config (or, where `config` is false, of another mapping), by its name.
pub(in crate::read::model) fn of_key(name: &str, config: bool) -> Meaning {
    let name = plain(name);
    let used = [
        "input_dim",
        "feature_dim",
        "k",
        "μ",
        "\u{b5}",
        "mu",
        "mean",
        "σ",
        "std",
        "sigma",
    ];
    if config && used.contains(&&*name) {
        return Meaning::Used;
    }
    match &*name {
        "k" | "top_k" | "topk" | "k_active" | "active_k" | "k_sparse" | "k_active_neurons"
        | "num_active" | "n_active" => return Meaning::K,
        "input_dim" | "d_in" | "d_input" | "d_model" | "act_size" | "activation_dim"
        | "input_size" | "n_inputs" | "n_input" => return Meaning::InputDim,
        "feature_dim" | "d_sae" | "dict_size" | "dictionary_size" | "n_features"
        | "num_features" | "num_latents" | "n_latents" | "latent_dim" | "m_total_neurons" => {
            return Meaning::FeatureDim;
        }
        "expansion_factor" | "expansion" => return Meaning::Expansion,
        "architecture" | "sae_type" | "model_type" | "type" | "class" | "model_class"
        | "dict_class" | "variant" | "kind" | "arch" | "sae_class" | "class_name" | "cls"
        | "_target_" | "target" => return Meaning::Kind,
        _ => {}
    }
    let words: Vec<_> = name.split('_').collect();
    let has = |some: &[&str]| words.iter().any(|word| some.contains(word));
    // Verbs and places that say that the encoder's input is changed.
    let before = has(&["apply", "pre", "rescale", "subtract"])
        || name.contains("b_dec")
        || has(&["input"]) && changes(&name, &words);
    if !before && has(&RESULTS) {
        return Meaning::Harmless;
    }
    let changes = changes(&name, &words);
    if !before && (is_training(&words, changes) || is_description(&words)) {
        return Meaning::Described;
    }
    if before || changes {
        return Meaning::Changes;
    }
    if words.contains(&"k") && !words.contains(&"multi") {
        return Meaning::K;
    }
    Meaning::Unknown
}

/// Lower case, words with `_` between them.
pub(in crate::read::model) fn plain(name: &str) -> String {
    let name = name.replace(['-', ' ', '.'], "_");
    // `dictSize` is `dict_size`, `N` is `n`.
    let mut plain = String::new();
    let mut before = '_';
    for c in name.chars() {
        if c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
            plain.push('_');
        }
        plain.extend(c.to_lowercase());
        before = c;
    }
    plain
}

/// States and results of training.
const RESULTS: [&str; 11] = [
    "grad",
    "gradient",
    "history",
    "loss",
    "losses",
    "metrics",
    "optim",
    "optimizer",
    "rng",
    "sched",
    "scheduler",
];

/// Settings of training, which the weights are what came of; `changes` says whether the name is also
/// that of something that encoders do.
fn is_training(words: &[&str], changes: bool) -> bool {
    /// The names that belong to the loss, the optimizer or the decoder, whatever stands beside
    /// them.
    const ALWAYS: [&str; 29] = [
        "adam",
        "adamw",
        "args",
        "aux",
        "auxk",
        "beta1",
        "beta2",
        "betas",
        "checkpoint",
        "coef",
        "coeff",
        "coefficient",
        "criterion",
        "dead",
        "decay",
        "decoder",
        "early",
        "l1",
        "lr",
        "momentum",
        "patience",
        "penalty",
        "rate",
        "resample",
        "seed",
        "size",
        "wandb",
        "warmup",
        "workers",
    ];
    /// Not so `batch_norm`, `ema_mean`, `batch_topk_threshold`.
    const ALONE: [&str; 11] = [
        "batch",
        "buffer",
        "ema",
        "epoch",
        "epochs",
        "step",
        "steps",
        "train",
        "training",
        "val",
        "validation",
    ];
    let has = |some: &[&str]| words.iter().any(|word| some.contains(word));
    has(&ALWAYS) || !changes && has(&ALONE)
}

/// Says whether a name describes a model: what it is called, what it was made from, and on what.
fn is_description(words: &[&str]) -> bool {
    const WORDS: [&str; 26] = [
        "author",
        "cohort",
        "commit",
        "created",
        "data",
        "dataset",
        "date",
        "description",
        "device",
        "dtype",
        "file",
        "hook",
        "id",
        "layer",
        "model",
        "name",
        "note",
        "notes",
        "path",
        "project",
        "run",
        "source",
        "tags",
        "time",
        "url",
        "version",
    ];
    let statistic = words.iter().any(|word| changes(word, &[word]));
    !statistic && words.iter().any(|word| WORDS.contains(word))
}

/// Says whether a name is one that encoders have for what they do.
fn changes(name: &str, words: &[&str]) -> bool {
    const STEMS: [&str; 37] = [
        "thresh",
        "nonneg",
        "rectif",
        "positive",
        "absolute",
        "abs_",
        "log1p",
        "mask",
        "activ",
        "act_fn",
        "nonlin",
        "relu",
        "norm",
        "bias",
        "gate",
        "gating",
        "topk",
        "top_k",
        "scal",
        "center",
        "centre",
        "whiten",
        "standard",
        "zscore",
        "preproc",
        "transform",
        "b_dec",
        "b_pre",
        "offset",
        "shift",
        "clip",
        "clamp",
        "temperature",
        "residual",
        "skip",
        "encoder",
        "running_",
    ];
    const WORDS: [&str; 13] = [
        "mean", "std", "var", "variance", "mu", "sigma", "μ", "σ", "pca", "zca", "act", "eps",
        "epsilon",
    ];
    STEMS.iter().any(|stem| name.contains(stem)) || words.iter().any(|word| WORDS.contains(word))
}

/// Says whether a value means that nothing is done, or what is done anyway.
pub(in crate::read::model) fn as_is(name: &str, value: &Scalar) -> bool {
    let name = plain(name);
    let of = |stems: &[&str]| stems.iter().any(|stem| name.contains(stem));
    match value {
        Scalar::None | Scalar::Bool(false) => {
            !matches!(&*name, "bias" | "use_bias" | "encoder_bias")
        }
        Scalar::Bool(true) => {
            matches!(
                &*name,
                "bias"
                    | "use_bias"
                    | "encoder_bias"
                    | "topk"
                    | "top_k"
                    | "use_topk"
                    | "use_top_k"
                    | "batch_topk"
                    | "use_batch_topk"
            ) || of(&["whiten", "standard", "zscore"])
        }
        Scalar::Text(text) => {
            let text: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
            let text = text.to_lowercase();
            let none = [
                "", "none", "off", "no", "false", "null", "identity", "linear",
            ];
            let ours = [
                "topk",
                "batchtopk",
                "topksae",
                "batchtopksae",
                "topkactivation",
            ];
            let whitening = [
                "zscore",
                "standard",
                "standardize",
                "standardise",
                "whiten",
                "whitening",
            ];
            none.contains(&&*text)
                || ours.contains(&&*text)
                || !of(&["activ", "act_fn", "nonlin"]) && whitening.contains(&&*text)
        }
        Scalar::Int(_) | Scalar::Large(_) | Scalar::Float(_) | Scalar::Single(_) => {
            let x = match value {
                Scalar::Int(n) => *n as f64,
                Scalar::Large(x) | Scalar::Float(x) => *x,
                Scalar::Single(x) => f64::from(*x),
                _ => f64::NAN,
            };
            let eps = of(&["eps"]) && (x - 1e-6).abs() < 1e-12;
            let nothing = x == 0.0
                && of(&[
                    "bias", "offset", "shift", "center", "centre", "b_dec", "b_pre",
                ]);
            let one = x == 1.0 && of(&["scal", "temperature", "layers"]);
            eps || nothing || one
        }
    }
}

/// Says whether the name of a kind of model means another kind than the one computed here.
pub(super) fn is_other_kind(kind: &Scalar) -> bool {
    const OTHERS: [&str; 13] = [
        "jump",
        "gate",
        "standard",
        "vanilla",
        "relu",
        "softplus",
        "sigmoid",
        "abstopk",
        "groupmax",
        "transcoder",
        "crosscoder",
        "lista",
        "cosine",
    ];
    let Scalar::Text(text) = kind else {
        return false;
    };
    let text = text.to_lowercase();
    OTHERS.iter().any(|other| text.contains(other))
}

/// Says whether a text is the name of another activation, whatever key it stands under.
pub(super) fn is_another_activation(text: &str) -> bool {
    const OTHERS: [&str; 6] = ["relu", "jump", "gated", "softplus", "gelu", "threshold"];
    let text = text.to_lowercase();
    let is_short = text.len() <= 40 && !text.contains(['/', '\\', ' ']);
    is_short && OTHERS.iter().any(|other| text.contains(other))
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
