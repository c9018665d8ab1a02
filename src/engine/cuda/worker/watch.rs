//! Judges whether a screen leaves too much open.

use crate::engine::cuda::lane::Done;

/// Open atoms a row beyond which binary32 is the faster screen: scoring one reads 8·D bytes at
/// about 4 TB/s, and binary32 multiplies an atom's 2·D operations at about 50 TFLOP/s, so that the
/// whole product of F atoms costs as much as F/50 open ones; and never fewer than are usual.
fn most_open(features: usize) -> usize {
    (features / 50).max(64)
}

/// Watches what a screen leaves open.
pub(super) struct Watch {
    watches: bool,
    features: usize,
    rows: usize,
    open: usize,
    /// Rows with more atoms than there is room for.
    crowded: usize,
    /// `true` if there can be more room.
    pub(super) may_widen: bool,
}

impl Watch {
    pub(super) fn new(watches: bool, features: usize) -> Self {
        Self {
            watches,
            features,
            rows: 0,
            open: 0,
            crowded: 0,
            may_widen: false,
        }
    }

    /// Takes note of a batch.
    pub(super) fn see(&mut self, done: &Done) {
        self.rows += done.rows.len();
        let crowded = done.sets.crowded();
        self.crowded += crowded;
        self.open += done.pairs + (done.overflowed - crowded) * self.features;
    }

    /// Says whether more room for atoms would be faster: where one row in sixteen has too little.
    pub(super) fn is_crowded(&self) -> bool {
        self.may_widen && self.crowded > self.rows / 16
    }

    /// Says whether another screen would be faster.
    pub(super) fn gives_up(&self) -> bool {
        self.watches && self.rows > 0 && self.open / self.rows > most_open(self.features)
    }
}
