//! A pair of planted atoms: what it is tied to, and which of the two fires on a call.

use super::benchmark::Counts;
use super::calls::{DEL, Draw, INS, KINDS};
use super::truth::{Role, Tie};
use super::verdict::Miss;
use crate::cohort::Label;

/// The firing probabilities of an atom that is tied to a type: on that type, on the type of the
/// pair's other atom, on the rest.
const TIED_RATES: (f64, f64, f64) = (0.35, 0.03, 0.19);
/// The firing probabilities of a one-sided atom: on true calls, on false ones.
const ONE_SIDED_RATES: (f64, f64) = (0.9, 0.1);
/// The firing probabilities of an atom that is tied to some false calls: on these, on all others.
const FALSE_CALL_RATES: (f64, f64) = (0.5, 0.05);

/// A pair of atoms of which at most one fires.
pub(super) struct Pair {
    pub(super) atoms: [u32; 2],
    to: TiedTo,
    /// The probability that the first fires, by label (TP, FP) and type; where it is tied to some false
    /// calls, on all others.
    first: [[f64; KINDS]; 2],
    /// The probability that the first fires on the false calls that it is tied to.
    there: f64,
    /// The probability that either fires. With `None`, both fire independently with the first's
    /// probability.
    either: Option<f64>,
}

/// The property of calls that a pair is tied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TiedTo {
    Label,
    Type,
    FalseInRegion,
    FalseWithoutCandidate,
}

/// What decides which of a pair fires on a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Properties {
    pub(super) label: Label,
    pub(super) kind: usize,
    pub(super) in_region: bool,
    pub(super) miss: Option<Miss>,
}

impl Properties {
    pub(super) fn of(draw: &Draw) -> Self {
        Self {
            label: draw.label,
            kind: draw.kind,
            in_region: draw.verdict.in_region,
            miss: draw.verdict.miss,
        }
    }
}

impl Pair {
    pub(super) fn by_label(atoms: [u32; 2], odds: f64, low: f64) -> Self {
        let high = odds * low / (1.0 - low + odds * low);
        Self {
            atoms,
            to: TiedTo::Label,
            first: [[high; KINDS], [low; KINDS]],
            there: 0.0,
            either: Some(high + low),
        }
    }

    pub(super) fn by_type(atoms: [u32; 2]) -> Self {
        let (own, other, rest) = TIED_RATES;
        let mut rates = [rest; KINDS];
        rates[INS] = own;
        rates[DEL] = other;
        Self {
            atoms,
            to: TiedTo::Type,
            first: [rates; 2],
            there: 0.0,
            either: Some(own + other),
        }
    }

    pub(super) fn by_false_calls(atoms: [u32; 2], to: TiedTo) -> Self {
        let (there, elsewhere) = FALSE_CALL_RATES;
        Self {
            atoms,
            to,
            first: [[elsewhere; KINDS]; 2],
            there,
            either: Some(there + elsewhere),
        }
    }

    /// Makes a pair whose atoms both fire more often on true calls, so that others have fewer
    /// places there.
    pub(super) fn one_sided(atoms: [u32; 2]) -> Self {
        let (high, low) = ONE_SIDED_RATES;
        Self {
            atoms,
            to: TiedTo::Label,
            first: [[high; KINDS], [low; KINDS]],
            there: 0.0,
            either: None,
        }
    }

    /// Returns which of the pair fire on a call, from a uniform draw.
    pub(super) fn fires(&self, call: Properties, unit: f64) -> [bool; 2] {
        let is_false = call.label == Label::Fp;
        let is_there = is_false
            && match self.to {
                TiedTo::Label | TiedTo::Type => false,
                TiedTo::FalseInRegion => call.in_region,
                TiedTo::FalseWithoutCandidate => call.miss == Some(Miss::NoCandidate),
            };
        let first = if is_there {
            self.there
        } else {
            self.first[usize::from(is_false)][call.kind]
        };
        let is_first = unit < first;
        let Some(either) = self.either else {
            // The rest of the draw is uniform too, whether or not the first fires.
            let left = if is_first {
                unit / first
            } else {
                (unit - first) / (1.0 - first)
            };
            return [is_first, left < first];
        };
        [is_first, !is_first && unit < either]
    }

    /// Returns the probability that either fires, where at most one does.
    #[cfg(test)]
    pub(super) fn either(&self) -> Option<f64> {
        self.either
    }

    /// Returns the most atoms of the pair that can fire on a call.
    pub(super) fn most(&self) -> usize {
        if self.either.is_some() { 1 } else { 2 }
    }

    /// Returns the probability that one of the two fires, in the order of the truth's strata.
    pub(super) fn rates(&self, which: usize, counts: Option<&Counts>) -> Vec<f64> {
        let rate = |(stratum, &first): (usize, &f64)| {
            let there = counts.map_or(0.0, |counts| self.share_there(stratum, counts));
            self.rate(which, first + (self.there - first) * there)
        };
        self.first.iter().flatten().enumerate().map(rate).collect()
    }

    /// Returns the probability that one of the two fires, from the first's.
    fn rate(&self, which: usize, first: f64) -> f64 {
        match self.either {
            Some(either) if which == 1 => either - first,
            _ => first,
        }
    }

    /// Returns the share of a stratum's calls that the pair is tied to; 0 of a pair that is tied to a label
    /// or to types.
    fn share_there(&self, stratum: usize, counts: &Counts) -> f64 {
        let Some(kind) = stratum.checked_sub(KINDS) else {
            return 0.0;
        };
        let there = match self.to {
            TiedTo::Label | TiedTo::Type => 0,
            TiedTo::FalseInRegion => counts.in_region[1][kind],
            TiedTo::FalseWithoutCandidate => counts.misses[Miss::NoCandidate as usize][kind],
        };
        there as f64 / (counts.all[1][kind] as f64).max(1.0)
    }

    pub(super) fn tie(&self, which: usize) -> Option<Tie> {
        let is_tied = !matches!(self.to, TiedTo::Label | TiedTo::Type);
        is_tied.then(|| Tie {
            there: self.rate(which, self.there),
            elsewhere: self.rate(which, self.first[0][0]),
        })
    }

    pub(super) fn role(&self, which: usize) -> Role {
        match (self.to, which) {
            (TiedTo::Label, 0) => Role::TpBiased,
            (TiedTo::Label, _) if self.either.is_none() => Role::TpBiased,
            (TiedTo::Label, _) => Role::FpBiased,
            (TiedTo::Type, 0) => Role::InsTied,
            (TiedTo::Type, _) => Role::DelTied,
            (TiedTo::FalseInRegion, 0) => Role::RegionTied,
            (TiedTo::FalseInRegion, _) => Role::RegionAverse,
            (TiedTo::FalseWithoutCandidate, 0) => Role::NoCandidateTied,
            (TiedTo::FalseWithoutCandidate, _) => Role::NoCandidateAverse,
        }
    }
}
