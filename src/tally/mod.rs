//! The counts `counts[stratum][feature]`, a commutative monoid of integers, and their identity.
//!
//! | file | contents |
//! |---|---|
//! | `scheme`, `property`, `strata` | the confounders, and the strata that rows are counted under |
//! | `shared` | a tally that several threads count into |
//! | `certificate` | the work that certified selection did |
//! | `shards` | the rows of files that were counted, with their calls' types and classes |
//! | `cohort` | counts with all that identifies them: the contents of a tally file |

mod batches;
mod certificate;
mod cohort;
mod property;
mod scheme;
mod shards;
mod shared;
mod strata;

use std::collections::BTreeSet;

pub use batches::Batches;
pub use certificate::Certificate;
pub use cohort::{CohortTally, Merger, ModelId};
pub use property::{CallProperty, PropertyKind, Split};
pub use scheme::{SizeBin, StratifyBy};
pub use shards::{CountAndFirst, Shard, Shards, ValueCounts};
pub use shared::SharedTally;
pub use strata::{Strata, Stratum};

/// Counts by stratum and feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    feature_dim: usize,
    table: Vec<Stratum>,
    rows: Vec<u64>,
    counts: Vec<u64>,
    certificate: Certificate,
}

impl Tally {
    /// Makes a tally of these counts: `rows` of each stratum, `counts` \[strata, features\].
    ///
    /// # Panics
    /// Panics if the lengths do not agree.
    pub fn new(
        feature_dim: usize,
        table: Vec<Stratum>,
        rows: Vec<u64>,
        counts: Vec<u64>,
        certificate: Certificate,
    ) -> Self {
        assert_eq!(table.len(), rows.len());
        assert_eq!(Some(counts.len()), table.len().checked_mul(feature_dim));
        Self {
            feature_dim,
            table,
            rows,
            counts,
            certificate,
        }
    }

    /// Adds another tally of as many features. The sum has the strata of both, in ascending order,
    /// without those that have no rows: so neither order nor nesting changes it.
    ///
    /// # Panics
    /// Panics if the numbers of features differ.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.feature_dim, other.feature_dim);
        self.make_room_for(other);
        for (stratum, rows, counts) in other.strata_with_rows() {
            // The table has room now.
            let Ok(place) = self.table.binary_search(stratum) else {
                continue;
            };
            self.rows[place] += rows;
            let sums = &mut self.counts[place * self.feature_dim..][..self.feature_dim];
            for (sum, n) in sums.iter_mut().zip(counts) {
                *sum += n;
            }
        }
        self.certificate = self.certificate.merge(other.certificate);
    }

    /// Iterates over the strata that have rows, ascending, with their rows and counts.
    fn strata_with_rows(&self) -> impl Iterator<Item = (&Stratum, u64, &[u64])> {
        let with_rows = |&stratum: &usize| self.rows[stratum] > 0;
        let mut order: Vec<usize> = (0..self.table.len()).filter(with_rows).collect();
        order.sort_by_key(|&stratum| &self.table[stratum]);
        let of = |stratum: usize| {
            (
                &self.table[stratum],
                self.rows[stratum],
                self.counts(stratum),
            )
        };
        order.into_iter().map(of)
    }

    /// Brings the table to its canonical form, with room for the strata of `other`.
    fn make_room_for(&mut self, other: &Self) {
        let strata = |tally: &Self| -> BTreeSet<Stratum> {
            tally
                .strata_with_rows()
                .map(|(stratum, ..)| stratum.clone())
                .collect()
        };
        let mut table = strata(self);
        table.extend(strata(other));
        if table.iter().eq(&self.table) {
            return;
        }
        let mut rows = vec![0; table.len()];
        let mut counts = vec![0; table.len() * self.feature_dim];
        let table: Vec<Stratum> = table.into_iter().collect();
        for (stratum, n, from) in self.strata_with_rows() {
            let Ok(place) = table.binary_search(stratum) else {
                continue;
            };
            rows[place] = n;
            counts[place * self.feature_dim..][..self.feature_dim].copy_from_slice(from);
        }
        (self.table, self.rows, self.counts) = (table, rows, counts);
    }

    /// Returns the same tally with strata in ascending order, without those that have no rows.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        let nothing = Self::new(
            self.feature_dim,
            vec![],
            vec![],
            vec![],
            Certificate::default(),
        );
        self.make_room_for(&nothing);
        self
    }

    /// Returns F, the number of features.
    pub fn feature_dim(&self) -> usize {
        self.feature_dim
    }

    /// Returns the stratum of each number.
    pub fn table(&self) -> &[Stratum] {
        &self.table
    }

    /// Returns the scheme that all strata have, beyond the label.
    pub fn scheme(&self) -> StratifyBy {
        let has = |property: &CallProperty| {
            let text = property.to_string();
            let mut all = self.table.iter();
            all.all(|stratum| stratum.levels.contains_key(&text))
        };
        let names = self.table.iter().flat_map(|stratum| stratum.levels.keys());
        let mut properties: BTreeSet<CallProperty> =
            names.filter_map(|name| name.parse().ok()).collect();
        properties.retain(has);
        StratifyBy {
            svtype: true,
            size: self.table.iter().all(|stratum| stratum.size.is_some()),
            dataset: self.table.iter().all(|stratum| stratum.dataset.is_some()),
            properties,
        }
    }

    /// Returns the number of rows of each stratum.
    pub fn rows(&self) -> &[u64] {
        &self.rows
    }

    /// Returns the number of the stratum's rows on which each feature fires, \[F\].
    pub fn counts(&self, stratum: usize) -> &[u64] {
        &self.counts[stratum * self.feature_dim..][..self.feature_dim]
    }

    /// Returns all counts, \[strata, features\].
    pub fn all_counts(&self) -> &[u64] {
        &self.counts
    }

    /// Returns how often atoms fire: the sum of all counts.
    pub fn firings(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the certificate of selection.
    pub fn certificate(&self) -> Certificate {
        self.certificate
    }

    /// Counts the rows over all strata that `pick` takes.
    pub fn rows_where(&self, pick: impl Fn(&Stratum) -> bool) -> u64 {
        self.table
            .iter()
            .zip(&self.rows)
            .filter(|(s, _)| pick(s))
            .map(|(_, n)| n)
            .sum()
    }

    /// Counts every feature over all strata that `pick` takes, \[F\].
    pub fn counts_where(&self, pick: impl Fn(&Stratum) -> bool) -> Vec<u64> {
        let mut sums = vec![0; self.feature_dim];
        for (stratum, _) in self.table.iter().enumerate().filter(|(_, s)| pick(s)) {
            for (sum, n) in sums.iter_mut().zip(self.counts(stratum)) {
                *sum += n;
            }
        }
        sums
    }
}
