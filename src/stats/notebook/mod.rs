//! The notebook's tables, in its arithmetic, to the byte.
//!
//! | file | contents |
//! |---|---|
//! | `bias` | for each atom the 2×2 table of firing and label, its test, its odds |
//! | `landscape` | the numbers of atoms that lean to either label; the closing summary |
//! | `svtype` | the comparison of insertions with other types |
//! | `investigate`, `lengths` | the calls on which one atom fires |
//! | `coactivation` | the joint firings of the top atoms |
//! | `chi2`, `fdr`, `exact`, `describe`, `rank`, `counts` | the arithmetic below them, after scipy, statsmodels, Python, numpy and pandas |

pub mod bias;
pub mod chi2;
pub mod coactivation;
pub mod counts;
pub mod describe;
pub mod exact;
pub mod fdr;
pub mod investigate;
pub mod landscape;
mod lengths;
pub mod rank;
pub mod svtype;

use serde::Serialize;

use crate::cohort::Calls;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::fires::FiringSets;
use crate::fires::{FiringStore, InMemory};
use crate::tally::{CohortTally, Tally, ValueCounts};

pub use bias::{AtomBias, BiasTable, Empty};
pub use coactivation::CoActivation;
pub use investigate::Investigation;
pub use landscape::{Landscape, Summary};
pub use svtype::SvTypeBias;

use crate::fires::scan::{Firings, Together};
use investigate::Investigator;

/// The number of atoms in the top lists.
pub const TOP: usize = 10;

/// The number of atoms of either end that are investigated.
pub const INVESTIGATED: usize = 3;

/// The options of the notebook's analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Options {
    /// The least support: atoms that fire on fewer calls are left out.
    pub min_support: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { min_support: 5 }
    }
}

/// The notebook's whole analysis. Dropped calls have no firing set, and count nowhere.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NotebookTables {
    /// The number of calls, dropped ones among them.
    pub calls: usize,
    /// The number of calls dropped for a NaN or an infinity in their embedding.
    pub dropped_calls: usize,
    /// True if there were firing sets. Without them there are neither investigations nor
    /// co-activation.
    pub has_firings: bool,
    /// Every atom with enough support.
    pub bias: BiasTable,
    /// The numbers of atoms that lean to either label.
    pub landscape: Landscape,
    /// The ten highest of the atoms with odds above 1.
    pub top_tp_biased: Vec<AtomBias>,
    /// The ten lowest of the atoms with odds below 1.
    pub top_fp_biased: Vec<AtomBias>,
    /// The ten atoms with the highest odds, on whichever side of 1.
    pub highest_odds: Vec<AtomBias>,
    /// The ten atoms with the lowest odds.
    pub lowest_odds: Vec<AtomBias>,
    /// Types of the calls, and atoms that lean to one.
    pub sv_types: SvTypeBias,
    /// The three atoms with the highest odds, then the three with the lowest. An atom occurs twice
    /// if fewer than six remain.
    pub investigations: Vec<Investigation>,
    /// The joint firings of the twenty atoms above.
    pub coactivation: CoActivation,
    /// The closing summary.
    pub summary: Summary,
}

/// The facts of a cohort's calls that its counts lack.
struct Overview {
    calls: usize,
    dropped: usize,
    /// SV types of the calls that were not dropped, in the order in which the cohort shows them.
    svtypes: Vec<(Option<String>, u64)>,
}

impl NotebookTables {
    /// Computes all tables of a cohort in memory.
    ///
    /// # Errors
    /// Fails if tally, calls and firing sets have different rows.
    pub fn compute(
        tally: &Tally,
        calls: &Calls,
        sets: &FiringSets,
        options: Options,
    ) -> Result<Self> {
        check_rows(calls, sets)?;
        check_tally(tally, sets)?;
        let kept = sets.iter().map(|(row, _)| row);
        let overview = Overview {
            calls: calls.len(),
            dropped: sets.dropped().len(),
            svtypes: ValueCounts::of(&calls.svtype, kept, 0).in_order(),
        };
        let store = InMemory { calls, sets };
        Self::of(tally, &overview, Some(&store), options, &Control::default())
    }

    /// Computes all tables of a cohort whose firing sets may lie elsewhere. Without `details`, the
    /// tables that need firing sets are left out.
    ///
    /// # Errors
    /// Fails if the details cannot be read.
    pub fn of_cohort(
        cohort: &CohortTally,
        details: Option<&dyn FiringStore>,
        options: Options,
        control: &Control,
    ) -> Result<Self> {
        let overview = Overview {
            calls: cohort.shards.rows() as usize,
            dropped: cohort.shards.dropped().count(),
            svtypes: cohort.shards.value_counts(|shard| &shard.svtypes),
        };
        Self::of(&cohort.tally, &overview, details, options, control)
    }

