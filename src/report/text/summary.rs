//! The report's first lines: what holds.

use std::fmt::{Display, Formatter, Result};

use super::numbers::{claimed, claimed_by, figure, label, list, many, percent, verb};
use super::{evidence, title};
use crate::cohort::Label;
use crate::stats::evidence::Partition;
use crate::stats::evidence::summary::{
    AtomSummary, CallsSummary, Caution, Findings, Next, OddsWithin, Procedure, Scope,
    StrataSummary, Summary,
};

/// The summary: some ten lines.
#[derive(Debug, Clone, Copy)]
pub struct Short<'a>(pub &'a Summary);

impl Display for Short<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        title(f, "Summary: what holds", 50)?;
        calls(f, &self.0.calls)?;
        batches(f, self.0)?;
        given(f, self.0)?;
        match &self.0.extended {
            Some(findings) => lines(f, findings),
            None => writeln!(
                f,
                "What holds within strata is not known: --tables all makes the tables for it."
            ),
        }
    }
}

/// Says where activations were given.
pub(super) fn given(f: &mut Formatter<'_>, summary: &Summary) -> Result {
    if summary.activations_given {
        writeln!(f, "Note: {ACTIVATIONS_GIVEN}.")?;
    }
    Ok(())
}

/// What a report and a record say where activations were given.
pub const ACTIVATIONS_GIVEN: &str = "which atoms fire was given, in files of activations: nothing was \
                                     encoded, and there is no certificate";

fn calls(f: &mut Formatter<'_>, calls: &CallsSummary) -> Result {
    let CallsSummary { tp, fp, dropped } = *calls;
    write!(f, "{} calls: {tp} true (TP) and {fp} false (FP)", tp + fp)?;
    match dropped {
        0 => writeln!(f, "."),
        1 => writeln!(f, "; 1 more was dropped."),
        dropped => writeln!(f, "; {dropped} more were dropped."),
    }
}

/// The caution that a model of batch top-k deserves, where it is not the biggest one, which is said
/// further below.
pub(super) fn batches(f: &mut Formatter<'_>, summary: &Summary) -> Result {
    let Some(found) = summary.batches.map(Caution::of_batches) else {
        return Ok(());
    };
    let findings = summary.extended.as_ref();
    match findings.and_then(|findings| findings.cautions.first()) {
        Some(biggest) if *biggest == found => Ok(()),
        _ => writeln!(f, "Caution: {}", evidence::caution(&found)),
    }
}

fn lines(f: &mut Formatter<'_>, findings: &Findings) -> Result {
    strata(f, &findings.strata)?;
    let atoms = findings.atoms;
    writeln!(
        f,
        "{} atoms (SAE features), of which {} can be tested (they fire on at least {} calls).",
        atoms.all, atoms.tested, atoms.min_support
    )?;
    if atoms.tested > 0 {
        claims(f, findings)?;
        strongest(f, Label::Tp, &findings.strongest_tp)?;
        strongest(f, Label::Fp, &findings.strongest_fp)?;
    }
    if let Some(caution) = findings.cautions.first() {
        writeln!(f, "Biggest caution: {}", evidence::caution(caution))?;
    }
    let next: Vec<String> = findings.next.iter().map(next).collect();
    writeln!(f, "Look next: {}.", next.join("; "))
}

fn strata(f: &mut Formatter<'_>, strata: &StrataSummary) -> Result {
    if strata.by.is_empty() {
        return writeln!(f, "No strata: atoms are compared on all calls at once.");
    }
    let count = match strata.count {
        1 => "1 stratum".to_owned(),
        count => format!("{count} strata"),
    };
    writeln!(
        f,
        "{count}, by {}: calls are compared within them.",
        list(&strata.by)
    )
}

fn claims(f: &mut Formatter<'_>, findings: &Findings) -> Result {
    let by = claimed_by(findings.strictest);
    match findings.strictest_claim().filter(|claim| claim.atoms > 0) {
        None => writeln!(
            f,
            "No atom leans to true or to false calls within strata, with 95 % confidence ({by})."
        )?,
        Some(claim) => writeln!(
            f,
            "{} to true or to false calls within strata, with 95 % confidence none of them by chance ({by}).",
            verb(&claimed(claim), claim.atoms, "leans", "lean")
        )?,
    }
    if let Some(claim) = findings.at_fdr(Scope::WithinStrata) {
        writeln!(
            f,
            "{} so at a false discovery rate of 5 % (Benjamini-Hochberg).",
            verb(&claimed(claim), claim.atoms, "does", "do")
        )?;
    }
    if let Some(claim) = findings.claim(Procedure::Replicated, Scope::WithinStrata) {
        let holds = verb(&claimed(claim), claim.atoms, "is", "are");
        writeln!(
            f,
            "{holds} discovered in one part of the cohort and confirmed in the other."
        )?;
    }
    if let Some(called) = &findings.called {
        writeln!(
            f,
            "{} on all calls at once at that rate; {} within strata.",
            verb(&many(called.atoms, "atom"), called.atoms, "leans", "lean"),
            verb(
                &format!("{} of these", called.within),
                called.within,
                "holds",
                "hold"
            ),
        )?;
    }
    Ok(())
}

fn strongest(f: &mut Formatter<'_>, side: Label, atoms: &[AtomSummary]) -> Result {
    write!(f, "Strongest to {} calls", label(side))?;
    if atoms.is_empty() {
        return writeln!(f, ": none.");
    }
    let each = atoms.iter().map(|atom| {
        let odds_ratio = match &atom.within {
            OddsWithin::Ratio(ratio) => figure(ratio.value),
            OddsWithin::Infinite => "infinite".to_owned(),
            OddsWithin::Zero => "0".to_owned(),
            OddsWithin::Unknown => "unknown".to_owned(),
        };
        let true_share = percent(atom.true_share);
        format!("atom {} ({odds_ratio}; {true_share})", atom.atom)
    });
    let each: Vec<String> = each.collect();
    writeln!(
        f,
        " (odds ratio within strata; share of true calls): {}.",
        each.join(", ")
    )
}

fn next(next: &Next) -> String {
    match next {
        Next::Calls { atoms } => {
            let atoms: Vec<String> = atoms.iter().map(u32::to_string).collect();
            format!(
                "the calls on which the strongest fire (investigate --atom {})",
                atoms.join(",")
            )
        }
        Next::CompareScores => "scores without competition (--compare scores)".to_owned(),
        Next::FiringSets => "firing sets (tally --fires)".to_owned(),
        Next::MorePermutations => "more permutations (--permutations 1000)".to_owned(),
        Next::Replicate { by } => {
            let by = match by {
                Partition::Dataset => "dataset",
                Partition::Chrom => "chrom",
            };
            format!("whether they replicate (--replicate {by})")
        }
        Next::Tables => "all atoms (atoms.tsv)".to_owned(),
    }
}
