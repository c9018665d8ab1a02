//! The activations of a simulated SAE.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The rule for which atoms of a simulated SAE fire on a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SimulatedActivation {
    /// The `k` largest scores, be they negative: the notebook's.
    #[default]
    TopK,
    /// The `k` largest scores, as far as they are above 0.
    TopKRelu,
    /// The `k` scores of the largest magnitude. Half of the planted atoms fire below 0.
    AbsTopK,
    /// The scores above 0, about `k` a call.
    Relu,
    /// The scores above a threshold for each atom, about `k` a call.
    JumpRelu,
    /// The scores above a gate's threshold, about `k` a call; activations have a scale of their own.
    Gated,
    /// The `k · N` largest scores of N calls given together, as far as they are above 0.
    BatchTopK,
}

/// All of them, by their names.
const NAMES: [(&str, SimulatedActivation); 7] = [
    ("topk", SimulatedActivation::TopK),
    ("topk-relu", SimulatedActivation::TopKRelu),
    ("abstopk", SimulatedActivation::AbsTopK),
    ("relu", SimulatedActivation::Relu),
    ("jumprelu", SimulatedActivation::JumpRelu),
    ("gated", SimulatedActivation::Gated),
    ("batchtopk", SimulatedActivation::BatchTopK),
];

impl SimulatedActivation {
    /// Returns all of them.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(|(_, activation)| activation)
    }

    /// Says whether it is the notebook's.
    #[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
    pub(super) fn is_notebooks(&self) -> bool {
        *self == Self::TopK
    }

    /// Says whether scores are compared with a threshold, rather than with each other.
    pub(super) fn has_threshold(self) -> bool {
        matches!(self, Self::Relu | Self::JumpRelu | Self::Gated)
    }

    /// Returns the name that the format has for it: its `architecture`.
    pub(super) fn architecture(self) -> &'static str {
        match self {
            Self::TopK | Self::TopKRelu => "topk",
            Self::AbsTopK => "abstopk",
            Self::Relu => "standard",
            Self::JumpRelu => "jumprelu",
            Self::Gated => "gated",
            Self::BatchTopK => "batchtopk",
        }
    }
}

impl fmt::Display for SimulatedActivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = NAMES.into_iter().find(|(_, activation)| activation == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

impl From<SimulatedActivation> for String {
    fn from(activation: SimulatedActivation) -> Self {
        activation.to_string()
    }
}

impl TryFrom<String> for SimulatedActivation {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for SimulatedActivation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = NAMES.into_iter().find(|(name, _)| *name == text);
        named.map(|(_, activation)| activation).ok_or_else(|| {
            let names: Vec<_> = NAMES.into_iter().map(|(name, _)| name).collect();
            format!("expected one of {}", names.join(", "))
        })
    }
}
