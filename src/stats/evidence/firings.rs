//! The results that an atom's firings add to its counts: how strongly it fires, and on which calls.

use std::ops::Range;

use rayon::prelude::*;

use super::Adjusted;
use super::FiringTables;
use super::atoms::AllAtoms;
use super::calls::{CallFacts, Categories};
use super::categories::{Counts, Enrichment};
use crate::cohort::Label;
use crate::error::Result;
use crate::fires::FiringStore;
use crate::fires::by_atom::{Carry, FiringsByAtom};
use crate::stats::inference::rank_sum::{self, RankSum, Silent};
use crate::stats::inference::spearman::{MidRanks, Spearman};
use crate::stats::total_order::{ascending_bits, of_ascending_bits};

/// The strength with which an atom fires.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Activation {
    /// Mean activation over the true calls on which it fires: of canonical scores, or of what the model
    /// makes of them.
    pub mean_tp: Option<f64>,
    /// The same mean over the false calls on which it fires.
    pub mean_fp: Option<f64>,
    /// Mann and Whitney's test of the activation, true against false calls; where the atom does not
    /// fire the activation is 0. Where no atom fires below 0, that is the least value; a score among
    /// the k largest, by value or by magnitude, can be negative, and then ranks below it.
    pub rank_sum: Option<RankSum>,
}

/// The sizes, or another quantity, of the calls on which an atom fires.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    /// The number of these calls that have a size.
    pub calls: u64,
    /// Their median size, in base pairs.
    pub median: Option<f64>,
    /// The rank correlation of firing with size, over all calls that have one.
    pub spearman: Option<Spearman>,
}

/// The results that an atom's firings add.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtomFirings {
    /// The strength with which it fires; `None` where scores were not kept.
    pub activation: Option<Activation>,
    /// Sizes.
    pub sizes: Sizes,
}

/// All atoms' firings under way.
pub(super) struct Firings {
    atoms: Vec<AtomFirings>,
    chromosomes: Counts,
    datasets: Counts,
}

impl Firings {
    /// One group of atoms after another, all atoms in all; `each` sees it too.
    pub(super) fn gather(
        details: &dyn FiringStore,
        facts: &CallFacts,
        all: &AllAtoms,
        groups: &[Range<u32>],
        each: &mut dyn FnMut(&FiringsByAtom) -> Result<()>,
    ) -> Result<Self> {
        let ranks = MidRanks::of(&facts.sizes);
        let features = all.fires.len();
        let mut firings = Self {
            atoms: Vec::with_capacity(features),
            chromosomes: Counts::new(facts.chromosomes.list.clone(), features),
            datasets: Counts::new(facts.datasets.list.clone(), features),
        };
        for group in groups {
            let of_each = Carry::CallsAndScores;
            let rows = FiringsByAtom::gather(details, group.clone(), &all.fires, of_each)?;
            firings.take(&rows, facts, &ranks, all);
            each(&rows)?;
        }
        Ok(firings)
    }

    fn take(&mut self, rows: &FiringsByAtom, facts: &CallFacts, ranks: &MidRanks, all: &AllAtoms) {
        let of_atom = |atom: u32| AtomFirings {
            activation: activation(rows, atom, facts, all),
            sizes: sizes(rows.of(atom), &facts.sizes, ranks),
        };
        let atoms = rows.atoms().into_par_iter().with_min_len(16);
        self.atoms.extend(atoms.map(of_atom).collect::<Vec<_>>());
        count(&mut self.chromosomes, rows, &facts.chromosomes, facts);
        count(&mut self.datasets, rows, &facts.datasets, facts);
    }

