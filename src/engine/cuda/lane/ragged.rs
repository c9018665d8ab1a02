//! Firing sets as a batch leaves them on the host: as many atoms a row for all rows, or any number.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::{Lane, Shared};
use crate::engine::cuda::driver::{Buffer, Device, PageLocked, Stream};
use crate::engine::cuda::fault::Fault;
use crate::engine::cuda::tally::TallyArgs;

/// Rows that were scored in full, by their places in the batch: atoms, ascending, with their scores.
pub(in crate::engine::cuda) type FullRows = BTreeMap<usize, (Vec<u32>, Vec<f64>)>;

/// The firing sets of a batch's rows.
pub(in crate::engine::cuda) enum Sets<'a> {
    /// As many atoms for each row.
    Uniform {
        /// \[rows, k\].
        fires: &'a [u32],
        /// \[rows, k\]; empty where scores are not wanted.
        scores: &'a [f64],
    },
    /// Any number of atoms.
    Ragged {
        /// Numbers from one row to the next.
        width: usize,
        /// Atoms of each row; 0 of those scored in full.
        lengths: &'a [u32],
        /// \[rows, width\].
        fires: &'a [u32],
        /// \[rows, width\]; empty where scores are not wanted.
        scores: &'a [f64],
        /// Rows scored in full.
        full: &'a FullRows,
    },
}

impl<'a> Sets<'a> {
    /// The atoms of a row of which there is any number, and their scores where these are wanted.
    pub(in crate::engine::cuda) fn row(&self, row: usize) -> (&'a [u32], &'a [f64]) {
        match *self {
            Self::Uniform { .. } => unreachable!("rows of equal length are taken together"),
            Self::Ragged {
                width,
                lengths,
                fires,
                scores,
                full,
            } => {
                if let Some((atoms, scores)) = full.get(&row) {
                    return (atoms, scores);
                }
                let set = row * width..row * width + lengths[row] as usize;
                let of_set = if scores.is_empty() {
                    scores
                } else {
                    &scores[set.clone()]
                };
                (&fires[set], of_set)
            }
        }
    }

    /// The rows that have more atoms than there was room for.
    pub(in crate::engine::cuda) fn crowded(&self) -> usize {
        match self {
            Self::Uniform { .. } => 0,
            Self::Ragged { width, full, .. } => {
                let lengths = full.values().map(|(atoms, _)| atoms.len());
                lengths.filter(|length| length > width).count()
            }
        }
    }
}

impl Lane {
    /// The firing sets of the batch's `count` rows.
    ///
    /// # Safety
    /// The stream must be done.
    pub(super) unsafe fn sets(&self, shared: Shared, count: usize) -> Sets<'_> {
        let width = shared.encoder.width;
        let scored = if self.shape.scored { count * width } else { 0 };
        // SAFETY: the caller's.
        let (fires, scores, lengths) = unsafe {
            (
                &self.host_fires.as_slice()[..count * width],
                &self.host_scores.as_slice()[..scored],
                self.host_lengths.as_slice(),
            )
        };
        if self.lengths.is_empty() {
            return Sets::Uniform { fires, scores };
        }
        Sets::Ragged {
            width,
            lengths: &lengths[..count],
            fires,
            scores,
            full: &self.full,
        }
    }
}

/// Memory for the firing sets of some listed rows, each as long as there are features.
pub(super) struct FullSets {
    features: usize,
    fires: Buffer<u32>,
    lengths: Buffer<u32>,
    host_fires: PageLocked<u32>,
    host_lengths: PageLocked<u32>,
    host_scores: PageLocked<f64>,
    /// All rows that are listed.
    host_listed: PageLocked<u32>,
}

impl FullSets {
    /// Memory for the sets of `rows` rows at once, of `listed` in all.
    pub(super) fn new(
        device: &Arc<Device>,
        (rows, listed): (usize, usize),
        features: usize,
    ) -> Result<Self, Fault> {
        let what = "sets of rows scored in full";
        Ok(Self {
            features,
            fires: Buffer::new(device, rows * features, what)?,
            lengths: Buffer::new(device, rows, what)?,
            host_fires: PageLocked::new(device, rows * features, what)?,
            host_lengths: PageLocked::new(device, rows, what)?,
            host_scores: PageLocked::new(device, rows * features, what)?,
            host_listed: PageLocked::new(device, listed, what)?,
        })
    }

    /// The same arguments, with sets that go here.
    pub(super) fn args(&self, args: TallyArgs) -> TallyArgs {
        TallyArgs {
            fires: self.fires.address(),
            lengths: self.lengths.address(),
            width: self.features as u32,
            by_slot: 1,
            ..args
        }
    }

    /// Starts the way to the host for the sets of these rows of the list.
    ///
    /// # Safety
    /// The buffers may not go before the stream has done it.
    pub(super) unsafe fn copy_out(
        &self,
        stream: &Stream,
        (listed, rows): (&Buffer<u32>, &Range<usize>),
        scores: &Buffer<f64>,
    ) -> Result<(), Fault> {
        let count = rows.len();
        // SAFETY: the caller's; nobody reads these before the stream is done.
        unsafe {
            stream.copy_out(&self.host_fires, &self.fires, count * self.features)?;
            stream.copy_out(&self.host_lengths, &self.lengths, count)?;
            stream.copy_out(&self.host_scores, scores, count * self.features)?;
            stream.copy_out(&self.host_listed, listed, rows.end)
        }
    }

    /// Keeps the sets of these rows of the list.
    ///
    /// # Safety
    /// The stream must be done.
    pub(super) unsafe fn keep(&self, rows: Range<usize>, into: &mut FullRows) {
        // SAFETY: the caller's.
        let (fires, lengths, scores, listed) = unsafe {
            (
                self.host_fires.as_slice(),
                self.host_lengths.as_slice(),
                self.host_scores.as_slice(),
                self.host_listed.as_slice(),
            )
        };
        for (slot, &row) in listed[rows].iter().enumerate() {
            let set = slot * self.features..slot * self.features + lengths[slot] as usize;
            let kept = (fires[set.clone()].to_vec(), scores[set].to_vec());
            into.insert(row as usize, kept);
        }
    }
}
