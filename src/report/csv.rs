//! Tables with commas.

use std::io::{self, Write};

use crate::python::repr;
use crate::stats::notebook::{BiasTable, CoActivation};

/// `sae_feature_bias_analysis.csv`, as pandas' `to_csv(index=False)` writes the notebook's
/// table: floats by their `repr`, `True` and `False`. An empty table has its header alone.
pub fn bias(table: &BiasTable, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "atom,TP_on,FP_on,TP_off,FP_off,odds,support,p,fdr_corrected,significant"
    )?;
    for atom in &table.atoms {
        writeln!(
            out,
            "{},{},{},{},{},{},{},{},{},{}",
            atom.atom,
            atom.tp_on,
            atom.fp_on,
            atom.tp_off,
            atom.fp_off,
            repr(atom.odds),
            atom.support,
            repr(atom.p),
            repr(atom.fdr_corrected),
            if atom.significant { "True" } else { "False" }
        )?;
    }
    Ok(())
}

/// `coactivation.csv`: every two different atoms among those with the ten highest and the ten
/// lowest odds. The lower number is `atom_a`. `count` is the number of calls on which both fire (0
/// too), and beside it is the number on which each does. Rows are ordered by count, descending,
/// then by `atom_a`, then by `atom_b`.
pub fn coactivation(found: &CoActivation, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "atom_a,atom_b,count,support_a,support_b")?;
    for pair in &found.all {
        writeln!(
            out,
            "{},{},{},{},{}",
            pair.atom_a, pair.atom_b, pair.count, pair.support_a, pair.support_b
        )?;
    }
    Ok(())
}
