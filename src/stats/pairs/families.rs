//! Tests of all pairs, and their adjusted p-values.

use rayon::prelude::*;

use super::Listed;
use super::difference::test_of_difference;
use super::kept::{Kept, Pair};
use super::lanes::test_each;
use super::law::Want;
use super::listed::{Rows, Shown};
use super::made::Made;
use super::margins::{Group, Margins};
use crate::control::Control;
use crate::error::Result;
use crate::stats::inference::LEVEL;

/// The results of a test, in the order of the pairs; NaN where there is none.
#[derive(Debug, Clone)]
pub(super) struct Tests {
    pub(super) ln_p: Vec<f64>,
    /// The same adjusted.
    pub(super) ln_fdr: Vec<f64>,
}

/// Computes `ln p` of pairs, NaN where there is none.
type LnP<'a> = &'a (dyn Fn(&[Pair], Want, &mut [f64]) + Sync);

/// Pairs that a thread tests at a time.
const AT_ONCE: usize = 1 << 12;

/// A test of pairs.
pub(super) struct Test<'a> {
    pub(super) pairs: &'a [Pair],
    /// The number of pairs that could have been tested; these are some of them.
    pub(super) family: u64,
    pub(super) ln_p: LnP<'a>,
}

impl Test<'_> {
    /// Makes all tests. p is exact where it bears on adjusted p-values up to `level`: these have the bits
    /// that exact tests give, and larger ones are larger than `level`. Beyond 1, all p are exact.
    ///
    /// Let m be the size of the family, and n at least the number of its tests that are made. The j-th
    /// smallest p is multiplied by m/j. So a p of at least level·n/m becomes at least `level`, and so
    /// do those above it: whatever it is, it changes nothing that is smaller.
    fn to_level(&self, level: f64) -> Made {
        let share = self.pairs.len() as f64 / self.family.max(1) as f64;
        // With room for the rounding of logarithms.
        let limit = level * share.min(1.0) * (1.0 + 1e-9);
        let want = if limit < 1.0 {
            Want::Below(limit)
        } else {
            Want::Exact
        };
        let ln_p = self.ln_p(self.pairs, want);
        Made::of(want, ln_p, self.family)
    }

    /// `ln p` of some pairs.
    fn ln_p(&self, pairs: &[Pair], want: Want) -> Vec<f64> {
        let mut ln_p = vec![f64::NAN; pairs.len()];
        let chunks = pairs.par_chunks(AT_ONCE).zip(ln_p.par_chunks_mut(AT_ONCE));
        chunks.for_each(|(pairs, ln_p)| (self.ln_p)(pairs, want, ln_p));
        ln_p
    }

    /// The tests of a table's pairs, among those that were made.
    fn of_rows(&self, rows: &Rows, made: Made) -> Tests {
        let places = || (0..rows.len()).into_par_iter().map(|row| rows.place(row));
        let ln_fdr = places().map(|place| made.adjusted.ln(made.ln_p[place]));
        let ln_fdr = ln_fdr.collect();
        let ln_p = match (made.want, rows) {
            (Want::Exact, Rows::All(_)) => made.ln_p,
            (Want::Exact, Rows::These(_)) => places().map(|place| made.ln_p[place]).collect(),
            (Want::Below(_), _) => {
                let pairs: Vec<_> = places().map(|place| self.pairs[place]).collect();
                self.ln_p(&pairs, Want::Exact)
            }
        };
        Tests { ln_p, ln_fdr }
    }
}

/// The pairs of a table, with all their tests.
pub(super) struct Tested {
    pub(super) rows: Rows,
    pub(super) shown: Shown,
    /// Of association on all, on true and on false calls; and of a difference.
    pub(super) tests: [Tests; 4],
}

impl Tested {
    /// Tests all pairs, and chooses those of a table. Two families at a time, so that one core's work
    /// alone is not waited for; a family takes at most 24 bytes a pair meanwhile.
    ///
    /// # Errors
    /// Cancellation.
    pub(super) fn of(
        kept: &Kept,
        margins: &Margins,
        listed: Listed,
        control: &Control,
    ) -> Result<Self> {
        let ln_p = Group::EACH.map(|group| {
            move |pairs: &[Pair], want, ln_p: &mut [f64]| {
                test_each(pairs, |pair| margins.test(group, pair), want, ln_p);
            }
        });
        let of_difference = |pairs: &[Pair], want, ln_p: &mut [f64]| {
            test_each(pairs, |pair| test_of_difference(margins, pair), want, ln_p);
        };
        let pairs = &kept.pairs[..];
        let [all, tp, fp] = Group::EACH.map(|group| Test {
            pairs,
            family: margins.pairs_that_could(group, kept.threshold),
            ln_p: &ln_p[group as usize],
        });
        let difference = Test {
            pairs,
            family: 0,
            ln_p: &of_difference,
        };
        control.check()?;
        // Where every pair is listed, so is every p.
        let is_whole = listed == Listed::All;
        let [to_choose, to_list] = if is_whole {
            [f64::INFINITY; 2]
        } else {
            [LEVEL, 1.0]
        };
        let (mut of_all, of_difference) =
            rayon::join(|| all.to_level(to_choose), || difference.to_level(to_list));
        let (rows, shown) = Rows::of(listed, (pairs, margins), [&of_all, &of_difference]);
        control.check()?;
        let is_known = |row: usize| {
            let place = rows.place(row);
            is_whole || !of_all.is_tested(place) || of_all.is_significant(place)
        };
        if !(0..rows.len()).into_par_iter().all(is_known) {
            // Pairs that differ between true and false calls, without an association on all.
            of_all = all.to_level(to_list);
        }
        let all = all.of_rows(&rows, of_all);
        let difference = difference.of_rows(&rows, of_difference);
        control.check()?;
        let of_label = |test: &Test<'_>| test.of_rows(&rows, test.to_level(to_list));
        let (tp, fp) = rayon::join(|| of_label(&tp), || of_label(&fp));
        Ok(Self {
            rows,
            shown,
            tests: [all, tp, fp, difference],
        })
    }
}
