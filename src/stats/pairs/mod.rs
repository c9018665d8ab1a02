//! Co-activation of all pairs of atoms: which fire together, more or less often than chance has it,
//! and whether otherwise on true calls than on false ones.
//!
//! Counts are exact. There can be millions of pairs, so they are kept as counts and p-values alone,
//! 80 bytes a pair. Everything else is computed from these, for one chunk of rows after another.
//!
//! | file | what it does |
//! |---|---|
//! | `counting` | counts of all pairs, in bounded memory for any number of atoms and calls |
//! | `elsewhere` | counts of all pairs by something else, such as a GPU |
//! | `firings` | firing sets turned round, so that one atom's counts are worked on at a time |
//! | `kept` | the pairs that fire together often enough, and no more than can be kept |
//! | `margins` | each atom's share in a pair's figures, and these |
//! | `chance` | how often two atoms fire together by chance, where each call's set has its size |
//! | `sizes` | how many calls have firing sets of each size |
//! | `together` | whether two do more or less often than that: an exact test |
//! | `difference` | whether true and false calls differ: Zelen's exact test of two strata |
//! | `law` | the two-sided p-value of either |
//! | `columns` | the columns of a table |

mod chance;
mod columns;
mod counting;
mod difference;
mod elsewhere;
mod firings;
mod kept;
mod law;
mod margins;
mod sizes;
mod together;

use std::ops::Range;

use rayon::prelude::*;

use super::inference::multiplicity::Family;
use super::inference::stratified::StratumCounts;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::fires::FiringStore;
use crate::fires::{CountPairs, PairCounts};

pub use columns::{AssociationColumns, DifferenceColumns, PairColumns};
use difference::ln_p_of_difference;
use kept::{Keeper, Kept};
use margins::{Group, Margins};

/// The largest number of pairs that are kept. With all their columns they take some 4 GB, more than
/// anyone reads.
pub const MOST_PAIRS: usize = 1 << 24;

/// The choice of pairs to keep, and the memory to spend on counting them.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The fewest calls on which both atoms fire; 0 counts as 1.
    pub min_coactivation: u64,
    /// The largest number of pairs that are kept. Where more pairs fire together so often, the
    /// threshold is raised until there are no more; [`MOST_PAIRS`].
    pub most_pairs: usize,
    /// Bytes of memory for counting, beside the pairs that are kept (24 bytes each meanwhile). Less
    /// of it makes for more passes over the firing sets, and changes no result.
    pub memory: u64,
}

/// Numbers of pairs with small adjusted p-values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Significant {
    /// The number of pairs that fire together more or less often than by chance.
    pub associated: usize,
    /// The number of pairs whose odds ratios differ between true and false calls.
    pub different: usize,
}

/// All pairs of atoms that fire together often enough, by descending count, equal counts by
/// ascending atoms.
#[derive(Debug, Clone)]
pub struct Pairs {
    kept: Kept,
    margins: Margins,
    /// Tests of association on all, true and false calls.
    association: [Tests; 3],
    /// The tests of a difference between true and false calls.
    difference: Tests,
}

/// A test of every pair, in the order of the pairs; NaN where there is none.
#[derive(Debug, Clone)]
struct Tests {
    ln_p: Vec<f64>,
    /// The same adjusted.
    ln_fdr: Vec<f64>,
}

impl Tests {
    /// Adjusts the tests of pairs with these `ln p`, which are some of the `family` that could have
    /// been tested.
    fn of(ln_p: Vec<f64>, family: u64) -> Self {
        let of_ln = Family::of_ln(ln_p.par_iter().copied());
        let ln_fdr = of_ln.into_benjamini_hochberg_ln_among(family);
        Self { ln_p, ln_fdr }
    }
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
        Self::of(keeper, Margins::of(counts, Some(&sizes))?, control)
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
                return Self::of(keeper, margins, control);
            }
        }
    }

    fn of(keeper: Keeper, margins: Margins, control: &Control) -> Result<Self> {
        let kept = keeper.finish();
        let association = |group| {
            let ln_p = kept.pairs.par_iter().map(|pair| margins.ln_p(group, pair));
            let family = margins.pairs_that_could(group, kept.threshold);
            Tests::of(ln_p.collect(), family)
        };
        let difference = || {
            let of_pair = |pair| ln_p_of_difference(&margins, pair);
            Tests::of(kept.pairs.par_iter().map(of_pair).collect(), 0)
        };
        // Two at a time, so that one core's work alone is not waited for: a family takes 24 bytes a
        // pair meanwhile, so that with the others 112 are the most.
        control.check()?;
        let (all, tp) = rayon::join(|| association(Group::All), || association(Group::Tp));
        control.check()?;
        let (fp, difference) = rayon::join(|| association(Group::Fp), difference);
        Ok(Self {
            association: [all, tp, fp],
            difference,
            kept,
            margins,
        })
    }

    /// Returns the number of pairs.
    pub fn len(&self) -> usize {
        self.kept.pairs.len()
    }

    /// Says whether there are no pairs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the threshold: every pair here fires together on at least this number of calls, and
    /// every pair that does is here. It is more than what was asked for where these pairs were too
    /// many.
    pub fn threshold_used(&self) -> u64 {
        self.kept.threshold
    }

    /// Returns the number of pairs that fire together as often as was asked for.
    pub fn pairs_at_the_threshold_asked(&self) -> u64 {
        self.kept.at_asked
    }

    /// Counts the pairs with an adjusted p-value below a level.
    pub fn significant(&self, level: f64) -> Significant {
        let limit = libm::log(level);
        let below = |ln_fdr: &[f64]| ln_fdr.par_iter().filter(|&&ln| ln < limit).count();
        Significant {
            associated: below(&self.association[0].ln_fdr),
            different: below(&self.difference.ln_fdr),
        }
    }

    /// The places of the first pairs that can be tested: neither atom fires on every call.
    pub fn first_tested(&self, most: usize) -> Vec<usize> {
        let places = self.kept.pairs.iter().enumerate();
        let tested = places.filter(|(_, pair)| self.margins.is_tested(pair));
        tested.map(|(place, _)| place).take(most).collect()
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

    /// Hands over every pair's two atoms, the number of calls on which both fire, and the correlation
    /// φ of their firing on all calls (NaN where an atom fires on every call).
    pub fn each_phi(&self, mut take: impl FnMut(u32, u32, u32, f64)) {
        for pair in &self.kept.pairs {
            let phi = self.margins.phi(Group::All, pair);
            take(pair.a, pair.b, pair.count(), phi);
        }
    }

    /// Returns the number of pairs that have a p-value.
    pub fn tested(&self) -> usize {
        let ln_p = self.association[0].ln_p.par_iter();
        ln_p.filter(|ln_p| !ln_p.is_nan()).count()
    }

    /// The columns of some of the pairs, by the current rayon pool.
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
