//! The choice of the atoms of a row that fire: one policy a model.
//!
//! | file | policy |
//! |---|---|
//! | `topk` | the k atoms of the largest scores: certified behind a screen |
//! | `threshold` | the atoms whose score is above their own threshold: by canonical scores of all |
//! | `full` | any other rule: by canonical scores of all |

mod full;
mod threshold;
mod topk;

pub(super) use self::full::InFull;
pub(super) use self::threshold::AboveThresholds;
pub(super) use self::topk::{Candidate, Selection, Verdict, group_count};

use crate::sae::{Activation, Sae};

/// The rule by which a model's activation chooses a row's atoms.
#[derive(Debug, Clone, Copy)]
pub(super) enum Policy<'a> {
    /// This number of atoms, those of the largest scores.
    TopK(usize),
    /// The atoms whose score is above their threshold, \[F\].
    Threshold(&'a [f64]),
    /// Any other rule.
    Other,
}

impl<'a> Policy<'a> {
    pub(super) fn of(sae: &'a Sae) -> Self {
        match sae.activation() {
            Activation::TopK { k, relu: false } => Self::TopK(*k),
            Activation::Threshold { thresholds } => Self::Threshold(thresholds),
            _ => Self::Other,
        }
    }

    /// Says whether a screen saves work. It saves none where all atoms fire.
    pub(super) fn is_screened(self, features: usize) -> bool {
        match self {
            Self::TopK(k) => k < features,
            Self::Threshold(_) | Self::Other => false,
        }
    }

    /// The number of atoms of every row, where it is known beforehand.
    pub(super) fn width(self) -> Option<usize> {
        match self {
            Self::TopK(k) => Some(k),
            Self::Threshold(_) | Self::Other => None,
        }
    }
}
