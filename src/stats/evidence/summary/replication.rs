//! The results that hold in both parts of the cohort.

use serde::Serialize;

use crate::stats::evidence::{Partition, Replicated};
use crate::stats::replication::{Agreement, Part};

/// A discovery part and a confirmation part, and how far they agree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplicationSummary {
    /// The property by which the cohort is split.
    pub by: Partition,
    /// The discovery part, then the confirmation part.
    pub parts: [PartSummary; 2],
    /// Discovered in the first part, confirmed in the second.
    pub forward: Direction,
    /// The other way round.
    pub backward: Direction,
    /// The correlation of log odds ratios over all calls in either part.
    pub correlation: Option<Correlation>,
    /// The share of the discovered atoms that lean to one side in both parts, within strata.
    pub one_side: Option<OneSide>,
}

/// One part of the cohort.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartSummary {
    /// Its calls.
    pub calls: u64,
    /// True ones among them.
    pub tp: u64,
    /// Its datasets or chromosomes.
    pub groups: Vec<String>,
}

/// The fate of the atoms that one part discovers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Direction {
    /// Atoms that are discovered, at a false discovery rate of 5 %.
    pub discovered: usize,
    /// Those that can be tested in the other part.
    pub tested: usize,
    /// Those that are significant there with the same sign.
    pub replicated: usize,
    /// Those that have the same sign.
    pub one_side: usize,
}

/// A correlation between the parts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Correlation {
    /// The number of atoms.
    pub atoms: usize,
    /// Pearson's r.
    pub pearson: f64,
    /// Its 95 % interval by bootstrap of blocks.
    pub interval: Option<[f64; 2]>,
}

/// A share of atoms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OneSide {
    /// The share.
    pub share: f64,
    /// Its 95 % interval.
    pub interval: [f64; 2],
    /// True if the interval is by bootstrap of blocks; otherwise it takes atoms to be independent.
    pub by_bootstrap: bool,
}

impl ReplicationSummary {
    pub(super) fn of(replicated: &Replicated) -> Self {
        let found = &replicated.found;
        let part = |part: &Part| PartSummary {
            calls: part.calls(),
            tp: part.tp,
            groups: part.groups.clone(),
        };
        let all = found.forward.all;
        let known = known(replicated.concordance);
        Self {
            by: found.split.by,
            parts: [part(&found.split.parts[0]), part(&found.split.parts[1])],
            forward: Direction::of(&found.forward),
            backward: Direction::of(&found.backward),
            correlation: all.pearson.map(|pearson| Correlation {
                atoms: all.atoms,
                pearson,
                interval: self::known(replicated.correlation),
            }),
            one_side: found.forward.concordance.map(|share| OneSide {
                share: share.value,
                interval: known.unwrap_or([share.low, share.high]),
                by_bootstrap: known.is_some(),
            }),
        }
    }
}

impl Direction {
    fn of(agreement: &Agreement) -> Self {
        Self {
            discovered: agreement.discovered,
            tested: agreement.tested,
            replicated: agreement.replicated,
            one_side: agreement.concordant,
        }
    }
}

/// An interval that is defined.
fn known(interval: Option<(f64, f64)>) -> Option<[f64; 2]> {
    let interval = interval.filter(|(low, _)| !low.is_nan());
    interval.map(|(low, high)| [low, high])
}
