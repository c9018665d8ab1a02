//! The text about what holds in the other part of the cohort.

use std::fmt::{Formatter, Result};

use crate::python::printable;
use crate::report::text::numbers::{figure, interval, many, percent, verb};
use crate::stats::evidence::Partition;
use crate::stats::evidence::summary::{Direction, Findings, PartSummary, ReplicationSummary};

pub(super) fn section(f: &mut Formatter<'_>, findings: &Findings) -> Result {
    let Some(found) = &findings.replication else {
        return Ok(());
    };
    let by = match found.by {
        Partition::Dataset => "datasets",
        Partition::Chrom => "chromosomes",
    };
    writeln!(
        f,
        "\nReplication, by {by} (the exact test within strata in both parts, so that a type or size that \
         goes with\nthe label is not replicated in its place):"
    )?;
    let [discovery, confirmation] = &found.parts;
    part(f, discovery, "discovery")?;
    part(f, confirmation, "confirmation")?;
    direction(
        f,
        &found.forward,
        "Discovered in the first, confirmed in the second",
    )?;
    direction(f, &found.backward, "The other way round")?;
    agreement(f, found)
}

fn part(f: &mut Formatter<'_>, part: &PartSummary, name: &str) -> Result {
    let groups: Vec<_> = part.groups.iter().map(|group| printable(group)).collect();
    writeln!(
        f,
        "  {name}: {} calls, {} of them true: {}",
        part.calls,
        part.tp,
        groups.join(", ")
    )
}

fn direction(f: &mut Formatter<'_>, found: &Direction, how: &str) -> Result {
    writeln!(
        f,
        "  {how}: {} discovered at an FDR of 5 %; {} of them can be tested in the other part;\n    {} there \
         (FDR 5 %, one sign), and {} one sign",
        verb(
            &many(found.discovered, "atom"),
            found.discovered,
            "is",
            "are"
        ),
        found.tested,
        verb(
            &found.replicated.to_string(),
            found.replicated,
            "replicates",
            "replicate"
        ),
        verb(&found.one_side.to_string(), found.one_side, "has", "have")
    )
}

fn agreement(f: &mut Formatter<'_>, found: &ReplicationSummary) -> Result {
    if let Some(correlation) = &found.correlation {
        write!(
            f,
            "  The log odds ratios over all calls, not within strata, of the {} tested in both parts \
             correlate by {}",
            many(correlation.atoms, "atom"),
            figure(correlation.pearson)
        )?;
        match correlation.interval {
            Some(ends) => writeln!(f, " ({} by bootstrap of blocks)", interval(ends))?,
            None => writeln!(f)?,
        }
    }
    let Some(one_side) = &found.one_side else {
        return Ok(());
    };
    let [low, high] = one_side.interval.map(percent);
    let how = if one_side.by_bootstrap {
        "by bootstrap of blocks"
    } else {
        "if atoms were independent"
    };
    writeln!(
        f,
        "  {} of the discovered atoms have one sign within strata in both parts (95 % interval {low} to {high} {how})",
        percent(one_side.share)
    )
}
