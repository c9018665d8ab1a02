//! The sayings of configs on a module that no family's keys tell: they are met, or refused.

use serde_json::Value;

use super::candidate::Candidate;
use super::config::Config;
use super::families::ELSEWHERE;
use super::families::notebook::names::{Meaning, as_is, of_key, plain};
use super::weights::OTHER_MODEL;
use crate::error::{Choice, Error, Result};
use crate::read::plain::Scalar;

/// Mappings that hold keys of the model.
const NESTED: [&str; 13] = [
    "activation_fn_kwargs",
    "args",
    "cfg",
    "config",
    "hparams",
    "hyper_parameters",
    "hyperparameters",
    "model",
    "model_args",
    "model_config",
    "sae",
    "sae_config",
    "trainer",
];
/// Mappings in mappings that are looked into.
const DEEPEST: usize = 4;

/// The rule by which atoms fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Relu,
    TopK,
    BatchTopK,
}

/// The sayings of all configs, each with its place.
#[derive(Default)]
pub(super) struct Said {
    pub(super) k: Option<(usize, String)>,
    pub(super) rule: Option<(Rule, String)>,
    pub(super) subtracts: Option<(bool, String)>,
}

/// Reads the configs beside the weights and in their file.
///
/// # Errors
/// Sizes of another model; something that is done to embeddings or scores and is not known here; two
/// keys that contradict each other.
pub(super) fn of_plain(of: &Candidate<'_>, dim: usize, features: usize) -> Result<Said> {
    of_configs(of, [dim, features], false)
}

/// The same of a model whose embeddings are whitened, as a config may say.
///
/// # Errors
/// As of [`of_plain`].
pub(super) fn of_whitened(of: &Candidate<'_>, dim: usize, features: usize) -> Result<Said> {
    of_configs(of, [dim, features], true)
}

fn of_configs(of: &Candidate<'_>, sizes: [usize; 2], is_whitened: bool) -> Result<Said> {
    let mut said = Said::default();
    let inside = of.beside();
    let beside = of.config.into_iter().flat_map(Config::all);
    for config in beside.chain([&inside]) {
        // The config of a language model says nothing of a model of its embeddings.
        if config.has("architectures") {
            continue;
        }
        let mut reading = Reading {
            config,
            sizes,
            is_whitened,
            said: &mut said,
        };
        reading.mapping(&config.value, "", DEEPEST)?;
    }
    Ok(said)
}

struct Reading<'a> {
    config: &'a Config,
    sizes: [usize; 2],
    is_whitened: bool,
    said: &'a mut Said,
}

