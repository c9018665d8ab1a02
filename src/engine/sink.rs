//! Firing sets on their way from threads and devices to [`FiringSets`].
//!
//! Rows that all have the same number of atoms need no more than one array: each block of rows is
//! written in its place. Where rows differ, each block is handed back with the length of every row,
//! and all blocks are joined in order, once.

use std::slice::{ChunksMut, IterMut};

use crate::error::{Error, Result};
use crate::fires::FiringSets;
use crate::memory::may_fail;
use crate::sae::Values;

/// The name of the sets' memory in messages.
const SETS: &str = "the firing sets";

/// The destination of a run's firing sets.
pub(super) enum Sink {
    /// Each row has the same number of atoms: sets are written in place.
    InPlace {
        /// Atoms of a row.
        width: usize,
        /// \[rows, width\].
        atoms: Vec<u32>,
        /// \[rows, width\]; `None` where scores are not wanted.
        scores: Option<Vec<f64>>,
    },
    /// Rows have any number of atoms: sets are kept block by block.
    Blocks {
        /// Consecutive blocks of rows.
        blocks: Vec<EncodedBlock>,
        /// `true` if scores are wanted.
        scored: bool,
    },
}

/// The firing sets of a block's rows, those that were not dropped.
#[derive(Debug, Default)]
pub(super) struct EncodedBlock {
    /// The number of the first row, where blocks come in any order; 0 where they come in theirs.
    first: usize,
    /// The number of atoms that fire on each row.
    lengths: Vec<u32>,
    /// The atoms of all rows, ascending in each.
    atoms: Vec<u32>,
    /// Their scores, where these are wanted.
    scores: Vec<f64>,
}

impl EncodedBlock {
    /// A block without rows yet, the first of which will have this number, if it is not dropped.
    #[cfg(feature = "cuda")]
    pub(super) fn of_rows_from(first: usize) -> Self {
        Self {
            first,
            ..Self::default()
        }
    }

    /// Adds the next row that was not dropped. `scores` are those of the atoms, or none.
    ///
    /// # Errors
    /// Memory.
    pub(super) fn push(&mut self, atoms: &[u32], scores: &[f64]) -> Result<()> {
        let refused = |_| Error::Memory {
            what: SETS,
            bytes: size_of_val(atoms) as u128 + size_of_val(scores) as u128,
        };
        may_fail(|| {
            self.lengths.try_reserve(1)?;
            self.atoms.try_reserve(atoms.len())?;
            self.scores.try_reserve(scores.len())
        })
        .map_err(refused)?;
        self.lengths.push(atoms.len() as u32);
        self.atoms.extend_from_slice(atoms);
        self.scores.extend_from_slice(scores);
        Ok(())
    }
}

/// The destination of the firing sets of one block of rows.
pub(super) enum Slot<'a> {
    /// In their places.
    InPlace(Places<'a>),
    /// To a block of their own.
    Block {
        /// The block.
        block: &'a mut EncodedBlock,
        /// `true` if scores are wanted.
        scored: bool,
    },
}

/// The places of some rows' firing sets.
pub(super) struct Places<'a> {
    /// Atoms of a row.
    pub(super) width: usize,
    /// \[rows, width\].
    pub(super) atoms: &'a mut [u32],
    /// \[rows, width\]; empty where scores are not wanted.
    pub(super) scores: &'a mut [f64],
}

impl Places<'_> {
    /// The atoms of a row.
    pub(super) fn row(&mut self, row: usize) -> &mut [u32] {
        &mut self.atoms[row * self.width..][..self.width]
    }
}

/// The slots of consecutive blocks.
pub(super) enum Slots<'a> {
    /// In their places.
    InPlace {
        /// Atoms of a row.
        width: usize,
        /// The places of the atoms, block after block.
        atoms: ChunksMut<'a, u32>,
        /// The places of the scores, block after block; none where scores are not wanted.
        scores: ChunksMut<'a, f64>,
    },
    /// To blocks of their own.
    Blocks {
        /// The blocks.
        blocks: IterMut<'a, EncodedBlock>,
        /// `true` if scores are wanted.
        scored: bool,
    },
}

impl<'a> Iterator for Slots<'a> {
    type Item = Slot<'a>;

    fn next(&mut self) -> Option<Slot<'a>> {
        Some(match self {
            Self::InPlace {
                width,
                atoms,
                scores,
            } => Slot::InPlace(Places {
                width: *width,
                atoms: atoms.next()?,
                scores: scores.next().unwrap_or_default(),
            }),
            Self::Blocks { blocks, scored } => Slot::Block {
                block: blocks.next()?,
                scored: *scored,
            },
        })
    }
}

impl Sink {
    /// Makes room for `rows` rows, of `width` atoms each where that is known.
    ///
    /// # Errors
    /// Memory.
    pub(super) fn new(rows: usize, width: Option<usize>, scored: bool) -> Result<Self> {
        let Some(width) = width else {
            let blocks = Vec::new();
            return Ok(Self::Blocks { blocks, scored });
        };
        let scores = || crate::memory::filled(rows, width, "the scores", || 0.0);
        Ok(Self::InPlace {
            width,
            atoms: crate::memory::filled(rows, width, SETS, || 0u32)?,
            scores: scored.then(scores).transpose()?,
        })
    }

