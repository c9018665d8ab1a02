//! Both tests given the margins, of every atom.

use rayon::prelude::*;

use super::exact_homogeneity;
use super::exact_strata::{self, ExactStrata};
use super::p_value::PValue;
use super::stratified::StratumCounts;
use super::table::Table2x2;

/// What the strata say of an atom, given their margins.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Conditional {
    /// The test of an odds ratio of 1 in all; `None` where none informs.
    pub no_effect: Option<ExactStrata>,
    /// The test of one odds ratio in all; `None` where [`exact_homogeneity::of_tables`] is.
    pub homogeneity: Option<PValue>,
}

/// Both tests of one atom, whose tables they are.
pub fn of_tables(tables: &[Table2x2]) -> Conditional {
    Conditional {
        no_effect: exact_strata::of_tables(tables),
        homogeneity: exact_homogeneity::of_tables(tables),
    }
}

/// Atoms whose tables lie together.
const BLOCK: usize = 32;

/// Both tests of every atom, \[F\]; the same for any number of threads. Counts above their totals are
/// nobody's, and such cells count as empty.
///
/// # Panics
/// If the strata have not as many atoms.
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
