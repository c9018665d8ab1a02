//! The bias landscape, the top lists and the summary.

use std::fmt::{Formatter, Result};

use super::{empty, percent, title};
use crate::python;
use crate::stats::notebook::{AtomBias, NotebookTables};

/// The notebook knows no such calls.
pub(super) fn dropped(f: &mut Formatter<'_>, findings: &NotebookTables) -> Result {
    match findings.dropped_calls {
        0 => Ok(()),
        dropped => writeln!(
            f,
            "Note: {dropped} of {} calls were dropped (NaN or infinity in the embedding, or no call).",
            findings.calls
        ),
    }
}

pub(super) fn landscape(f: &mut Formatter<'_>, findings: &NotebookTables) -> Result {
    let l = &findings.landscape;
    let share = |n: usize| percent(n as u64, l.total as u64);
    title(f, "SAE Feature Bias Landscape", 40)?;
    writeln!(f, "Total features analyzed: {}", l.total)?;
    let (tp, fp) = (l.tp_biased, l.fp_biased);
    writeln!(f, "TP-biased (OR > 1): {tp} ({:.1}%)", share(tp))?;
    writeln!(f, "FP-biased (OR < 1): {fp} ({:.1}%)", share(fp))?;
    writeln!(f, "Strong TP-bias (OR > 2): {}", l.strong_tp)?;
    writeln!(f, "Strong FP-bias (OR < 0.5): {}", l.strong_fp)?;
    writeln!(f, "Statistically significant: {}", l.significant)?;
    let Some(support) = &l.support else {
        return empty::why(f, &findings.bias);
    };
    writeln!(f, "\nSupport statistics:")?;
    writeln!(f, "  Mean: {:.1}", support.mean)?;
    writeln!(f, "  Median: {:.1}", support.median)?;
    writeln!(f, "  Range: {} - {}", support.min, support.max)
}

pub(super) fn top_lists(f: &mut Formatter<'_>, findings: &NotebookTables) -> Result {
    top_list(f, "Top TP-biased Features", &findings.top_tp_biased)?;
    top_list(f, "Top FP-biased Features", &findings.top_fp_biased)
}

fn top_list(f: &mut Formatter<'_>, title: &str, atoms: &[AtomBias]) -> Result {
    if atoms.is_empty() {
        return writeln!(f, "{title}: No features found");
    }
    let line = "-".repeat(80);
    writeln!(f, "\n{title}\n{line}")?;
    writeln!(
        f,
        "{:<6} {:<6} {:<6} {:<12} {:<8} {:<10} FDR_Sig\n{line}",
        "Atom", "TP_on", "FP_on", "Odds_Ratio", "Support", "P-value"
    )?;
    for atom in atoms {
        writeln!(
            f,
            "{:<6} {:<6} {:<6} {:<12.3} {:<8} {:<10} {}",
            atom.atom,
            atom.tp_on,
            atom.fp_on,
            atom.odds,
            atom.support,
            python::exponent(atom.p, 2),
            if atom.significant { '✓' } else { '✗' }
        )?;
    }
    Ok(())
}

pub(super) fn summary(f: &mut Formatter<'_>, findings: &NotebookTables) -> Result {
    let (l, s) = (&findings.landscape, &findings.summary);
    title(f, "SAE Interpretability Summary", 50)?;
    writeln!(f, "Features analyzed: {}", l.total)?;
    writeln!(f, "Strong TP-biased features (OR > 2): {}", l.strong_tp)?;
    writeln!(f, "Strong FP-biased features (OR < 0.5): {}", l.strong_fp)?;
    writeln!(f, "Statistically significant features: {}", l.significant)?;
    writeln!(f, "\n Key Findings:")?;
    if let Some(odds) = s.strongest_tp {
        writeln!(f, "• Strongest TP bias: OR = {odds:.2}")?;
    }
    if let Some(odds) = s.strongest_fp {
        writeln!(f, "• Strongest FP bias: OR = {odds:.2}")?;
    }
    let high = s.high_support;
    writeln!(f, "• High-support features (>75th percentile): {high}")?;
    if let Some(ins) = s.ins_specialized {
        writeln!(f, "• INS-specialized features: {ins}")?;
    }
    if let Some(del) = s.del_specialized {
        writeln!(f, "• DEL-specialized features: {del}")?;
    }
    Ok(())
}
