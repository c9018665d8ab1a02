//! The text about the atoms that fire together.

use std::fmt::{Formatter, Result};

use crate::report::text::numbers::{figure, signed, verb};
use crate::stats::evidence::summary::{Findings, PairSummary};

pub(super) fn section(f: &mut Formatter<'_>, findings: &Findings) -> Result {
    let Some(found) = &findings.pairs else {
        return Ok(());
    };
    writeln!(
        f,
        "\nCo-activation: {} together on at least {} calls.",
        pairs(found.pairs),
        found.threshold
    )?;
    if found.is_cut() {
        writeln!(
            f,
            "  Caution: {} on at least {}, which are more than a table holds; only the most frequent \
             are in it.",
            verb(
                &found.pairs_asked.to_string(),
                found.pairs_asked as usize,
                "does",
                "do"
            ),
            found.threshold_asked
        )?;
    }
    if found.pairs == 0 {
        return Ok(());
    }
    writeln!(
        f,
        "  At an FDR of 5 % among all pairs that could be in that table, {} together more or less often \
         than by chance,\n  where atoms share the places of a call; {} so otherwise on true calls than on \
         false ones.",
        pairs(found.associated),
        verb(&found.different.to_string(), found.different, "does", "do")
    )?;
    if found.untested > 0 {
        writeln!(
            f,
            "  {} cannot be tested: one of the two atoms fires on every call, or each call has room for \
             but one.",
            found.untested
        )?;
    }
    if !found.most_frequent.is_empty() {
        writeln!(f, "  The most frequent that can be tested:")?;
    }
    found.most_frequent.iter().try_for_each(|pair| one(f, pair))
}

/// "1 pair of atoms fires", "2 pairs of atoms fire".
fn pairs(count: usize) -> String {
    let pairs = if count == 1 { "pair" } else { "pairs" };
    verb(&format!("{count} {pairs} of atoms"), count, "fires", "fire")
}

fn one(f: &mut Formatter<'_>, pair: &PairSummary) -> Result {
    let [a, b] = pair.atoms;
    let phi = pair
        .phi
        .map(|phi| phi.map_or("undefined".to_owned(), signed));
    writeln!(
        f,
        "    atoms {a} and {b}: {} calls, {} times as many as expected; phi {} on all calls, {} on true \
         and {} on false ones",
        pair.calls,
        figure(pair.lift),
        phi[0],
        phi[1],
        phi[2]
    )
}
