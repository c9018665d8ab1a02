//! Totals of the table of bias, and the closing summary.

use serde::Serialize;

use crate::stats::notebook::bias::{AtomBias, BiasTable};
use crate::stats::notebook::describe;
use crate::stats::notebook::svtype::SvTypeBias;

/// The distribution of the atoms' support.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SupportSummary {
    /// Mean.
    pub mean: f64,
    /// Median, as pandas' `describe` computes it.
    pub median: f64,
    /// The quantile 0.75, by linear interpolation.
    pub upper_quartile: f64,
    /// Smallest.
    pub min: u64,
    /// Largest.
    pub max: u64,
}

/// The numbers of atoms that lean to either label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Landscape {
    /// The number of atoms in the table.
    pub total: usize,
    /// The number of atoms with odds above 1.
    pub tp_biased: usize,
    /// The number of atoms with odds below 1.
    pub fp_biased: usize,
    /// The number of atoms with odds above 2.
    pub strong_tp: usize,
    /// The number of atoms with odds below 0.5.
    pub strong_fp: usize,
    /// The number of atoms with an adjusted p-value below 0.05.
    pub significant: usize,
    /// The atoms' support; `None` for an empty table.
    pub support: Option<SupportSummary>,
}

impl Landscape {
    /// Computes the landscape of a table.
    pub fn of(table: &BiasTable) -> Self {
        let count =
            |pick: &dyn Fn(&AtomBias) -> bool| table.atoms.iter().filter(|a| pick(a)).count();
        Self {
            total: table.atoms.len(),
            tp_biased: count(&|atom| atom.odds > 1.0),
            fp_biased: count(&|atom| atom.odds < 1.0),
            strong_tp: count(&|atom| atom.odds > 2.0),
            strong_fp: count(&|atom| atom.odds < 0.5),
            significant: count(&|atom| atom.significant),
            support: SupportSummary::of(table),
        }
    }
}

impl SupportSummary {
    /// Summarizes a table's support; `None` for an empty table.
    pub fn of(table: &BiasTable) -> Option<Self> {
        let mut support: Vec<u64> = table.atoms.iter().map(|atom| atom.support).collect();
        support.sort_unstable();
        let (&min, &max) = (support.first()?, support.last()?);
        let values: Vec<f64> = support.iter().map(|&n| n as f64).collect();
        Some(Self {
            mean: describe::mean_of_counts(support.iter()),
            median: describe::quantile(&values, 0.5),
            upper_quartile: describe::quantile(&values, 0.75),
            min,
            max,
        })
    }
}

/// The findings of the closing summary. Its counts are those of the [`Landscape`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The highest odds, if above 2.
    pub strongest_tp: Option<f64>,
    /// The lowest odds, if below 0.5.
    pub strongest_fp: Option<f64>,
    /// The number of atoms with support above the upper quartile.
    pub high_support: usize,
    /// The number of atoms that lean to insertions; `None` if types were not compared.
    pub ins_specialized: Option<usize>,
    /// The number of atoms that lean to all other types; `None` if types were not compared.
    pub del_specialized: Option<usize>,
}

impl Summary {
    /// Summarizes a table with its landscape and its bias by type.
    pub fn of(table: &BiasTable, landscape: &Landscape, types: &SvTypeBias) -> Self {
        let odds = || table.atoms.iter().map(|atom| atom.odds);
        let quartile = landscape.support.map(|support| support.upper_quartile);
        let is_high = |atom: &&AtomBias| quartile.is_some_and(|q| atom.support as f64 > q);
        // A comparison in which no atom fires often enough has no result to summarize.
        let compared = types.ins_del.as_ref().filter(|found| found.compared > 0);
        Self {
            strongest_tp: odds().filter(|odds| *odds > 2.0).reduce(f64::max),
            strongest_fp: odds().filter(|odds| *odds < 0.5).reduce(f64::min),
            high_support: table.atoms.iter().filter(is_high).count(),
            ins_specialized: compared.map(|found| found.strong_ins),
            del_specialized: compared.map(|found| found.strong_del),
        }
    }
}
