//! The extended tables in words. What holds within strata comes before what may be due to them, and
//! the strongest comes first. Every judgment is made in `stats::evidence::summary`; this module
//! words it.

mod atoms;
mod calls;
mod cautions;
mod claims;
mod notebook;
mod pairs;
mod prediction;
mod replication;
mod scores;

use std::fmt::{Formatter, Result};

use super::title;
use crate::stats::evidence::summary::Findings;

pub(in crate::report) use atoms::caution as atom_caution;
pub(in crate::report) use cautions::caution;
pub(in crate::report) use claims::meaning;

/// The whole section.
pub(super) fn section(f: &mut Formatter<'_>, findings: &Findings) -> Result {
    writeln!(f)?;
    title(f, "What holds, in detail", 50)?;
    if findings.atoms.tested == 0 {
        return writeln!(
            f,
            "Nothing can be tested: no atom fires on at least {} calls with calls of both labels on \
             either side.",
            findings.atoms.min_support
        );
    }
    notebook::notes(f, &findings.notebook)?;
    claims::section(f, findings)?;
    atoms::strongest(f, findings)?;
    atoms::called(f, findings)?;
    cautions::section(f, findings)?;
    scores::section(f, findings)?;
    prediction::section(f, findings)?;
    calls::section(f, findings)?;
    pairs::section(f, findings)?;
    replication::section(f, findings)
}
