//! The text about atoms' scores, in which atoms do not compete for places.

use std::fmt::{Formatter, Result};

use super::claims;
use crate::report::text::numbers::{
    claimed_by, figure, interval, label, many, p_text, signed, verb,
};
use crate::stats::evidence::summary::{Findings, ScoredAtom};

/// Writes what the scores say, if they were compared.
pub(super) fn section(f: &mut Formatter<'_>, findings: &Findings) -> Result {
    let Some(found) = &findings.scores else {
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
    for claim in &found.claims {
        claims::claim(f, claim, None)?;
    }
    let by = claimed_by(found.procedure);
    writeln!(
        f,
        "Of the {} called by firing within strata by {by}, {} by score to the same side (Holm); the \
         others\n({}) may have lost or won their places to others alone.",
        many(found.called, "atom"),
        verb(
            &found.agreeing.to_string(),
            found.agreeing,
            "differs",
            "differ"
        ),
        found.called - found.agreeing
    )?;
    for atom in &found.strongest {
        one(f, atom)?;
    }
    if found.rough > 0 {
        writeln!(
            f,
            "Of {} the p-value is rough: few calls of the rarer label, or many equal scores (rank_rough \
             in atom_scores).",
            many(found.rough, "atom")
        )?;
    }
    Ok(())
}

fn one(f: &mut Formatter<'_>, atom: &ScoredAtom) -> Result {
    write!(
        f,
        "  atom {} scores higher on {} calls: {}",
        atom.atom,
        label(atom.side),
        p_text(atom.neg_log10_p)
    )?;
    if let Some(auroc) = atom.auroc_within {
        write!(f, "; AUROC within strata {}", figure(auroc))?;
    }
    if let Some((difference, ends)) = atom.mean_difference {
        let (difference, ends) = (signed(difference), interval(ends));
        write!(f, "; mean difference {difference} ({ends})")?;
    }
    writeln!(f, ".")
}
