//! Which atoms hold, and which of them deserve a caution.

use std::fmt::{Formatter, Result};

use super::{is_significant, many, odds_text, p_text, significant};
use crate::stats::evidence::{AtomCounts, Evidence, Exchange, LEVEL};

/// How many atoms are told in full.
const TOLD: usize = 10;

/// Below this expected count a chi-square test is rough.
const SPARSE: f64 = 5.0;

/// How many atoms each procedure leaves, the strictest first.
pub(super) fn survivors(f: &mut Formatter<'_>, evidence: &Evidence) -> Result {
    let adjusted = &evidence.fisher;
    writeln!(
        f,
        "{} true and {} false calls; of {} atoms {} fire on at least {} calls and can be tested.\n",
        evidence.tp,
        evidence.fp,
        evidence.atoms.len(),
        adjusted.tests,
        evidence.options.min_support
    )?;
    writeln!(
        f,
        "Atoms that lean to true or to false calls, the strictest claim first:"
    )?;
    let line =
        |f: &mut Formatter<'_>, count: usize, claim: &str| writeln!(f, "{count:>7}  {claim}");
    if let Some(permutations) = &evidence.permutations {
        let how = match evidence.options.block {
            Exchange::Call => "labels change places within strata",
            Exchange::Locus => "labels of whole loci change places within strata",
            Exchange::Sample => "labels rotate along the genome within each dataset and stratum",
        };
        let claim = format!(
            "max-T: no false one among them with 95 % confidence, their dependence taken into \
             account\n         ({} permutations; {how}; the smallest p that can be had is {:.1e})",
            permutations.count,
            1.0 / (permutations.count + 1) as f64
        );
        let count = permutations.atoms.iter().filter(|max_t| max_t.p < LEVEL);
        line(f, count.count(), &claim)?;
    }
    line(
        f,
        significant(&adjusted.holm),
        "Holm: the same claim, whatever the dependence",
    )?;
    line(
        f,
        significant(&adjusted.by),
        "Benjamini-Yekutieli: at most 5 % of them false, whatever the dependence",
    )?;
    line(
        f,
        significant(&evidence.cmh.bh),
        &format!(
            "Cochran-Mantel-Haenszel, adjusted for {}, FDR 5 %",
            strata_text(evidence)
        ),
    )?;
    line(
        f,
        significant(&adjusted.bh),
        "Fisher's exact test, Benjamini-Hochberg, FDR 5 %",
    )?;
    let claim = format!(
        "Storey's q < 5 % (estimated share of atoms without any association: {:.0} %)",
        100.0 * adjusted.null_share
    );
    line(f, significant(&adjusted.storey), &claim)
}

fn strata_text(evidence: &Evidence) -> String {
    let scheme = evidence.scheme.to_string();
    if scheme == "none" {
        "nothing (one stratum)".to_owned()
    } else {
        format!("{} ({} strata)", scheme.replace(',', ", "), evidence.strata)
    }
}

/// The atoms with the smallest p-values, each in a sentence.
pub(super) fn strongest(f: &mut Formatter<'_>, evidence: &Evidence) -> Result {
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
fn by_strength(evidence: &Evidence) -> Vec<usize> {
    let tested = |atom: &usize| evidence.fisher.bh[*atom].is_some();
    let mut order: Vec<usize> = (0..evidence.atoms.len()).filter(tested).collect();
    let ln_p = |&atom: &usize| evidence.atoms[atom].fisher.p.ln();
    order.sort_by(|a, b| ln_p(a).total_cmp(&ln_p(b)));
    order
}

fn one(f: &mut Formatter<'_>, evidence: &Evidence, atom: usize) -> Result {
    let counts = &evidence.atoms[atom];
    let side = if counts.log_odds.value > 0.0 {
        "true"
    } else {
        "false"
    };
    write!(
        f,
        "  atom {atom} leans to {side} calls: odds ratio {}, {}",
        odds_text(&counts.log_odds),
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
        None => write!(f, "; within strata no odds ratio can be had")?,
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

/// What the bootstrap draws.
fn blocks_text(evidence: &Evidence) -> &'static str {
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

fn is_heterogeneous(counts: &AtomCounts) -> bool {
    let test = counts.stratified.breslow_day_tarone;
    test.is_some_and(|test| test.p.p() < LEVEL)
}

fn fails_max_t(evidence: &Evidence, atom: usize) -> bool {
    let permutations = evidence.permutations.as_ref();
    permutations.is_some_and(|permutations| permutations.atoms[atom].p >= LEVEL)
}

fn cautions_of(evidence: &Evidence, atom: usize, counts: &AtomCounts) -> Vec<&'static str> {
    let cautions = [
        (
            counts.stratified.sign_flip,
            "within strata it leans to the other side: the strata, not the label, make it fire",
        ),
        (
            !is_significant(evidence.cmh.bh[atom]),
            "nothing certain is left within strata",
        ),
        (
            is_heterogeneous(counts),
            "the strata disagree (Breslow-Day-Tarone p < 0.05), so one odds ratio does not tell all",
        ),
        (
            is_sparse(counts),
            "a sparse table (an expected count below 5): believe the exact test, not the size of \
             the odds ratio",
        ),
        (fails_max_t(evidence, atom), "max-T does not confirm it"),
    ];
    let there = cautions.into_iter().filter(|(is, _)| *is);
    there.map(|(_, caution)| caution).collect()
}

/// How many of the atoms that are called deserve which caution.
pub(super) fn cautions(f: &mut Formatter<'_>, evidence: &Evidence) -> Result {
    let called: Vec<usize> = (0..evidence.atoms.len())
        .filter(|&atom| is_significant(evidence.fisher.bh[atom]))
        .collect();
    if called.is_empty() {
        return Ok(());
    }
    let count = |is: &dyn Fn(usize) -> bool| called.iter().filter(|&&atom| is(atom)).count();
    let flips = count(&|atom| evidence.atoms[atom].stratified.sign_flip);
    let lost = count(&|atom| !is_significant(evidence.cmh.bh[atom]));
    let unlike = count(&|atom| is_heterogeneous(&evidence.atoms[atom]));
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
        "{flips:>7}  lean to the other side within strata (Simpson's paradox)"
    )?;
    writeln!(
        f,
        "{unlike:>7}  differ between strata (Breslow-Day-Tarone p < 0.05, unadjusted: 5 in 100 would by \
         chance,\n         more where strata are sparse)"
    )?;
    writeln!(
        f,
        "{sparse:>7}  have a sparse table (an expected count below 5)"
    )?;
    if evidence.permutations.is_some() {
        let fail = count(&|atom| fails_max_t(evidence, atom));
        writeln!(
            f,
            "{:>7}  are confirmed by max-T; {fail} are not: at most 5 % of all that are called need \
             be false, but any single one of these may be",
            called.len() - fail
        )?;
    }
    Ok(())
}
