//! Folds of calls that are held out together.

use serde::Serialize;

use crate::natural;
use crate::stats::resampling::blocks::Blocks;

/// The unit of calls that lies in one fold as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PredictBy {
    /// Chromosomes, or loci where there are fewer than five chromosomes.
    #[default]
    Chrom,
    /// Loci: neighbouring calls.
    Locus,
}

/// The number of folds.
pub const FOLDS: usize = 5;

/// The fewest folds: two are held out at a time, and something has to be left.
const LEAST: usize = 3;

/// The fold of each call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    /// What lies in one fold as a whole.
    pub by: PredictBy,
    /// The number of such units.
    pub units: u32,
    /// The fold of each call, from 0.
    pub of_call: Vec<u32>,
    /// The number of folds.
    pub count: usize,
}

impl Folds {
    /// Makes up to five folds of whole units. The largest unit goes first, and each goes to the fold
    /// that has the fewest calls so far; of several, to the first. Units of one size go in order.
    pub fn of(by: PredictBy, units: &Blocks) -> Self {
        let mut sizes = vec![0_u64; units.count as usize];
        for &unit in &units.of_call {
            sizes[unit as usize] += 1;
        }
        let count = FOLDS.min(sizes.len());
        let mut order: Vec<usize> = (0..sizes.len()).collect();
        order.sort_by_key(|&unit| (u64::MAX - sizes[unit], unit));
        let mut calls = vec![0; count];
        let mut fold_of = vec![0; sizes.len()];
        for unit in order {
            let fewest = (0..count).min_by_key(|&fold| calls[fold]).unwrap_or(0);
            calls[fewest] += sizes[unit];
            fold_of[unit] = fewest as u32;
        }
        let of_call = units.of_call.iter().map(|&unit| fold_of[unit as usize]);
        Self {
            by,
            units: units.count,
            of_call: of_call.collect(),
            count,
        }
    }

    /// Says why nothing can be predicted, if so: too few folds, or calls of one label where a model is
    /// fitted.
    pub fn refusal(&self, is_fp: &[bool]) -> Option<String> {
        if self.count < LEAST {
            let (units, unit) = (self.units, self.unit());
            return Some(format!(
                "calls of {units} {unit} make {} folds, and at least {LEAST} are needed",
                self.count
            ));
        }
        let mut labels = vec![[0_u64; 2]; self.count];
        for (&fold, &is_fp) in self.of_call.iter().zip(is_fp) {
            labels[fold as usize][usize::from(is_fp)] += 1;
        }
        let without = |a: usize, b: usize| {
            let rest = (0..self.count).filter(|&fold| fold != a && fold != b);
            rest.fold([0, 0], |sum: [u64; 2], fold| {
                [sum[0] + labels[fold][0], sum[1] + labels[fold][1]]
            })
        };
        for a in 0..self.count {
            for b in 0..a {
                let [tp, fp] = without(a, b);
                if tp == 0 || fp == 0 {
                    let one = if tp == 0 { "true" } else { "false" };
                    return Some(format!(
                        "no call is {one} outside of folds {} and {}: there is nothing to learn from",
                        b + 1,
                        a + 1
                    ));
                }
            }
        }
        None
    }

    /// Returns the name of the units.
    pub fn unit(&self) -> &'static str {
        match self.by {
            PredictBy::Chrom => "chromosomes",
            PredictBy::Locus => "loci",
        }
    }
}

/// Makes a block of the calls of each name, in natural order; calls without a name are the last block.
/// `of_call` has the place of each call's name, and any other number for none.
pub fn named_blocks(names: &[String], of_call: &[u32]) -> Blocks {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|&a, &b| natural::compare(&names[a], &names[b]));
    let mut is_used = vec![false; names.len() + 1];
    let place = |code: u32| (code as usize).min(names.len());
    for &code in of_call {
        is_used[place(code)] = true;
    }
    let mut number = vec![0; names.len() + 1];
    let mut count = 0;
    for at in order.into_iter().chain([names.len()]) {
        number[at] = count;
        count += u32::from(is_used[at]);
    }
    Blocks {
        of_call: of_call.iter().map(|&code| number[place(code)]).collect(),
        count,
    }
}
