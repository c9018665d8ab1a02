//! The choice of the atoms of a row that fire: one policy a model.
//!
//! | file | policy |
//! |---|---|
//! | `topk` | the k atoms of the largest scores, or magnitudes, with or without those below 0 |
//! | `groups` | the atom of the largest score of each group |
//! | `threshold` | the atoms whose score is above their own threshold, or their batch's cut |
//! | `open` | what canonical scores decide of atoms that the others leave open |
//! | `full` | any of these by the canonical scores of all atoms, where the others gave up |
//!
//! The first three are certified behind a screen, and share what `rows` has: the margins and the
//! candidates of a product's rows. What they leave open is for [`rescore`](super::rescore).

mod full;
mod groups;
mod open;
mod rows;
mod threshold;
mod topk;

use std::ops::Range;

pub(super) use self::full::InFull;
pub(super) use self::open::decide;
pub(super) use self::rows::Candidate;

use self::groups::{GroupMax, OF_GROUP};
use self::threshold::Above;
use self::topk::{Largest, TopK};
use super::screen::{Addends, RowBias};
use crate::engine::bound::RowMargin;
use crate::engine::choose::RowCut;
use crate::engine::simd::Simd;
use crate::sae::{Activation, Sae};

/// The rule by which a model's activation chooses a row's atoms.
#[derive(Debug, Clone, Copy)]
pub(super) enum Policy<'a> {
    /// Every atom.
    All,
    /// The atoms of the largest scores.
    Largest(Largest),
    /// The largest of each of so many groups, if it is above 0.
    GroupMax(usize),
    /// The atoms whose score is above their threshold, \[F\].
    Thresholds(&'a [f64]),
    /// The atoms whose score is within the cut of the row's batch.
    Cut,
}

impl<'a> Policy<'a> {
    pub(super) fn of(sae: &'a Sae) -> Self {
        let features = sae.feature_dim();
        let largest = |k| Largest {
            k,
            ..Largest::default()
        };
        match *sae.activation() {
            Activation::TopK { k, relu: false } | Activation::TopKWithTies { k }
                if k == features =>
            {
                Self::All
            }
            Activation::TopK { k, relu } => Self::Largest(Largest {
                above_zero: relu,
                ..largest(k)
            }),
            Activation::TopKWithTies { k } => Self::Largest(Largest {
                ties: true,
                ..largest(k)
            }),
            Activation::AbsTopK { k } => Self::Largest(Largest {
                magnitude: true,
                above_zero: true,
                ..largest(k)
            }),
            Activation::GroupMax { groups } => Self::GroupMax(groups),
            Activation::Threshold { ref thresholds } => Self::Thresholds(thresholds),
            Activation::BatchTopK { .. } => Self::Cut,
        }
    }

    /// Says whether a screen saves work. It saves none where all atoms fire.
    pub(super) fn is_screened(self) -> bool {
        !matches!(self, Self::All)
    }

    /// The number of maxima that selection keeps of a row.
    pub(super) fn maxima(self, features: usize) -> usize {
        match self {
            Self::All | Self::Thresholds(_) | Self::Cut => 1,
            Self::Largest(rule) => topk::group_count(rule.k, features),
            Self::GroupMax(groups) => groups,
        }
    }

    /// What a score, its magnitude, or a score less its threshold is compared with, whatever other
    /// scores are.
    pub(super) fn limit(self, cut: RowCut) -> f64 {
        match self {
            Self::All => f64::NEG_INFINITY,
            Self::Largest(rule) => f64::from(rule.limit()),
            Self::GroupMax(_) | Self::Thresholds(_) => 0.0,
            Self::Cut => cut.map_or(0.0, |(_, cut)| cut.score),
        }
    }
}

/// What the screen's bound says of a row's atoms.
#[derive(Default)]
pub(super) struct Found {
    /// Those that fire for certain.
    pub(super) certain: Vec<u32>,
    /// Those that are left open.
    pub(super) ambiguous: Vec<Candidate>,
    /// How many of them fire: set after set.
    pub(super) open: Vec<Open>,
}

