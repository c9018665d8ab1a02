//! A dense matrix \[N, F\] of activations.

use std::ops::Range;

use super::super::npy::Array;
use super::numbers::Numbers;
use super::rows::{ActiveAtoms, Bounds, Builder, by_blocks};
use crate::control::Control;
use crate::error::{Error, Result};

/// Numbers that are read at a time.
const AT_ONCE: u64 = 1 << 18;

/// The same where they lie column after column: each column of a block is a read of its own, so that
/// large blocks pay.
const AT_ONCE_BY_COLUMN: u64 = 1 << 22;

/// A dense matrix of activations.
#[derive(Debug)]
pub(super) struct Dense {
    numbers: Numbers,
    rows: usize,
    atoms: usize,
    /// True if the numbers lie column after column.
    by_column: bool,
}

impl Dense {
    /// Makes a matrix of a `NumPy` array; `None` if it has not two dimensions.
    ///
    /// # Errors
    /// Numbers that are no activations; bytes that are missing.
    pub(super) fn of_npy(array: &Array, place: &str) -> Result<Option<Self>> {
        let &[rows, atoms] = array.header.shape.as_slice() else {
            return Ok(None);
        };
        let header = &array.header;
        if !header.is_of_activations() {
            return Err(Error::input(
                array.elements.source.name(),
                place,
                format!("an array of {}", header.describe()),
                "activations as <f2, <f4, <f8 or |b1, a row for each call",
                header.conversion(),
            ));
        }
        let by_column = header.fortran;
        let numbers = if by_column {
            Numbers::of_npy(&array.transposed(), place)?
        } else {
            Numbers::of_npy(array, place)?
        };
        Ok(Some(Self {
            numbers,
            rows,
            atoms,
            by_column,
        }))
    }

    /// Makes a matrix of a tensor of two dimensions.
    pub(super) fn of_tensor(numbers: Numbers) -> Option<Self> {
        let &[rows, atoms] = numbers.shape.as_slice() else {
            return None;
        };
        (!numbers.is_whole()).then_some(Self {
            numbers,
            rows,
            atoms,
            by_column: false,
        })
    }

    /// N and F.
    pub(super) fn shape(&self) -> [usize; 2] {
        [self.rows, self.atoms]
    }

    /// Atoms that fire on a row, from some rows, and whether none of their numbers is 0.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) fn sample(&self) -> Result<(usize, bool)> {
        let wanted = if self.by_column { 8 } else { 64 };
        let mut fires = 0_usize;
        let (step, mut numbers) = ((self.rows / wanted).max(1), Vec::new());
        let sampled = (0..self.rows).step_by(step);
        let count = sampled.len();
        for row in sampled {
            self.each_piece(row..row + 1, &mut numbers, &mut |_, numbers| {
                fires += numbers.iter().filter(|&&value| value != 0.0).count();
                Ok(())
            })?;
        }
        let all = count.saturating_mul(self.atoms);
        Ok((fires.div_ceil(count.max(1)), all > 0 && fires == all))
    }

    pub(super) fn read(
        &self,
        range: &Range<usize>,
        bounds: Bounds,
        control: &Control,
    ) -> Result<ActiveAtoms> {
        let numbers = if self.by_column {
            AT_ONCE_BY_COLUMN
        } else {
            AT_ONCE
        };
        let at_once = (numbers as usize / self.atoms.max(1)).max(1);
        by_blocks(range, at_once, control, |rows| {
            let mut builder = Builder::new(bounds, rows.start as u64);
            let (mut atom, mut numbers) = (0, Vec::new());
            self.each_piece(rows, &mut numbers, &mut |atoms, numbers| {
                for &value in numbers {
                    builder.push_atom(atom, value)?;
                    atom += 1;
                    if atom as usize == atoms {
                        builder.end_row()?;
                        atom = 0;
                    }
                }
                Ok(())
            })?;
            Ok(builder.finish())
        })
    }

    /// Hands over F and the numbers of some rows, row after row, in pieces.
    fn each_piece(
        &self,
        rows: Range<usize>,
        numbers: &mut Vec<f64>,
        take: &mut dyn FnMut(usize, &[f64]) -> Result<()>,
    ) -> Result<()> {
        if self.by_column {
            let block = self.columns(rows, numbers)?;
            return take(self.atoms, &block);
        }
        let atoms = self.atoms as u64;
        let (mut at, end) = (rows.start as u64 * atoms, rows.end as u64 * atoms);
        while at < end {
            let piece = at..end.min(at + AT_ONCE);
            at = piece.end;
            self.numbers.floats(piece, numbers)?;
            take(self.atoms, numbers)?;
        }
        Ok(())
    }

    /// Reads rows of a matrix that lies column after column.
    fn columns(&self, rows: Range<usize>, column: &mut Vec<f64>) -> Result<Vec<f64>> {
        let mut block = vec![0.0; rows.len() * self.atoms];
        for atom in 0..self.atoms {
            let first = atom as u64 * self.rows as u64;
            let piece = first + rows.start as u64..first + rows.end as u64;
            self.numbers.floats(piece, column)?;
            let to = block.iter_mut().skip(atom).step_by(self.atoms);
            for (to, from) in to.zip(&*column) {
                *to = *from;
            }
        }
        Ok(block)
    }
}
