//! Rows of activations: the atoms that fire on each, ascending, and their values.

use std::ops::Range;

use rayon::prelude::*;

use crate::control::Control;
use crate::error::{Error, Result};

/// The atoms that fire on some rows: those whose activation is not 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ActiveAtoms {
    /// The end of each row's atoms in the other two.
    pub row_ends: Vec<usize>,
    /// The atoms, row after row, ascending in each.
    pub atoms: Vec<u32>,
    /// Their activations.
    pub values: Vec<f64>,
}

impl ActiveAtoms {
    fn append(&mut self, next: Self) {
        let before = self.atoms.len();
        self.row_ends
            .extend(next.row_ends.into_iter().map(|end| before + end));
        self.atoms.extend(next.atoms);
        self.values.extend(next.values);
    }
}

/// The bounds that every entry is checked against, and the name that messages give to the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds<'a> {
    /// The file.
    pub(super) name: &'a str,
    /// F, the number of atoms.
    pub(super) atoms: usize,
}

impl Bounds<'_> {
    /// Checks the index of an atom.
    pub(super) fn atom(&self, row: u64, index: i64) -> Result<u32> {
        let within = usize::try_from(index).is_ok_and(|index| index < self.atoms);
        if within {
            return Ok(index as u32);
        }
        Err(Error::input(
            self.name,
            format!("row {row}"),
            format!("the atom {index}"),
            format!(
                "atoms from 0 to {}, as there are {}",
                self.atoms - 1,
                self.atoms
            ),
            "check how the file was made, and how many atoms the model has",
        ))
    }

    /// Checks a number.
    pub(super) fn value(&self, row: u64, atom: u32, value: f64) -> Result<()> {
        if value.is_finite() {
            return Ok(());
        }
        Err(Error::input(
            self.name,
            format!("row {row}, atom {atom}"),
            format!("the activation {value}"),
            "finite numbers",
            "compute the activations of this call again, or leave the call out",
        ))
    }
}

/// Makes rows entry by entry. Entries of one atom in a row are added, in binary64 and in the file's
/// order; an atom whose sum is 0 does not fire.
pub(super) struct Builder<'a> {
    bounds: Bounds<'a>,
    done: ActiveAtoms,
    /// The entries of the row that is under way, not 0.
    row: Vec<(u32, f64)>,
    /// The row's number in the file, for messages.
    number: u64,
    /// The number of entries at which equal atoms are added before the row ends, so that a row takes
    /// no more memory than its atoms do.
    most: usize,
}

/// The least number of entries that are put together before a row ends.
const MANY: usize = 1 << 16;

impl<'a> Builder<'a> {
    /// `first` is the number of the first row.
    pub(super) fn new(bounds: Bounds<'a>, first: u64) -> Self {
        Self {
            bounds,
            done: ActiveAtoms::default(),
            row: Vec::new(),
            number: first,
            most: MANY,
        }
    }

    /// Adds an entry to the row that is under way.
    pub(super) fn push(&mut self, index: i64, value: f64) -> Result<()> {
        let atom = self.bounds.atom(self.number, index)?;
        self.push_atom(atom, value)
    }

    /// The same, of an atom that was checked.
    pub(super) fn push_atom(&mut self, atom: u32, value: f64) -> Result<()> {
        if value == 0.0 {
            return Ok(());
        }
        self.bounds.value(self.number, atom, value)?;
        self.row.push((atom, value));
        if self.row.len() >= self.most {
            self.put_together();
            self.most = MANY.max(2 * self.row.len());
        }
        Ok(())
    }

    /// Brings the row's entries into ascending order, and adds those of one atom.
    fn put_together(&mut self) {
        if self.row.is_sorted_by(|a, b| a.0 < b.0) {
            return;
        }
        // Entries of one atom stay in their order.
        self.row.sort_by_key(|entry| entry.0);
        self.row.dedup_by(|next, sum| {
            let same = next.0 == sum.0;
            if same {
                sum.1 += next.1;
            }
            same
        });
    }

    /// Ends the row.
    pub(super) fn end_row(&mut self) -> Result<()> {
        self.put_together();
        for (atom, value) in self.row.drain(..) {
            // A sum of finite numbers may be none.
            self.bounds.value(self.number, atom, value)?;
            if value != 0.0 {
                self.done.atoms.push(atom);
                self.done.values.push(value);
            }
        }
        self.done.row_ends.push(self.done.atoms.len());
        self.number += 1;
        Ok(())
    }

