//! Types of the calls, and atoms that lean to insertions or away from them.

use std::fmt::{Formatter, Result};

use super::{percent, title};
use crate::python;
use crate::stats::notebook::SvTypeBias;
use crate::stats::notebook::svtype::{InsDelAtom, InsDelBias};

pub(super) fn section(f: &mut Formatter<'_>, types: &SvTypeBias) -> Result {
    title(f, "SV Type Bias Analysis", 40)?;
    writeln!(f, "Overall SV type distribution:")?;
    for named in &types.distribution {
        let share = percent(named.count, types.calls);
        writeln!(
            f,
            "  {}: {} ({share:.1}%)",
            python::printable(&named.name),
            named.count
        )?;
    }
    types
        .ins_del
        .as_ref()
        .map_or(Ok(()), |found| ins_del(f, found))
}

fn ins_del(f: &mut Formatter<'_>, found: &InsDelBias) -> Result {
    let line = "-".repeat(70);
    let least = found.min_activations;
    writeln!(
        f,
        "\n INS vs DEL Feature Bias (minimum {least} activations):"
    )?;
    writeln!(
        f,
        "{line}\n{:<6} {:<10} {:<10} {:<10} {:<12}\n{line}",
        "Atom", "INS_count", "DEL_count", "INS_rate", "Bias_score"
    )?;
    if found.compared == 0 {
        return Ok(());
    }
    atoms(f, &found.top_ins)?;
    writeln!(f, "  ...")?;
    atoms(f, &found.top_del)?;
    writeln!(
        f,
        "\nStrong INS-biased features (bias > 0.3): {}",
        found.strong_ins
    )?;
    writeln!(
        f,
        "Strong DEL-biased features (bias < -0.3): {}",
        found.strong_del
    )
}

fn atoms(f: &mut Formatter<'_>, atoms: &[InsDelAtom]) -> Result {
    for atom in atoms {
        writeln!(
            f,
            "{:<6} {:<10} {:<10} {:<10.3} {:<12.3}",
            atom.atom, atom.ins_count, atom.del_count, atom.ins_rate, atom.bias_score
        )?;
    }
    Ok(())
}
