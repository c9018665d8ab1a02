//! The calls on which one atom fires.

use std::fmt::{Formatter, Result};

use super::{NO_DETAILS, percent, title};
use crate::python;
use crate::stats::notebook::counts::NamedCount;
use crate::stats::notebook::investigate::{Example, SizeSummary};
use crate::stats::notebook::{AtomBias, Investigation, NotebookTables};

pub(super) fn section(f: &mut Formatter<'_>, findings: &NotebookTables) -> Result {
    title(f, "Investigating Top Features", 50)?;
    if !findings.has_firings {
        return writeln!(f, "{NO_DETAILS}");
    }
    if findings.investigations.is_empty() {
        writeln!(f, "No features to investigate")?;
    }
    for investigation in &findings.investigations {
        detail(f, investigation, findings.bias.min_support)?;
        writeln!(f)?;
    }
    Ok(())
}

pub(super) fn detail(f: &mut Formatter<'_>, found: &Investigation, min_support: u64) -> Result {
    match &found.bias {
        Some(bias) => statistics(f, bias)?,
        None => no_statistics(f, found, min_support)?,
    }
    if found.support == 0 {
        return writeln!(f, "No activations found");
    }
    let shares = |f: &mut Formatter<'_>, heading: &str, counts: &[NamedCount]| {
        writeln!(f, "\n{heading}:")?;
        counts.iter().try_for_each(|named| {
            let share = percent(named.count, found.support);
            writeln!(
                f,
                "  {}: {} ({share:.1}%)",
                python::printable(&named.name),
                named.count
            )
        })
    };
    shares(f, "SV Types", &found.sv_types)?;
    if let Some(sizes) = &found.sizes {
        size_statistics(f, sizes)?;
    }
    shares(f, "Top Chromosomes", &found.top_chromosomes)?;
    shares(f, "Datasets", &found.datasets)?;
    examples(f, &found.examples)
}

fn statistics(f: &mut Formatter<'_>, bias: &AtomBias) -> Result {
    title(f, &format!("Feature {} Detailed Analysis", bias.atom), 50)?;
    let (tp, fp, all) = (bias.tp_on, bias.fp_on, bias.support);
    writeln!(f, "Activations: TP={tp}, FP={fp}, Total={all}")?;
    writeln!(f, "Odds Ratio: {:.3}", bias.odds)?;
    writeln!(f, "P-value: {}", python::exponent(bias.p, 2))?;
    let significant = if bias.significant { "Yes" } else { "No" };
    writeln!(f, "FDR Significant: {significant}")
}

/// The notebook says the first line only, and stops.
fn no_statistics(f: &mut Formatter<'_>, found: &Investigation, min_support: u64) -> Result {
    let (atom, tp, fp, all) = (found.atom, found.tp_on, found.fp_on, found.support);
    writeln!(f, "Feature {atom} not found in statistics")?;
    title(f, &format!("Feature {atom} Detailed Analysis"), 50)?;
    writeln!(f, "Activations: TP={tp}, FP={fp}, Total={all}")?;
    if all < min_support {
        return writeln!(f, "Not tested: it fires on fewer than {min_support} calls");
    }
    writeln!(
        f,
        "Not tested: all calls have one label, or it fires on every call or on none"
    )
}

fn size_statistics(f: &mut Formatter<'_>, sizes: &SizeSummary) -> Result {
    writeln!(f, "\nSize Statistics:")?;
    writeln!(f, "  Mean: {:.0} bp", sizes.mean)?;
    writeln!(f, "  Median: {:.0} bp", sizes.median)?;
    writeln!(f, "  Range: {:.0} - {:.0} bp", sizes.min, sizes.max)
}

fn examples(f: &mut Formatter<'_>, examples: &[Example]) -> Result {
    writeln!(f, "\nExample Variants (first 5):")?;
    writeln!(
        f,
        "{:<8} {:<8} {:<12} {:<6} {:<10} Class\n{}",
        "Index",
        "Chrom",
        "Pos",
        "Type",
        "Size",
        "-".repeat(55)
    )?;
    for call in examples {
        writeln!(
            f,
            "{:<8} {:<8} {:<12} {:<6} {:<10} {}",
            call.row,
            python::printable(call.chrom.as_deref().unwrap_or("unk")),
            call.pos,
            python::printable(call.svtype.as_deref().unwrap_or("UNK")),
            call.svlen,
            call.label.as_str()
        )?;
    }
    Ok(())
}
