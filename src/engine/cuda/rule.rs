//! The rule by which the atoms of a row are chosen, as the kernels have it.

use super::select::{RULE_ABOVE_ZERO, RULE_GROUPS, RULE_MAGNITUDE, RULE_TIES};
use super::select_threshold::SelectThreshold;
use crate::sae::Activation;

/// A rule that the kernels know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The atoms of the `k` largest scores fire, or that of the largest score of each of `k` groups.
    Largest {
        /// The number of atoms, or of groups.
        k: usize,
        /// [`RULE_ABOVE_ZERO`], [`RULE_MAGNITUDE`], [`RULE_TIES`] and [`RULE_GROUPS`], added up.
        flags: u32,
    },
    /// The atoms whose score is above their own threshold fire.
    Thresholds,
    /// The atoms whose score is within the cut of the row's batch fire.
    Cut,
}

/// Room for atoms of a row where nobody knows how many fire: rows of most models have far fewer.
const USUAL_WIDTH: usize = 512;
/// Room for atoms that equal the k-th, besides k.
const ROOM_FOR_TIES: usize = 64;

impl Rule {
    /// The rule of an activation.
    pub fn of(activation: &Activation) -> Self {
        let largest = |k, flags| Self::Largest { k, flags };
        match *activation {
            Activation::TopK { k, relu: false } => largest(k, 0),
            Activation::TopK { k, relu: true } => largest(k, RULE_ABOVE_ZERO),
            Activation::AbsTopK { k } => largest(k, RULE_ABOVE_ZERO | RULE_MAGNITUDE),
            Activation::TopKWithTies { k } => largest(k, RULE_TIES),
            Activation::Threshold { .. } => Self::Thresholds,
            Activation::BatchTopK { .. } => Self::Cut,
            Activation::GroupMax { groups } => largest(groups, RULE_ABOVE_ZERO | RULE_GROUPS),
        }
    }

    /// `k` and the flags; none where scores are compared with thresholds.
    pub fn largest(self) -> Option<(usize, u32)> {
        match self {
            Self::Largest { k, flags } => Some((k, flags)),
            Self::Thresholds | Self::Cut => None,
        }
    }

    /// Says whether rows can have different numbers of atoms.
    pub fn is_ragged(self) -> bool {
        !matches!(self, Self::Largest { flags: 0, .. })
    }

    /// Room for the atoms of a row. `wanted` is the caller's wish, where it is for the caller to say:
    /// rows with more are scored in full.
    pub fn width(self, features: usize, wanted: Option<usize>) -> usize {
        match self {
            Self::Largest { k, flags } if flags & RULE_TIES != 0 => {
                let most = SelectThreshold::MOST_WIDTH.max(k).min(features);
                (k + wanted.unwrap_or(ROOM_FOR_TIES)).min(most)
            }
            Self::Largest { k, .. } => k,
            Self::Thresholds | Self::Cut => wanted
                .unwrap_or(USUAL_WIDTH)
                .clamp(1, SelectThreshold::MOST_WIDTH)
                .min(features),
        }
    }
}
