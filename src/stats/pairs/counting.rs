//! Counts of all pairs, in bounded memory for any number of atoms and of calls.
//!
//! Where the counts of all pairs fit into memory, one pass over the firing sets makes them. Where
//! they do not, a cohort's firing sets mostly do. Then one atom after another has its counts with
//! all atoms after it, and only pairs that fire together often enough are kept. Where neither fits,
//! the counts of a band of first atoms are held, and one pass is made for each band. A pass takes
//! as many calls at a time as fit beside the counts.

use std::ops::Range;

use rayon::prelude::*;

use super::firings::{Batch, Inverted};
use super::kept::{Found, Keeper, Pair};
use super::sizes::Sizes;
use crate::control::Control;
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

/// The data that the passes need.
struct Counting<'a> {
    details: &'a dyn FiringStore,
    counts: &'a StratumCounts<'a>,
    control: &'a Control<'a>,
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
    let counting = Counting {
        details,
        counts,
        control,
    };
    let features = counting.features() as u64;
    let pairs = features * features.saturating_sub(1) / 2;
    let firings: u64 = counts.tp_on.iter().chain(counts.fp_on).sum();
    // The other half is for the counts that threads work on, and the pairs that they find.
    let fits = |items: u64, bytes: u64| items.saturating_mul(bytes) <= memory / 2;
    if !fits(pairs, PAIR_BYTES) && fits(firings, FIRING_BYTES) && firings < u64::from(u32::MAX) {
        counting.at_once(firings as usize, keeper)
    } else {
        counting.in_bands(memory, keeper)
    }
}

