//! A tally's counts by confounder, and by SV type.

use std::collections::BTreeMap;

use super::categories::{Category, Counts};
use crate::cohort::Label;
use crate::error::{Choice, Error, Result};
use crate::stats::inference::Table2x2;
use crate::tally::{CountsByAtom, SizeBin, StratifyBy, Stratum, Tally};

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

/// Counts of true and of false calls for each stratum without its label, ascending.
pub struct StrataCounts {
    /// The strata, each with its true and false calls.
    strata: Vec<(StratumKey, [u64; 2])>,
    /// The stratum and the label, 0 for true calls, of each of the tally's strata.
    places: Vec<(u32, usize)>,
    counts: CountsByAtom,
}

impl StrataCounts {
    /// Counts a tally by the strata that this scheme tells apart.
    pub fn of(tally: &Tally, scheme: &StratifyBy) -> Self {
        let keys: Vec<StratumKey> = (tally.table().iter())
            .map(|stratum| StratumKey::of(stratum, scheme))
            .collect();
        let label = |number: usize| usize::from(tally.table()[number].label == Label::Fp);
        let mut strata = BTreeMap::<StratumKey, [u64; 2]>::new();
        for (number, key) in keys.iter().enumerate() {
            strata.entry(key.clone()).or_default()[label(number)] += tally.rows()[number];
        }
        let numbers: BTreeMap<&StratumKey, u32> = strata.keys().zip(0..).collect();
        let place = |(number, key): (usize, &StratumKey)| {
            let stratum = numbers.get(key).copied().unwrap_or_default();
            (stratum, label(number))
        };
        Self {
            places: keys.iter().enumerate().map(place).collect(),
            strata: strata.into_iter().collect(),
            counts: tally.all_counts().by_atom(tally.feature_dim()),
        }
    }

    /// Returns the strata, ascending, each with its true and false calls.
    pub fn strata(&self) -> &[(StratumKey, [u64; 2])] {
        &self.strata
    }

    /// Returns the strata in which an atom fires, ascending: the stratum's number, and the true and false
    /// calls there on which it fires.
    pub fn of_atom(&self, atom: usize) -> Vec<(u32, [u64; 2])> {
        let mut on: Vec<(u32, [u64; 2])> = (self.counts.of(atom).iter())
            .map(|&(number, count)| {
                let (stratum, label) = self.places[number as usize];
                let mut both = [0, 0];
                both[label] = count;
                (stratum, both)
            })
            .collect();
        on.sort_by_key(|of_stratum| of_stratum.0);
        on.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 = [0, 1].map(|label| kept.1[label] + next.1[label]);
            }
            is_same
        });
        on
    }
}

/// The strata within which calls are compared.
pub(super) struct Confounded {
    pub(super) scheme: StratifyBy,
    /// True and false calls of all strata.
    all: [u64; 2],
    counts: StrataCounts,
}

/// A stratum in which an atom fires.
#[derive(Debug, Clone, Copy)]
pub(super) struct FiresIn {
    /// The stratum's number.
    stratum: u32,
    /// Firing and label there.
    pub(super) table: Table2x2,
}

impl Confounded {
    /// Takes the tally by the scheme that is asked for, or by all that the tally tells apart.
    pub(super) fn of(tally: &Tally, wanted: Option<&StratifyBy>) -> Result<Self> {
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
        let counts = StrataCounts::of(tally, &scheme);
        let calls = counts.strata().iter().map(|(_, calls)| calls);
        Ok(Self {
            all: calls.fold([0, 0], |sum, calls| [0, 1].map(|i| sum[i] + calls[i])),
            counts,
            scheme,
        })
    }

    /// Returns the number of strata.
    pub(super) fn strata(&self) -> usize {
        self.counts.strata().len()
    }

    /// True and false calls of a stratum.
    fn calls(&self, stratum: u32) -> [u64; 2] {
        self.counts.strata()[stratum as usize].1
    }

    /// The strata in which an atom fires, ascending. A cell whose count would be negative, since a count
    /// exceeds its total, counts as empty.
    pub(super) fn of_atom(&self, atom: usize) -> Vec<FiresIn> {
        let fires_in = self.counts.of_atom(atom).into_iter();
        let tables = fires_in.map(|(stratum, on)| FiresIn {
            stratum,
            table: table(on, self.calls(stratum)),
        });
        tables.collect()
    }

    /// The tables of an atom: one of each stratum in which it fires, and one of all others together, in
    /// which it tells nothing.
    pub(super) fn tables(&self, atom: usize) -> Vec<Table2x2> {
        let fires_in = self.of_atom(atom);
        let calls = |of: &FiresIn| self.calls(of.stratum);
        let rest = [0, 1].map(|label| {
            let there: u64 = fires_in.iter().map(|of| calls(of)[label]).sum();
            self.all[label] - there
        });
        let mut tables: Vec<Table2x2> = fires_in.iter().map(|of| of.table).collect();
        if rest != [0, 0] {
            tables.push(table([0, 0], rest));
        }
        tables
    }
}

/// The table of an atom that fires on so many true and false calls, of so many in all.
fn table(on: [u64; 2], calls: [u64; 2]) -> Table2x2 {
    Table2x2 {
        tp_on: on[0],
        fp_on: on[1],
        tp_off: calls[0].saturating_sub(on[0]),
        fp_off: calls[1].saturating_sub(on[1]),
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
            counts.add(place, label, tally.all_counts().of(number));
        }
    }
    counts
}
