//! Atoms that fire together.

use std::fmt::{Formatter, Result};

use super::{NO_DETAILS, title};
use crate::stats::notebook::NotebookTables;

/// The number of pairs that are printed.
const SHOWN: usize = 10;

pub(super) fn section(f: &mut Formatter<'_>, findings: &NotebookTables) -> Result {
    title(f, "Feature Co-activation Analysis", 40)?;
    if !findings.has_firings {
        return writeln!(f, "{NO_DETAILS}");
    }
    let found = &findings.coactivation;
    if found.frequent.is_empty() {
        return writeln!(f, "No significant co-activations found");
    }
    let least = found.min_coactivation;
    writeln!(f, "Feature pairs with ≥{least} co-activations:")?;
    for pair in found.frequent.iter().take(SHOWN) {
        let (a, b, count) = (pair.atom_a, pair.atom_b, pair.count);
        writeln!(f, "  Features {a} & {b}: {count} co-activations")?;
    }
    Ok(())
}
