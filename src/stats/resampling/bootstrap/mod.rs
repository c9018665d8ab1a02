//! Bootstrap by block: the variation of a figure had other blocks of calls been drawn.
//!
//! Each replicate draws as many blocks as there are, with replacement, and every call counts as
//! often as its block was drawn. (Efron 1979; by block, so that dependent calls stay together:
//! Davison and Hinkley 1997, section 3.8.) Weights are multinomial with their sum fixed, not
//! independent Poisson ones: a replicate then has as many blocks as the cohort, be they few.
//!
//! [`Bootstrap::intervals`] takes one atom after the other, and draws the numbers of blocks of one
//! make-up (`make_ups`). Figures of many atoms at once need the weight of each call. Sixty-four
//! replicates of these are computed at once, a byte each: [`Bootstrap::draw`] gives the weights of
//! 64 of them, [`Draw::of_atoms`] the tables of a group of atoms under these. Nothing else is kept,
//! so that figures of all atoms need no more memory than the caller keeps. Weights depend on the
//! seed and the replicate alone.

mod intervals;
mod make_ups;
mod multinomial;

use std::ops::Range;

use rand::rand_core::Rng;
use rayon::prelude::*;

use super::blocks::Blocks;
use super::{below, check_calls, keyed};
use crate::control::{Control, Stage};
use crate::error::{Error, Result};
use crate::fires::by_atom::FiringsByAtom;
use crate::stats::inference::Table2x2;

pub use intervals::{centred_interval, percentile_interval};
use make_ups::Silent;

/// The number of replicates that are computed at once.
pub const TOGETHER: usize = 64;
/// The number of calls whose weights always sum within 16 bits: 257 · 255 = 2^16 − 1.
const CALLS_A_SUM: usize = 257;
/// The number of cells: two parts, two labels.
const CELLS: usize = 4;

/// The blocks that are drawn, and the number of replicates.
#[derive(Debug, Clone, Copy)]
pub struct Bootstrap<'a> {
    /// The blocks that are drawn as a whole.
    pub blocks: &'a Blocks,
    /// The number of replicates.
    pub replicates: usize,
    /// The seed. The same seed gives the same replicates, for any number of threads.
    pub seed: u64,
}

/// The label of each call, and its part of the cohort, of two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallLabels {
    /// The cell of each call: 2 · part, and 1 more for a false call.
    cells: Vec<u8>,
}

/// Weights of 64 replicates, or of the last ones.
#[derive(Debug)]
pub struct Draw<'a> {
    blocks: &'a Blocks,
    calls: &'a CallLabels,
    replicates: Range<usize>,
    /// The number of times that each block was drawn.
    weights: Vec<[u8; TOGETHER]>,
    totals: Counts,
}

/// Weighted numbers of calls, by part and label, of each replicate.
type Counts = [[u64; TOGETHER]; CELLS];

/// An atom's tables in the replicates of a draw.
#[derive(Debug)]
pub struct Replicates<'a> {
    count: usize,
    fires: Counts,
    totals: &'a Counts,
}

impl CallLabels {
    /// Makes the labels of all calls. Calls for which `in_second_part` holds are in part 1, all
    /// others in part 0.
    pub fn new(is_tp: &[bool], in_second_part: impl Fn(usize) -> bool) -> Self {
        let cell =
            |(row, &is_tp): (usize, &bool)| 2 * u8::from(in_second_part(row)) + u8::from(!is_tp);
        Self {
            cells: is_tp.iter().enumerate().map(cell).collect(),
        }
    }
}

impl<'a> Bootstrap<'a> {
    /// Returns the number of draws that hold all replicates.
    pub fn draws(&self) -> usize {
        self.replicates.div_ceil(TOGETHER)
    }

    /// Draws the weights of replicates `64 · index` and after. Memory: 64 bytes a block, twice that
    /// for a moment.
    ///
    /// # Errors
    /// Fails if the blocks are of other calls, or if the index is not below [`draws`](Self::draws).
    pub fn draw(&self, index: usize, calls: &'a CallLabels) -> Result<Draw<'a>> {
        self.blocks.check(calls.cells.len())?;
        if index >= self.draws() {
            return Err(Error::Argument {
                name: "draw of the bootstrap",
                found: format!("number {index}"),
                expected: format!("one below {}", self.draws()),
            });
        }
        let first = index * TOGETHER;
        let replicates = first..self.replicates.min(first + TOGETHER);
        let each: Vec<Vec<u8>> = replicates
            .clone()
            .into_par_iter()
            .map(|replicate| self.replicate(replicate as u64))
            .collect();
        let mut weights = vec![[0; TOGETHER]; self.blocks.count as usize];
        turn_round(&each, &mut weights);
        let mut draw = Draw {
            blocks: self.blocks,
            calls,
            replicates,
            weights,
            totals: [[0; TOGETHER]; CELLS],
        };
        draw.totals = draw.total();
        Ok(draw)
    }

    /// Counts how often a replicate draws each block. A block that is drawn more than 255 times
    /// counts as if 255 times; with n blocks each has at most 1 / 256! as the probability of that.
    fn replicate(&self, replicate: u64) -> Vec<u8> {
        let mut numbers = keyed(self.seed, b"bootstrap blocks");
        numbers.set_stream(replicate);
        let count = self.blocks.count;
        let mut weights = vec![0u8; count as usize];
        for _ in 0..count {
            let weight = &mut weights[below(count, numbers.next_u32()) as usize];
            *weight = weight.saturating_add(1);
        }
        weights
    }

    /// Computes the 95 % percentile interval of a statistic of each atom of a group, in their
    /// order. `statistic` takes an atom and its tables in the two parts. `control` can cancel it.
    ///
    /// Each atom is looked at by itself, so that blocks of one make-up are drawn by their number:
    /// the law is that of [`draw`](Self::draw), the replicates are others. Memory: 8 bytes a
    /// replicate, 4 a block and 8 a firing of an atom; 16 more a block for a moment.
    ///
    /// # Errors
    /// Fails on cancellation, if blocks or firings are of other calls, or if memory does not
    /// suffice.
    pub fn intervals(
        &self,
        calls: &CallLabels,
        firings: &FiringsByAtom,
        statistic: &(dyn Fn(u32, [Table2x2; 2]) -> f64 + Sync),
        control: &Control,
    ) -> Result<Vec<(f64, f64)>> {
        self.blocks.check(calls.cells.len())?;
        check_calls(firings, calls.cells.len())?;
        if self.replicates == 0 {
            return Ok(vec![(f64::NAN, f64::NAN); firings.atoms().len()]);
        }
        let what = "the bootstrap's replicates";
        let mut values = crate::memory::filled(1, self.replicates, what, || 0.0)?;
        let silent = Silent::of(self.blocks, calls);
        let each = self.replicates as u64;
        let atoms = firings.atoms();
        let control = control.stage(Stage::Bootstrapping, each * atoms.len() as u64);
        let interval = |atom: u32| {
            control.check()?;
            control.report(each * u64::from(atom - atoms.start));
            let make_ups = silent.with(firings.of(atom));
            let places = values.par_iter_mut().enumerate();
            places.for_each(|(replicate, value)| {
                let mut random = keyed(self.seed, b"bootstrap counts");
                random.set_stream(replicate as u64);
                *value = statistic(atom, make_ups.draw(&mut random));
            });
            Ok(percentile_interval(&mut values))
        };
        let found = atoms.clone().map(interval).collect();
        control.report(each * atoms.len() as u64);
        found
    }
}

impl Draw<'_> {
    /// Returns the numbers of the replicates.
    pub fn replicates(&self) -> Range<usize> {
        self.replicates.clone()
    }

