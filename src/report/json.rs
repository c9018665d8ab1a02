//! The results in the form that programs read.

use std::io::{self, Write};

use crate::python::repr;
use crate::stats::notebook::{AtomBias, Investigation, NotebookTables};

/// `top_biased_features.json`, as Python's `json.dump(…, indent=2)` writes the notebook's
/// structure: no line end after the last brace.
pub fn top_biased(findings: &NotebookTables, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\n  \"top_tp_biased\": ")?;
    records(&findings.highest_odds, out)?;
    write!(out, ",\n  \"top_fp_biased\": ")?;
    records(&findings.lowest_odds, out)?;
    write!(out, "\n}}")
}

fn records(atoms: &[AtomBias], out: &mut dyn Write) -> io::Result<()> {
    if atoms.is_empty() {
        return write!(out, "[]");
    }
    let mut before = "[";
    for atom in atoms {
        write!(out, "{before}\n    {{\n      \"atom\": {},", atom.atom)?;
        write!(out, "\n      \"odds\": {},", repr(atom.odds))?;
        write!(out, "\n      \"support\": {},", atom.support)?;
        write!(out, "\n      \"TP_on\": {},", atom.tp_on)?;
        write!(out, "\n      \"FP_on\": {}\n    }}", atom.fp_on)?;
        before = ",";
    }
    write!(out, "\n  ]")
}

/// The investigations of single atoms, a list of objects with the fields of [`Investigation`];
/// `bias` is `null` for an atom that is not in the table.
pub fn investigations(found: &[Investigation], out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, found)?;
    writeln!(out)
}
