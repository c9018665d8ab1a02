//! Co-activation of all pairs of atoms: which fire together, more or less often than chance has it,
//! and whether otherwise on true calls than on false ones.
//!
//! Counts are exact. There can be millions of pairs, so they are kept as counts alone, 16 bytes a pair,
//! and those of the table with their p-values, 64 bytes more. Everything else is computed from these,
//! for one chunk of rows after another.
//!
//! | file | what it does |
//! |---|---|
//! | `asked` | what is asked, and the numbers that answer |
//! | `counting` | counts of all pairs, in bounded memory for any number of atoms and calls |
//! | `chosen` | the atoms that can be in a pair, numbered anew |
//! | `elsewhere` | counts of all pairs by something else, such as a GPU |
//! | `families` | tests of all pairs |
//! | `made` | the tests of one family |
//! | `adjusted` | their adjusted p-values, without sorting most of them |
//! | `firings` | firing sets turned round, so that one atom's counts are worked on at a time |
//! | `kept` | the pairs that fire together often enough, and no more than can be kept |
//! | `listed` | the pairs that a table has: all, or those that tell something |
//! | `margins` | each atom's share in a pair's figures, and these |
//! | `chance` | how often two atoms fire together by chance, where each call's set has its size |
//! | `seen` | the calls and firings that were counted, to be compared with the tally's |
//! | `sizes` | how many calls have firing sets of each size |
//! | `together` | whether two do more or less often than that: an exact test |
//! | `difference` | whether true and false calls differ: Zelen's exact test of two strata |
//! | `law` | the two-sided p-value of either |
//! | `lanes` | the same of several tests at a time |
//! | `walk` | their walks, one in each lane |
//! | `columns` | the columns of a table |

mod adjusted;
mod asked;
mod chance;
mod chosen;
mod columns;
mod counting;
mod difference;
mod elsewhere;
mod families;
mod firings;
mod kept;
mod lanes;
mod law;
mod listed;
mod made;
mod margins;
mod seen;
mod sizes;
mod together;
mod walk;

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use super::inference::stratified::StratumCounts;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::fires::FiringStore;
use crate::fires::{CountPairs, PairCounts};

pub use asked::{Listed, MOST_PAIRS, PairFigures, PairNumbers, Settings, Significant};
pub use columns::{AssociationColumns, DifferenceColumns, PairColumns};
use families::{Tested, Tests};
use kept::{Keeper, Kept};
use listed::{Rows, Shown};
use margins::{Group, Margins};

/// All pairs of atoms that fire together often enough, by descending count, equal counts by
/// ascending atoms; those of the table with their tests.
#[derive(Debug, Clone)]
pub struct Pairs {
    kept: Kept,
    margins: Margins,
    rows: Rows,
    shown: Shown,
    /// Tests of association on all, true and false calls, of the table's pairs.
    association: [Tests; 3],
    /// The tests of a difference between true and false calls, likewise.
    difference: Tests,
}

impl Pairs {
    /// Counts all pairs of a cohort's firing sets; `counts` are its tally's, of all F atoms.
    ///
    /// `control` can cancel it. The result is the same for any
    /// number of threads, any memory, and however the cohort is cut into blocks.
    ///
    /// # Errors
    /// Those of reading and cancellation; firing sets that are not those that were counted; 2^32
    /// calls or more; memory that cannot be had.
    pub fn count(
        details: &dyn FiringStore,
        counts: &StratumCounts<'_>,
        settings: &Settings,
        control: &Control,
    ) -> Result<Self> {
        // Before anything is counted: they may be no margins.
        Margins::check(counts)?;
        let mut keeper = Keeper::new(settings);
        let sizes = counting::count(details, counts, settings.memory, &mut keeper, control)?;
        Self::of(
            keeper,
            Margins::of(counts, Some(&sizes))?,
            settings.listed,
            control,
        )
    }

    /// The same, counted by something else, where [`is_countable`](Self::is_countable).
    ///
    /// # Errors
    /// Those of [`count`](Self::count) and of the counter.
    pub fn count_by(
        counter: &mut dyn CountPairs,
        details: &dyn FiringStore,
        counts: &StratumCounts<'_>,
        settings: &Settings,
        control: &Control,
    ) -> Result<Self> {
        let (both, sizes) = elsewhere::count(counter, details, counts, control)?;
        let margins = Margins::of(counts, Some(&sizes))?;
        Self::from_margins(&both.each_ref(), margins, settings, control)
    }

    /// Says whether the counts of all pairs of `atoms` atoms fit into `memory` bytes. They must
    /// where something else counts them.
    pub fn is_countable(atoms: usize, memory: u64) -> bool {
        elsewhere::fits(atoms, memory)
    }

    /// The same from counts that an engine made of the true calls' firing sets and of the false
    /// ones', of the same atoms. What chance has is that of calls on which as many atoms fire each.
    ///
    /// # Errors
    /// Counts of other atoms, or that cannot be of calls such as `counts` has; cancellation;
    /// 2^32 calls or more.
    pub fn from_counts(
        tp: &PairCounts,
        fp: &PairCounts,
        counts: &StratumCounts<'_>,
        settings: &Settings,
        control: &Control,
    ) -> Result<Self> {
        Self::from_margins(&[tp, fp], Margins::of(counts, None)?, settings, control)
    }

