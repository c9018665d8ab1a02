//! Scores, margins and facts for `kernels/select.cu`, and what it must make of them.

use atomscope::engine::cuda::select::{
    Counters, ROW_BAD, ROW_OPEN, ROW_OVERFLOW, RULE_ABOVE_ZERO, RULE_GROUPS, RULE_MAGNITUDE,
    RULE_TIES, RowAtom, RowState, SelectArgs,
};
use atomscope::engine::cuda::whiten::RowFacts;

use super::machine::{UNTOUCHED, Work};
use super::select_threshold::Above;
use crate::twins::select::{Classes, Interval, classify, classify_groups, keep_above_zero};

const NO_PAIR: u32 = u32::MAX;

/// Whether rows may overflow, and so be left to be scored in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overflow {
    Never,
    May,
    Must,
}

/// A batch to select from.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) features: usize,
    pub(crate) k: usize,
    /// \[rows, features\].
    pub(crate) scores: Vec<f32>,
    pub(crate) facts: Vec<RowFacts>,
    pub(crate) biases: Vec<f32>,
    /// P and V of each feature.
    pub(crate) margins: Vec<[f32; 2]>,
    pub(crate) tile_rows: usize,
    pub(crate) pair_capacity: usize,
    /// What is expected of rows that have room for their pairs.
    pub(crate) overflow: Overflow,
    /// What there is to the rule of the k largest.
    pub(crate) rule: u32,
    /// Room for atoms of a row.
    pub(crate) width: usize,
    /// Where not the k largest fire, but those above a threshold.
    pub(crate) above: Option<Above>,
}

/// What the kernel gives.
pub(crate) struct Found {
    pub(crate) fires: Vec<u32>,
    pub(crate) states: Vec<RowState>,
    pub(crate) pairs: Vec<RowAtom>,
    pub(crate) pair_count: u32,
    pub(crate) atom_pairs: Vec<u32>,
    pub(crate) overflowed: Vec<u32>,
    pub(crate) counters: Counters,
}

impl Case {
    pub(crate) fn rows(&self) -> usize {
        self.facts.len()
    }

    /// The estimate and the margin of every atom of a row, in the kernel's arithmetic.
    pub(crate) fn estimates(&self, row: usize) -> Vec<(f32, f32)> {
        let facts = &self.facts[row];
        let scores = &self.scores[row * self.features..(row + 1) * self.features];
        (scores.iter().zip(&self.biases).zip(&self.margins))
            .map(|((score, bias), [whole, spread])| {
                let mut estimate = score + bias * facts.bias_scale;
                if self.rule & RULE_MAGNITUDE != 0 {
                    estimate = estimate.abs();
                }
                let margin = facts.error * whole + facts.norm * spread + facts.offset;
                (estimate, margin)
            })
            .collect()
    }

    /// States what selection relies on: no margin is over `coarse`, and `coarse` is at least 4u of
    /// every estimate, or 0 where all margins are.
    pub(crate) fn resolve_coarse(&mut self) {
        for row in 0..self.rows() {
            let estimates = self.estimates(row);
            let margin = estimates.iter().fold(0.0f32, |most, &(_, m)| most.max(m));
            let largest = estimates
                .iter()
                .fold(0.0f32, |most, &(q, _)| most.max(q.abs()));
            let facts = &mut self.facts[row];
            facts.coarse = if margin == 0.0 {
                0.0
            } else {
                margin.max(largest * 2f32.powi(-22))
            };
        }
    }

    /// What a row's intervals say, and how many of its open atoms fire at most.
    fn classes(&self, row: usize) -> (Classes, usize) {
        if let Some(above) = &self.above {
            let classes = above.classes(self, row);
            let most = classes.open.len();
            return (classes, most);
        }
        let intervals: Vec<Interval> = (self.estimates(row).iter())
            .map(|(q, m)| Interval {
                lower: q - m,
                upper: q + m,
            })
            .collect();
        if self.rule & RULE_GROUPS != 0 {
            let classes = classify_groups(&intervals, self.features / self.k);
            let most = classes.open.len();
            return (classes, most);
        }
        let mut classes = classify(&intervals, self.k);
        let dropped = if self.rule & RULE_ABOVE_ZERO == 0 {
            0
        } else {
            keep_above_zero(&mut classes, &intervals)
        };
        let slots_left = self.k - classes.certain.len() - dropped;
        (classes, slots_left)
    }

