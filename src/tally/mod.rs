//! The counts `counts[stratum][feature]`, a commutative monoid of integers, and their identity.
//!
//! | file | contents |
//! |---|---|
//! | `scheme`, `property`, `strata` | the confounders, and the strata that rows are counted under |
//! | `counts` | counts of firing sets by stratum and atom, those above 0 alone |
//! | `sum` | the sum of many tallies |
//! | `shared` | a tally to which several devices add their counts |
//! | `certificate` | the work that certified selection did |
//! | `shards` | the rows of files that were counted, with their calls' types and classes |
//! | `cohort` | counts with all that identifies them: the contents of a tally file |

mod batches;
mod certificate;
mod cohort;
mod counts;
mod property;
mod scheme;
mod shards;
mod shared;
mod strata;
mod sum;

use std::collections::BTreeSet;

pub use batches::Batches;
pub use certificate::Certificate;
pub use cohort::{CohortTally, Merger, ModelId};
pub use counts::{Counts, CountsByAtom};
pub use property::{CallProperty, PropertyKind, Split};
pub use scheme::{SizeBin, StratifyBy};
pub use shards::{CountAndFirst, Shard, Shards, ValueCounts};
pub use shared::SharedTally;
pub use strata::{Strata, Stratum};
use sum::Sum;

/// Counts by stratum and feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    feature_dim: usize,
    table: Vec<Stratum>,
    rows: Vec<u64>,
    counts: Counts,
    certificate: Certificate,
}

impl Tally {
    /// Makes a tally of these counts: `rows` of each stratum, `counts` of as many strata.
    ///
    /// # Panics
    /// Panics if the numbers of strata differ, or if a count is of an atom beyond the features.
    pub fn new(
        feature_dim: usize,
        table: Vec<Stratum>,
        rows: Vec<u64>,
        counts: Counts,
        certificate: Certificate,
    ) -> Self {
        assert_eq!(table.len(), rows.len());
        assert_eq!(table.len(), counts.strata());
        let most = counts.atoms().iter().max();
        assert!(most.is_none_or(|&atom| (atom as usize) < feature_dim));
        Self {
            feature_dim,
            table,
            rows,
            counts,
            certificate,
        }
    }

    /// Counts firing sets, on several threads: `strata` of all rows; the number of each row that has a
    /// set, and its atoms, as [`FiringSets::iter`](crate::fires::FiringSets::iter) gives them.
    ///
    /// # Panics
    /// Panics if a row has no stratum, or an atom is beyond the features.
    pub fn count<'a>(
        feature_dim: usize,
        strata: &Strata,
        sets: impl Iterator<Item = (usize, &'a [u32])>,
        certificate: Certificate,
    ) -> Self {
        let of_set = |(row, set): (usize, &'a [u32])| (strata.of_row()[row], set);
        let (strata_of, sets): (Vec<u32>, Vec<&[u32]>) = sets.map(of_set).unzip();
        let mut rows = vec![0; strata.table().len()];
        for &stratum in &strata_of {
            rows[stratum as usize] += 1;
        }
        Self {
            feature_dim,
            table: strata.table().to_vec(),
            counts: counts::count(rows.len(), feature_dim, &strata_of, &|row| sets[row]),
            rows,
            certificate,
        }
    }

    /// Adds another tally of as many features. The sum has the strata of both, in ascending order,
    /// without those that have no rows: so neither order nor nesting changes it.
    ///
    /// # Panics
    /// Panics if the numbers of features differ.
    pub fn merge(&mut self, other: &Self) {
        let mut sum = Sum::new(self.feature_dim);
        sum.add(self);
        sum.add(other);
        *self = sum.finish();
    }

    /// Returns the same tally with strata in ascending order, without those that have no rows.
    #[must_use]
    pub fn canonical(self) -> Self {
        if self.table.is_sorted_by(|a, b| a < b) && !self.rows.contains(&0) {
            return self;
        }
        let mut sum = Sum::new(self.feature_dim);
        sum.add(&self);
        sum.finish()
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

    /// Returns the number of the stratum's rows on which each feature fires, \[F\], zeros among them.
    ///
    /// # Panics
    /// Panics if there is no such stratum.
    pub fn counts(&self, stratum: usize) -> Vec<u64> {
        let mut dense = vec![0; self.feature_dim];
        for (atom, number) in self.counts.of(stratum) {
            dense[atom as usize] = number;
        }
        dense
    }

    /// Returns all counts above 0.
    pub fn all_counts(&self) -> &Counts {
        &self.counts
    }

    /// Returns how often atoms fire: the sum of all counts.
    pub fn firings(&self) -> u64 {
        self.counts.numbers().iter().sum()
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
            for (atom, number) in self.counts.of(stratum) {
                sums[atom as usize] += number;
            }
        }
        sums
    }
}
