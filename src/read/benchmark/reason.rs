//! Why a call is false, from what the benchmark wrote beside it.
//!
//! Truvari writes how far the nearest truth call is: the truth's span is the call's span moved by
//! `StartDistance` and `EndDistance`, and its size is the call's size plus `SizeDiff`. So distance and type
//! are computed as Truvari compares them, and not guessed.

use std::collections::BTreeSet;

use super::params::Params;
use crate::read::vcf::{Allele, Record};

/// A reason why a call is false, in the order in which the first is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Nothing in the truth is near.
    NoCandidate,
    /// It matches, but the truth call is taken by another.
    Multi,
    /// Sizes are too unlike.
    Size,
    /// Sequences are too unlike.
    Sequence,
    /// Reciprocal overlap is too small.
    Overlap,
    /// The spans, or a breakend's positions, are too far apart.
    Distance,
    /// The genotype is another.
    Genotype,
    /// The truth call nearest to it is of another type.
    Type,
    /// The breakends join other sides.
    Orientation,
    /// A truth call is near, and no match: the file does not say why.
    Nearby,
    /// It is true by construction: below `sizemin` a call that matches nothing is in no file.
    BelowSizemin,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 11] = [
        Self::NoCandidate,
        Self::Multi,
        Self::Size,
        Self::Sequence,
        Self::Overlap,
        Self::Distance,
        Self::Genotype,
        Self::Type,
        Self::Orientation,
        Self::Nearby,
        Self::BelowSizemin,
    ];

    /// Returns the reason's name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoCandidate => "no_candidate",
            Self::Multi => "multi",
            Self::Size => "size",
            Self::Sequence => "sequence",
            Self::Overlap => "overlap",
            Self::Distance => "distance",
            Self::Genotype => "genotype",
            Self::Type => "type",
            Self::Orientation => "orientation",
            Self::Nearby => "nearby",
            Self::BelowSizemin => "below_sizemin",
        }
    }
}

/// The way in which reasons are derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// From Truvari's INFO keys and thresholds.
    Truvari,
    /// From FORMAT/BK of GA4GH; from Truvari's keys where they are.
    Ga4gh,
    /// From FORMAT/EA and OA: the expected and the observed alleles.
    Aardvark,
    /// From the label: `FP_CA` has the allele, and another genotype.
    Rtg,
    /// From FORMAT/WHY.
    Wittyer,
    /// There is nothing to derive them from.
    None,
}

/// A false call.
pub(super) struct False<'a, 'b> {
    pub(super) record: &'b Record<'a>,
    pub(super) allele: &'b Allele<'a>,
    pub(super) sample: Option<usize>,
    /// The label as it is written.
    pub(super) label: &'b [u8],
}

/// Returns all reasons that hold, ascending; none where the tool says nothing.
pub(super) fn reasons(how: How, call: &False<'_, '_>, params: Option<&Params>) -> BTreeSet<Reason> {
    let value = |key| {
        call.sample
            .and_then(|sample| call.record.sample_value(sample, key))
    };
    let one = |reason| BTreeSet::from([reason]);
    match how {
        How::Truvari => truvari(call, params),
        How::Ga4gh if call.record.info_value("MatchId").is_some() => truvari(call, params),
        How::Ga4gh => one(match value("BK") {
            Some(b"am") => Reason::Genotype,
            Some(b"lm") => Reason::Nearby,
            _ => Reason::NoCandidate,
        }),
        How::Aardvark => match value("EA") {
            None | Some(b"0") => BTreeSet::new(),
            Some(_) => one(Reason::Genotype),
        },
        How::Rtg if call.label.eq_ignore_ascii_case(b"FP_CA") => one(Reason::Genotype),
        How::Wittyer => wittyer(value("WHY").unwrap_or_default()),
        How::Rtg | How::None => BTreeSet::new(),
    }
}

/// Truvari's figures of the nearest truth call; `None` where it wrote none.
#[derive(Default)]
struct Figures {
    size: Option<f64>,
    sequence: Option<f64>,
    overlap: Option<f64>,
    size_difference: Option<i64>,
    start: Option<i64>,
    end: Option<i64>,
    score: Option<f64>,
    is_multi: bool,
    has_genotype_match: bool,
}

impl Figures {
    fn of(record: &Record<'_>) -> Self {
        let mut found = Self::default();
        for (key, value) in record.info() {
            let number = || std::str::from_utf8(value).ok()?.parse::<f64>().ok();
            let whole = || {
                number()
                    .map(|x| x as i64)
                    .filter(|n| n.unsigned_abs() <= 1 << 53)
            };
            match key {
                b"PctSizeSimilarity" => found.size = number(),
                b"PctSeqSimilarity" => found.sequence = number(),
                b"PctRecOverlap" => found.overlap = number(),
                b"SizeDiff" => found.size_difference = whole(),
                b"StartDistance" => found.start = whole(),
                b"EndDistance" => found.end = whole(),
                b"TruScore" => found.score = number(),
                b"Multi" => found.is_multi = true,
                b"GTMatch" => found.has_genotype_match = value.is_empty() || value == b"0",
                _ => {}
            }
        }
        found
    }