    /// Says whether a row's atoms may have no room, or its bound does not hold.
    fn must_overflow(&self, row: usize, classes: &Classes) -> bool {
        let any_number = self.above.is_some() || self.rule & RULE_TIES != 0;
        let crowded = classes.certain.len() + classes.open.len() > self.width;
        let above = self.above.as_ref();
        (any_number && crowded) || above.is_some_and(|above| !above.holds(self, row))
    }

    /// Runs the kernel, tile by tile.
    pub(crate) fn run(&self, work: &Work) -> Found {
        let (rows, stride) = (self.rows(), self.features.next_multiple_of(4));
        let mut biases = self.biases.clone();
        biases.resize(stride, 0.0);
        let biases = work.upload(&biases);
        let margins = work.upload(self.margins.as_flattened());
        let facts = work.upload(&self.facts);
        let fires = work.output::<u32>(rows * self.width);
        let states = work.output::<RowState>(rows);
        let pairs = work.output::<RowAtom>(self.pair_capacity);
        let heads = work.output_from(&[0u32; 2], 2);
        let atom_pairs = work.output_from(&vec![0u32; self.features], self.features);
        let overflowed = work.output::<u32>(rows);
        let counters = work.output_from(&[Counters::default()], 1);
        for first in (0..rows).step_by(self.tile_rows) {
            let count = self.tile_rows.min(rows - first);
            let scores = work.upload(&self.tile(first, count, stride));
            let args = SelectArgs {
                scores: scores.address(),
                biases: biases.address(),
                margins: margins.address(),
                facts: facts.address(),
                fires: fires.address(),
                states: states.address(),
                pairs: pairs.address(),
                pair_count: heads.address(),
                atom_pairs: atom_pairs.address(),
                overflowed: overflowed.address(),
                overflow_count: heads.address() + 4,
                counters: counters.address(),
                rows: count as u32,
                first_row: first as u32,
                features: self.features as u32,
                stride: stride as u32,
                k: self.k as u32,
                capacity: self.capacity(work),
                pair_capacity: self.pair_capacity as u32,
                width: self.width as u32,
                rule: self.rule,
                unused: 0,
            };
            if let Some(above) = &self.above {
                above.launch(work, self, args);
            } else {
                // SAFETY: buffers are as large as the kernel's header says, and the stream is waited
                // for before they go.
                let launched = unsafe {
                    if self.rule & RULE_GROUPS == 0 {
                        work.kernels.select.launch(&work.stream, &args)
                    } else {
                        work.kernels.select_groups.launch(&work.stream, &args)
                    }
                };
                launched.expect("a launch");
            }
            work.wait();
        }
        let heads = work.take(&heads);
        let mut listed = work.take(&overflowed);
        let beyond = listed.split_off(heads[1] as usize);
        assert!(beyond.iter().all(|&row| row == UNTOUCHED), "{}", self.name);
        listed.sort_unstable();
        Found {
            fires: work.take(&fires),
            states: work.take(&states),
            pairs: work.take(&pairs),
            pair_count: heads[0],
            atom_pairs: work.take(&atom_pairs),
            overflowed: listed,
            counters: work.take(&counters)[0],
        }
    }

    fn capacity(&self, work: &Work) -> u32 {
        if self.rule & RULE_GROUPS == 0 {
            work.kernels.select.capacity(self.k as u32)
        } else {
            work.kernels.select_groups.capacity(self.k as u32)
        }
    }

    /// The scores of a tile as a product leaves them: nothing is known of what lies between rows.
    fn tile(&self, first: usize, count: usize, stride: usize) -> Vec<f32> {
        let mut tile = Vec::with_capacity(count * stride);
        for row in first..first + count {
            tile.extend(&self.scores[row * self.features..(row + 1) * self.features]);
            let gap = [f32::MAX, f32::NAN, f32::INFINITY];
            tile.extend(&gap[..stride - self.features]);
        }
        tile
    }

