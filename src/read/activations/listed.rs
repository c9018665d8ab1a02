//! Activations listed by row: sparsify's `top_indices` \[N, k\] and `top_acts` \[N, k\]; or atoms
//! alone, as in the `fires.npy` \[N, k\] that an analysis writes.

use std::ops::Range;

use super::numbers::Numbers;
use super::rows::{ActiveAtoms, Bounds, Builder, by_blocks};
use crate::control::Control;
use crate::error::Result;

/// Entries that are read at a time.
const AT_ONCE: usize = 1 << 16;

/// k atoms of each row.
#[derive(Debug)]
pub(super) struct Listed {
    indices: Numbers,
    /// The activation of each; `None` where it is only known that they fire.
    acts: Option<Numbers>,
    rows: usize,
    k: usize,
}

impl Listed {
    /// Makes rows of indices and activations of one shape.
    ///
    /// # Errors
    /// Arrays of another kind, or that do not fit together.
    pub(super) fn new(indices: Numbers, acts: Numbers) -> Result<Self> {
        if !acts.is_float() {
            let expected = "floating-point numbers, an activation for each index";
            let action = "save top_acts as it was computed, and top_indices beside it";
            return Err(acts.bad(acts.describe(), expected, action));
        }
        if acts.shape != indices.shape {
            let expected = format!("the shape of top_indices, {}", indices.describe());
            let action = "save top_indices and top_acts of the same rows";
            return Err(acts.bad(acts.describe(), expected, action));
        }
        Self::of(indices, Some(acts))
    }

    /// Makes rows of atoms alone, which fire with a value of 1.
    ///
    /// # Errors
    /// Another array than whole numbers in two dimensions.
    pub(super) fn of_atoms(indices: Numbers) -> Result<Self> {
        Self::of(indices, None)
    }

    fn of(indices: Numbers, acts: Option<Numbers>) -> Result<Self> {
        let &[rows, k] = indices.shape.as_slice() else {
            return Err(not_listed(&indices));
        };
        if !indices.is_whole() {
            return Err(not_listed(&indices));
        }
        Ok(Self {
            indices,
            acts,
            rows,
            k,
        })
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// k, the number of entries of a row.
    pub(super) fn k(&self) -> usize {
        self.k
    }

    /// Says whether it is known how strongly atoms fire.
    pub(super) fn has_values(&self) -> bool {
        self.acts.is_some()
    }

    pub(super) fn read(
        &self,
        range: &Range<usize>,
        bounds: Bounds,
        control: &Control,
    ) -> Result<ActiveAtoms> {
        let at_once = (AT_ONCE / self.k.max(1)).clamp(1, 1 << 12);
        by_blocks(range, at_once, control, |rows| self.block(rows, bounds))
    }

    fn block(&self, rows: Range<usize>, bounds: Bounds) -> Result<ActiveAtoms> {
        let mut builder = Builder::new(bounds, rows.start as u64);
        let (mut indices, mut values) = (Vec::new(), Vec::new());
        for row in rows {
            let (mut at, end) = (row as u64 * self.k as u64, (row as u64 + 1) * self.k as u64);
            let mut before = -1;
            while at < end {
                let piece = at..end.min(at + AT_ONCE as u64);
                at = piece.end;
                self.indices.whole(piece.clone(), &mut indices)?;
                let Some(acts) = &self.acts else {
                    before = self.fire(row, before, &indices, &mut builder)?;
                    continue;
                };
                acts.floats(piece, &mut values)?;
                for (&index, &value) in indices.iter().zip(&values) {
                    // A row with fewer than k atoms is filled up with zeros, whatever their index.
                    if value != 0.0 {
                        builder.push(index, value)?;
                    }
                }
            }
            builder.end_row()?;
        }
        Ok(builder.finish())
    }

    /// Lets atoms fire that ascend from `before` on, and returns the last of them.
    fn fire(&self, row: usize, before: i64, atoms: &[i64], builder: &mut Builder) -> Result<i64> {
        let mut before = before;
        for &atom in atoms {
            if atom <= before {
                return Err(self.indices.bad(
                    format!("the atom {atom} after {before} in row {row}"),
                    "the atoms that fire on each call, ascending, as an analysis writes them",
                    "save activations themselves: numpy.save(FILE, array.astype('<f4'))",
                ));
            }
            builder.push(atom, 1.0)?;
            before = atom;
        }
        Ok(before)
    }
}

fn not_listed(indices: &Numbers) -> crate::error::Error {
    indices.bad(
        indices.describe(),
        "whole numbers [N, k], k atoms for each call",
        "save the indices as int64, a row for each call",
    )
}