impl Reading<'_> {
    fn mapping(&mut self, value: &Value, within: &str, depth: usize) -> Result<()> {
        for (name, value) in value.as_object().into_iter().flatten() {
            // Metadata of a safetensors file names the tensors that share memory.
            if within.is_empty() && self.config.path.is_none() && name.contains('.') {
                continue;
            }
            let keys = match within {
                "" => name.clone(),
                _ => format!("{within}.{name}"),
            };
            match (value, depth.checked_sub(1)) {
                (Value::Object(_), Some(less)) if NESTED.contains(&&*plain(name)) => {
                    self.mapping(value, &keys, less)?;
                }
                (Value::Object(_) | Value::Null, _) => {}
                _ => self.key(name, &keys, value)?,
            }
        }
        Ok(())
    }

    fn key(&mut self, name: &str, keys: &str, value: &Value) -> Result<()> {
        let simple = plain(name);
        if let ("apply_b_dec_to_input", &Value::Bool(yes)) = (&*simple, value) {
            self.said.subtracts = Some((yes, self.config.place(keys)));
            return Ok(());
        }
        let [dim, features] = self.sizes;
        let meaning = of_key(name, false);
        match meaning {
            Meaning::K => self.k(keys, value),
            Meaning::InputDim if value.is_number() => self.config.check_size(keys, dim),
            Meaning::FeatureDim if value.is_number() => self.config.check_size(keys, features),
            Meaning::Kind | Meaning::Changes | Meaning::Unknown => {
                let is_activation = ["activation", "act_fn", "nonlin"]
                    .iter()
                    .any(|stem| simple.contains(stem))
                    && !simple.contains("norm");
                let is_kind = is_activation
                    || [
                        "architecture",
                        "arch",
                        "sae_type",
                        "sae_class",
                        "dict_class",
                    ]
                    .contains(&&*simple);
                match value {
                    Value::String(text) if is_kind || meaning == Meaning::Kind => {
                        self.rule(keys, text, is_kind)
                    }
                    _ if meaning == Meaning::Changes => self.changes(name, keys, value),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn k(&mut self, keys: &str, value: &Value) -> Result<()> {
        let k = match value {
            Value::Number(_) => self.config.count(keys)?,
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let Some(k) = k else {
            return Ok(());
        };
        match &self.said.k {
            Some((other, place)) if *other != k => {
                let expected = format!("{other}, as {place} says");
                Err(self.config.bad(keys, expected, OTHER_MODEL))
            }
            _ => {
                self.said.k = Some((k, self.config.place(keys)));
                Ok(())
            }
        }
    }

    fn rule(&mut self, keys: &str, text: &str, is_kind: bool) -> Result<()> {
        let Some(rule) = rule(text) else {
            return Ok(());
        };
        let Some(rule) = rule.or_unknown(is_kind) else {
            return Ok(());
        };
        let Named::Rule(rule) = rule else {
            let expected = "relu, topk or batchtopk, of a module that no library's keys tell";
            return Err(self.config.bad(keys, expected, ELSEWHERE));
        };
        match &self.said.rule {
            Some((other, place))
                if *other != rule && *other != Rule::Relu && rule != Rule::Relu =>
            {
                let expected = format!("what {place} says");
                return Err(self.config.bad(keys, expected, OTHER_MODEL));
            }
            // ReLU may go before a choice of the largest.
            Some(_) if rule == Rule::Relu => {}
            _ => self.said.rule = Some((rule, self.config.place(keys))),
        }
        Ok(())
    }

    fn changes(&self, name: &str, keys: &str, value: &Value) -> Result<()> {
        let scalar = match value {
            Value::Bool(flag) => Scalar::Bool(*flag),
            Value::String(text) => Scalar::Text(text.clone()),
            Value::Number(number) => Scalar::Float(number.as_f64().unwrap_or(f64::NAN)),
            Value::Array(list) if list.is_empty() => return Ok(()),
            _ => Scalar::Float(f64::NAN),
        };
        // The notebook's embeddings are whitened anyway; others are not.
        let whitens = |text: &str| {
            let text = text.to_lowercase();
            ["whiten", "standard", "zscore", "z_score", "z-score"]
                .iter()
                .any(|stem| text.contains(stem))
        };
        let says_so = match &scalar {
            Scalar::Bool(flag) => *flag && whitens(name),
            Scalar::Text(text) => whitens(text),
            _ => false,
        };
        if as_is(name, &scalar) && (self.is_whitened || !says_so) {
            return Ok(());
        }
        let expected =
            "nothing that changes which atoms fire, of a module that no library's keys tell";
        Err(self.config.bad(keys, expected, ELSEWHERE))
    }
}

/// The meaning of the name of an activation or of a kind of model.
enum Named {
    Rule(Rule),
    Other,
    Unknown,
}

impl Named {
    /// This, unless it is unknown and the key is none of a kind of model.
    fn or_unknown(self, is_kind: bool) -> Option<Self> {
        match self {
            Self::Unknown if !is_kind => None,
            named => Some(named),
        }
    }
}

fn rule(text: &str) -> Option<Named> {
    const OTHERS: [&str; 22] = [
        "abstopk",
        "cosine",
        "crelu",
        "crosscoder",
        "elu6",
        "gated",
        "gelu",
        "groupmax",
        "jump",
        "leaky",
        "lista",
        "matching",
        "prelu",
        "relu6",
        "selu",
        "sigmoid",
        "silu",
        "softmax",
        "softplus",
        "swish",
        "tanh",
        "transcoder",
    ];
    let text: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
    let text = text.to_lowercase();
    let has = |stem: &&str| text.contains(*stem);
    Some(if text.is_empty() || text == "none" {
        return None;
    } else if OTHERS.iter().any(&has) {
        Named::Other
    } else if has(&"batchtopk") {
        Named::Rule(Rule::BatchTopK)
    } else if has(&"topk") || has(&"ksparse") {
        Named::Rule(Rule::TopK)
    } else if ["relu", "standard", "vanilla"].iter().any(&has) {
        Named::Rule(Rule::Relu)
    } else {
        Named::Unknown
    })
}

impl Said {
    /// An error if the answers contradict what the configs say.
    pub(super) fn check_answers(&self, k: Option<usize>, threshold: Option<f64>) -> Result<()> {
        let refused =
            |choice, answer: String, expected: String| Err(Error::choice(choice, answer, expected));
        if let (Some(answer), Some((k, place))) = (k, &self.k)
            && answer != *k
        {
            let expected = format!("{k}, as {place} says");
            return refused(Choice::TopK, answer.to_string(), expected);
        }
        match (&self.rule, &self.k) {
            (Some((Rule::Relu, place)), _) => {
                if let Some(k) = k {
                    let expected =
                        format!("no answer: {place} says relu, by which scores above 0 fire");
                    return refused(Choice::TopK, k.to_string(), expected);
                }
                if let Some(threshold) = threshold.filter(|&threshold| threshold != 0.0) {
                    let expected = format!("0, as {place} says");
                    return refused(Choice::Threshold, threshold.to_string(), expected);
                }
            }
            (Some((Rule::TopK, place)), _) | (None, Some((_, place))) => {
                if let Some(threshold) = threshold {
                    let expected = format!("no answer: {place} says that the k largest fire");
                    return refused(Choice::Threshold, threshold.to_string(), expected);
                }
            }
            (Some((Rule::BatchTopK, place)), _) => {
                if let Some(k) = k.filter(|_| threshold.is_none()) {
                    let expected = format!(
                        "a threshold: {place} says that the largest of a batch fire, which have one \
                         afterwards"
                    );
                    return refused(Choice::TopK, k.to_string(), expected);
                }
            }
            (None, None) => {}
        }
        Ok(())
    }
}
