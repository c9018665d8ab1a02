//! The text about what weakens the results as a whole, in sentences.

use std::fmt::{Formatter, Result};

use crate::cohort::Label;
use crate::report::text::numbers::{claimed_by, figure, label, many, ratio, verb};
use crate::stats::evidence::Exchange;
use crate::stats::evidence::summary::{Caution, Displaced, Findings};

pub(super) fn section(f: &mut Formatter<'_>, findings: &Findings) -> Result {
    if findings.cautions.is_empty() {
        return Ok(());
    }
    writeln!(f, "\nCautions, the heaviest first:")?;
    for found in &findings.cautions {
        writeln!(f, "  - {}", caution(found))?;
        if let Caution::Displaced(found) = found {
            displaced(f, found)?;
        }
    }
    Ok(())
}

/// One caution, in a sentence.
pub(in crate::report) fn caution(caution: &Caution) -> String {
    match *caution {
        Caution::NothingTested => "no atom can be tested.".to_owned(),
        Caution::FewCalls { label, calls } => few_calls(label, calls),
        Caution::Displaced(found) => displacement(&found),
        Caution::SidesChange { atoms, of } => format!(
            "{} to the other side within strata, as certainly (Simpson's paradox).",
            called(atoms, of, "leans", "lean")
        ),
        Caution::Confounded { atoms, of } => format!(
            "{} confounded: the association goes away within strata.",
            called(atoms, of, "is", "are")
        ),
        Caution::NoStrata => {
            "all calls are one stratum, so an atom that goes with a type, a size or a \
                              dataset can look as if it went with the label."
                .to_owned()
        }
        Caution::NotReplicated { atoms, of } => not_replicated(atoms, of),
        Caution::BatchTopK { rows } => batch_top_k(rows),
        Caution::EstimatedThreshold { threshold } => format!(
            "what fires was decided by a threshold of {threshold}, which is not the model's own: it was \
             estimated from these calls, and others would give another."
        ),
        Caution::Dropped { calls, of } => dropped(calls, of),
        Caution::NotByMaxT { atoms, of } => format!(
            "{} not confirmed by max-T: some 5 % of all that are called may be false, and these are \
             the ones that may.",
            called(atoms, of, "is", "are")
        ),
        Caution::TooFewPermutations { count } => too_few_permutations(count),
        Caution::StrataDisagree { atoms, of } => format!(
            "{} odds ratios that differ between strata, which one odds ratio hides.",
            called(atoms, of, "has", "have")
        ),
        Caution::Sparse { atoms, of } => format!(
            "{} a sparse table (an expected count below 5): believe the exact test, not the size of the \
             odds ratio.",
            called(atoms, of, "has", "have")
        ),
        Caution::NearDuplicates { atoms, groups } => near_duplicates(atoms, groups),
        Caution::NoFiringSets => "without firing sets there are no permutations, pairs, sizes or \
                                  places (tally --fires writes them)."
            .to_owned(),
        Caution::TooFewBlocks {
            blocks,
            least,
            exchange,
        } => too_few_blocks(blocks, least, exchange),
        Caution::PairsCut { asked, kept } => format!(
            "{asked} pairs of atoms fire together often enough, which are more than can be kept: only the \
             {kept} most frequent are tested."
        ),
    }
}

/// "3 of the 16 atoms called on all calls at once are".
fn called(atoms: usize, of: usize, one: &str, several: &str) -> String {
    let of = many(of, "atom");
    let subject = format!("{atoms} of the {of} called on all calls at once");
    verb(&subject, atoms, one, several)
}

fn few_calls(of: Label, calls: u64) -> String {
    let calls = calls as usize;
    let are = verb("there", calls, "is", "are");
    let few = many(calls, &format!("{} call", label(of)));
    format!("{are} only {few}, so no odds ratio is known well.")
}

fn displacement(found: &Displaced) -> String {
    let gained_on = match found.side {
        Label::Tp => Label::Fp,
        Label::Fp => Label::Tp,
    };
    format!(
        "what some atoms gain on {} calls others lose there, so an atom without any association is \
         expected at an odds ratio of {}, not at 1.",
        label(gained_on),
        figure(found.within.unwrap_or(found.median).value)
    )
}

fn displaced(f: &mut Formatter<'_>, found: &Displaced) -> Result {
    write!(
        f,
        "    Atoms compete for the places of a call. The median odds ratio of {} atoms is {}",
        found.atoms,
        ratio(&found.median)
    )?;
    if let Some(within) = &found.within {
        write!(f, ", within strata {}", ratio(within))?;
    }
    if found.as_if_independent {
        write!(
            f,
            " (as if atoms were independent, for want of firing sets)"
        )?;
    }
    writeln!(f, ".")?;
    if found.called > 0 {
        let (leaning, by) = (found.leaning, claimed_by(found.procedure));
        let subject = format!("{leaning} of the {}", many(found.called, "atom"));
        let leans = verb("", leaning, "leans", "lean");
        writeln!(
            f,
            "    {subject} called within strata by {by}{leans} to that side."
        )?;
    }
    writeln!(
        f,
        "    The column log_or_centred of atoms takes the median away; --compare scores compares without \
         competition."
    )
}

fn not_replicated(atoms: usize, of: usize) -> String {
    let of = many(of, "atom");
    let subject =
        format!("{atoms} of the {of} discovered in one part of the cohort and tested in the other");
    let are = verb(&subject, atoms, "is", "are");
    format!("{are} not confirmed there.")
}

fn batch_top_k(rows: Option<u64>) -> String {
    let together = match rows {
        None => "all of the cohort's".to_owned(),
        Some(rows) => format!("{rows} at a time"),
    };
    format!(
        "what fires on a call depends on the calls given with it ({together}; batch top-k): among other \
         calls, other atoms would fire on it."
    )
}

fn dropped(calls: u64, of: u64) -> String {
    let subject = format!("{calls} of {of} calls");
    let were = verb(&subject, calls as usize, "was", "were");
    format!(
        "{were} dropped for a NaN or an infinity in the embedding, or for want of a call, and count nowhere."
    )
}

fn too_few_permutations(count: usize) -> String {
    let are = verb(&many(count, "permutation"), count, "is", "are");
    format!("{are} too few for any p below 0.05; take 1000 or more (--permutations).")
}

fn near_duplicates(atoms: usize, groups: usize) -> String {
    format!(
        "{} on nearly the same calls (phi of 0.9 or more), in {}, and are fewer findings than atoms.",
        verb(&many(atoms, "atom"), atoms, "fires", "fire"),
        many(groups, "group")
    )
}

fn too_few_blocks(blocks: u32, least: u32, exchange: Exchange) -> String {
    let what = match exchange {
        Exchange::Sample => ["dataset", "datasets"],
        Exchange::Call | Exchange::Locus => ["locus", "loci"],
    };
    let count = if blocks == 1 {
        format!("1 {}", what[0])
    } else {
        format!("{blocks} {}", what[1])
    };
    format!(
        "{count} cannot be drawn anew: a bootstrap takes {least} or more, and no interval by it is given."
    )
}
