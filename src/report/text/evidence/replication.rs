//! What holds in the other part of the cohort.

use std::fmt::{Formatter, Result};

use crate::stats::evidence::{ExtendedTables, Partition};
use crate::stats::replication::{Agreement, Part};

pub(super) fn section(f: &mut Formatter<'_>, evidence: &ExtendedTables) -> Result {
    let Some(replicated) = &evidence.replication else {
        return Ok(());
    };
    let found = &replicated.found;
    let by = match found.split.by {
        Partition::Dataset => "datasets",
        Partition::Chrom => "chromosomes",
    };
    writeln!(
        f,
        "\nReplication, by {by} (the exact test within strata in both parts, so that a type or size that \
         goes with\nthe label is not replicated in its place):"
    )?;
    for (part, name) in found.split.parts.iter().zip(["discovery", "confirmation"]) {
        part_of(f, part, name)?;
    }
    direction(
        f,
        &found.forward,
        "Discovered in the first, confirmed in the second",
    )?;
    direction(f, &found.backward, "The other way round")?;
    if let Some(pearson) = found.forward.all.pearson {
        write!(
            f,
            "  Log odds ratios over all calls, not within strata, of the {} atoms that are tested in both \
             correlate by {pearson:.3}",
            found.forward.all.atoms
        )?;
        match known(replicated.correlation) {
            Some((low, high)) => {
                writeln!(f, " (95 % {low:.3} to {high:.3} by bootstrap of blocks)")?;
            }
            None => writeln!(f)?,
        }
    }
    if let Some(concordance) = found.forward.concordance {
        let [share, low, high] = percent([concordance.value, concordance.low, concordance.high]);
        write!(
            f,
            "  One sign within strata in both: {share} % of the discovered (95 % "
        )?;
        match known(replicated.concordance) {
            Some((low, high)) => {
                let [low, high] = percent([low, high]);
                writeln!(f, "{low} to {high} by bootstrap of blocks)")?;
            }
            None => writeln!(f, "{low} to {high}, were atoms independent)")?,
        }
    }
    Ok(())
}

fn part_of(f: &mut Formatter<'_>, part: &Part, name: &str) -> Result {
    writeln!(
        f,
        "  {name}: {} calls, {} of them true: {}",
        part.calls(),
        part.tp,
        part.groups.join(", ")
    )
}

fn direction(f: &mut Formatter<'_>, agreement: &Agreement, how: &str) -> Result {
    writeln!(
        f,
        "  {how}: {} atoms at an FDR of 5 %, {} of them can be tested in the other part, {} are \
         replicated there (FDR 5 %, one sign), {} have one sign",
        agreement.discovered, agreement.tested, agreement.replicated, agreement.concordant
    )
}

fn percent<const N: usize>(shares: [f64; N]) -> [String; N] {
    shares.map(|share| format!("{:.1}", 100.0 * share))
}

/// An interval that is defined.
fn known(interval: Option<(f64, f64)>) -> Option<(f64, f64)> {
    interval.filter(|(low, _)| !low.is_nan())
}