    /// Says whether a truth call was looked at.
    fn has_candidate(&self) -> bool {
        let is_there = [self.size, self.sequence, self.overlap, self.score];
        is_there.iter().any(Option::is_some)
            || self.start.is_some()
            || self.size_difference.is_some()
    }
}

fn truvari(call: &False<'_, '_>, params: Option<&Params>) -> BTreeSet<Reason> {
    let found = Figures::of(call.record);
    if !found.has_candidate() {
        return BTreeSet::from([Reason::NoCandidate]);
    }
    if found.is_multi {
        return BTreeSet::from([Reason::Multi]);
    }
    let Some(params) = params else {
        return BTreeSet::from([Reason::Nearby]);
    };
    // Breakends, and what was compared as two of them, have positions alone.
    if call.allele.svtype == "BND" || found.size.is_none() && found.score.is_none() {
        let limit = params.bnddist.unwrap_or(i64::MAX);
        let is_near = |distance: Option<i64>| distance.is_some_and(|n| n.abs() <= limit);
        let is_near = is_near(found.start) && is_near(found.end);
        let reason = if is_near {
            Reason::Orientation
        } else {
            Reason::Distance
        };
        return BTreeSet::from([reason]);
    }
    let mut all = thresholds(&found, params);
    let truth = Truth::of(call, &found);
    if truth
        .as_ref()
        .is_some_and(|truth| truth.is_far(call, params))
    {
        all.insert(Reason::Distance);
    }
    let is_of_another_type = truth.is_some_and(|truth| truth.is_of_another_type(call));
    // What passes every threshold, and is yet no match, is of another type.
    if !params.typeignore && (is_of_another_type || all.is_empty()) {
        all.insert(Reason::Type);
    }
    if all.is_empty() {
        all.insert(Reason::Nearby);
    }
    all
}

fn thresholds(found: &Figures, params: &Params) -> BTreeSet<Reason> {
    let below = |value: Option<f64>, least: f64| value.is_some_and(|value| value < least);
    // A similarity of 0 is of sequences that were not compared.
    let is_compared = found.sequence.is_some_and(|value| value > 0.0);
    let each = [
        (Reason::Size, below(found.size, params.pctsize)),
        (
            Reason::Sequence,
            is_compared && below(found.sequence, params.pctseq),
        ),
        (Reason::Overlap, below(found.overlap, params.pctovl)),
        (Reason::Genotype, params.gtcomp && !found.has_genotype_match),
    ];
    each.into_iter()
        .filter(|(_, fails)| *fails)
        .map(|(reason, _)| reason)
        .collect()
}

/// The span and the size of the truth call that was nearest.
struct Truth {
    start: i64,
    end: i64,
    size: i64,
}

impl Truth {
    fn of(call: &False<'_, '_>, found: &Figures) -> Option<Self> {
        let (start, end) = span(call);
        Some(Self {
            start: start + found.start?,
            end: end + found.end?,
            size: i64::try_from(call.allele.length?)
                .ok()?
                .checked_add(found.size_difference?)?,
        })
    }

    /// Compares spans as Truvari does: the truth's is widened by `refdist` on both sides.
    fn is_far(&self, call: &False<'_, '_>, params: &Params) -> bool {
        let (start, end) = span(call);
        params.refdist.is_some_and(|distance| {
            start.max(self.start.saturating_sub(distance))
                >= end.min(self.end.saturating_add(distance))
        })
    }

    /// Says whether one takes up bases of the reference, and the other does not.
    fn is_of_another_type(&self, call: &False<'_, '_>) -> bool {
        let (start, end) = span(call);
        let takes_up = |bases: i64, size: i64| bases - 1 > size / 2;
        let size = call
            .allele
            .length
            .map_or(0, |n| n.min(1 << 53).cast_signed());
        takes_up(self.end - self.start, self.size) != takes_up(end - start, size)
    }
}

/// The call's span as Truvari takes it, from 0 and half open, with the base before an event.
fn span(call: &False<'_, '_>) -> (i64, i64) {
    (call.record.pos() - 1, call.allele.end)
}

/// Translates Witty.er's words; those that say nothing of a match are passed over.
fn wittyer(why: &[u8]) -> BTreeSet<Reason> {
    let words = why.split(|byte| b",|".contains(byte));
    let known = words.filter_map(|word| match word {
        b"NoOverlap" => Some(Reason::NoCandidate),
        b"FailedBoundary" | b"BordersTooFarOff" | b"BndPartialMatch" => Some(Reason::Distance),
        b"GtMismatch" | b"GTmismatch" | b"CnMismatch" | b"CNmismatch" => Some(Reason::Genotype),
        _ => None,
    });
    known.collect()
}
