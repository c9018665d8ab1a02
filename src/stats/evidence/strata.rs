//! A tally's counts by confounder, and by SV type.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::categories::{Category, Counts};
use crate::cohort::Label;
use crate::error::{Choice, Error, Result};
use crate::stats::inference::stratified::StratumCounts;
use crate::tally::{SizeBin, StratifyBy, Stratum, Tally};

/// A stratum without its label: calls that are alike in what the scheme tells apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StratumKey {
    /// SV type.
    pub svtype: Option<String>,
    /// Size.
    pub size: Option<SizeBin>,
    /// Dataset.
    pub dataset: Option<String>,
    /// The level of each other property, by its text.
    pub levels: BTreeMap<String, String>,
}

impl StratumKey {
    /// Describes a stratum, as far as the scheme goes.
    pub fn of(stratum: &Stratum, scheme: &StratifyBy) -> Self {
        let is_wanted = |property: &str| {
            let mut wanted = scheme.properties.iter();
            wanted.any(|wanted| wanted.to_string() == property)
        };
        let levels = stratum.levels.iter();
        Self {
            svtype: scheme.svtype.then(|| stratum.svtype.clone()),
            size: stratum.size.filter(|_| scheme.size),
            dataset: stratum.dataset.clone().filter(|_| scheme.dataset),
            levels: levels
                .filter(|(property, _)| is_wanted(property))
                .map(|(property, level)| (property.clone(), level.clone()))
                .collect(),
        }
    }
}

/// Calls of a stratum and label, and the counts of every atom, \[F\].
#[derive(Default)]
struct Side<'a> {
    calls: u64,
    counts: Option<Cow<'a, [u64]>>,
}

impl<'a> Side<'a> {
    fn add(&mut self, calls: u64, counts: &'a [u64]) {
        self.calls += calls;
        match &mut self.counts {
            None => self.counts = Some(Cow::Borrowed(counts)),
            Some(sums) => {
                for (sum, n) in sums.to_mut().iter_mut().zip(counts) {
                    *sum += n;
                }
            }
        }
    }
}

/// Counts of true and of false calls for each stratum, ascending.
pub(super) struct Confounded<'a> {
    pub(super) scheme: StratifyBy,
    pub(super) strata: BTreeMap<StratumKey, [u64; 2]>,
    sides: Vec<[Side<'a>; 2]>,
    /// The counts of a label that a stratum does not have.
    none: Vec<u64>,
}

impl<'a> Confounded<'a> {
    /// Takes the tally by the scheme that is asked for, or by all that the tally tells apart.
    pub(super) fn of(tally: &'a Tally, wanted: Option<&StratifyBy>) -> Result<Self> {
        let mut there = tally.scheme();
        if tally.table().is_empty() {
            // Of no calls any levels are known.
            there = there.union(wanted.cloned().unwrap_or_default());
        }
        let scheme = wanted.map_or_else(|| there.clone(), |wanted| wanted.as_in(&there));
        if !scheme.is_within(&there) {
            return Err(Error::choice(
                Choice::Strata,
                scheme.to_string(),
                format!("some of {there}, which this tally tells apart"),
            ));
        }
        let mut sides = BTreeMap::<StratumKey, [Side; 2]>::new();
        for (number, stratum) in tally.table().iter().enumerate() {
            let both = sides.entry(StratumKey::of(stratum, &scheme)).or_default();
            let label = usize::from(stratum.label == Label::Fp);
            both[label].add(tally.rows()[number], tally.counts(number));
        }
        let strata = sides
            .iter()
            .map(|(confounder, [tp, fp])| (confounder.clone(), [tp.calls, fp.calls]));
        Ok(Self {
            scheme,
            strata: strata.collect(),
            sides: sides.into_values().collect(),
            none: vec![0; tally.feature_dim()],
        })
    }

    /// The counts of every stratum.
    pub(super) fn counts(&self) -> Vec<StratumCounts<'_>> {
        self.sides.iter().map(|both| self.both(both)).collect()
    }

    fn both<'b>(&'b self, [tp, fp]: &'b [Side<'a>; 2]) -> StratumCounts<'b> {
        StratumCounts {
            tp_on: tp.counts.as_deref().unwrap_or(&self.none),
            fp_on: fp.counts.as_deref().unwrap_or(&self.none),
            tp: tp.calls,
            fp: fp.calls,
        }
    }
}

/// The calls of each SV type, and on how many of them each atom fires.
pub(super) fn by_type(tally: &Tally) -> Counts {
    let mut types = BTreeMap::<&str, [u64; 2]>::new();
    for (stratum, &rows) in tally.table().iter().zip(tally.rows()) {
        types.entry(&stratum.svtype).or_default()[usize::from(stratum.label == Label::Fp)] += rows;
    }
    let categories: Vec<Category> = types
        .iter()
        .map(|(name, [tp, fp])| Category {
            name: (*name).to_owned(),
            tp: *tp,
            fp: *fp,
        })
        .collect();
    let mut counts = Counts::new(categories, tally.feature_dim());
    for (number, stratum) in tally.table().iter().enumerate() {
        let place = types.keys().position(|name| *name == stratum.svtype);
        let label = usize::from(stratum.label == Label::Fp);
        if let Some(place) = place {
            counts.add(place, label, tally.counts(number));
        }
    }
    counts
}
