//! What top-k displaces, and what atoms' scores say without it.

use std::fmt::{Formatter, Result};

use super::atoms::can_tell;
use super::{is_significant, many, p_text, significant};
use crate::stats::evidence::{Displacement, ExtendedTables, LEVEL, Permutations};
use crate::stats::inference::Estimate;
use crate::stats::score_comparison::ScoreComparison;

/// How many atoms are told in full.
const TOLD: usize = 10;

/// The caution, where atoms are displaced.
pub(super) fn caution(f: &mut Formatter<'_>, evidence: &ExtendedTables) -> Result {
    let Some(found) = evidence.displacement.filter(|found| found.is_told) else {
        return Ok(());
    };
    writeln!(
        f,
        "\nCaution: atoms compete for the k places of a call, so that what some gain on {} calls others \
         lose there.",
        if side(&found) < 0.0 { "true" } else { "false" }
    )?;
    write!(f, "The median log odds ratio of {} atoms is ", found.atoms)?;
    write!(f, "{}", log_text(&found.median))?;
    if let Some(within) = &found.within {
        write!(f, ", within strata {}", log_text(within))?;
    }
    if found.inflation.is_none() {
        write!(
            f,
            "\n(atoms taken to be independent, as there are no firing sets)"
        )?;
    }
    writeln!(
        f,
        ":\nan atom that has nothing to do with the label is expected there, not at 0."
    )?;
    let called = called(evidence);
    let is_there = |&&atom: &&usize| leans(evidence, atom) == side(&found);
    let leaning = called.iter().filter(is_there).count();
    if !called.is_empty() {
        writeln!(
            f,
            "{leaning} of the {} called within strata by {} {} to that side.",
            many(called.len(), "atom"),
            procedure(evidence),
            if leaning == 1 { "leans" } else { "lean" }
        )?;
    }
    writeln!(
        f,
        "log_or_centred in atoms takes the median away; --compare scores compares without competition."
    )
}

fn log_text(log: &Estimate) -> String {
    format!("{:.2} (95 % {:.2} to {:.2})", log.value, log.low, log.high)
}

fn side(found: &Displacement) -> f64 {
    found.median.value.signum()
}

/// To which side an atom leans by firing: within strata, or where these do not tell, over all calls.
fn leans(evidence: &ExtendedTables, atom: usize) -> f64 {
    let counts = &evidence.atoms[atom];
    let within = counts.stratified.ln_odds_ratio;
    let crude = || counts.log_odds.map(|log_odds| log_odds.value);
    within.or_else(crude).map_or(0.0, f64::signum)
}

/// Permutations that can call an atom.
fn max_t(evidence: &ExtendedTables) -> Option<&Permutations> {
    let permutations = evidence.permutations.as_ref();
    permutations.filter(|permutations| can_tell(permutations))
}

/// The atoms called by the strictest procedure that there is, within strata.
fn called(evidence: &ExtendedTables) -> Vec<usize> {
    let is_called = |&atom: &usize| match max_t(evidence) {
        Some(permutations) => permutations.atoms[atom].p < LEVEL,
        None => is_significant(evidence.cmh.holm[atom]),
    };
    (0..evidence.atoms.len()).filter(is_called).collect()
}

fn procedure(evidence: &ExtendedTables) -> &'static str {
    if max_t(evidence).is_some() {
        "max-T"
    } else {
        "Holm"
    }
}

/// What scores say, where they were compared.
pub(super) fn scores(f: &mut Formatter<'_>, evidence: &ExtendedTables) -> Result {
    let Some(found) = &evidence.scores else {
        return Ok(());
    };
    writeln!(
        f,
        "\nScores without competition (--compare scores): every atom's score on every call, whether it \
         fires or not,\ntrue against false calls within strata (van Elteren's rank test; {} with calls of \
         both labels):",
        if found.strata == 1 {
            "1 stratum".to_owned()
        } else {
            format!("{} strata", found.strata)
        }
    )?;
    for (adjusted, claim) in [
        (
            &found.adjusted.holm,
            "Holm: no false one, whatever the dependence",
        ),
        (
            &found.adjusted.by,
            "Benjamini-Yekutieli: at most 5 % of them false, whatever the dependence",
        ),
        (
            &found.adjusted.bh,
            "Benjamini-Hochberg: at most 5 % of them false, where tests depend on each other little",
        ),
    ] {
        writeln!(f, "{:>7}  {claim}", significant(adjusted))?;
    }
    both(f, evidence, found)?;
    strongest(f, found)?;
    let rough = found
        .atoms
        .iter()
        .filter(|atom| atom.ranks.is_rough)
        .count();
    if rough > 0 {
        writeln!(
            f,
            "Of {} the p-value is rough: few calls of the rarer label, or many equal scores (rank_rough \
             in atom_scores).",
            many(rough, "atom")
        )?;
    }
    Ok(())
}

/// How many of the atoms that are called by firing have the scores to show for it.
fn both(f: &mut Formatter<'_>, evidence: &ExtendedTables, found: &ScoreComparison) -> Result {
    let called = called(evidence);
    let agrees = |&&atom: &&usize| {
        let test = found.atoms[atom].ranks.test;
        let same_side = test.is_some_and(|test| test.statistic * leans(evidence, atom) > 0.0);
        same_side && is_significant(found.adjusted.holm[atom])
    };
    let agree = called.iter().filter(agrees).count();
    writeln!(
        f,
        "Of the {} called by firing within strata by {}, {agree} differ by score to the same side by Holm; \
         the others\n({}) may have lost or won their places to others alone.",
        many(called.len(), "atom"),
        procedure(evidence),
        called.len() - agree
    )
}

fn strongest(f: &mut Formatter<'_>, found: &ScoreComparison) -> Result {
    let mut order: Vec<usize> = (0..found.atoms.len())
        .filter(|&atom| is_significant(found.adjusted.holm[atom]))
        .collect();
    let ln_p = |&atom: &usize| found.atoms[atom].ranks.test.map_or(0.0, |test| test.p.ln());
    order.sort_by(|a, b| ln_p(a).total_cmp(&ln_p(b)));
    for atom in order.into_iter().take(TOLD) {
        let scores = &found.atoms[atom];
        let Some(test) = scores.ranks.test else {
            continue;
        };
        let higher = if test.statistic > 0.0 {
            "true"
        } else {
            "false"
        };
        write!(
            f,
            "  atom {atom} scores higher on {higher} calls: {}",
            p_text(test.p)
        )?;
        if let Some(auroc) = scores.ranks.auroc_within {
            write!(f, "; AUROC within strata {auroc:.3}")?;
        }
        if let (Some(difference), Some([low, high])) =
            (scores.means.difference, scores.means.interval)
        {
            write!(
                f,
                "; mean difference {difference:.3} (95 % {low:.3} to {high:.3})"
            )?;
        }
        writeln!(f, ".")?;
    }
    Ok(())
}
