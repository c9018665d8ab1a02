//! Both tests that condition on the margins, for every atom.

use rayon::prelude::*;

use super::exact_homogeneity;
use super::exact_strata::{self, ExactStrata};
use super::p_value::PValue;
use super::stratified::StratumCounts;
use super::table::Table2x2;

/// The conditional tests of an atom, given the margins of its strata.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Conditional {
    /// The test of an odds ratio of 1 in all strata; `None` if no stratum is informative.
    pub no_effect: Option<ExactStrata>,
    /// The test of one odds ratio in all strata; `None` if [`exact_homogeneity::of_tables`] is.
    pub homogeneity: Option<PValue>,
}

/// Computes both tests of one atom from its tables.
pub fn of_tables(tables: &[Table2x2]) -> Conditional {
    Conditional {
        no_effect: exact_strata::of_tables(tables),
        homogeneity: exact_homogeneity::of_tables(tables),
    }
}

/// The number of atoms whose tables are built together.
const BLOCK: usize = 32;

/// Computes both tests of every atom, \[F\]; the same for any number of threads. A cell whose count
/// would be negative, since a count exceeds its total, counts as empty.
///
/// # Panics
/// Panics if the strata differ in their number of atoms.
pub fn of_atoms(strata: &[StratumCounts<'_>]) -> Vec<Conditional> {
    let atoms = strata.first().map_or(0, |stratum| stratum.tp_on.len());
    let blocks = (0..atoms).into_par_iter().step_by(BLOCK);
    blocks
        .flat_map_iter(|first| {
            let count = BLOCK.min(atoms - first);
            let mut tables = vec![Table2x2::default(); count * strata.len()];
            for (number, stratum) in strata.iter().enumerate() {
                for (atom, table) in stratum.tables(first, count).enumerate() {
                    tables[atom * strata.len() + number] = table;
                }
            }
            let each = tables.chunks_exact(strata.len());
            each.map(of_tables).collect::<Vec<_>>()
        })
        .collect()
}