    fn of(
        tally: &Tally,
        overview: &Overview,
        details: Option<&dyn FiringStore>,
        options: Options,
        control: &Control,
    ) -> Result<Self> {
        let bias = BiasTable::of(tally, options.min_support);
        let odds = |atom: &AtomBias| atom.odds;
        let side = |pick: &dyn Fn(f64) -> bool| -> Vec<AtomBias> {
            bias.atoms
                .iter()
                .copied()
                .filter(|a| pick(a.odds))
                .collect()
        };
        let (above, below) = (side(&|odds| odds > 1.0), side(&|odds| odds < 1.0));
        let highest_odds = rank::largest(&bias.atoms, TOP, odds);
        let lowest_odds = rank::smallest(&bias.atoms, TOP, odds);
        let names = |list: &[AtomBias], n| list.iter().take(n).map(|a| a.atom).collect::<Vec<_>>();
        let both = |n| [names(&highest_odds, n), names(&lowest_odds, n)].concat();
        let (investigated, top) = (both(INVESTIGATED), both(TOP));
        let (investigations, together) = match details {
            None => (Vec::new(), Together::new(&[])),
            Some(details) => scan(&investigated, &top, &bias, details, control)?,
        };
        let landscape = Landscape::of(&bias);
        let sv_types = SvTypeBias::of(&bias, tally, &overview.svtypes);
        Ok(Self {
            calls: overview.calls,
            dropped_calls: overview.dropped,
            has_firings: details.is_some(),
            top_tp_biased: rank::largest(&above, TOP, odds),
            top_fp_biased: rank::smallest(&below, TOP, odds),
            investigations,
            coactivation: CoActivation::of(&top, &together),
            summary: Summary::of(&bias, &landscape, &sv_types),
            landscape,
            highest_odds,
            lowest_odds,
            sv_types,
            bias,
        })
    }
}

/// Makes one pass over all details: the investigation of some atoms, in the order in which they are
/// named, and the joint firings of others. Memory is that of a block.
fn scan(
    investigated: &[u32],
    paired: &[u32],
    bias: &BiasTable,
    details: &dyn FiringStore,
    control: &Control,
) -> Result<(Vec<Investigation>, Together)> {
    let mut together = Together::new(paired);
    let new = |&atom: &u32| (atom, Investigator::new(atom));
    let mut investigators: Vec<_> = investigated.iter().map(new).collect();
    details.blocks(&mut |block| {
        control.check()?;
        let firings = Firings::scan(block.sets, investigated, paired);
        together.merge(firings.together());
        for (atom, investigator) in &mut investigators {
            investigator.take(block.first, block.calls, firings.rows(*atom));
        }
        Ok(())
    })?;
    let finish = |(_, investigator): (u32, Investigator)| investigator.finish(bias);
    Ok((investigators.into_iter().map(finish).collect(), together))
}

/// Investigates any atoms, in the order in which they are named, with one pass over the details. An
/// atom that never fires, or does not exist, has no calls.
///
/// # Errors
/// Fails if the details cannot be read.
pub fn investigate(
    atoms: &[u32],
    bias: &BiasTable,
    details: &dyn FiringStore,
    control: &Control,
) -> Result<Vec<Investigation>> {
    Ok(scan(atoms, &[], bias, details, control)?.0)
}

fn check_rows(calls: &Calls, sets: &FiringSets) -> Result<()> {
    let dropped = sets.dropped();
    let in_order = dropped.is_sorted_by(|a, b| a < b);
    if !in_order || dropped.last().is_some_and(|&row| row >= calls.len()) {
        let expected = format!("distinct rows below {}, ascending", calls.len());
        return Err(mismatch("dropped rows", "others".to_owned(), expected));
    }
    let rows = sets.rows() + dropped.len();
    if rows != calls.len() {
        let found = format!("{rows} rows, dropped ones among them");
        return Err(mismatch(
            "rows",
            found,
            format!("one for each of {} calls", calls.len()),
        ));
    }
    Ok(())
}

fn check_tally(tally: &Tally, sets: &FiringSets) -> Result<()> {
    let counted = tally.rows_where(|_| true);
    if counted != sets.rows() as u64 {
        let found = format!("{counted} rows in the tally");
        return Err(mismatch("rows", found, format!("{}", sets.rows())));
    }
    Ok(())
}

fn mismatch(place: &str, found: String, expected: String) -> Error {
    let action = "hand over calls, firing sets and tally of one and the same cohort";
    Error::input("firing sets in memory", place, found, expected, action)
}
