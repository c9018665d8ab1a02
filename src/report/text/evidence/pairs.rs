//! Which atoms fire together.

use std::fmt::{Formatter, Result};

use crate::stats::evidence::{Evidence, LEVEL};
use crate::stats::pairs::Pairs;

/// How many pairs are told in full.
const TOLD: usize = 3;

pub(super) fn section(f: &mut Formatter<'_>, evidence: &Evidence) -> Result {
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
         less often than chance has it,\n  {} otherwise on true calls than on false ones (among those in \
         it). Where fewer than 5 calls are expected, p is rough.",
        found.associated, found.different
    )?;
    most_frequent(f, pairs)
}

fn most_frequent(f: &mut Formatter<'_>, pairs: &Pairs) -> Result {
    let most = pairs.chunk(0..pairs.len().min(TOLD));
    writeln!(f, "  The most frequent:")?;
    for row in 0..most.a.len() {
        writeln!(
            f,
            "    atoms {} and {}: {} calls, {:.2} times as many as expected; phi {:+.3} on all calls, \
             {:+.3} on true and {:+.3} on false ones",
            most.a[row],
            most.b[row],
            most.all.count[row],
            most.all.lift[row],
            most.all.phi[row],
            most.tp.phi[row],
            most.fp.phi[row]
        )?;
    }
    Ok(())
}
