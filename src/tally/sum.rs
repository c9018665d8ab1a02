//! The sum of many tallies.

use std::collections::BTreeMap;

use super::{Certificate, Counts, Stratum, Tally};

/// The sum of many tallies of as many features. Adding one takes about as long as it has counts, however
/// many were added before.
#[derive(Debug)]
pub(super) struct Sum {
    feature_dim: usize,
    strata: BTreeMap<Stratum, OfStratum>,
    certificate: Certificate,
}

/// The sum of a stratum.
#[derive(Debug, Default)]
struct OfStratum {
    rows: u64,
    /// Atoms, ascending, and their numbers.
    counts: Vec<(u32, u64)>,
    /// Counts to be added to these, once there are as many.
    waiting: Vec<(u32, u64)>,
}

impl Sum {
    pub(super) fn new(feature_dim: usize) -> Self {
        Self {
            feature_dim,
            strata: BTreeMap::new(),
            certificate: Certificate::default(),
        }
    }

    /// Adds a tally; strata without rows are left out.
    ///
    /// # Panics
    /// Panics if the numbers of features differ.
    pub(super) fn add(&mut self, tally: &Tally) {
        assert_eq!(self.feature_dim, tally.feature_dim);
        for (number, stratum) in tally.table.iter().enumerate() {
            let rows = tally.rows[number];
            if rows == 0 {
                continue;
            }
            if !self.strata.contains_key(stratum) {
                self.strata.insert(stratum.clone(), OfStratum::default());
            }
            if let Some(sum) = self.strata.get_mut(stratum) {
                sum.rows += rows;
                sum.waiting.extend(tally.counts.of(number));
                if sum.waiting.len() > sum.counts.len() {
                    sum.add_waiting();
                }
            }
        }
        self.certificate = self.certificate.merge(tally.certificate);
    }

    /// Returns the sum, with strata in ascending order.
    pub(super) fn finish(self) -> Tally {
        let mut table = Vec::with_capacity(self.strata.len());
        let mut all_rows = Vec::with_capacity(self.strata.len());
        let mut counts = Counts::default();
        for (stratum, mut sum) in self.strata {
            sum.add_waiting();
            for (atom, number) in sum.counts {
                counts.push(atom, number);
            }
            counts.end_stratum();
            table.push(stratum);
            all_rows.push(sum.rows);
        }
        Tally {
            feature_dim: self.feature_dim,
            table,
            rows: all_rows,
            counts,
            certificate: self.certificate,
        }
    }
}

impl OfStratum {
    fn add_waiting(&mut self) {
        self.counts.append(&mut self.waiting);
        // Runs that ascend already are merged as such.
        self.counts.sort_by_key(|count| count.0);
        self.counts.dedup_by(|next, sum| {
            let is_same = next.0 == sum.0;
            if is_same {
                sum.1 += next.1;
            }
            is_same
        });
    }
}
