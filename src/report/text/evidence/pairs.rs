//! The text about the atoms that fire together.

use std::fmt::{Formatter, Result};

use crate::report::text::numbers::{figure, signed, verb};
use crate::stats::evidence::ListedPairs;
use crate::stats::evidence::summary::{Findings, PairSummary, PairsSummary};
use crate::stats::pairs::Significant;

pub(super) fn section(f: &mut Formatter<'_>, findings: &Findings) -> Result {
    let Some(found) = &findings.pairs else {
        return Ok(());
    };
    let numbers = &found.numbers;
    writeln!(
        f,
        "\nCo-activation: {} together on at least {} calls.",
        pairs(numbers.at_threshold),
        numbers.threshold
    )?;
    if found.is_cut() {
        let asked = numbers.found;
        writeln!(
            f,
            "  Caution: {} on at least {}, which are more than can be kept; only the most frequent are \
             tested.",
            verb(&asked.to_string(), asked as usize, "does", "do"),
            found.threshold_asked
        )?;
    }
    if numbers.at_threshold == 0 {
        return Ok(());
    }
    let (associated, different) = (
        numbers.significant.associated,
        numbers.significant.different,
    );
    writeln!(
        f,
        "  At an FDR of 5 % among all pairs that could do so, {} together more or less often than by \
         chance,\n  where atoms share the places of a call; {} so otherwise on true calls than on false \
         ones.",
        pairs(associated),
        verb(&different.to_string(), different, "does", "do")
    )?;
    listed(f, found)?;
    let untested = found.untested();
    if untested > 0 {
        writeln!(
            f,
            "  {untested} cannot be tested: one of the two atoms fires on every call, or each call has room \
             for but one.",
        )?;
    }
    if !found.most_frequent.is_empty() {
        writeln!(f, "  The most frequent that can be tested:")?;
    }
    found.most_frequent.iter().try_for_each(|pair| one(f, pair))
}

/// Which of them the table has.
fn listed(f: &mut Formatter<'_>, found: &PairsSummary) -> Result {
    let Significant { either, .. } = found.numbers.significant;
    let listed = found.numbers.listed;
    match found.table {
        ListedPairs::Significant if found.lacks_significant() => writeln!(
            f,
            "  The table of pairs has {listed} of the {either} that do either, those with the largest |phi| \
             (--max-pairs; --pairs all\n  for all)."
        ),
        ListedPairs::Significant => writeln!(
            f,
            "  The table of pairs has the {either} that do either (--pairs all for all)."
        ),
        ListedPairs::All | ListedPairs::None => Ok(()),
    }
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
