//! The successive maxima of each permutation, in the order of observed statistics.
//!
//! Atoms are ranked by their observed statistic, the smallest first. An atom of rank r counts a
//! permutation if any atom of rank r or below has, on it, a statistic of at least r's observed one
//! (Ge, Dudoit and Speed, Test 12, 2003, algorithm 4.1 of Westfall and Young 1993). Each permuted
//! statistic becomes its *reach*: the number of observed ones that it reaches. So one integer a
//! permutation, the furthest reach of the ranks so far, is all that is carried from rank to rank,
//! and from one group of ranks to the next.
//!
//! Threads process runs of ranks at once, each from nothing. Runs are joined in order: the reach of
//! lower ranks only ever covers the first ranks of a run.

use rayon::prelude::*;

use super::counts::Counter;
use super::labels::Labels;
use super::null::Null;
use super::{Bits, LANES};
use crate::control::Control;
use crate::error::Result;

/// The number of ranks that one thread processes at a time.
const RUN: usize = 16;

/// One number for each permutation that is computed at once.
type Furthest<const WORDS: usize> = [[u32; LANES]; WORDS];

/// An atom of a group of ranks.
pub(super) struct Ranked<'a> {
    /// The calls on which it fires.
    rows: &'a [u32],
    null: &'a Null,
    /// Observed statistics of all ranks, ascending.
    observed: &'a [f64],
    /// The number of true calls of the first of `reaches`.
    first: u32,
    /// The reach of that number and of those after it.
    reaches: Vec<u32>,
}

impl<'a> Ranked<'a> {
    pub(super) fn new(rows: &'a [u32], null: &'a Null, observed: &'a [f64]) -> Self {
        let usual = null.usual(rows.len() as u32);
        let mut ranked = Self {
            rows,
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
    /// The number of permutations that reach each rank, for the ranks processed so far.
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

    /// Processes the ranks that follow those before. `control` can cancel it.
    pub(super) fn take<const WORDS: usize>(
        &mut self,
        labels: &mut Labels<WORDS>,
        ranks: &[Ranked<'_>],
        control: &Control,
    ) -> Result<()> {
        let first = self.reached.len() as u32;
        let mut reached = vec![0; ranks.len()];
        for (batch, furthest) in (0..).zip(self.furthest.chunks_mut(WORDS)) {
            control.check()?;
            let labels = labels.draw(batch);
            let there = there(self.count - batch as usize * WORDS * LANES);
            let chunks = ranks.par_chunks(RUN).enumerate();
            let run = |(at, ranks)| Run::of(ranks, first + (at * RUN) as u32, labels);
            let runs: Vec<Run<WORDS>> = chunks.map(run).collect();
            for (run, reached) in runs.iter().zip(reached.chunks_mut(RUN)) {
                run.join(furthest, &there, reached);
            }
        }
        self.reached.extend(reached);
        Ok(())
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
    fn of(ranks: &[Ranked<'_>], first: u32, labels: &[Bits<WORDS>]) -> Self {
        let mut furthest = Box::new([[0; LANES]; WORDS]);
        let each = (first..).zip(ranks).map(|(rank, ranked)| {
            let mut counter = Counter::default();
            for &row in ranked.rows {
                counter.add(&labels[row as usize]);
            }
            raise(&mut furthest, ranked, &counter.counts());
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
fn beyond<const WORDS: usize>(furthest: &Furthest<WORDS>, rank: u32) -> Bits<WORDS> {
    std::array::from_fn(|word| {
        let lanes = furthest[word].iter().enumerate();
        lanes.fold(0, |bits, (lane, &reach)| {
            bits | u64::from(reach > rank) << lane
        })
    })
}
