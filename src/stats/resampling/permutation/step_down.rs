//! The successive maxima of each permutation, in the order of observed statistics.
//!
//! Atoms are ranked by their observed statistic, the smallest first. An atom of rank r counts a
//! permutation if any atom of rank r or below has, on it, a statistic of at least r's observed one
//! (Ge, Dudoit and Speed, Test 12, 2003, algorithm 4.1 of Westfall and Young 1993). Each permuted
//! statistic becomes its *reach*: the number of observed ones that it reaches. So one integer a
//! permutation, the furthest reach of the ranks so far, is all that is carried from rank to rank.
//!
//! Threads process runs of ranks at once, each from nothing. Runs are joined in order: the reach of
//! lower ranks only ever covers the first ranks of a run.

use rayon::prelude::*;

use super::counts::Count;
use super::labels::{Drawn, Labels};
use super::null::Null;
use super::tiles::{EachTile, Tile};
use super::{Bits, LANES};
use crate::control::{Control, Stage};
use crate::error::Result;
use crate::stats::vectors;

/// The number of ranks that one thread processes at a time.
const RUN: usize = 16;

/// One number for each permutation that is computed at once.
type Furthest<const WORDS: usize> = [[u32; LANES]; WORDS];

/// The atom of a rank.
pub(super) struct Ranked<'a> {
    /// The number of calls on which it fires.
    fires: usize,
    null: &'a Null,
    /// Observed statistics of all ranks, ascending.
    observed: &'a [f64],
    /// The number of true calls of the first of `reaches`.
    first: u32,
    /// The reach of that number and of those after it.
    reaches: Vec<u32>,
}

impl<'a> Ranked<'a> {
    pub(super) fn new(fires: usize, null: &'a Null, observed: &'a [f64]) -> Self {
        let usual = null.usual(fires as u32);
        let mut ranked = Self {
            fires,
            null,
            observed,
            first: usual.start,
            reaches: Vec::new(),
        };
        ranked.reaches = usual.map(|tp| ranked.compute(tp)).collect();
        ranked
    }

    fn compute(&self, tp: u32) -> u32 {
        let statistic = self.null.statistic(tp);
        self.observed.partition_point(|&other| other <= statistic) as u32
    }

    /// Returns the number of observed statistics that so many true calls reach.
    fn reach(&self, tp: u32) -> u32 {
        let place = tp.wrapping_sub(self.first) as usize;
        match self.reaches.get(place) {
            Some(&reach) => reach,
            None => self.compute(tp),
        }
    }
}

/// The counts so far.
pub(super) struct StepDown {
    /// The number of permutations.
    count: usize,
    /// The furthest reach so far of each of them, in words.
    furthest: Vec<[u32; LANES]>,
    /// The number of permutations that reach each rank.
    pub(super) reached: Vec<u64>,
}

impl StepDown {
    /// Starts before the first rank.
    pub(super) fn new(count: usize) -> Result<Self> {
        let words = count.div_ceil(LANES);
        Ok(Self {
            count,
            furthest: crate::memory::filled(words, 1, "the permutations", || [0; LANES])?,
            reached: Vec::new(),
        })
    }