    /// The slot of each block, `rows_per_block` of `rows` rows but in the last, in order.
    ///
    /// # Errors
    /// Memory.
    pub(super) fn slots(&mut self, rows: usize, rows_per_block: usize) -> Result<Slots<'_>> {
        Ok(match self {
            Self::InPlace {
                width,
                atoms,
                scores,
            } => {
                let (width, numbers) = (*width, rows_per_block * *width);
                let scores = scores.as_deref_mut().unwrap_or_default();
                Slots::InPlace {
                    width,
                    atoms: atoms.chunks_mut(numbers),
                    scores: scores.chunks_mut(numbers),
                }
            }
            Self::Blocks { blocks, scored } => {
                let count = rows.div_ceil(rows_per_block);
                *blocks = crate::memory::filled(count, 1, SETS, EncodedBlock::default)?;
                Slots::Blocks {
                    blocks: blocks.iter_mut(),
                    scored: *scored,
                }
            }
        })
    }

    /// Says whether scores are wanted.
    #[cfg(feature = "cuda")]
    pub(super) fn is_scored(&self) -> bool {
        match self {
            Self::InPlace { scores, .. } => scores.is_some(),
            Self::Blocks { scored, .. } => *scored,
        }
    }

    /// Takes the firing sets of some rows, each as long as all others.
    ///
    /// # Panics
    /// If rows differ in length, or there are not as many atoms, or scores where these are wanted.
    #[cfg(feature = "cuda")]
    pub(super) fn put(&mut self, rows: &std::ops::Range<usize>, from: (&[u32], &[f64])) {
        let Self::InPlace {
            width,
            atoms,
            scores,
        } = self
        else {
            unreachable!("rows of equal length have their places");
        };
        let places = rows.start * *width..rows.end * *width;
        atoms[places.clone()].copy_from_slice(from.0);
        if let Some(scores) = scores {
            scores[places].copy_from_slice(from.1);
        }
    }

    /// Takes the firing sets of some rows, of any length; blocks may come in any order.
    ///
    /// # Errors
    /// Memory.
    ///
    /// # Panics
    /// If each row has the same number of atoms.
    #[cfg(feature = "cuda")]
    pub(super) fn put_block(&mut self, block: EncodedBlock) -> Result<()> {
        let Self::Blocks { blocks, .. } = self else {
            unreachable!("rows of any length have their blocks");
        };
        may_fail(|| blocks.try_reserve(1)).map_err(|_| Error::Memory {
            what: SETS,
            bytes: size_of::<EncodedBlock>() as u128,
        })?;
        blocks.push(block);
        Ok(())
    }

    /// The firing sets of all rows but those that were `dropped`, ascending; scores become what they
    /// are as activations.
    ///
    /// # Errors
    /// Memory.
    pub(super) fn finish(self, dropped: Vec<usize>, values: &Values) -> Result<FiringSets> {
        let sets = self.sets(dropped)?;
        Ok(match values {
            Values::Score => sets,
            values => sets.map_scores(|atom, score| values.value(atom, score)),
        })
    }

    fn sets(self, dropped: Vec<usize>) -> Result<FiringSets> {
        match self {
            Self::InPlace {
                width,
                mut atoms,
                scores,
            } => {
                remove_rows(&mut atoms, width, &dropped);
                let scores = scores.map(|mut scores| {
                    remove_rows(&mut scores, width, &dropped);
                    scores
                });
                let sets = FiringSets::uniform(width, atoms, dropped);
                Ok(match scores {
                    Some(scores) => sets.with_scores(scores),
                    None => sets,
                })
            }
            Self::Blocks { blocks, scored } => join(blocks, scored, dropped),
        }
    }
}

/// Joins consecutive blocks of firing sets; each goes as soon as it is copied.
fn join(mut blocks: Vec<EncodedBlock>, scored: bool, dropped: Vec<usize>) -> Result<FiringSets> {
    // The sort is stable: blocks that came in order stay as they are.
    blocks.sort_by_key(|block| block.first);
    let rows = blocks.iter().map(|block| block.lengths.len()).sum();
    let firings = blocks.iter().map(|block| block.atoms.len()).sum();
    let mut row_ends = with_room(rows)?;
    let mut atoms: Vec<u32> = with_room(firings)?;
    let mut scores = with_room(if scored { firings } else { 0 })?;
    let mut end = 0;
    for block in blocks {
        row_ends.extend(block.lengths.iter().map(|&length| {
            end += length as usize;
            end
        }));
        atoms.extend_from_slice(&block.atoms);
        scores.extend_from_slice(&block.scores);
    }
    let sets = FiringSets::ragged(row_ends, atoms, dropped);
    Ok(if scored {
        sets.with_scores(scores)
    } else {
        sets
    })
}

/// Makes a list with room for `count` items.
fn with_room<T>(count: usize) -> Result<Vec<T>> {
    let mut items = Vec::new();
    may_fail(|| items.try_reserve_exact(count)).map_err(|_| Error::Memory {
        what: SETS,
        bytes: count as u128 * size_of::<T>() as u128,
    })?;
    Ok(items)
}

/// Closes the gaps that dropped rows leave among rows of `width`.
fn remove_rows<T: Copy>(numbers: &mut Vec<T>, width: usize, dropped: &[usize]) {
    let Some(&first) = dropped.first() else {
        return;
    };
    let mut dropped = dropped.iter().copied().peekable();
    let mut to = first;
    for from in first..numbers.len() / width {
        if dropped.next_if_eq(&from).is_none() {
            numbers.copy_within(from * width..(from + 1) * width, to * width);
            to += 1;
        }
    }
    numbers.truncate(to * width);
}

#[cfg(test)]
#[path = "sink_tests.rs"]
mod tests;
