//! The text about the number of atoms that each procedure claims.

use std::fmt::{Formatter, Result};

use crate::report::text::numbers::{figure, first, list, many, percent, verb};
use crate::stats::evidence::Exchange;
use crate::stats::evidence::summary::{
    Claim, Findings, NearDuplicates, PermutationSummary, Procedure, Scope, StrataSummary,
};

pub(super) fn section(f: &mut Formatter<'_>, findings: &Findings) -> Result {
    writeln!(
        f,
        "Atoms that lean to true or to false calls within strata (the exact conditional test{}):",
        strata_text(&findings.strata)
    )?;
    let permutations = findings.permutations.as_ref();
    if let Some(permutations) = permutations.filter(|found| !found.can_call) {
        writeln!(
            f,
            "      -  step-down max-T: {} permutations are too few for any p below 0.05; take 1000 or more",
            permutations.count
        )?;
    }
    claims(f, findings, Scope::WithinStrata)?;
    writeln!(
        f,
        "The same on all calls at once, which may be due to type, size or dataset instead (Fisher's exact \
         test):"
    )?;
    claims(f, findings, Scope::AllCalls)?;
    let found = findings.near_duplicates.as_ref();
    found.map_or(Ok(()), |found| near_duplicates(f, found))
}

fn claims(f: &mut Formatter<'_>, findings: &Findings, scope: Scope) -> Result {
    let claims = findings.claims.iter();
    let mut claims = claims.filter(|claim| claim.scope == scope);
    claims.try_for_each(|claim| self::claim(f, claim, findings.permutations.as_ref()))
}

/// A line with the number of atoms, and what that claims.
pub(super) fn claim(
    f: &mut Formatter<'_>,
    claim: &Claim,
    permutations: Option<&PermutationSummary>,
) -> Result {
    let what = meaning(claim.procedure);
    writeln!(f, "{:>7}  {what}", claim.atoms)?;
    match (claim.procedure, permutations) {
        (Procedure::MaxT, Some(permutations)) => max_t(f, permutations),
        _ => Ok(()),
    }
}

/// The meaning of a procedure's claim.
pub(in crate::report) fn meaning(procedure: Procedure) -> String {
    match procedure {
        Procedure::MaxT => "step-down max-T: no false one among them with 95 % confidence, their \
                            dependence taken into account"
            .to_owned(),
        Procedure::Holm => {
            "Holm: no false one with 95 % confidence, whatever the dependence".to_owned()
        }
        Procedure::BenjaminiYekutieli => {
            "Benjamini-Yekutieli: at most 5 % of them false, whatever the dependence".to_owned()
        }
        Procedure::BenjaminiHochberg => {
            "Benjamini-Hochberg: at most 5 % of them false, where tests \
                                         depend on each other little"
                .to_owned()
        }
        Procedure::Storey { null_share } => format!(
            "Storey's q < 5 % (estimated share of atoms without any association: {})",
            percent(null_share)
        ),
        Procedure::Replicated => {
            "replicated: discovered in one part of the cohort, confirmed in the \
                                  other (FDR 5 % in both, one sign)"
                .to_owned()
        }
    }
}

fn max_t(f: &mut Formatter<'_>, permutations: &PermutationSummary) -> Result {
    let how = match permutations.exchange {
        Exchange::Call => "labels change places within strata",
        Exchange::Locus => "labels of whole loci change places within strata",
        Exchange::Sample => "labels rotate along the genome within each dataset and stratum",
    };
    writeln!(
        f,
        "         ({}; {how}; the smallest p that can be had is {})",
        many(permutations.count, "permutation"),
        figure(permutations.smallest_p)
    )
}

fn strata_text(strata: &StrataSummary) -> String {
    let count = match strata.count {
        1 => "1 stratum".to_owned(),
        count => format!("{count} strata"),
    };
    if strata.by.is_empty() {
        format!("; {count}, as calls are told apart by nothing")
    } else {
        format!("; {count}, by {}", list(&strata.by))
    }
}

/// The number of groups that are described in full.
const GROUPS: usize = 5;

fn near_duplicates(f: &mut Formatter<'_>, found: &NearDuplicates) -> Result {
    if found.groups.is_empty() {
        return Ok(());
    }
    let atoms = found.groups.iter().map(Vec::len).sum();
    writeln!(
        f,
        "Near-duplicates: {} in {} on nearly the same calls (phi of 0.9 or more).",
        many(atoms, "atom"),
        verb(&many(found.groups.len(), "group"), atoms, "fires", "fire")
    )?;
    for group in found.groups.iter().take(GROUPS) {
        writeln!(f, "  atoms {}", first(group))?;
    }
    match found.groups.len().saturating_sub(GROUPS) {
        0 => Ok(()),
        more => writeln!(f, "  and {more} more"),
    }
}