    /// Permutes the labels under all ranks. Tiles are shown as often as there are batches, but for
    /// those that are computed at once. `control` can cancel it.
    pub(super) fn take<const WORDS: usize>(
        &mut self,
        labels: &Labels,
        ranks: &[Ranked<'_>],
        each_tile: &EachTile,
        control: &Control,
    ) -> Result<()> {
        let control = control.stage(Stage::Permuting, self.count as u64);
        self.reached = vec![0; ranks.len()];
        let at_once = rayon::current_num_threads().div_ceil(WORDS).max(1);
        let mut batches = (0..self.furthest.len().div_ceil(WORDS) as u64).peekable();
        while batches.peek().is_some() {
            let batches: Vec<u64> = batches.by_ref().take(at_once).collect();
            let begin = |&batch: &u64| Batch::<WORDS>::begin(batch, labels, ranks);
            let mut batches: Vec<_> = batches.par_iter().map(begin).collect();
            each_tile(&mut |tile| {
                control.check()?;
                let order = labels.order(tile.calls.clone());
                let batches = batches.par_iter_mut();
                batches.for_each(|batch| batch.count(labels, tile, &order));
                Ok(())
            })?;
            for batch in batches {
                self.join(&batch, ranks);
                let done = (batch.number as usize + 1) * WORDS * LANES;
                control.report(done.min(self.count) as u64);
            }
        }
        Ok(())
    }

    /// Joins a batch, in which all calls are counted.
    fn join<const WORDS: usize>(&mut self, batch: &Batch<WORDS>, ranks: &[Ranked<'_>]) {
        let first = batch.number as usize * WORDS;
        let there = there(self.count - first * LANES);
        let chunks = ranks.par_chunks(RUN).zip(batch.counts.par_chunks(RUN));
        let run =
            |(at, (ranks, counts))| vectors::dispatch(|| Run::of(ranks, counts, (at * RUN) as u32));
        let runs: Vec<Run<WORDS>> = chunks.enumerate().map(run).collect();
        let words = first..self.furthest.len().min(first + WORDS);
        let furthest = &mut self.furthest[words];
        for (run, reached) in runs.iter().zip(self.reached.chunks_mut(RUN)) {
            run.join(furthest, &there, reached);
        }
    }
}

/// The permutations that are computed at once, with the counts of all ranks.
struct Batch<const WORDS: usize> {
    number: u64,
    drawn: Drawn<WORDS>,
    counts: Vec<Count<WORDS>>,
}

impl<const WORDS: usize> Batch<WORDS> {
    fn begin(number: u64, labels: &Labels, ranks: &[Ranked<'_>]) -> Self {
        Self {
            number,
            drawn: labels.begin(number),
            counts: ranks.iter().map(|rank| Count::new(rank.fires)).collect(),
        }
    }

    /// Counts the calls of a tile.
    fn count(&mut self, labels: &Labels, tile: &Tile<'_>, order: &[(u32, u32)]) {
        let drawn = self.drawn.draw(labels, tile.calls.clone(), order);
        let runs = self.counts.par_chunks_mut(RUN).enumerate();
        runs.for_each(|(run, counts)| {
            vectors::dispatch(|| {
                for (rank, count) in (run * RUN..).zip(counts) {
                    count.add(tile.of(rank), tile.calls.start, drawn);
                }
            });
        });
    }
}

/// Returns the permutations of a batch that exist, when so many are left.
fn there<const WORDS: usize>(left: usize) -> Bits<WORDS> {
    std::array::from_fn(|word| match left.saturating_sub(word * LANES) {
        left @ 0..LANES => (1 << left) - 1,
        _ => u64::MAX,
    })
}

/// Some ranks in a batch of permutations, as if there were none below them.
struct Run<const WORDS: usize> {
    /// The first rank.
    first: u32,
    /// The furthest reach of these ranks.
    furthest: Box<Furthest<WORDS>>,
    /// The permutations that reach each of these ranks.
    reached: Vec<Bits<WORDS>>,
}

impl<const WORDS: usize> Run<WORDS> {
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn of(ranks: &[Ranked<'_>], counts: &[Count<WORDS>], first: u32) -> Self {
        let mut furthest = Box::new([[0; LANES]; WORDS]);
        let each = (first..)
            .zip(ranks)
            .zip(counts)
            .map(|((rank, ranked), count)| {
                raise(&mut furthest, ranked, &count.counts());
                beyond(&furthest, rank)
            });
        Self {
            first,
            reached: each.collect(),
            furthest,
        }
    }

    /// Joins the run to the ranks whose furthest reach is `furthest`, and counts.
    fn join(&self, furthest: &mut [[u32; LANES]], there: &Bits<WORDS>, counts: &mut [u64]) {
        // The permutations that have reached the first so many of these ranks from below.
        let mut ends = [[0; WORDS]; RUN + 1];
        for (word, (before, own)) in furthest.iter_mut().zip(&*self.furthest).enumerate() {
            for (lane, (before, &own)) in before.iter_mut().zip(own).enumerate() {
                let covered = before.saturating_sub(self.first) as usize;
                ends[covered.min(counts.len())][word] |= 1 << lane;
                *before = own.max(*before);
            }
        }
        let mut from_below = [0; WORDS];
        for (place, count) in counts.iter_mut().enumerate().rev() {
            for (word, own) in self.reached[place].iter().enumerate() {
                from_below[word] |= ends[place + 1][word];
                let all = (from_below[word] | own) & there[word];
                *count += u64::from(all.count_ones());
            }
        }
    }
}

/// Raises the furthest reach of each permutation by an atom's, by its number of true calls.
#[allow(clippy::inline_always)]
#[inline(always)]
fn raise<const WORDS: usize>(
    furthest: &mut Furthest<WORDS>,
    ranked: &Ranked<'_>,
    counts: &[[u32; LANES]; WORDS],
) {
    for (furthest, counts) in furthest.iter_mut().zip(counts) {
        for (furthest, &tp) in furthest.iter_mut().zip(counts) {
            *furthest = ranked.reach(tp).max(*furthest);
        }
    }
}

/// Returns the permutations whose furthest reach is beyond a rank.
#[allow(clippy::inline_always)]
#[inline(always)]
fn beyond<const WORDS: usize>(furthest: &Furthest<WORDS>, rank: u32) -> Bits<WORDS> {
    std::array::from_fn(|word| {
        let lanes = furthest[word].iter().enumerate();
        lanes.fold(0, |bits, (lane, &reach)| {
            bits | u64::from(reach > rank) << lane
        })
    })
}
