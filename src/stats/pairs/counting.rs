//! Counts of all pairs, in bounded memory for any number of atoms and of calls.
//!
//! Where the counts of all pairs fit into a core's caches, one pass over the firing sets makes them.
//! Where they do not, a cohort's firing sets mostly fit into memory. Then one atom after another has
//! its counts with all atoms after it, which stay in the cache, and only pairs that fire together often
//! enough are kept. Where firing sets do not fit either, the counts of a band of first atoms are held,
//! and one pass is made for each band. A pass takes as many calls at a time as fit beside the counts.
//!
//! Two atoms fire together at most as often as either fires. So atoms that fire less often than a
//! pair must are left out first, and the others are numbered anew: of a wide model, most of whose
//! atoms are rare, that leaves few.

use std::ops::Range;

use rayon::prelude::*;

use super::chosen::Chosen;
use super::firings::{Batch, Inverted};
use super::kept::Keeper;
use super::seen::Seen;
use super::sizes::Sizes;
use crate::control::{Control, Stage};
use crate::error::Result;
use crate::fires::FiringStore;
use crate::fires::by_atom::differ;
use crate::stats::inference::stratified::StratumCounts;

/// Pairs that are looked at between two questions whether to go on.
pub(super) const SPAN: usize = 1 << 21;

/// Bytes that a firing takes: itself, its place, and where its row ends.
const FIRING_BYTES: u64 = 3 * size_of::<u32>() as u64;

/// Firings that are inverted round at a time where nothing wants more: about what a core's own cache
/// holds.
const CACHED: u64 = 1 << 18;

/// Bytes that a pair's counts take: of true and of false calls.
const PAIR_BYTES: u64 = 2 * size_of::<u32>() as u64;

/// Bytes of counts that are better gone through again and again, for every [`CACHED`] firings, than
/// made for one atom after another.
const CACHED_COUNTS: u64 = 1 << 24;

/// An atom's counts with all after it are looked through where it fires together with others at least
/// once for this number of them; otherwise those that it fires with are picked.
const SPARSE: usize = 4;

/// The data that the passes need.
struct Counting<'a> {
    details: &'a dyn FiringStore,
    counts: &'a StratumCounts<'a>,
    control: Control<'a>,
    chosen: Chosen,
}

/// Counts all pairs with the given number of bytes, and keeps those that fire together often
/// enough. Returns the sizes of true and of false calls' firing sets.
pub(super) fn count(
    details: &dyn FiringStore,
    counts: &StratumCounts<'_>,
    memory: u64,
    keeper: &mut Keeper,
    control: &Control,
) -> Result<[Sizes; 2]> {
    let fires = |atom: usize| counts.tp_on[atom] + counts.fp_on[atom];
    let asked = keeper.asked();
    let chosen = Chosen::of(counts.tp_on.len(), |atom| fires(atom) >= asked);
    let atoms = chosen.atoms.len() as u64;
    let pairs = atoms * atoms.saturating_sub(1) / 2;
    let firings: u64 = chosen.atoms.iter().map(|&atom| fires(atom as usize)).sum();
    let counting = Counting {
        details,
        counts,
        control: control.stage(Stage::Pairing, atoms),
        chosen,
    };
    // The other half is for the counts that threads work on, and the pairs that they find.
    let fits = |items: u64, bytes: u64| items.saturating_mul(bytes) <= memory / 2;
    let is_cached = pairs.saturating_mul(PAIR_BYTES) <= CACHED_COUNTS && fits(pairs, PAIR_BYTES);
    let sizes = if !is_cached && fits(firings, FIRING_BYTES) && firings < u64::from(u32::MAX) {
        counting.at_once(firings as usize, keeper)?
    } else {
        counting.in_bands(memory, keeper)?
    };
    counting.control.report(atoms);
    Ok(sizes)
}