    /// Returns the tables, with every p-value adjusted.
    pub(super) fn finish(
        self,
        facts: &CallFacts,
        all: &AllAtoms,
        min_support: u64,
    ) -> FiringTables {
        let tested = |atom: usize| all.is_tested(atom);
        let family = |p: &dyn Fn(&AtomFirings) -> Option<_>| {
            let of = |(atom, firings)| p(firings).filter(|_| tested(atom));
            Adjusted::of(&self.atoms.iter().enumerate().map(of).collect::<Vec<_>>())
        };
        let enough = |fires: u64| fires >= min_support.max(1);
        let enrichment = |counts| Enrichment::of(counts, &all.fires, enough, min_support);
        FiringTables {
            mann_whitney: family(&|firings| Some(firings.activation?.rank_sum?.p)),
            sizes: family(&|firings| Some(firings.sizes.spearman?.p)),
            chromosomes: enrichment(&self.chromosomes),
            datasets: enrichment(&self.datasets),
            has_scores: self.atoms.iter().all(|atom| atom.activation.is_some())
                && !facts.is_empty(),
            atoms: self.atoms,
        }
    }
}

fn activation(
    rows: &FiringsByAtom,
    atom: u32,
    facts: &CallFacts,
    all: &AllAtoms,
) -> Option<Activation> {
    let scores = rows.scores(atom)?;
    let label = |&call: &u32| {
        if facts.is_tp[call as usize] {
            Label::Tp
        } else {
            Label::Fp
        }
    };
    let labels = rows.of(atom).iter().map(label);
    let mut firing: Vec<(f64, Label)> = scores.iter().copied().zip(labels).collect();
    let mean = |label: Label| {
        // In the cohort's order, so that every split gives the same sum.
        let of_label = firing.iter().filter(|firing| firing.1 == label);
        let (count, sum) = of_label.fold((0_u64, 0.0), |(n, sum), firing| (n + 1, sum + firing.0));
        (count > 0).then(|| sum / count as f64)
    };
    let (mean_tp, mean_fp) = (mean(Label::Tp), mean(Label::Fp));
    sort_ascending(&mut firing);
    let table = &all.atoms[atom as usize].table;
    let silent = Silent {
        tp: table.tp_off,
        fp: table.fp_off,
    };
    Some(Activation {
        mean_tp,
        mean_fp,
        rank_sum: rank_sum::mann_whitney(&firing, silent),
    })
}

/// Sorts scores as [`f64::total_cmp`] has it, by whole numbers of the same order.
fn sort_ascending(firing: &mut [(f64, Label)]) {
    let mut keys: Vec<(u64, Label)> = (firing.iter())
        .map(|&(score, label)| (ascending_bits(score), label))
        .collect();
    keys.sort_unstable_by_key(|&(key, _)| key);
    for (firing, (key, label)) in firing.iter_mut().zip(keys) {
        *firing = (of_ascending_bits(key), label);
    }
}

/// Describes a quantity of the calls on which an atom fires; NaN is a missing one.
pub(super) fn sizes(calls: &[u32], values: &[f64], ranks: &MidRanks) -> Sizes {
    let of = |&call: &u32| values[call as usize];
    let mut known: Vec<f64> = calls.iter().map(of).filter(|size| !size.is_nan()).collect();
    Sizes {
        calls: known.len() as u64,
        median: median(&mut known),
        spearman: ranks.correlate(calls.iter().map(|&call| call as usize)),
    }
}

/// The middle value, or the mean of the two in the middle.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if !even {
        return Some(upper);
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(lower + (upper - lower) / 2.0)
}

/// Counts the calls of each category and label on which each atom of a group fires.
fn count(counts: &mut Counts, rows: &FiringsByAtom, categories: &Categories, facts: &CallFacts) {
    let each = 2 * categories.list.len();
    if each == 0 {
        return;
    }
    // One look-up a firing, not three.
    let place = |(call, &is_tp): (u32, &bool)| 2 * categories.category_of(call) + u32::from(!is_tp);
    let place_of_call: Vec<u32> = (0..).zip(&facts.is_tp).map(place).collect();
    let places = counts.of_atoms_mut(rows.atoms());
    let atoms = rows.atoms().into_par_iter();
    let both = places.par_chunks_mut(each).zip(atoms).with_min_len(16);
    both.for_each(|(places, atom)| {
        for &call in rows.of(atom) {
            places[place_of_call[call as usize] as usize] += 1;
        }
    });
}
