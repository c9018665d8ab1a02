//! Blocks of one make-up: as many calls in each cell, and as many of them on which an atom fires.
//!
//! An atom's tables in a replicate depend on how often each make-up was drawn, not on which of its
//! blocks were. Drawing N of N blocks with replacement draws the make-ups by a multinomial
//! distribution, so that millions of blocks cost no more than the spread of a few counts.

use std::collections::{BTreeMap, HashMap};

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::multinomial::multinomial;
use super::{CELLS, CallLabels};
use crate::stats::inference::Table2x2;
use crate::stats::resampling::below;
use crate::stats::resampling::blocks::Blocks;

/// Calls by cell: part and label.
type Cells = [u32; CELLS];

/// The make-up of every block as long as no atom fires.
pub(super) struct Silent<'a> {
    blocks: &'a Blocks,
    calls: &'a CallLabels,
    /// The make-up of each block, its place in `kinds`.
    of_block: Vec<u32>,
    /// The calls of each make-up, and its blocks.
    kinds: Vec<(Cells, u32)>,
}

/// The make-ups of an atom, those of most blocks first.
pub(super) struct MakeUps {
    kinds: Vec<MakeUp>,
    /// The number of make-ups with at least [`RARE`] blocks each.
    common: usize,
    /// The make-up of each block of the others.
    rare: Vec<u32>,
    /// The number of all blocks.
    count: u32,
}

/// The number of blocks of a make-up below which drawing each block is no dearer than drawing how
/// many there are.
const RARE: u32 = 16;

struct MakeUp {
    blocks: u32,
    calls: Cells,
    fires: Cells,
}

impl<'a> Silent<'a> {
    /// Takes blocks of these calls.
    pub(super) fn of(blocks: &'a Blocks, calls: &'a CallLabels) -> Self {
        let mut cells = vec![[0; CELLS]; blocks.count as usize];
        for (&block, &cell) in blocks.of_call.iter().zip(&calls.cells) {
            cells[block as usize][usize::from(cell)] += 1;
        }
        let mut numbers = HashMap::<Cells, u32>::new();
        let mut kinds: Vec<(Cells, u32)> = Vec::new();
        let of_block = cells.into_iter().map(|cells| {
            let number = *numbers.entry(cells).or_insert_with(|| {
                kinds.push((cells, 0));
                kinds.len() as u32 - 1
            });
            kinds[number as usize].1 += 1;
            number
        });
        Self {
            blocks,
            calls,
            of_block: of_block.collect(),
            kinds,
        }
    }

    /// Tells blocks apart by the calls on which an atom fires, which exist.
    pub(super) fn with(&self, fires: &[u32]) -> MakeUps {
        let mut touched: Vec<(u32, u8)> = fires
            .iter()
            .map(|&call| {
                let call = call as usize;
                (self.blocks.of_call[call], self.calls.cells[call])
            })
            .collect();
        touched.sort_unstable();
        let mut silent: Vec<u32> = self.kinds.iter().map(|(_, blocks)| *blocks).collect();
        let mut firing = BTreeMap::<(Cells, Cells), u32>::new();
        for block in touched.chunk_by(|a, b| a.0 == b.0) {
            let kind = self.of_block[block[0].0 as usize] as usize;
            let mut cells = [0; CELLS];
            for &(_, cell) in block {
                cells[usize::from(cell)] += 1;
            }
            silent[kind] -= 1;
            *firing.entry((self.kinds[kind].0, cells)).or_default() += 1;
        }
        let silent = self.kinds.iter().zip(silent).map(|(kind, blocks)| MakeUp {
            blocks,
            calls: kind.0,
            fires: [0; CELLS],
        });
        let firing = firing.into_iter().map(|((calls, fires), blocks)| MakeUp {
            blocks,
            calls,
            fires,
        });
        let mut kinds: Vec<MakeUp> = silent
            .filter(|kind| kind.blocks > 0)
            .chain(firing)
            .collect();
        // Whatever the order of the blocks, the same make-ups have the same order.
        kinds.sort_by_key(|kind| (std::cmp::Reverse(kind.blocks), kind.calls, kind.fires));
        let common = kinds.partition_point(|kind| kind.blocks >= RARE);
        let rare = (0..).zip(&kinds).skip(common);
        MakeUps {
            rare: rare
                .flat_map(|(number, kind)| std::iter::repeat_n(number, kind.blocks as usize))
                .collect(),
            kinds,
            common,
            count: self.blocks.count,
        }
    }
}

impl MakeUps {
    /// Draws as many blocks as there are. Returns the atom's tables in the two parts.
    pub(super) fn draw(&self, random: &mut ChaCha8Rng) -> [Table2x2; 2] {
        let mut sums = Sums::default();
        let common = &self.kinds[..self.common];
        let sizes = common.iter().map(|kind| kind.blocks);
        let mut kinds = common.iter();
        let left = multinomial(self.count, sizes, random, |times| {
            if let Some(kind) = kinds.next() {
                sums.add(kind, times);
            }
        });
        for _ in 0..left {
            let block = below(self.rare.len() as u32, random.next_u32());
            sums.add(&self.kinds[self.rare[block as usize] as usize], 1);
        }
        let Sums { calls, fires } = sums;
        [0, 1].map(|part| {
            let (tp, fp) = (2 * part, 2 * part + 1);
            Table2x2 {
                tp_on: fires[tp],
                fp_on: fires[fp],
                tp_off: calls[tp] - fires[tp],
                fp_off: calls[fp] - fires[fp],
            }
        })
    }
}

/// Drawn calls by cell.
#[derive(Default)]
struct Sums {
    calls: [u64; CELLS],
    fires: [u64; CELLS],
}

impl Sums {
    fn add(&mut self, kind: &MakeUp, times: u32) {
        for cell in 0..CELLS {
            self.calls[cell] += u64::from(times) * u64::from(kind.calls[cell]);
            self.fires[cell] += u64::from(times) * u64::from(kind.fires[cell]);
        }
    }
}
