//! The tables beside the notebook's, column by column.
//!
//! | file | what it describes |
//! |---|---|
//! | `atoms` | `atoms`: one row an atom |
//! | `call_atoms` | `call_atoms`: one row a call, with the confirmed atoms that fire on it |
//! | `categories` | `atom_types`, `atom_chromosomes`, `atom_datasets`: one row an atom and category |
//! | `effects` | columns that `regions` and `reasons` share |
//! | `reasons` | `atom_reasons`: one row an atom and reason |
//! | `regions` | `regions`: one row a region; `atom_regions`: one row an atom and region |
//! | `prediction` | `prediction`: one row a figure; `call_predictions`: one row a call |
//! | `prediction_atoms` | `prediction_atoms`: one row an atom |
//! | `replication` | `replication`: one row an atom |
//! | `replication_summary` | `replication_summary`: one row a direction |
//! | `scores` | `atom_scores`: one row an atom, where scores were compared |
//! | `sizes` | `atom_sizes`: one row an atom |
//! | `values` | `atom_values`: one row a quantity and an atom |
//! | `pairs` | `atom_pairs`: one row for two atoms |

mod atoms;
mod call_atoms;
mod categories;
mod effects;
mod pairs;
mod prediction;
mod prediction_atoms;
mod reasons;
mod regions;
mod replication;
mod replication_summary;
mod scores;
mod sizes;
mod values;

use super::table::{Column, Values};
use crate::stats::inference::PValue;

pub use atoms::atoms;
pub use call_atoms::call_atoms;
pub use categories::{chromosomes, datasets, types};
pub use pairs::pairs;
pub use prediction::{call_predictions, prediction};
pub use prediction_atoms::prediction_atoms;
pub use reasons::atom_reasons;
pub use regions::{atom_regions, regions};
pub use replication::replication;
pub use replication_summary::replication_summary;
pub use scores::scores;
pub use sizes::sizes;
pub use values::atom_values;

/// The column of atoms.
fn atom_column(atoms: impl IntoIterator<Item = u32>) -> Column {
    let atoms = atoms.into_iter().collect();
    Column::new("atom", "The atom, from 0.", Values::U32(atoms))
}

/// One number of each row; missing where it is `None`.
fn numbers<T>(rows: &[T], of: impl Fn(&T) -> Option<f64>) -> Values {
    Values::F64(rows.iter().map(|row| of(row).unwrap_or(f64::NAN)).collect())
}

/// One count of each row.
fn counts<T>(rows: &[T], of: impl Fn(&T) -> u64) -> Values {
    Values::U64(rows.iter().map(of).collect())
}

/// p-values.
fn p_values(p: &[Option<PValue>]) -> Values {
    numbers(p, |p| p.map(PValue::p))
}