    pub(super) fn finish(self) -> ActiveAtoms {
        self.done
    }
}

/// Makes rows in blocks of at most `at_once`, by several threads, and joins them in order. Of several
/// errors the one in the first row is returned.
pub(super) fn by_blocks(
    range: &Range<usize>,
    at_once: usize,
    control: &Control,
    make: impl Fn(Range<usize>) -> Result<ActiveAtoms> + Sync,
) -> Result<ActiveAtoms> {
    let at_once = at_once.max(1);
    // So many blocks that all threads have some, and few enough to hold their rows twice.
    let together = at_once.saturating_mul(8 * rayon::current_num_threads());
    let mut all = ActiveAtoms::default();
    for start in range.clone().step_by(together) {
        control.check()?;
        let end = range.end.min(start.saturating_add(together));
        let blocks = (end - start).div_ceil(at_once);
        let block = |number: usize| {
            let first = start + number * at_once;
            make(first..end.min(first + at_once))
        };
        let made: Vec<_> = (0..blocks).into_par_iter().map(block).collect();
        for block in made {
            all.append(block?);
        }
        control.report((end - range.start) as u64);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::{Bounds, Builder, MANY, by_blocks};
    use crate::control::Control;

    const BOUNDS: Bounds<'static> = Bounds {
        name: "x.npz",
        atoms: 9,
    };

    #[test]
    fn builder_adds_entries_of_one_atom_and_drops_zeros() {
        let mut builder = Builder::new(BOUNDS, 4);
        let entries = [
            (7, 1.5),
            (2, 1.0),
            (7, 0.25),
            (0, -0.0),
            (2, -1.0),
            (1, -3.0),
        ];
        for (atom, value) in entries {
            builder.push(atom, value).unwrap();
        }
        builder.end_row().unwrap();
        builder.end_row().unwrap();
        builder.push(8, 2.0).unwrap();
        builder.end_row().unwrap();
        let rows = builder.finish();
        assert_eq!(rows.row_ends, [2, 2, 3]);
        assert_eq!(rows.atoms, [1, 7, 8]);
        assert_eq!(rows.values, [-3.0, 1.75, 2.0]);
    }

    #[test]
    fn builder_row_of_many_entries_takes_the_memory_of_its_atoms() {
        let mut builder = Builder::new(BOUNDS, 0);
        let mut sums = [0.0; 9];
        for i in 0..5 * MANY {
            let (atom, value) = (i * 7 % 9, 1.0 + i as f64 / 3.0);
            sums[atom] += value;
            builder.push_atom(atom as u32, value).unwrap();
            assert!(builder.row.capacity() <= 4 * MANY);
        }
        builder.end_row().unwrap();
        assert_eq!(builder.finish().values, sums);
    }

    #[test]
    fn builder_names_row_and_atom_of_bad_entries() {
        let mut builder = Builder::new(BOUNDS, 6);
        builder.end_row().unwrap();
        for index in [-1, 9, i64::MAX] {
            let error = builder.push(index, 1.0).unwrap_err().to_string();
            assert!(
                error.contains(&format!("row 7: found the atom {index},")),
                "{error}"
            );
        }
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = builder.push(3, value).unwrap_err().to_string();
            assert!(error.contains("row 7, atom 3"), "{error}");
        }
        builder.push(3, f64::MAX).unwrap();
        builder.push(3, f64::MAX).unwrap();
        assert!(
            builder
                .end_row()
                .unwrap_err()
                .to_string()
                .contains("the activation inf")
        );
    }

    #[test]
    fn blocks_of_any_size_give_the_same_rows() {
        let make = |rows: std::ops::Range<usize>| {
            let mut builder = Builder::new(BOUNDS, rows.start as u64);
            for row in rows {
                for atom in 0..row % 4 {
                    builder.push_atom(atom as u32, (row + atom) as f64)?;
                }
                builder.end_row()?;
            }
            Ok(builder.finish())
        };
        let whole = make(3..103).unwrap();
        for at_once in [1, 2, 7, 99, 1000] {
            let rows = by_blocks(&(3..103), at_once, &Control::default(), make).unwrap();
            assert_eq!(rows, whole, "{at_once}");
        }
    }
}
