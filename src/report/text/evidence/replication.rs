//! What holds in the other part of the cohort.

use std::fmt::{Formatter, Result};

use crate::stats::evidence::{Evidence, Partition};
use crate::stats::inference::Estimate;
use crate::stats::replication::{Agreement, Part};

pub(super) fn section(f: &mut Formatter<'_>, evidence: &Evidence) -> Result {
    let Some(replicated) = &evidence.replication else {
        return Ok(());
    };
    let found = &replicated.found;
    let by = match found.split.by {
        Partition::Dataset => "datasets",
        Partition::Chrom => "chromosomes",
    };
    writeln!(f, "\nReplication, by {by}:")?;
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
            "  Log odds ratios of the {} atoms that are tested in both correlate by {pearson:.3}",
            found.forward.all.atoms
        )?;
        interval(f, replicated.correlation)?;
    }
    if let Some(concordance) = found.forward.concordance {
        write!(f, "  One sign in both: {}", share(&concordance))?;
        interval(f, replicated.concordance)?;
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

fn share(estimate: &Estimate) -> String {
    let [value, low, high] = [estimate.value, estimate.low, estimate.high].map(|x| 100.0 * x);
    format!("{value:.1} % of the discovered (95 % {low:.1} to {high:.1}, were atoms independent)")
}

/// What the bootstrap adds, to the end of the line.
fn interval(f: &mut Formatter<'_>, interval: Option<(f64, f64)>) -> Result {
    match interval {
        Some((low, high)) if !low.is_nan() => {
            writeln!(f, "; bootstrap by block {low:.3} to {high:.3}")
        }
        _ => writeln!(f),
    }
}
