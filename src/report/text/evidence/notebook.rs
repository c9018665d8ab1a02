//! Notes on lines of the notebook's text that say more than what holds.

use std::fmt::{Formatter, Result};

use crate::python;
use crate::report::text::numbers::{figure, label, many, percent, verb};
use crate::stats::evidence::summary::{EmptyCell, NotebookNote, Specialized};

pub(super) fn notes(f: &mut Formatter<'_>, notes: &[NotebookNote]) -> Result {
    if notes.is_empty() {
        return Ok(());
    }
    writeln!(f, "Notes on the notebook's text above:")?;
    for found in notes {
        writeln!(f, "  - {}", note(found))?;
    }
    writeln!(f)
}

fn note(note: &NotebookNote) -> String {
    match note {
        NotebookNote::Significant { counted, within } => format!(
            "\"Statistically significant: {counted}\" counts atoms on all calls at once; {} within strata.",
            verb(&format!("{within} of them"), *within, "holds", "hold")
        ),
        NotebookNote::EmptyCell {
            atom,
            cell,
            odds,
            odds_ratio,
        } => format!(
            "\"OR = {odds:.2}\" is of atom {atom}, which fires on {}: the notebook's number is then no \
             estimate.\n    With 1/2 added to every cell the odds ratio is {}.",
            empty(*cell),
            figure(*odds_ratio)
        ),
        NotebookNote::InsSpecialized(found) => format!(
            "\"INS-specialized features: {}\" counts atoms of whose calls more than 80 % are insertions.\n    \
             {}",
            found.counted,
            shares(found, "insertions")
        ),
        NotebookNote::DelSpecialized(found) => format!(
            "\"DEL-specialized features: {}\" counts atoms of whose calls fewer than 20 % are insertions, \
             whatever else they are.\n    {}",
            found.counted,
            shares(found, "deletions")
        ),
        NotebookNote::ZeroP { atoms } => format!(
            "\"{}\" as the p-value of {} is a number too small to print; atoms.tsv has its logarithm \
             (neg_log10_p).",
            python::exponent(0.0, 2),
            many(*atoms, "atom")
        ),
    }
}

fn empty(cell: EmptyCell) -> String {
    match cell {
        EmptyCell::FiresOnNo(of) => format!("no {} call", label(of)),
        EmptyCell::FiresOnEvery(of) => format!("every {} call", label(of)),
    }
}

fn shares(found: &Specialized, calls: &str) -> String {
    format!(
        "Of all calls {} are insertions, and of the {} atoms {} more often on {calls} than on other calls \
         (FDR 5 %).",
        percent(found.ins_share),
        found.of,
        verb(&found.enriched.to_string(), found.enriched, "fires", "fire")
    )
}
