//! Atoms against the reasons why calls are false: the false calls of each reason against all true calls.
//!
//! A false call that matches, but whose truth another call has taken, lies where true calls lie; one without
//! any candidate does not. So each reason stands by itself. It is no property to stratify by: true calls have
//! no reason, and in a stratum of one reason every call would be false.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::atoms::AtomCounts;
use crate::cohort::Label;
use crate::control::Control;
use crate::error::Result;
use crate::fires::{FiringBlock, FiringStore};
use crate::stats::inference::multiplicity::Adjusted;
use crate::stats::inference::stratified::{self, StratumCounts};
use crate::stats::inference::{Table2x2, conditional};
use crate::tally::SizeBin;

/// The most reasons that are told apart: a benchmark has some ten.
const MOST: usize = 32;

/// Each atom against each reason.
#[derive(Debug, Clone)]
pub struct ReasonTables {
    /// The reasons that enough false calls have, and how many have them; the most frequent first.
    pub reasons: Vec<(String, u64)>,
    /// Each atom against each reason, reason after reason: those that fire on enough of the calls.
    pub atoms: Vec<AtomReason>,
    /// The p-values of Fisher's test adjusted, over all of them.
    pub fisher: Adjusted,
    /// Those of the exact conditional test within strata.
    pub cmh: Adjusted,
}

/// An atom on true calls against the same atom on the false calls of a reason.
#[derive(Debug, Clone)]
pub struct AtomReason {
    /// The reason's place in the list.
    pub reason: u32,
    /// The atom.
    pub atom: u32,
    /// Firing on true calls, and on false calls of this reason.
    pub counts: AtomCounts,
}

impl ReasonTables {
    /// Compares the false calls of each reason with all true calls, within strata of SV type and size;
    /// `None` if no reason has `min_support` false calls. `features` is the number of atoms.
    ///
    /// # Errors
    /// Those of reading; cancellation.
    pub fn of(
        store: &dyn FiringStore,
        features: usize,
        min_support: u64,
        control: &Control,
    ) -> Result<Option<Self>> {
        let reasons = frequent(store, min_support, control)?;
        if reasons.is_empty() {
            return Ok(None);
        }
        let counts = Counts::read(store, features, &reasons, control)?;
        let mut atoms = Vec::new();
        for reason in 0..reasons.len() {
            atoms.extend(counts.atoms(reason, min_support));
        }
        let adjusted = |p: &dyn Fn(&AtomCounts) -> Option<_>| {
            let p: Vec<_> = atoms
                .iter()
                .map(|row: &AtomReason| p(&row.counts))
                .collect();
            Adjusted::of(&p)
        };
        Ok(Some(Self {
            fisher: adjusted(&|counts| (!counts.table.is_degenerate()).then_some(counts.fisher.p)),
            cmh: adjusted(&|counts| Some(counts.conditional.no_effect?.p)),
            atoms,
            reasons,
        }))
    }
}

/// The reasons that enough false calls have, the most frequent first.
fn frequent(
    store: &dyn FiringStore,
    min_support: u64,
    control: &Control,
) -> Result<Vec<(String, u64)>> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    store.blocks(&mut |block| {
        control.check()?;
        if block.calls.reason.values().is_empty() {
            return Ok(());
        }
        for (row, _) in block.sets.iter() {
            if let Some(reason) = false_reason(&block, row) {
                if let Some(count) = counts.get_mut(reason) {
                    *count += 1;
                } else {
                    counts.insert(reason.to_owned(), 1);
                }
            }
        }
        Ok(())
    })?;
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.retain(|&(_, calls)| calls >= min_support.max(1));
    counts.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then(a.cmp(b)));
    counts.truncate(MOST);
    Ok(counts)
}

/// The reason of a false call.
fn false_reason<'a>(block: &FiringBlock<'a>, row: usize) -> Option<&'a str> {
    let reason = block.calls.reason.get(row)?;
    (block.calls.label(row) == Label::Fp).then_some(reason)
}

/// Calls and firings by stratum and class: class 0 has the true calls, the others the reasons in their order.
struct Counts {
    features: usize,
    classes: usize,
    /// Calls, stratum after stratum, \[classes\] each.
    calls: Vec<u64>,
    /// Firings, stratum after stratum, \[classes, F\] each.
    firings: Vec<u64>,
}

impl Counts {
    fn read(
        store: &dyn FiringStore,
        features: usize,
        reasons: &[(String, u64)],
        control: &Control,
    ) -> Result<Self> {
        let mut counts = Self {
            features,
            classes: reasons.len() + 1,
            calls: Vec::new(),
            firings: Vec::new(),
        };
        let mut strata = BTreeMap::new();
        store.blocks(&mut |block| {
            control.check()?;
            for (row, atoms) in block.sets.iter() {
                let class = if block.calls.label(row) == Label::Tp {
                    Some(0)
                } else {
                    let reason = block.calls.reason.get(row);
                    let place = reasons
                        .iter()
                        .position(|(known, _)| Some(&**known) == reason);
                    place.map(|place| place + 1)
                };
                if let Some(class) = class {
                    let call = block.calls.get(row);
                    let svtype = call.svtype.unwrap_or_default().to_owned();
                    let next = strata.len();
                    let stratum = match strata.entry((svtype, SizeBin::of(call.svlen.as_f64()))) {
                        Entry::Occupied(known) => *known.get(),
                        Entry::Vacant(new) => *new.insert(next),
                    };
                    counts.add(stratum, class, atoms);
                }
            }
            Ok(())
        })?;
        Ok(counts)
    }

    fn add(&mut self, stratum: usize, class: usize, atoms: &[u32]) {
        let cell = stratum * self.classes + class;
        let least = (stratum + 1) * self.classes;
        if self.calls.len() < least {
            self.calls.resize(least, 0);
            self.firings.resize(least * self.features, 0);
        }
        self.calls[cell] += 1;
        let firings = &mut self.firings[cell * self.features..][..self.features];
        for &atom in atoms {
            firings[atom as usize] += 1;
        }
    }

    /// Every atom that fires on enough of the calls of a reason and the true ones.
    fn atoms(&self, reason: usize, min_support: u64) -> Vec<AtomReason> {
        let class = reason + 1;
        let strata = self.calls.len() / self.classes;
        let of = |stratum: usize, class: usize| stratum * self.classes + class;
        let firings = |cell: usize| &self.firings[cell * self.features..][..self.features];
        let counts: Vec<StratumCounts<'_>> = (0..strata)
            .map(|stratum| StratumCounts {
                tp_on: firings(of(stratum, 0)),
                fp_on: firings(of(stratum, class)),
                tp: self.calls[of(stratum, 0)],
                fp: self.calls[of(stratum, class)],
            })
            .collect();
        let stratified = stratified::of_atoms(&counts);
        let conditional = conditional::of_atoms(&counts);
        let each = stratified.into_iter().zip(conditional).enumerate();
        let rows = each.filter_map(|(atom, (stratified, conditional))| {
            let table = counts.iter().fold(Table2x2::default(), |sum, stratum| {
                let (tp_on, fp_on) = (stratum.tp_on[atom], stratum.fp_on[atom]);
                sum + Table2x2 {
                    tp_on,
                    fp_on,
                    tp_off: stratum.tp - tp_on,
                    fp_off: stratum.fp - fp_on,
                }
            });
            (table.fires() >= min_support).then(|| AtomReason {
                reason: reason as u32,
                atom: atom as u32,
                counts: AtomCounts::of(table, stratified, conditional),
            })
        });
        rows.collect()
    }
}

#[cfg(test)]
#[path = "reasons/tests.rs"]
mod tests;
