//! Which atoms hold, and which of them deserve a caution.

use std::fmt::{Formatter, Result};

use super::{is_significant, many, odds_text, p_text, significant};
use crate::stats::evidence::{AtomCounts, Exchange, ExtendedTables, LEVEL, Permutations, Within};
use crate::stats::inference::PValue;

/// How many atoms are told in full.
const TOLD: usize = 10;

/// Below this expected count a chi-square test is rough.
const SPARSE: f64 = 5.0;

/// How many atoms each procedure leaves: what holds within strata before what may be due to them, the
/// strictest claim first.
pub(super) fn survivors(f: &mut Formatter<'_>, evidence: &ExtendedTables) -> Result {
    let (crude, within) = (&evidence.fisher, &evidence.cmh);
    writeln!(
        f,
        "{} true and {} false calls; of {} atoms {} fire on at least {} calls and can be tested.\n",
        evidence.tp,
        evidence.fp,
        evidence.atoms.len(),
        crude.tests,
        evidence.options.min_support
    )?;
    writeln!(
        f,
        "Atoms that lean to true or to false calls, adjusted for {} (the exact \
         conditional test within strata):",
        strata_text(evidence)
    )?;
    if let Some(permutations) = &evidence.permutations {
        max_t(f, evidence, permutations)?;
    }
    line(
        f,
        &within.holm,
        "Holm: no false one, whatever the dependence",
    )?;
    line(f, &within.by, BENJAMINI_YEKUTIELI)?;
    line(f, &within.bh, BENJAMINI_HOCHBERG)?;
    writeln!(
        f,
        "The same on all calls at once, which may be due to type, size or dataset instead (Fisher's exact \
         test):"
    )?;
    line(
        f,
        &crude.holm,
        "Holm: no false one, whatever the dependence",
    )?;
    line(f, &crude.by, BENJAMINI_YEKUTIELI)?;
    line(f, &crude.bh, BENJAMINI_HOCHBERG)?;
    let claim = format!(
        "Storey's q < 5 % (estimated share of atoms without any association: {:.0} %)",
        100.0 * crude.null_share
    );
    line(f, &crude.storey, &claim)
}

const BENJAMINI_YEKUTIELI: &str =
    "Benjamini-Yekutieli: at most 5 % of them false, whatever the dependence";
const BENJAMINI_HOCHBERG: &str =
    "Benjamini-Hochberg: at most 5 % of them false, where tests depend on each other little";

/// How many are significant, and what that claims.
fn line(f: &mut Formatter<'_>, adjusted: &[Option<PValue>], claim: &str) -> Result {
    writeln!(f, "{:>7}  {claim}", significant(adjusted))
}

fn max_t(f: &mut Formatter<'_>, evidence: &ExtendedTables, permutations: &Permutations) -> Result {
    let how = match evidence.options.block {
        Exchange::Call => "labels change places within strata",
        Exchange::Locus => "labels of whole loci change places within strata",
        Exchange::Sample => "labels rotate along the genome within each dataset and stratum",
    };
    if !can_tell(permutations) {
        return writeln!(
            f,
            "      -  step-down max-T: {} permutations are too few for any p below 0.05; take 1000 or more",
            permutations.count
        );
    }
    let count = permutations.atoms.iter().filter(|max_t| max_t.p < LEVEL);
    writeln!(
        f,
        "{:>7}  step-down max-T: no false one among them with 95 % confidence, their dependence taken into \
         account\n         ({} permutations; {how}; the smallest p that can be had is {:.1e})",
        count.count(),
        permutations.count,
        smallest(permutations)
    )
}

/// The smallest p-value that so many permutations can give.
fn smallest(permutations: &Permutations) -> f64 {
    1.0 / (permutations.count + 1) as f64
}

pub(super) fn can_tell(permutations: &Permutations) -> bool {
    smallest(permutations) < LEVEL
}