impl Counting<'_> {
    /// Returns the number of chosen atoms.
    fn atoms(&self) -> usize {
        self.chosen.atoms.len()
    }

    /// Makes a pass over the firing sets. `full` has `most` firings or more at a time, and at the end
    /// what is left.
    fn pass(&self, most: usize, mut full: impl FnMut(&Batch) -> Result<()>) -> Result<Seen> {
        let mut seen = Seen::new(self.counts.tp_on.len());
        let mut batch = Batch::default();
        self.details.blocks(&mut |block| {
            self.control.check()?;
            batch.take(&block, &self.chosen, &mut seen, most, &mut full)
        })?;
        full(&batch)?;
        seen.check(self.counts)?;
        Ok(seen)
    }

    fn at_once(&self, firings: usize, keeper: &mut Keeper) -> Result<[Sizes; 2]> {
        let seen = self.pass(firings + 1, |batch| {
            if batch.firings() > firings {
                return Err(differ());
            }
            self.find_all(batch, keeper)
        })?;
        Ok(seen.into_sizes())
    }

    /// Finds the pairs of all calls.
    fn find_all(&self, batch: &Batch, keeper: &mut Keeper) -> Result<()> {
        let (atoms, chosen) = (self.atoms(), &self.chosen);
        let all = 0..atoms as u32;
        let inverted = batch.inverted(&all);
        for span in cut(atoms, &all, SPAN) {
            self.control.check()?;
            self.control.report(u64::from(span.start));
            let find = |row: &mut Vec<u32>, atom| {
                let mut found = keeper.found();
                let pairs = pairs_of(atoms, atom);
                let others: usize = inverted.iter().map(|of| of.other_firings(atom)).sum();
                // All zeros, which both ways leave behind.
                row.resize(row.len().max(2 * atoms), 0);
                let row = &mut row[..2 * pairs];
                add(&inverted, atom, row);
                if others < pairs / SPARSE {
                    let others = inverted.iter().flat_map(|of| of.others(atom)).flatten();
                    chosen.pick(row, atom, others.copied(), &mut found);
                } else {
                    chosen.find(row, atom, &mut found);
                    row.fill(0);
                }
                found
            };
            let found = span.into_par_iter().map_init(Vec::new, find);
            let found: Vec<_> = found.collect();
            keeper.take(found);
        }
        Ok(())
    }

    fn in_bands(&self, memory: u64, keeper: &mut Keeper) -> Result<[Sizes; 2]> {
        let (atoms, chosen) = (self.atoms(), &self.chosen);
        let pairs = usize::try_from(memory / 2 / PAIR_BYTES).unwrap_or(usize::MAX);
        let mut bands = cut(atoms, &(0..atoms as u32), pairs);
        if bands.is_empty() {
            // The firing sets are looked at all the same.
            bands.push(0..0);
        }
        // With a pass that has all atoms, few firings at a time stay in the cache; a band has few of
        // many calls'.
        let most = if bands.len() == 1 { CACHED } else { 1 << 31 };
        let firings = (memory / 4 / FIRING_BYTES).clamp(1, most) as usize;
        let mut sizes = <[Sizes; 2]>::default();
        for band in bands {
            let (dense, seen) = self.count_band(&band, firings)?;
            sizes = seen.into_sizes();
            let mut rest = &dense[..];
            for span in cut(atoms, &band, SPAN) {
                self.control.check()?;
                self.control.report(u64::from(span.start));
                let rows: Vec<_> = span
                    .map(|atom| {
                        let (row, after) = rest.split_at(2 * pairs_of(atoms, atom));
                        rest = after;
                        (atom, row)
                    })
                    .collect();
                let found = rows.into_par_iter().map(|(atom, row)| {
                    let mut found = keeper.found();
                    chosen.find(row, atom, &mut found);
                    found
                });
                let found: Vec<_> = found.collect();
                keeper.take(found);
            }
        }
        Ok(sizes)
    }

    /// Counts a band's atoms with all after each, first on true calls and then on false ones. It
    /// makes one pass over the firing sets, and takes a given number of firings at a time.
    fn count_band(&self, band: &Range<u32>, firings: usize) -> Result<(Vec<u32>, Seen)> {
        let atoms = self.atoms();
        let pairs = band.clone().map(|atom| pairs_of(atoms, atom)).sum();
        let mut dense = crate::memory::filled(pairs, 2, "the counts of pairs", || 0_u32)?;
        let seen = self.pass(firings, |batch| {
            self.control.check()?;
            let inverted = batch.inverted(band);
            let mut rest = &mut dense[..];
            let mut rows = Vec::with_capacity(band.len());
            for atom in band.clone() {
                let (row, after) = rest.split_at_mut(2 * pairs_of(atoms, atom));
                rest = after;
                rows.push((atom, row));
            }
            rows.into_par_iter()
                .for_each(|(atom, row)| add(&inverted, atom, row));
            Ok(())
        })?;
        Ok((dense, seen))
    }
}

/// Pairs of an atom with those after it.
fn pairs_of(features: usize, atom: u32) -> usize {
    features - atom as usize - 1
}

/// Cuts atoms into ranges of at most the given number of pairs, and at least one atom each.
fn cut(features: usize, atoms: &Range<u32>, most: usize) -> Vec<Range<u32>> {
    let mut ranges = Vec::new();
    let (mut start, mut pairs) = (atoms.start, 0_usize);
    for atom in atoms.clone() {
        let more = pairs_of(features, atom);
        if atom > start && pairs + more > most {
            ranges.push(start..atom);
            (start, pairs) = (atom, 0);
        }
        pairs += more;
    }
    if start < atoms.end {
        ranges.push(start..atoms.end);
    }
    ranges
}

/// Adds an atom's counts of true and of false calls to the two halves of its row.
fn add([tp, fp]: &[Inverted<'_>; 2], atom: u32, row: &mut [u32]) {
    let (of_tp, of_fp) = row.split_at_mut(row.len() / 2);
    tp.add_to(atom, of_tp);
    fp.add_to(atom, of_fp);
}