    /// Returns the weight of a call in each replicate; 0 in those beyond the last.
    ///
    /// # Panics
    /// Panics if the call does not exist.
    pub fn weights(&self, call: u32) -> &[u8; TOGETHER] {
        &self.weights[self.blocks.of_call[call as usize] as usize]
    }

    /// Computes `of` for each atom of a group, in their order.
    ///
    /// # Errors
    /// Fails if a firing is on a call that does not exist.
    pub fn of_atoms<T: Send>(
        &self,
        firings: &FiringsByAtom,
        of: impl Fn(u32, &Replicates<'_>) -> T + Sync,
    ) -> Result<Vec<T>> {
        check_calls(firings, self.calls.cells.len())?;
        let one = |atom| {
            let replicates = Replicates {
                count: self.replicates.len(),
                fires: self.count(firings.of(atom).iter().copied()),
                totals: &self.totals,
            };
            of(atom, &replicates)
        };
        Ok(firings.atoms().into_par_iter().map(one).collect())
    }

    /// Counts all calls, weighted.
    fn total(&self) -> Counts {
        let calls = self.calls.cells.len() as u32;
        let part = 1 << 14;
        (0..calls.div_ceil(part))
            .into_par_iter()
            .map(|at| self.count(at * part..calls.min((at + 1).saturating_mul(part))))
            .reduce(
                || [[0; TOGETHER]; CELLS],
                |mut counts, more| {
                    add(&mut counts, &more);
                    counts
                },
            )
    }

    /// Counts some calls, weighted.
    fn count(&self, mut calls: impl Iterator<Item = u32>) -> Counts {
        let mut counts = [[0; TOGETHER]; CELLS];
        loop {
            let mut sums = [[0u16; TOGETHER]; CELLS];
            let mut taken = 0;
            for call in calls.by_ref().take(CALLS_A_SUM) {
                let cell = usize::from(self.calls.cells[call as usize]);
                for (sum, &weight) in sums[cell].iter_mut().zip(self.weights(call)) {
                    *sum += u16::from(weight);
                }
                taken += 1;
            }
            add(&mut counts, &sums.map(|sums| sums.map(u64::from)));
            if taken < CALLS_A_SUM {
                return counts;
            }
        }
    }
}

/// Transposes the weights of each replicate to those of each block, by tiles that the first cache
/// holds.
fn turn_round(of_replicate: &[Vec<u8>], of_block: &mut [[u8; TOGETHER]]) {
    const TILE: usize = 256;
    let tiles = of_block.par_chunks_mut(TILE).enumerate();
    tiles.for_each(|(tile, blocks)| {
        for (place, weights) in of_replicate.iter().enumerate() {
            for (block, &weight) in blocks.iter_mut().zip(&weights[tile * TILE..]) {
                block[place] = weight;
            }
        }
    });
}

fn add(counts: &mut Counts, more: &Counts) {
    for (count, more) in counts.iter_mut().flatten().zip(more.iter().flatten()) {
        *count += more;
    }
}

impl Replicates<'_> {
    /// Returns the number of replicates.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Says whether there are no replicates.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns the weighted table of part 0 or 1, in one of the replicates.
    ///
    /// # Panics
    /// Panics if the part or the replicate does not exist.
    pub fn table(&self, part: usize, replicate: usize) -> Table2x2 {
        assert!(replicate < self.count, "replicate {replicate}");
        let on = |cell: usize| self.fires[cell][replicate];
        let off = |cell: usize| self.totals[cell][replicate] - on(cell);
        let (tp, fp) = (2 * part, 2 * part + 1);
        Table2x2 {
            tp_on: on(tp),
            fp_on: on(fp),
            tp_off: off(tp),
            fp_off: off(fp),
        }
    }
}

#[cfg(test)]
mod tests;