fn strata_text(evidence: &ExtendedTables) -> String {
    let scheme = evidence.scheme.to_string();
    if scheme == "none" {
        "nothing (one stratum)".to_owned()
    } else {
        format!("{} ({} strata)", scheme.replace(',', ", "), evidence.strata)
    }
}

/// The atoms with the smallest p-values, each in a sentence.
pub(super) fn strongest(f: &mut Formatter<'_>, evidence: &ExtendedTables) -> Result {
    let order = by_strength(evidence);
    let told: Vec<usize> = order
        .into_iter()
        .filter(|&atom| is_significant(evidence.fisher.bh[atom]))
        .take(TOLD)
        .collect();
    if told.is_empty() {
        return writeln!(
            f,
            "\nNo atom leans to either side at a false discovery rate of 5 %."
        );
    }
    writeln!(
        f,
        "\nThe strongest (odds ratio of firing, true against false calls; each interval is of one atom by \
         itself:\nof thousands the strongest look stronger than they are, and are to be measured again on \
         other calls):"
    )?;
    for atom in told {
        one(f, evidence, atom)?;
    }
    Ok(())
}

/// Tested atoms by Fisher's p-value.
fn by_strength(evidence: &ExtendedTables) -> Vec<usize> {
    let tested = |atom: &usize| evidence.fisher.bh[*atom].is_some();
    let mut order: Vec<usize> = (0..evidence.atoms.len()).filter(tested).collect();
    let ln_p = |&atom: &usize| evidence.atoms[atom].fisher.p.ln();
    order.sort_by(|a, b| ln_p(a).total_cmp(&ln_p(b)));
    order
}

fn one(f: &mut Formatter<'_>, evidence: &ExtendedTables, atom: usize) -> Result {
    let counts = &evidence.atoms[atom];
    // Atoms that are told have one: those without are not tested.
    let Some(log_odds) = counts.log_odds else {
        return Ok(());
    };
    let side = if log_odds.value > 0.0 {
        "true"
    } else {
        "false"
    };
    write!(
        f,
        "  atom {atom} leans to {side} calls: odds ratio {}, {}",
        odds_text(&log_odds),
        p_text(counts.fisher.p)
    )?;
    if let Some(precision) = counts.precision {
        write!(
            f,
            "; {:.0} % of the {} calls on which it fires are true",
            100.0 * precision.value,
            counts.table.fires()
        )?;
    }
    match counts.stratified.adjusted {
        Some(adjusted) => write!(f, "; within strata {}", odds_text(&adjusted))?,
        None => write!(f, "; within strata {}", no_interval(counts))?,
    }
    let drawn = evidence.bootstrap.iter();
    if let Some(found) = drawn.into_iter().find(|found| found.atom as usize == atom) {
        let [low, high] = [found.low, found.high].map(libm::exp);
        write!(
            f,
            "; bootstrap of {} {low:.2} to {high:.2}",
            blocks_text(evidence)
        )?;
    }
    let cautions = cautions_of(evidence, atom, counts);
    if cautions.is_empty() {
        writeln!(f, ".")
    } else {
        writeln!(f, ".\n      Caution: {}.", cautions.join("; "))
    }
}

/// What is said where the strata give no interval.
fn no_interval(counts: &AtomCounts) -> &'static str {
    match counts.stratified.ln_odds_ratio {
        None => "nothing can be told",
        Some(ln) if ln > 0.0 => "infinite, as no stratum has a call against it",
        Some(_) => "zero, as no stratum has a call for it",
    }
}

/// What the bootstrap draws.
fn blocks_text(evidence: &ExtendedTables) -> &'static str {
    match evidence.options.block {
        Exchange::Sample => "datasets",
        Exchange::Call | Exchange::Locus => "loci",
    }
}

fn is_sparse(counts: &AtomCounts) -> bool {
    counts
        .pearson
        .is_some_and(|pearson| pearson.least_expected < SPARSE)
}

