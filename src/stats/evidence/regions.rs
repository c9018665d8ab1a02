//! Atoms and labels against regions of the reference, among the calls of the cohort.
//!
//! The calls are compared with one another, those in a region with those outside, and never with the
//! genome: gaps, mappability and the benchmark's own regions are the same for both. Each region stands
//! beside the same comparison within strata (SV type and size, and the label where atoms are compared), as
//! a large call touches nearly everything, and false calls have other sizes than true ones.
//!
//! | file | what it holds |
//! |---|---|
//! | `calls` | which calls lie in which regions |
//! | `counts` | on how many calls in a region, and outside, each atom fires |
//! | `permutation` | adjusted p-values over all regions and atoms, by permuting loci |

mod calls;
mod counts;
mod permutation;

use std::collections::HashSet;

use super::atoms::AtomCounts;
use crate::cohort::Call;
use crate::control::Control;
use crate::error::Result;
use crate::fires::FiringStore;
use crate::regions::{RegionRule, RegionSet};
use crate::stats::inference::conditional;
use crate::stats::inference::multiplicity::Adjusted;
use crate::stats::inference::stratified;
use crate::stats::inference::{Estimate, Table2x2, effect};
use crate::stats::resampling::permutation::MaxT;

use self::calls::RegionCalls;
use self::counts::OfRegion;
pub use self::permutation::RegionPermutations;

/// The regions that calls are compared by, and when a call lies in one.
#[derive(Debug, Clone, Default)]
pub struct RegionOptions {
    /// The sets of regions.
    pub sets: Vec<RegionSet>,
    /// The rule.
    pub rule: RegionRule,
}

/// Says whether a call lies in a set of regions by a rule; `None` of a call without a chromosome or a
/// position.
pub fn lies_in(set: &RegionSet, call: &Call<'_>, rule: RegionRule) -> Option<bool> {
    calls::place_of(call).map(|place| set.holds(&place, rule))
}

/// The calls in and outside each region.
#[derive(Debug, Clone)]
pub struct RegionTables {
    /// The rule by which a call lies in a region.
    pub rule: RegionRule,
    /// Each region.
    pub regions: Vec<RegionLabels>,
    /// Each atom in each region, region after region: those that fire on enough calls.
    pub atoms: Vec<AtomRegion>,
    /// The p-values of Fisher's test adjusted, over all of them.
    pub fisher: Adjusted,
    /// Those of the exact conditional test within strata.
    pub cmh: Adjusted,
    /// Sentences on regions that no call can lie in.
    pub warnings: Vec<String>,
}

/// The labels of the calls in a region against those of all others.
#[derive(Debug, Clone)]
pub struct RegionLabels {
    /// The region's name.
    pub name: String,
    /// The intervals of its file, and the bases that they cover.
    pub intervals: usize,
    /// Bases that the intervals cover.
    pub bases: u64,
    /// False calls in the region and outside, and true ones: a "true call" of this table is a false
    /// one, and it "fires" in the region, so that its odds ratio is that of being false.
    pub counts: AtomCounts,
    /// The share of true calls in the region, with Wilson's interval.
    pub precision: Option<Estimate>,
    /// The share of true calls outside, with Wilson's interval.
    pub precision_outside: Option<Estimate>,
}

/// An atom in a region against the same atom outside.
#[derive(Debug, Clone)]
pub struct AtomRegion {
    /// The region's place in the list.
    pub region: u32,
    /// The atom.
    pub atom: u32,
    /// Firing in the region and outside: a "true call" of this table is one in the region.
    pub counts: AtomCounts,
    /// Its adjustment over all atoms and regions by permutation; `None` without permutations, and where
    /// there is no test.
    pub max_t: Option<MaxT>,
}