    /// Runs the kernel, and demands of every row what its intervals say.
    pub(crate) fn check(&self, work: &Work) -> Found {
        let found = self.run(work);
        let mut expected = Expected::default();
        for row in 0..self.rows() {
            self.check_row(&found, row, &mut expected);
        }
        self.check_pairs(&found, &expected);
        assert_eq!(found.overflowed, expected.overflowed, "{}", self.name);
        let counters = &expected.counters;
        assert_eq!(found.counters, *counters, "{}", self.name);
        found
    }

    fn check_row(&self, found: &Found, row: usize, expected: &mut Expected) {
        let way = format!("row {row}, {}", self.name);
        let state = found.states[row];
        let bare = (state.certain, state.open, state.first_pair);
        if self.facts[row].finite == 0 {
            assert_eq!((bare, state.status), ((0, 0, 0), ROW_BAD), "{way}");
            return;
        }
        let (classes, slots_left) = self.classes(row);
        let must = self.overflow == Overflow::Must || self.must_overflow(row, &classes);
        let counters = &mut expected.counters;
        counters.rows += 1;
        if state.status == ROW_OVERFLOW {
            assert_eq!(bare, (0, 0, 0), "{way}");
            // Either candidates had no room, or pairs.
            let may = must
                || self.overflow != Overflow::Never
                || (!classes.open.is_empty() && found.pair_count as usize > self.pair_capacity);
            assert!(may, "overflowed: {way}");
            counters.overflowed += 1;
            expected.overflowed.push(row as u32);
            return;
        }
        assert!(!must, "did not overflow: {way}");
        assert_eq!(state.slots_left as usize, slots_left, "{way}");
        assert_eq!(state.status, ROW_OPEN, "{way}");
        let (fired, rest) =
            found.fires[row * self.width..(row + 1) * self.width].split_at(state.certain as usize);
        let mut fired = fired.to_vec();
        fired.sort_unstable();
        assert_eq!(fired, classes.certain, "certain, {way}");
        assert!(rest.iter().all(|&atom| atom == UNTOUCHED), "{way}");

        let first = state.first_pair as usize;
        let pairs = &found.pairs[first..first + state.open as usize];
        let mut open: Vec<u32> = pairs.iter().map(|pair| pair.atom).collect();
        open.sort_unstable();
        assert_eq!(open, classes.open, "open, {way}");
        assert!(pairs.iter().all(|pair| pair.row == row as u32), "{way}");
        expected.pairs += pairs.len();
        counters.certified_outright += u64::from(open.is_empty());
        counters.ambiguous_atoms += open.len() as u64;
        counters.most_ambiguous = counters.most_ambiguous.max(open.len() as u64);
    }

    /// Pairs of a row lie together, as [`Case::check_row`] has seen; here: nobody else's are there,
    /// and those of an atom have ranks from 0 on.
    fn check_pairs(&self, found: &Found, expected: &Expected) {
        let name = &self.name;
        let asked = (found.pair_count as usize).min(self.pair_capacity);
        let (written, rest) = found.pairs.split_at(asked);
        assert!(rest.iter().all(|pair| pair.row == UNTOUCHED), "{name}");
        let mut ranks = vec![Vec::new(); self.features];
        for pair in written.iter().filter(|pair| pair.row != NO_PAIR) {
            ranks[pair.atom as usize].push(pair.rank);
        }
        let real: usize = ranks.iter().map(Vec::len).sum();
        assert_eq!(real, expected.pairs, "{name}");
        for (mut ranks, &count) in ranks.into_iter().zip(&found.atom_pairs) {
            ranks.sort_unstable();
            assert_eq!(ranks, (0..count).collect::<Vec<u32>>(), "{name}");
        }
        if found.pair_count as usize <= self.pair_capacity {
            assert_eq!(real, found.pair_count as usize, "no gaps, {name}");
        }
    }
}

#[derive(Default)]
struct Expected {
    counters: Counters,
    overflowed: Vec<u32>,
    pairs: usize,
}