/// A set of ambiguous atoms of a row.
pub(super) struct Open {
    pub(super) atoms: Range<usize>,
    /// The most of them that fire, those of the largest scores.
    pub(super) slots_left: usize,
}

impl Found {
    fn clear(&mut self) {
        self.certain.clear();
        self.ambiguous.clear();
        self.open.clear();
    }

    /// Moves those ambiguous atoms, from `first` on, to the certain ones that are above `limit` for
    /// certain. Returns their number.
    fn settle(&mut self, first: usize, limit: f32) -> usize {
        let (before, mut kept) = (self.ambiguous.len(), first);
        for i in first..before {
            let candidate = self.ambiguous[i];
            if candidate.lower > limit {
                self.certain.push(candidate.atom);
            } else {
                self.ambiguous[kept] = candidate;
                kept += 1;
            }
        }
        self.ambiguous.truncate(kept);
        before - kept
    }

    /// Leaves the ambiguous atoms from `first` on open, if there are any.
    fn open(&mut self, first: usize, slots_left: usize) {
        let atoms = first..self.ambiguous.len();
        if !atoms.is_empty() {
            self.open.push(Open { atoms, slots_left });
        }
    }
}

/// The state of selection for the rows of a product, reused from product to product.
pub(super) enum Selection {
    TopK(TopK),
    GroupMax(GroupMax),
    Above(Above),
}

impl Selection {
    /// The state that a policy needs.
    pub(super) fn of(policy: Policy) -> Self {
        match policy {
            Policy::All | Policy::Largest(_) => Self::TopK(TopK::default()),
            Policy::GroupMax(_) => Self::GroupMax(GroupMax::default()),
            Policy::Thresholds(_) | Policy::Cut => Self::Above(Above::default()),
        }
    }

    /// Prepares for `rows` rows of a model with `features` features and the policy that this was
    /// made for.
    pub(super) fn begin(&mut self, policy: Policy, rows: usize, features: usize) {
        match (self, policy) {
            (Self::TopK(state), Policy::Largest(rule)) => state.begin(rows, features, rule),
            (Self::GroupMax(state), Policy::GroupMax(groups)) => {
                state.begin(rows, features, groups);
            }
            (Self::Above(state), Policy::Thresholds(_) | Policy::Cut) => {
                state.begin(rows, features);
            }
            _ => unreachable!("a model has one policy"),
        }
    }

    /// The distance between two features' scores in a tile.
    pub(super) fn stride(&self) -> usize {
        let rows = match self {
            Self::TopK(state) => &state.rows,
            Self::GroupMax(state) => &state.rows,
            Self::Above(state) => &state.rows,
        };
        rows.stride
    }

    /// Sets row `r`'s margin; `limit` is the policy's in the row's screening units.
    pub(super) fn set_row(&mut self, r: usize, bias: &RowBias, margin: RowMargin, limit: f64) {
        match self {
            Self::TopK(state) => state.rows.set(r, bias, margin),
            Self::GroupMax(state) => state.rows.set(r, bias, margin),
            Self::Above(state) => state.set_row(r, bias, margin, limit),
        }
    }

    /// Takes in the scores of features `first..` of all rows, `scores[f * stride + r]`, which it
    /// may change; `addends` and `norms` are those of all features.
    pub(super) fn take_tile(
        &mut self,
        simd: Simd,
        (addends, norms): (&Addends, &[f32]),
        first: usize,
        scores: &mut [f32],
    ) {
        let biases = (addends.scaled(), norms);
        match self {
            Self::TopK(state) => state.take_tile(simd, biases, first, scores),
            Self::GroupMax(state) => state.take_tile(simd, biases, first, scores),
            Self::Above(state) => state.take_tile(simd, (addends, norms), first, scores),
        }
    }

    /// Splits row `r`'s atoms; `false` if the row must be scored in full.
    pub(super) fn resolve(&mut self, r: usize, found: &mut Found) -> bool {
        found.clear();
        match self {
            Self::TopK(state) => state.resolve(r, found),
            Self::GroupMax(state) => state.resolve(r, found),
            Self::Above(state) => state.resolve(r, found),
        }
    }
}
