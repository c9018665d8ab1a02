//! Which atoms fire together.

use std::fmt::{Formatter, Result};

use crate::stats::evidence::{ExtendedTables, LEVEL};
use crate::stats::pairs::Pairs;

/// How many pairs are told in full.
const TOLD: usize = 3;

pub(super) fn section(f: &mut Formatter<'_>, evidence: &ExtendedTables) -> Result {
    let Some(pairs) = &evidence.pairs else {
        return Ok(());
    };
    let threshold = pairs.threshold_used();
    writeln!(
        f,
        "\nCo-activation: {} pairs of atoms fire together on at least {threshold} calls.",
        pairs.len()
    )?;
    let asked = pairs.pairs_at_the_threshold_asked();
    if asked > pairs.len() as u64 {
        writeln!(
            f,
            "  Caution: {asked} do on at least {}, which are more than a table holds; only the most \
             frequent are in it.",
            evidence.options.min_coactivation
        )?;
    }
    if pairs.is_empty() {
        return Ok(());
    }
    let found = pairs.significant(LEVEL);
    writeln!(
        f,
        "  At an FDR of 5 % among all pairs that could be in that table, {} of them fire together more or \
         less often than chance has it\n  where atoms share the places of a call, {} otherwise on \
         true calls than on false ones (among those in it).",
        found.associated, found.different
    )?;
    let untested = pairs.len() - pairs.tested();
    if untested > 0 {
        writeln!(
            f,
            "  {untested} of them cannot be tested: one of the two atoms fires on every call, or each call \
             has room for but one."
        )?;
    }
    most_frequent(f, pairs)
}

/// The first pairs that can be tested: one with an atom that always fires is as frequent as the other.
fn most_frequent(f: &mut Formatter<'_>, pairs: &Pairs) -> Result {
    let first = pairs.first_tested(TOLD);
    if first.is_empty() {
        return Ok(());
    }
    writeln!(f, "  The most frequent that can be tested:")?;
    for place in first {
        let row = pairs.chunk(place..place + 1);
        writeln!(
            f,
            "    atoms {} and {}: {} calls, {:.2} times as many as expected; phi {} on all calls, {} on \
             true and {} on false ones",
            row.a[0],
            row.b[0],
            row.all.count[0],
            row.all.lift[0],
            phi_text(row.all.phi[0]),
            phi_text(row.tp.phi[0]),
            phi_text(row.fp.phi[0])
        )?;
    }
    Ok(())
}

/// A correlation, where there is one.
fn phi_text(phi: f64) -> String {
    if phi.is_nan() {
        "undefined".to_owned()
    } else {
        format!("{phi:+.3}")
    }
}
