//! When a call lies in a set of regions.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::RegionSet;
use crate::cohort::plain_contig;

/// The place of a call on the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The contig, in any spelling.
    pub contig: &'a str,
    /// The first base, from 0.
    pub start: u64,
    /// The base after the last. An insertion's place is empty: it lies between the bases `start − 1`
    /// and `start`.
    pub end: u64,
    /// The other end of a breakend: its contig, and its base from 0.
    pub mate: Option<(&'a str, u64)>,
}

/// The rule by which a call lies in a set of regions. Both bases beside an insertion must be in one
/// region, whatever the rule; the ends of a breakend are the two bases that it joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum RegionRule {
    /// Any base, or either end of a breakend, is in a region. A large call touches nearly everything.
    Any,
    /// At least half of the bases, or either end of a breakend, are in regions.
    Half,
    /// The first and the last base, or both ends of a breakend, are in regions.
    #[default]
    BothEnds,
    /// All bases from the first to the last, or both ends of a breakend, are in the same region.
    SameRegion,
}

impl RegionRule {
    /// All rules, in the order of how strict they are.
    pub const ALL: [Self; 4] = [Self::Any, Self::Half, Self::BothEnds, Self::SameRegion];

    /// The rule's name on the command line and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Half => "half",
            Self::BothEnds => "both-ends",
            Self::SameRegion => "same-region",
        }
    }

    pub(super) fn holds(self, set: &RegionSet, place: &Place<'_>) -> bool {
        if let Some(mate) = place.mate {
            return self.holds_breakend(set, (place.contig, place.start), mate);
        }
        if place.start >= place.end {
            return holds_insertion(set, place, self);
        }
        let all = place.start..place.end;
        let base = |at: u64| set.covered(place.contig, &(at..at + 1)) > 0;
        match self {
            Self::Any => set.covered(place.contig, &all) > 0,
            Self::Half => {
                let inside = set.covered(place.contig, &all);
                inside >= (all.end - all.start).div_ceil(2)
            }
            Self::BothEnds => base(all.start) && base(all.end - 1),
            Self::SameRegion => set.in_one(place.contig, &all),
        }
    }

    fn holds_breakend(self, set: &RegionSet, one: (&str, u64), other: (&str, u64)) -> bool {
        let is_in = |(contig, at): (&str, u64)| set.covered(contig, &base_at(at)) > 0;
        match self {
            Self::Any | Self::Half => is_in(one) || is_in(other),
            Self::BothEnds => is_in(one) && is_in(other),
            Self::SameRegion => {
                let is_same = plain_contig(one.0) == plain_contig(other.0);
                let both = one.1.min(other.1)..base_at(one.1.max(other.1)).end;
                is_same && set.in_one(one.0, &both)
            }
        }
    }
}

/// The two bases beside an insertion; before the first base of a contig there is none.
fn holds_insertion(set: &RegionSet, place: &Place<'_>, rule: RegionRule) -> bool {
    let beside = place.start.saturating_sub(1)..base_at(place.start).end;
    match rule {
        RegionRule::SameRegion => set.in_one(place.contig, &beside),
        _ => set.covered(place.contig, &beside) == beside.end - beside.start,
    }
}

fn base_at(at: u64) -> Range<u64> {
    at..at.saturating_add(1)
}

impl fmt::Display for RegionRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RegionRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = |rule: &Self| rule.name() == text;
        Self::ALL
            .into_iter()
            .find(named)
            .ok_or_else(|| format!("{text:?}: expected any, half, both-ends or same-region"))
    }
}
