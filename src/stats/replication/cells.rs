//! Calls by part, stratum and label, and an atom's tables in either part, stratum by stratum.

use super::super::inference::Table2x2;
use crate::error::{Error, Result};
use crate::stats::resampling::bootstrap::{Draw, TOGETHER};

/// The cell in which each call is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cells {
    strata: usize,
    /// The cell of each call: by part, then stratum, then label.
    of_call: Vec<u32>,
    /// The number of calls of each cell.
    calls: Vec<u64>,
}

/// Weighted numbers of calls of each cell, in each of the replicates of a draw.
type Weighted = Vec<[u32; TOGETHER]>;

impl Cells {
    /// Makes the cells of calls that are true ones or not, each with a stratum and in part 0 or 1.
    ///
    /// # Errors
    /// Fails if there are not as many strata as labels.
    pub fn new(is_tp: &[bool], strata: &[u16], part: impl Fn(usize) -> usize) -> Result<Self> {
        if strata.len() != is_tp.len() {
            return Err(Error::Argument {
                name: "strata",
                found: format!("{} of them", strata.len()),
                expected: format!("{}, one for each label", is_tp.len()),
            });
        }
        let count = strata.iter().max().map_or(0, |&most| usize::from(most) + 1);
        let cell = |(call, (&is_tp, &stratum)): (usize, (&bool, &u16))| {
            let stratum = part(call).min(1) * count + usize::from(stratum);
            (2 * stratum + usize::from(!is_tp)) as u32
        };
        let of_call = is_tp.iter().zip(strata).enumerate().map(cell);
        let mut cells = Self {
            strata: count,
            of_call: of_call.collect(),
            calls: Vec::new(),
        };
        cells.calls = cells.count(0..is_tp.len() as u32);
        Ok(cells)
    }

    /// Counts some calls in each cell.
    fn count(&self, calls: impl Iterator<Item = u32>) -> Vec<u64> {
        let mut counts = vec![0; 4 * self.strata];
        for call in calls {
            counts[self.of_call[call as usize] as usize] += 1;
        }
        counts
    }

    /// Returns the tables of an atom that fires on these calls, \[strata\] in either part.
    ///
    /// # Panics
    /// Panics if a call does not exist.
    pub fn tables(&self, fires: &[u32]) -> [Vec<Table2x2>; 2] {
        let on = self.count(fires.iter().copied());
        let table = |(on, all): (&[u64], &[u64])| Table2x2 {
            tp_on: on[0],
            fp_on: on[1],
            tp_off: all[0] - on[0],
            fp_off: all[1] - on[1],
        };
        let mut tables = on
            .chunks_exact(2)
            .zip(self.calls.chunks_exact(2))
            .map(table);
        let first = tables.by_ref().take(self.strata).collect();
        [first, tables.collect()]
    }

    /// Counts all calls under the weights of a draw.
    pub fn weighted(&self, draw: &Draw<'_>) -> Weighted {
        self.weigh(draw, 0..self.of_call.len() as u32)
    }

    fn weigh(&self, draw: &Draw<'_>, calls: impl Iterator<Item = u32>) -> Weighted {
        let mut sums = vec![[0; TOGETHER]; 4 * self.strata];
        for call in calls {
            let sums = &mut sums[self.of_call[call as usize] as usize];
            for (sum, &weight) in sums.iter_mut().zip(draw.weights(call)) {
                *sum += u32::from(weight);
            }
        }
        sums
    }

    /// Computes the side to which an atom that fires on these calls leans within strata, in either
    /// part and each replicate of a draw: Mantel and Haenszel's R − S, which has the sign of the
    /// logarithm of their odds ratio. `all` are all calls under the same weights.
    pub fn leanings(&self, draw: &Draw<'_>, all: &Weighted, fires: &[u32]) -> [[f64; TOGETHER]; 2] {
        let on = self.weigh(draw, fires.iter().copied());
        let mut leanings = [[0.0; TOGETHER]; 2];
        for stratum in 0..2 * self.strata {
            let [tp, fp] = [2 * stratum, 2 * stratum + 1];
            let leaning = &mut leanings[stratum / self.strata.max(1)];
            for (replicate, leaning) in leaning.iter_mut().enumerate() {
                let [a, b] = [tp, fp].map(|cell| i64::from(on[cell][replicate]));
                let [all_tp, all_fp] = [tp, fp].map(|cell| i64::from(all[cell][replicate]));
                let calls = all_tp + all_fp;
                if calls > 0 {
                    // ad − bc.
                    *leaning += (a * all_fp - b * all_tp) as f64 / calls as f64;
                }
            }
        }
        leanings
    }
}
