//! The firing sets of a block's kept rows, while they are found: in their places where all rows have
//! as many atoms, else row by row.

use super::context::Context;
use super::model::Model;
use super::score::Score;
use crate::engine::sink::{Places, Slot};
use crate::error::Result;

/// Buffers, reused from block to block.
#[derive(Default)]
pub(super) struct Buffers {
    /// The number of atoms that each row has so far.
    filled: Vec<usize>,
    /// The atoms of each row, where rows have no places.
    rows: Vec<Vec<u32>>,
}

/// The firing sets of a block's kept rows.
pub(super) struct Sets<'a, 'b> {
    slot: Slot<'b>,
    /// The places of the rows in the block.
    kept: &'a [usize],
    buffers: &'a mut Buffers,
}

impl<'a, 'b> Sets<'a, 'b> {
    /// Makes empty sets.
    pub(super) fn new(slot: Slot<'b>, kept: &'a [usize], buffers: &'a mut Buffers) -> Self {
        buffers.filled.clear();
        buffers.filled.resize(kept.len(), 0);
        if let Slot::Block { .. } = slot {
            let more = kept.len().max(buffers.rows.len());
            buffers.rows.resize_with(more, Vec::new);
            buffers.rows.iter_mut().for_each(Vec::clear);
        }
        Self {
            slot,
            kept,
            buffers,
        }
    }

    /// Adds atoms to the set of kept row `i`, in any order.
    pub(super) fn add(&mut self, i: usize, atoms: &[u32]) {
        match &mut self.slot {
            Slot::InPlace(places) => {
                let filled = &mut self.buffers.filled[i];
                let to = *filled + atoms.len();
                places.row(self.kept[i])[*filled..to].copy_from_slice(atoms);
                *filled = to;
            }
            Slot::Block { .. } => self.buffers.rows[i].extend_from_slice(atoms),
        }
    }

    /// Sorts all sets, once they are complete.
    pub(super) fn sort(&mut self) {
        for (i, &row) in self.kept.iter().enumerate() {
            let atoms = match &mut self.slot {
                Slot::InPlace(places) => places.row(row),
                Slot::Block { .. } => &mut self.buffers.rows[i],
            };
            atoms.sort_unstable();
        }
    }

    /// Says whether scores are wanted.
    pub(super) fn is_scored(&self) -> bool {
        match &self.slot {
            Slot::InPlace(places) => !places.scores.is_empty(),
            Slot::Block { scored, .. } => *scored,
        }
    }

    /// Hands all sets over, with the canonical scores of their atoms where these are wanted;
    /// `numbers` are those of the rows, \[kept, D\].
    ///
    /// # Errors
    /// Cancellation, memory.
    pub(super) fn deliver(
        self,
        model: &Model,
        numbers: &[f32],
        score: &mut Score,
        context: Context,
    ) -> Result<()> {
        let is_scored = self.is_scored();
        let (kept, control) = (self.kept, context.control);
        match self.slot {
            Slot::InPlace(_) if !is_scored => Ok(()),
            Slot::InPlace(Places {
                width,
                atoms,
                scores,
            }) => {
                let place = |i: usize| kept[i] * width..(kept[i] + 1) * width;
                let atoms = |i| &atoms[place(i)];
                score.rows(model, numbers, atoms, control, |i, of_row| {
                    scores[place(i)].copy_from_slice(of_row);
                    Ok(())
                })
            }
            Slot::Block { block, .. } => {
                let rows = &self.buffers.rows;
                if is_scored {
                    return score.rows(
                        model,
                        numbers,
                        |i| &rows[i],
                        control,
                        |i, scores| block.push(&rows[i], scores),
                    );
                }
                let mut rows = rows[..kept.len()].iter();
                rows.try_for_each(|atoms| block.push(atoms, &[]))
            }
        }
    }
}
