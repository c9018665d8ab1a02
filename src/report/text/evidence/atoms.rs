//! The strongest atoms, and what becomes of those that are called on all calls.

use std::fmt::{Formatter, Result};

use crate::report::text::numbers::{first, interval, label, many, p_text, percent, ratio};
use crate::stats::evidence::Exchange;
use crate::stats::evidence::summary::{AtomCaution, AtomSummary, Findings, OddsWithin};

/// The atoms with the smallest p-values, each in a sentence.
pub(super) fn strongest(f: &mut Formatter<'_>, findings: &Findings) -> Result {
    if findings.strongest.is_empty() {
        return writeln!(
            f,
            "\nNo atom leans to true or to false calls at a false discovery rate of 5 % on all calls at once."
        );
    }
    writeln!(
        f,
        "\nThe strongest (odds ratio of firing, true against false calls; each interval is of one atom by \
         itself:\nof thousands the strongest look stronger than they are, and are to be measured again on \
         other calls):"
    )?;
    let mut atoms = findings.strongest.iter();
    atoms.try_for_each(|atom| one(f, atom, findings.drawn))
}

fn one(f: &mut Formatter<'_>, atom: &AtomSummary, drawn: Exchange) -> Result {
    write!(
        f,
        "  atom {} leans to {} calls: odds ratio {}, {}; {} of the {} calls on which it fires are true",
        atom.atom,
        label(atom.side),
        ratio(&atom.odds_ratio),
        p_text(atom.neg_log10_p),
        percent(atom.true_share),
        atom.support
    )?;
    match &atom.within {
        OddsWithin::Ratio(within) => write!(f, "; within strata {}", ratio(within))?,
        OddsWithin::Infinite => {
            write!(
                f,
                "; within strata infinite, as no stratum has a call against it"
            )?;
        }
        OddsWithin::Zero => write!(f, "; within strata zero, as no stratum has a call for it")?,
        OddsWithin::Unknown => write!(f, "; within strata unknown")?,
    }
    if let Some(ends) = atom.bootstrap {
        let what = match drawn {
            Exchange::Sample => "datasets",
            Exchange::Call | Exchange::Locus => "loci",
        };
        write!(f, "; bootstrap of {what} {}", interval(ends))?;
    }
    writeln!(f, ".")?;
    if !atom.near_duplicates.is_empty() {
        writeln!(
            f,
            "      Near-duplicates: {}.",
            first(&atom.near_duplicates)
        )?;
    }
    let cautions: Vec<&str> = atom.cautions.iter().copied().map(caution).collect();
    if cautions.is_empty() {
        return Ok(());
    }
    writeln!(f, "      Caution: {}.", cautions.join("; "))
}

/// A caution on one atom, in words.
pub(in crate::report) fn caution(caution: AtomCaution) -> &'static str {
    match caution {
        AtomCaution::SidesChange => {
            "Simpson's paradox: within strata it leans to the other side, as certainly"
        }
        AtomCaution::Confounded => "confounded: the association goes away within strata",
        AtomCaution::NotWithinStrata => "nothing certain is left within strata",
        AtomCaution::StrataDisagree => {
            "the strata disagree (Breslow-Day, given all margins, FDR 5 %), and one odds ratio hides that"
        }
        AtomCaution::Sparse => {
            "a sparse table (an expected count below 5): believe the exact test, not the size of the \
             odds ratio"
        }
        AtomCaution::NotByMaxT => "step-down max-T does not confirm it",
    }
}

/// Writes how many of the atoms called on all calls deserve each caution.
pub(super) fn called(f: &mut Formatter<'_>, findings: &Findings) -> Result {
    let Some(called) = &findings.called else {
        return Ok(());
    };
    writeln!(
        f,
        "\nOf the {} at an FDR of 5 % on all calls at once (Fisher's test, Benjamini-Hochberg):",
        many(called.atoms, "atom")
    )?;
    let lost = format!(
        "hold within strata too; {} do not",
        called.atoms - called.within
    );
    for (atoms, what) in [
        (called.within, lost.as_str()),
        (
            called.confounded,
            "are confounded: the association goes away within strata (p of 5 % or more there)",
        ),
        (
            called.sides_change,
            "lean to the other side within strata, as certainly (Simpson's paradox)",
        ),
        (
            called.strata_disagree,
            "differ between strata (Breslow-Day, given all margins, FDR 5 %)",
        ),
        (
            called.sparse,
            "have a sparse table (an expected count below 5)",
        ),
    ] {
        writeln!(f, "{atoms:>7}  {what}")?;
    }
    match called.by_max_t {
        None => Ok(()),
        Some(confirmed) => writeln!(
            f,
            "{confirmed:>7}  are confirmed by step-down max-T within strata; {} are not",
            called.atoms - confirmed
        ),
    }
}