impl RegionTables {
    /// Compares the calls in each region with those outside; `fires` \[F\] is the number of calls on
    /// which each atom fires.
    ///
    /// # Errors
    /// Those of reading; memory; cancellation.
    pub fn of(
        store: &dyn FiringStore,
        fires: &[u64],
        options: &RegionOptions,
        permutations: RegionPermutations,
        (min_support, memory): (u64, u64),
        control: &Control,
    ) -> Result<Self> {
        let calls = RegionCalls::read(store, options, control)?;
        let mut regions = Vec::new();
        for (number, set) in options.sets.iter().enumerate() {
            regions.push(of_labels(&calls, number, set));
        }
        let mut atoms = Vec::new();
        counts::each_region(store, &calls, fires, memory, control, &mut |of| {
            atoms.extend(of_atoms(&of, min_support));
        })?;
        if permutations.count > 0 && !calls.is_empty() && !atoms.is_empty() {
            let tests: HashSet<(u32, u32)> = atoms
                .iter()
                .filter(|row: &&AtomRegion| !row.counts.table.is_degenerate())
                .map(|row| (row.region, row.atom))
                .collect();
            let tested = |region: usize, atom: usize| tests.contains(&(region as u32, atom as u32));
            let found =
                permutation::max_t(store, &calls, fires, &tested, permutations, memory, control)?;
            for row in &mut atoms {
                let at = row.region as usize * fires.len() + row.atom as usize;
                row.max_t = found.get(at).copied().filter(|max_t| !max_t.p.is_nan());
            }
        }
        let adjusted = |p: &dyn Fn(&AtomCounts) -> Option<_>| {
            let p: Vec<_> = atoms
                .iter()
                .map(|row: &AtomRegion| p(&row.counts))
                .collect();
            Adjusted::of(&p)
        };
        Ok(Self {
            rule: options.rule,
            warnings: options
                .sets
                .iter()
                .filter_map(|set| elsewhere(set, &calls))
                .collect(),
            regions,
            fisher: adjusted(&|counts| (!counts.table.is_degenerate()).then_some(counts.fisher.p)),
            cmh: adjusted(&|counts| Some(counts.conditional.no_effect?.p)),
            atoms,
        })
    }
}

/// Says if a set has regions on none of the calls' contigs.
fn elsewhere(set: &RegionSet, calls: &RegionCalls) -> Option<String> {
    const SHOWN: usize = 3;
    let contigs = &calls.contigs;
    if contigs.is_empty() || contigs.keys().any(|contig| set.has_contig(contig)) {
        return None;
    }
    let of_calls: Vec<&str> = contigs.keys().map(String::as_str).take(SHOWN).collect();
    let mut of_set = set.contigs();
    of_set.truncate(SHOWN);
    Some(format!(
        "no call is on a contig of the regions {}: calls are on {}, regions on {}",
        set.name,
        of_calls.join(", "),
        of_set.join(", ")
    ))
}

/// The statistics of one 2x2 table, and of its strata.
fn counts_of(tables: &[Table2x2]) -> AtomCounts {
    let all = tables
        .iter()
        .fold(Table2x2::default(), |sum, table| sum + *table);
    AtomCounts::of(
        all,
        stratified::of_tables(tables),
        conditional::of_tables(tables),
    )
}

fn of_labels(calls: &RegionCalls, number: usize, set: &RegionSet) -> RegionLabels {
    let tables = calls.labels(number);
    let counts = counts_of(&tables);
    let of_true = |good: u64, bad: u64| {
        effect::precision_when_firing(&Table2x2 {
            tp_on: good,
            fp_on: bad,
            ..Table2x2::default()
        })
    };
    let table = counts.table;
    RegionLabels {
        name: set.name.clone(),
        intervals: set.len(),
        bases: set.bases(),
        precision: of_true(table.fp_on, table.tp_on),
        precision_outside: of_true(table.fp_off, table.tp_off),
        counts,
    }
}

fn of_atoms(of: &OfRegion<'_>, min_support: u64) -> Vec<AtomRegion> {
    let strata = of.strata();
    let stratified = stratified::of_atoms(&strata);
    let conditional = conditional::of_atoms(&strata);
    let each = stratified.into_iter().zip(conditional).enumerate();
    let rows = each.filter_map(|(atom, (stratified, conditional))| {
        let table = of.table(atom);
        (table.fires() >= min_support).then(|| AtomRegion {
            region: of.region,
            atom: atom as u32,
            counts: AtomCounts::of(table, stratified, conditional),
            max_t: None,
        })
    });
    rows.collect()
}

#[cfg(test)]
#[path = "regions/tests.rs"]
mod tests;