    fn from_margins(
        &[tp, fp]: &[&PairCounts; 2],
        margins: Margins,
        settings: &Settings,
        control: &Control,
    ) -> Result<Self> {
        if [tp, fp]
            .iter()
            .any(|counts| counts.features() != margins.atoms())
        {
            return Err(other_counts());
        }
        let mut keeper = Keeper::new(settings);
        let mut both = tp.iter().zip(fp.iter());
        loop {
            control.check()?;
            let mut found = keeper.found();
            let mut taken = 0;
            for ((a, b, tp), (_, _, fp)) in both.by_ref().take(counting::SPAN) {
                let pair = margins.pair(a, b, tp, fp).ok_or_else(other_counts)?;
                found.take(pair);
                taken += 1;
            }
            keeper.take([found]);
            if taken == 0 {
                return Self::of(keeper, margins, settings.listed, control);
            }
        }
    }

    fn of(keeper: Keeper, margins: Margins, listed: Listed, control: &Control) -> Result<Self> {
        let kept = keeper.finish();
        let Tested {
            rows,
            shown,
            tests: [all, tp, fp, difference],
        } = Tested::of(&kept, &margins, listed, control)?;
        Ok(Self {
            association: [all, tp, fp],
            difference,
            kept,
            margins,
            rows,
            shown,
        })
    }

    /// Returns the number of pairs of the table.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Says whether the table has no pairs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of pairs, from all that were counted to those of the table.
    pub fn numbers(&self) -> PairNumbers {
        PairNumbers {
            found: self.kept.at_asked,
            threshold: self.kept.threshold,
            at_threshold: self.kept.pairs.len(),
            tested: self.shown.tested,
            significant: self.shown.significant,
            listed: self.len(),
        }
    }

    /// Returns the threshold: every pair here fires together on at least this number of calls, and
    /// every pair that does was tested. It is more than what was asked for where these pairs were too
    /// many.
    pub fn threshold_used(&self) -> u64 {
        self.kept.threshold
    }

    /// Returns the number of pairs that fire together as often as was asked for.
    pub fn pairs_at_the_threshold_asked(&self) -> u64 {
        self.kept.at_asked
    }

    /// The first pairs that can be tested, whether they are in the table or not: neither atom fires on
    /// every call.
    pub fn first_tested(&self, most: usize) -> Vec<PairFigures> {
        let tested = self.kept.pairs.iter();
        let tested = tested.filter(|pair| self.margins.is_tested(pair));
        let figures = |pair: &kept::Pair| PairFigures {
            atoms: [pair.a, pair.b],
            count: pair.count(),
            lift: self.margins.lift(Group::All, pair),
            phi: Group::EACH.map(|group| self.margins.phi(group, pair)),
        };
        tested.take(most).map(figures).collect()
    }

    /// The pairs of `wanted` atoms whose firing has a correlation φ of at least `least` on all calls.
    pub fn alike(&self, least: f64, wanted: impl Fn(u32) -> bool + Sync) -> Vec<(u32, u32)> {
        let pairs = self.kept.pairs.par_iter();
        let is_alike = |pair: &&kept::Pair| {
            wanted(pair.a) && wanted(pair.b) && self.margins.phi(Group::All, pair) >= least
        };
        let alike = pairs.filter(is_alike);
        alike.map(|pair| (pair.a, pair.b)).collect()
    }

    /// Hands over every pair of two `wanted` atoms, of the table or not: the atoms, the number of calls
    /// on which both fire, and the correlation φ of their firing on all calls (NaN where an atom fires
    /// on every call).
    pub fn each_phi(&self, wanted: impl Fn(u32) -> bool, mut take: impl FnMut(u32, u32, u32, f64)) {
        for pair in &self.kept.pairs {
            if wanted(pair.a) && wanted(pair.b) {
                let phi = self.margins.phi(Group::All, pair);
                take(pair.a, pair.b, pair.count(), phi);
            }
        }
    }

    /// Some of the table's pairs.
    fn table(&self, range: Range<usize>) -> Cow<'_, [kept::Pair]> {
        match &self.rows {
            Rows::All(_) => Cow::Borrowed(&self.kept.pairs[range]),
            Rows::These(places) => {
                let places = places[range].iter();
                places
                    .map(|&place| self.kept.pairs[place as usize])
                    .collect()
            }
        }
    }

    /// The columns of some of the table's pairs, by the current rayon pool.
    ///
    /// # Panics
    /// If there are not as many pairs.
    pub fn chunk(&self, range: Range<usize>) -> PairColumns {
        columns::of(self, range)
    }
}

fn other_counts() -> Error {
    Error::Argument {
        name: "counts of pairs",
        found: "other atoms, or atoms that fire together on more or fewer calls than they can"
            .to_owned(),
        expected: "counts of all pairs of the same atoms, of the true calls and of the false ones \
                   that were tallied"
            .to_owned(),
    }
}
