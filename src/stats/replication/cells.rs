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
    /// True and false calls of either part.
    of_part: [[u64; 2]; 2],
}

/// Weighted numbers of calls of each cell, in each of the replicates of a draw.
type Weighted = Vec<[u32; TOGETHER]>;

impl Cells {
    /// Makes the cells of calls that are true ones or not, each with a stratum and in part 0 or 1.
    ///
    /// # Errors
    /// Fails if there are not as many strata as labels.
    pub fn new(is_tp: &[bool], strata: &[u32], part: impl Fn(usize) -> usize) -> Result<Self> {
        if strata.len() != is_tp.len() {
            return Err(Error::Argument {
                name: "strata",
                found: format!("{} of them", strata.len()),
                expected: format!("{}, one for each label", is_tp.len()),
            });
        }
        let count = strata.iter().max().map_or(0, |&most| most as usize + 1);
        let cell = |(call, (&is_tp, &stratum)): (usize, (&bool, &u32))| {
            let stratum = part(call).min(1) * count + stratum as usize;
            (2 * stratum + usize::from(!is_tp)) as u32
        };
        let of_call = is_tp.iter().zip(strata).enumerate().map(cell);
        let mut cells = Self {
            strata: count,
            of_call: of_call.collect(),
            calls: vec![0; 4 * count],
            of_part: [[0; 2]; 2],
        };
        for &cell in &cells.of_call {
            let cell = cell as usize;
            cells.calls[cell] += 1;
            cells.of_part[cell / 2 / count.max(1)][cell % 2] += 1;
        }
        Ok(cells)
    }

    /// Returns the tables of an atom that fires on these calls, in either part: one of each stratum in
    /// which it fires there, ascending, and one of all others together, in which it tells nothing.
    ///
    /// # Panics
    /// Panics if a call does not exist.
    pub fn tables(&self, fires: &[u32]) -> [Vec<Table2x2>; 2] {
        let cell = |&call: &u32| self.of_call[call as usize] as usize;
        let mut cells: Vec<usize> = fires.iter().map(cell).collect();
        cells.sort_unstable();
        let mut tables = [Vec::new(), Vec::new()];
        let mut rest = self.of_part;
        for of_stratum in cells.chunk_by(|a, b| a / 2 == b / 2) {
            let stratum = of_stratum[0] / 2;
            let part = stratum / self.strata.max(1);
            let tp_on = of_stratum.partition_point(|cell| cell % 2 == 0);
            let on = [tp_on, of_stratum.len() - tp_on].map(|count| count as u64);
            let calls = [self.calls[2 * stratum], self.calls[2 * stratum + 1]];
            tables[part].push(table(on, calls));
            for (rest, calls) in rest[part].iter_mut().zip(calls) {
                *rest -= calls;
            }
        }
        for (tables, rest) in tables.iter_mut().zip(rest) {
            tables.push(table([0, 0], rest));
        }
        tables
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

/// The table of an atom that fires on so many of these true and false calls.
fn table(on: [u64; 2], calls: [u64; 2]) -> Table2x2 {
    Table2x2 {
        tp_on: on[0],
        fp_on: on[1],
        tp_off: calls[0] - on[0],
        fp_off: calls[1] - on[1],
    }
}
