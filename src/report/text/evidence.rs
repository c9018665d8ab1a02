//! What the tables beside the notebook's say, in words.

use std::fmt::{Formatter, Result};

use super::title;
use crate::stats::evidence::Evidence;

/// The whole section.
pub(super) fn section(f: &mut Formatter<'_>, evidence: &Evidence) -> Result {
    title(f, "What a reviewer asks", 50)?;
    writeln!(f, "{} atoms", evidence.atoms.len())
}