impl Counting<'_> {
    fn features(&self) -> usize {
        self.counts.tp_on.len()
    }

    fn at_once(&self, firings: usize, keeper: &mut Keeper) -> Result<[Sizes; 2]> {
        let mut batch = Batch::default();
        self.details.blocks(&mut |block| {
            self.control.check()?;
            batch.take(&block, self.features(), firings + 1, |_| Err(differ()))
        })?;
        let features = self.features();
        let all = 0..features as u32;
        let inverted = batch.inverted(&all);
        let mut seen = Counted::new(&all);
        seen.add(&batch, &inverted);
        seen.check(self.counts)?;
        for span in cut(features, &all, SPAN) {
            self.control.check()?;
            let count = |row: &mut Vec<u32>, atom| {
                row.clear();
                row.resize(2 * pairs_of(features, atom), 0);
                add(&inverted, atom, row);
                let mut found = keeper.found();
                find(row, atom, &mut found);
                found
            };
            let found = span.into_par_iter().map_init(Vec::new, count);
            let found: Vec<_> = found.collect();
            keeper.take(found);
        }
        Ok(seen.sizes)
    }

    fn in_bands(&self, memory: u64, keeper: &mut Keeper) -> Result<[Sizes; 2]> {
        let features = self.features();
        let pairs = usize::try_from(memory / 2 / PAIR_BYTES).unwrap_or(usize::MAX);
        let bands = cut(features, &(0..features as u32), pairs);
        // With a pass that has all atoms, few firings at a time stay in the cache; a band has few of
        // many calls'.
        let most = if bands.len() == 1 { CACHED } else { 1 << 31 };
        let firings = (memory / 4 / FIRING_BYTES).clamp(1, most) as usize;
        let mut sizes = <[Sizes; 2]>::default();
        for band in bands {
            let (dense, seen) = self.count_band(&band, firings)?;
            if band.start == 0 {
                sizes = seen.sizes;
            }
            let mut rest = &dense[..];
            for span in cut(features, &band, SPAN) {
                self.control.check()?;
                let rows: Vec<_> = span
                    .map(|atom| {
                        let (row, after) = rest.split_at(2 * pairs_of(features, atom));
                        rest = after;
                        (atom, row)
                    })
                    .collect();
                let found = rows.into_par_iter().map(|(atom, row)| {
                    let mut found = keeper.found();
                    find(row, atom, &mut found);
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
    fn count_band(&self, band: &Range<u32>, firings: usize) -> Result<(Vec<u32>, Counted)> {
        let features = self.features();
        let pairs = band.clone().map(|atom| pairs_of(features, atom)).sum();
        let mut dense = crate::memory::filled(pairs, 2, "the counts of pairs", || 0_u32)?;
        let mut seen = Counted::new(band);
        let mut count = |batch: &Batch| {
            self.control.check()?;
            let inverted = batch.inverted(band);
            seen.add(batch, &inverted);
            let mut rest = &mut dense[..];
            let mut rows = Vec::with_capacity(band.len());
            for atom in band.clone() {
                let (row, after) = rest.split_at_mut(2 * pairs_of(features, atom));
                rest = after;
                rows.push((atom, row));
            }
            rows.into_par_iter()
                .for_each(|(atom, row)| add(&inverted, atom, row));
            Ok(())
        };
        let mut batch = Batch::default();
        self.details.blocks(&mut |block| {
            self.control.check()?;
            batch.take(&block, self.features(), firings, &mut count)
        })?;
        count(&batch)?;
        seen.check(self.counts)?;
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

/// Finds an atom's pairs that fire together often enough.
fn find(row: &[u32], a: u32, found: &mut Found) {
    /// Most pairs of many atoms hardly ever fire together: this number of them are passed over at a
    /// time.
    const STEP: usize = 32;
    let Ok(asked) = u32::try_from(found.asked) else {
        return;
    };
    let (tp, fp) = row.split_at(row.len() / 2);
    let steps = tp.chunks(STEP).zip(fp.chunks(STEP));
    for (first, (tp, fp)) in (a + 1..).step_by(STEP).zip(steps) {
        // Without a branch, so that it is done many at a time.
        let often = tp.iter().zip(fp).map(|(tp, fp)| tp + fp >= asked);
        if !often.fold(false, |any, often| any | often) {
            continue;
        }
        for (b, (&tp, &fp)) in (first..).zip(tp.iter().zip(fp)) {
            found.take(Pair { a, b, tp, fp });
        }
    }
}

/// Calls, and firings of a band's atoms, that a pass has seen.
pub(super) struct Counted {
    first: u32,
    calls: [u64; 2],
    /// The number of true and of false calls on which each atom fires, each \[atoms of the band\].
    fires: [Vec<u64>; 2],
    /// The sizes of firing sets on true and on false calls, seen with the first atom's band.
    pub(super) sizes: [Sizes; 2],
}

impl Counted {
    pub(super) fn new(band: &Range<u32>) -> Self {
        Self {
            first: band.start,
            calls: [0; 2],
            fires: [vec![0; band.len()], vec![0; band.len()]],
            sizes: Default::default(),
        }
    }

    fn add(&mut self, batch: &Batch, inverted: &[Inverted<'_>; 2]) {
        self.add_calls(batch);
        for (fires, inverted) in self.fires.iter_mut().zip(inverted) {
            for (atom, fires) in (self.first..).zip(fires) {
                *fires += inverted.fires(atom);
            }
        }
    }

    fn add_calls(&mut self, batch: &Batch) {
        for (calls, more) in self.calls.iter_mut().zip(batch.calls()) {
            *calls += more;
        }
        if self.first == 0 {
            for (sizes, sets) in self.sizes.iter_mut().zip(batch.rows()) {
                sizes.add(sets);
            }
        }
    }

    /// The same of all atoms, one firing at a time.
    pub(super) fn add_sets(&mut self, batch: &Batch) {
        self.add_calls(batch);
        for (fires, atoms) in self.fires.iter_mut().zip(batch.rows()) {
            for &atom in atoms.atoms() {
                fires[atom as usize] += 1;
            }
        }
    }

    /// They must be those of the tally: margins of the pairs' tables are taken from it.
    pub(super) fn check(&self, counts: &StratumCounts<'_>) -> Result<()> {
        let first = self.first as usize;
        let fires = [counts.tp_on, counts.fp_on];
        let same = self.fires.iter().zip(fires).all(|(seen, fires)| {
            let fires = fires.get(first..first + seen.len());
            fires == Some(&seen[..])
        });
        if same && self.calls == [counts.tp, counts.fp] {
            Ok(())
        } else {
            Err(differ())
        }
    }
}
