//! Calls and firings that a pass over the firing sets has seen.

use super::sizes::Sizes;
use crate::cohort::Label;
use crate::error::Result;
use crate::fires::by_atom::differ;
use crate::stats::inference::stratified::StratumCounts;

/// Calls and firings of true and of false calls.
pub(super) struct Seen {
    calls: [u64; 2],
    /// The number of true and of false calls on which each atom fires, each \[F\].
    fires: [Vec<u64>; 2],
    /// Calls by the sizes of their firing sets, without the last ones, which are alike: their size and
    /// their number.
    sizes: [Sizes; 2],
    last: [(usize, u64); 2],
}

impl Seen {
    pub(super) fn new(features: usize) -> Self {
        Self {
            calls: [0; 2],
            fires: [vec![0; features], vec![0; features]],
            sizes: Default::default(),
            last: Default::default(),
        }
    }

    /// Returns F, the number of atoms.
    pub(super) fn features(&self) -> usize {
        self.fires[0].len()
    }

    /// Adds a call on which these atoms fire, each below F.
    pub(super) fn add(&mut self, label: Label, atoms: &[u32]) {
        let of = usize::from(label == Label::Fp);
        self.calls[of] += 1;
        // Neighbours are mostly alike.
        if self.last[of].0 != atoms.len() {
            let (size, calls) = std::mem::replace(&mut self.last[of], (atoms.len(), 0));
            self.sizes[of].add_calls(size, calls);
        }
        self.last[of].1 += 1;
        for &atom in atoms {
            self.fires[of][atom as usize] += 1;
        }
    }

    /// The sizes of firing sets on true and on false calls.
    pub(super) fn into_sizes(mut self) -> [Sizes; 2] {
        for (sizes, (size, calls)) in self.sizes.iter_mut().zip(self.last) {
            sizes.add_calls(size, calls);
        }
        self.sizes
    }

    /// They must be those of the tally: margins of the pairs' tables are taken from it.
    ///
    /// # Errors
    /// Other calls or other firings.
    pub(super) fn check(&self, counts: &StratumCounts<'_>) -> Result<()> {
        let [tp, fp] = &self.fires;
        let same = tp == counts.tp_on && fp == counts.fp_on;
        if same && self.calls == [counts.tp, counts.fp] {
            Ok(())
        } else {
            Err(differ())
        }
    }
}
