//! A tally to which several devices add their counts.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Certificate, Counts, Stratum, Tally};
use crate::error::Result;

/// A tally to which several devices add their counts, each of which counts every stratum and feature.
#[derive(Debug)]
pub struct SharedTally {
    feature_dim: usize,
    table: Vec<Stratum>,
    rows: Vec<AtomicU64>,
    counts: Vec<AtomicU64>,
}

impl SharedTally {
    /// Makes an empty tally.
    ///
    /// # Errors
    /// Fails with [`Error::Memory`](crate::error::Error::Memory) if the counts do not fit.
    pub fn new(feature_dim: usize, table: Vec<Stratum>) -> Result<Self> {
        let strata = table.len();
        let counts = crate::memory::filled(strata, feature_dim, "the counts", AtomicU64::default)?;
        let rows = table.iter().map(|_| AtomicU64::default()).collect();
        Ok(Self {
            feature_dim,
            table,
            rows,
            counts,
        })
    }

    /// Adds the counts of a device: `counts` \[strata, features\], `rows` of each stratum.
    pub fn add_counts(&self, counts: &[u32], rows: &[u64]) {
        for (sum, &more) in self.counts.iter().zip(counts) {
            sum.fetch_add(u64::from(more), Ordering::Relaxed);
        }
        for (sum, &more) in self.rows.iter().zip(rows) {
            sum.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// Returns the tally, once all devices are done.
    pub fn finish(self, certificate: Certificate) -> Tally {
        let numbers = |counts: Vec<AtomicU64>| -> Vec<u64> {
            counts.into_iter().map(AtomicU64::into_inner).collect()
        };
        Tally {
            feature_dim: self.feature_dim,
            table: self.table,
            rows: numbers(self.rows),
            counts: Counts::of_dense(self.feature_dim, &numbers(self.counts)),
            certificate,
        }
    }
}
