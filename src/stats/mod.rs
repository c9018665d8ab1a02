//! From counts to tables: every section of the analysis, as plain results that `report` writes.
//!
//! | file | what it computes |
//! |---|---|
//! | `bias` | for each atom the 2×2 table of firing and label, its test, its odds |
//! | `landscape` | how many atoms lean which way; the closing summary |
//! | `svtype` | which atoms fire on insertions |
//! | `classes` | what the benchmark's classes are |
//! | `investigate` | the calls on which one atom fires |
//! | `coactivation` | which of the top atoms fire together |
//! | `chi2`, `fdr`, `exact`, `describe`, `rank`, `counts` | the arithmetic below them, after scipy, statsmodels, Python, numpy and pandas |
//! | `firings` | the one pass over the firing sets |

#![forbid(unsafe_code)]

pub mod bias;
pub mod chi2;
pub mod classes;
pub mod coactivation;
pub mod counts;
pub mod describe;
pub mod exact;
pub mod fdr;
pub mod firings;
pub mod investigate;
pub mod landscape;
pub mod rank;
pub mod svtype;

use serde::Serialize;

use crate::cohort::Calls;
use crate::error::{Error, Result};
use crate::fires::FiringSets;
use crate::tally::Tally;

pub use bias::{AtomBias, BiasTable, Empty};
pub use coactivation::CoActivation;
pub use investigate::Investigation;
pub use landscape::{Landscape, Summary};
pub use svtype::SvTypeBias;

use firings::Firings;

/// How many atoms the top lists have.
pub const TOP: usize = 10;

/// How many atoms of either end are investigated.
pub const INVESTIGATED: usize = 3;

/// What can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Options {
    /// Atoms that fire on fewer calls are left out.
    pub min_support: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { min_support: 5 }
    }
}

/// The whole analysis. Calls that were dropped have no firing set, and count nowhere.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Findings {
    /// How many calls there are, dropped ones among them.
    pub calls: usize,
    /// How many of them were dropped for a NaN or an infinity in their embedding.
    pub dropped_calls: usize,
    /// Every atom with enough support.
    pub bias: BiasTable,
    /// How many lean which way.
    pub landscape: Landscape,
    /// Of the atoms with odds above 1 the ten highest.
    pub top_tp_biased: Vec<AtomBias>,
    /// Of the atoms with odds below 1 the ten lowest.
    pub top_fp_biased: Vec<AtomBias>,
    /// Of all atoms the ten with the highest odds, whichever side of 1 they are on.
    pub highest_odds: Vec<AtomBias>,
    /// Of all atoms the ten with the lowest odds.
    pub lowest_odds: Vec<AtomBias>,
    /// Types of the calls, and atoms that lean to one.
    pub sv_types: SvTypeBias,
    /// The three atoms with the highest odds, then the three with the lowest. The same atom is
    /// there twice where fewer than six remain.
    pub investigations: Vec<Investigation>,
    /// Which of the twenty above fire together.
    pub coactivation: CoActivation,
    /// The closing summary.
    pub summary: Summary,
}

impl Findings {
    /// Computes everything.
    ///
    /// # Errors
    /// If tally, calls and firing sets are not of the same rows.
    pub fn compute(
        tally: &Tally,
        calls: &Calls,
        sets: &FiringSets,
        options: Options,
    ) -> Result<Self> {
        check_rows(calls, sets)?;
        check_tally(tally, sets)?;
        let bias = BiasTable::of(tally, options.min_support);
        let odds = |atom: &AtomBias| atom.odds;
        let above: Vec<_> = bias
            .atoms
            .iter()
            .copied()
            .filter(|a| a.odds > 1.0)
            .collect();
        let below: Vec<_> = bias
            .atoms
            .iter()
            .copied()
            .filter(|a| a.odds < 1.0)
            .collect();
        let highest_odds = rank::largest(&bias.atoms, TOP, odds);
        let lowest_odds = rank::smallest(&bias.atoms, TOP, odds);
        let names = |list: &[AtomBias], n| list.iter().take(n).map(|a| a.atom).collect::<Vec<_>>();
        let both = |n| [names(&highest_odds, n), names(&lowest_odds, n)].concat();
        let (investigated, top) = (both(INVESTIGATED), both(TOP));
        let firings = Firings::scan(sets, &investigated, &top);
        let landscape = Landscape::of(&bias);
        let sv_types = SvTypeBias::of(&bias, tally, calls, sets);
        Ok(Self {
            calls: calls.len(),
            dropped_calls: sets.dropped().len(),
            top_tp_biased: rank::largest(&above, TOP, odds),
            top_fp_biased: rank::smallest(&below, TOP, odds),
            investigations: investigated
                .iter()
                .map(|&atom| Investigation::of(atom, &bias, calls, &firings))
                .collect(),
            coactivation: CoActivation::of(&top, &firings),
            summary: Summary::of(&bias, &landscape, &sv_types),
            landscape,
            highest_odds,
            lowest_odds,
            sv_types,
            bias,
        })
    }
}

/// The investigation of any atoms, in the order in which they are named, with one pass over the
/// firing sets. An atom that never fires, or does not exist, has no calls.
///
/// # Errors
/// If calls and firing sets are not of the same rows.
pub fn investigate(
    atoms: &[u32],
    bias: &BiasTable,
    calls: &Calls,
    sets: &FiringSets,
) -> Result<Vec<Investigation>> {
    check_rows(calls, sets)?;
    let firings = Firings::scan(sets, atoms, &[]);
    let of = |&atom: &u32| Investigation::of(atom, bias, calls, &firings);
    Ok(atoms.iter().map(of).collect())
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