fn is_heterogeneous(evidence: &ExtendedTables, atom: usize) -> bool {
    is_significant(evidence.homogeneity.bh[atom])
}

fn is_within(evidence: &ExtendedTables, atom: usize, what: Within) -> bool {
    evidence.within[atom] == Some(what)
}

fn fails_max_t(evidence: &ExtendedTables, atom: usize) -> bool {
    let permutations = evidence.permutations.as_ref();
    let permutations = permutations.filter(|permutations| can_tell(permutations));
    permutations.is_some_and(|permutations| permutations.atoms[atom].p >= LEVEL)
}

fn cautions_of(evidence: &ExtendedTables, atom: usize, counts: &AtomCounts) -> Vec<&'static str> {
    let is_paradox = is_within(evidence, atom, Within::Paradox);
    let is_confounded = is_within(evidence, atom, Within::Confounded);
    let cautions = [
        (
            is_paradox,
            "Simpson's paradox: within strata it leans to the other side, which is as certain",
        ),
        (
            is_confounded,
            "confounded: the association goes away within strata",
        ),
        (
            !is_confounded && !is_significant(evidence.cmh.bh[atom]),
            "nothing certain is left within strata",
        ),
        (
            is_heterogeneous(evidence, atom),
            "the strata disagree (Breslow-Day, given all margins, FDR 5 %), so one odds ratio does not tell all",
        ),
        (
            is_sparse(counts),
            "a sparse table (an expected count below 5): believe the exact test, not the size of \
             the odds ratio",
        ),
        (
            fails_max_t(evidence, atom),
            "step-down max-T does not confirm it",
        ),
    ];
    let there = cautions.into_iter().filter(|(is, _)| *is);
    there.map(|(_, caution)| caution).collect()
}

/// How many of the atoms that are called deserve which caution.
pub(super) fn cautions(f: &mut Formatter<'_>, evidence: &ExtendedTables) -> Result {
    let called: Vec<usize> = (0..evidence.atoms.len())
        .filter(|&atom| is_significant(evidence.fisher.bh[atom]))
        .collect();
    if called.is_empty() {
        return Ok(());
    }
    let count = |is: &dyn Fn(usize) -> bool| called.iter().filter(|&&atom| is(atom)).count();
    let flips = count(&|atom| is_within(evidence, atom, Within::Paradox));
    let confounded = count(&|atom| is_within(evidence, atom, Within::Confounded));
    let lost = count(&|atom| !is_significant(evidence.cmh.bh[atom]));
    let unlike = count(&|atom| is_heterogeneous(evidence, atom));
    let sparse = count(&|atom| is_sparse(&evidence.atoms[atom]));
    writeln!(
        f,
        "\nOf the {} at an FDR of 5 % by Fisher's test and Benjamini-Hochberg:",
        many(called.len(), "atom")
    )?;
    writeln!(
        f,
        "{:>7}  survive adjustment for the strata, {lost} do not",
        called.len() - lost
    )?;
    writeln!(
        f,
        "{confounded:>7}  are confounded: the association goes away within strata (p of 5 % or more there)"
    )?;
    writeln!(
        f,
        "{flips:>7}  lean to the other side within strata, as certainly (Simpson's paradox)"
    )?;
    writeln!(
        f,
        "{unlike:>7}  differ between strata (Breslow-Day, given all margins, FDR 5 %)"
    )?;
    writeln!(
        f,
        "{sparse:>7}  have a sparse table (an expected count below 5)"
    )?;
    if evidence.permutations.as_ref().is_some_and(can_tell) {
        let fail = count(&|atom| fails_max_t(evidence, atom));
        writeln!(
            f,
            "{:>7}  are confirmed by step-down max-T within strata; {fail} are not: of all that are called some 5 % \
             may be false,\n         which of them is not told, and these are the ones that may",
            called.len() - fail
        )?;
    }
    Ok(())
}
