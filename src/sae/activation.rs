//! The rules for which features fire on a row, and what their scores are worth.

use crate::error::{Error, Result};

/// The rule for which features fire on a row, by their scores. Of equal scores those of the smaller
/// numbers come first.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Activation {
    /// The `k` features with the largest scores.
    TopK {
        /// The number of features, at most F.
        k: usize,
        /// `true` if only scores above 0 fire: then fewer than `k` may.
        relu: bool,
    },
    /// Every feature whose score is at least the `k`-th largest, be it negative: more than `k` where
    /// scores are equal.
    TopKWithTies {
        /// The place of the least score that fires, at most F.
        k: usize,
    },
    /// The `k` features with the largest magnitudes of scores; a score of 0 does not fire.
    AbsTopK {
        /// The number of features, at most F.
        k: usize,
    },
    /// The feature with the largest score of each group of F / `groups` consecutive ones, if that
    /// is above 0.
    GroupMax {
        /// The number of groups, which divides F.
        groups: usize,
    },
    /// The features whose score is above their own threshold: any number of them, none included.
    /// Thresholds are compared exactly, in binary64; `relu` is a threshold of 0.
    Threshold {
        /// One a feature, \[F\].
        thresholds: Vec<f64>,
    },
    /// The `k · N` largest scores of the N rows of a batch, as far as they are above 0; of equal
    /// ones those of the earlier rows, then of the smaller features. What fires on a row depends on
    /// the other rows of its batch: an engine alone cannot tell it (see
    /// [`analysis`](crate::analysis)).
    BatchTopK {
        /// The number of features that fire on a row of the batch, on average.
        k: usize,
    },
}

impl Default for Activation {
    fn default() -> Self {
        Self::TopK { k: 0, relu: false }
    }
}

impl Activation {
    /// The features whose score is above 0.
    pub fn relu(feature_dim: usize) -> Self {
        Self::thresholds(feature_dim, 0.0)
    }

    /// The features whose score is above one and the same threshold.
    pub fn thresholds(feature_dim: usize, threshold: f64) -> Self {
        let thresholds = vec![threshold; feature_dim];
        Self::Threshold { thresholds }
    }

    /// The numbers that say how many features there are of something, by their names.
    pub(super) fn count(&self) -> Option<(&'static str, usize)> {
        match *self {
            Self::TopK { k, .. }
            | Self::TopKWithTies { k }
            | Self::AbsTopK { k }
            | Self::BatchTopK { k } => Some(("config.k", k)),
            Self::GroupMax { groups } => Some(("the number of groups", groups)),
            Self::Threshold { .. } => None,
        }
    }

    /// The number of features that fire on every row, if it is the same for all.
    pub(super) fn uniform(&self) -> Option<usize> {
        match *self {
            Self::TopK { k, relu: false } => Some(k),
            _ => None,
        }
    }

    /// Says whether a feature can fire with a score below 0.
    pub fn fires_below_zero(&self) -> bool {
        match self {
            Self::TopK { relu, .. } => !relu,
            Self::TopKWithTies { .. } | Self::AbsTopK { .. } => true,
            Self::GroupMax { .. } | Self::BatchTopK { .. } => false,
            Self::Threshold { thresholds } => thresholds.iter().any(|&least| least < 0.0),
        }
    }

    /// Checks the rule for a model of `feature_dim` features; k is at most that afterwards.
    pub(super) fn checked(self, name: &str, feature_dim: usize) -> Result<Self> {
        let k = |k: usize| k.min(feature_dim);
        Ok(match self {
            Self::TopK { k: all, relu } => Self::TopK { k: k(all), relu },
            Self::TopKWithTies { k: all } => Self::TopKWithTies { k: k(all) },
            Self::AbsTopK { k: all } => Self::AbsTopK { k: k(all) },
            Self::BatchTopK { k: all } => Self::BatchTopK { k: k(all) },
            Self::GroupMax { groups } if !feature_dim.is_multiple_of(groups) => {
                return Err(Error::input(
                    name,
                    "the number of groups",
                    groups.to_string(),
                    format!("a number that divides feature_dim = {feature_dim}"),
                    "use the config that these weights belong to",
                ));
            }
            Self::GroupMax { groups } => Self::GroupMax { groups },
            Self::Threshold { thresholds } => {
                check_thresholds(name, &thresholds, feature_dim)?;
                Self::Threshold { thresholds }
            }
        })
    }
}

/// Thresholds are one a feature, and none is NaN: an infinite one is of a feature that always fires,
/// or never does.
fn check_thresholds(name: &str, thresholds: &[f64], feature_dim: usize) -> Result<()> {
    let (place, found, expected) = if thresholds.len() != feature_dim {
        let found = format!("{} numbers", thresholds.len());
        (
            "threshold".to_owned(),
            found,
            format!("feature_dim = {feature_dim}"),
        )
    } else if let Some(i) = thresholds.iter().position(|t| t.is_nan()) {
        (
            format!("threshold[{i}]"),
            "NaN".to_owned(),
            "a number".to_owned(),
        )
    } else {
        return Ok(());
    };
    let action = "use the thresholds that belong to these weights";
    Err(Error::input(name, place, found, expected, action))
}

/// The activation of a feature that fires, from its score.
///
/// Which features fire is decided by scores alone.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// The score itself.
    #[default]
    Score,
    /// `gain[f] · score + shift[f]`, in binary64.
    Affine {
        /// One a feature, \[F\], greater than 0.
        gain: Vec<f32>,
        /// One a feature, \[F\].
        shift: Vec<f32>,
    },
    /// The hyperbolic tangent of the score.
    Tanh,
}

impl Values {
    /// The activation of `feature`, which fires with `score`.
    ///
    /// # Panics
    /// If there is no such feature.
    pub fn value(&self, feature: u32, score: f64) -> f64 {
        match self {
            Self::Score => score,
            Self::Affine { gain, shift } => {
                let f = feature as usize;
                f64::from(gain[f]) * score + f64::from(shift[f])
            }
            Self::Tanh => libm::tanh(score),
        }
    }

    /// Checks it for a model of `feature_dim` features.
    pub(super) fn check(&self, name: &str, feature_dim: usize) -> Result<()> {
        let Self::Affine { gain, shift } = self else {
            return Ok(());
        };
        for (place, numbers, least) in [
            ("the factors of activations", gain, 0.0),
            ("the shifts of activations", shift, f32::NEG_INFINITY),
        ] {
            let wrong = |x: &f32| !x.is_finite() || *x <= least;
            let (found, expected) = if numbers.len() != feature_dim {
                let found = format!("{} numbers", numbers.len());
                (found, format!("feature_dim = {feature_dim}"))
            } else if let Some(i) = numbers.iter().position(wrong) {
                let expected = if least == 0.0 {
                    "a finite number greater than 0"
                } else {
                    "a finite number"
                };
                (format!("{} at {i}", numbers[i]), expected.to_owned())
            } else {
                continue;
            };
            let action = "use the numbers that belong to these weights";
            return Err(Error::input(name, place, found, expected, action));
        }
        Ok(())
    }
}
