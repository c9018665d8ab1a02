//! Files of the tables beside the notebook's.

use std::io;

use crate::error::Result;
use crate::report::table::{parquet, tsv};
use crate::report::tables;
use crate::stats::evidence::Evidence;
use crate::stats::pairs::Pairs;
use crate::write::set::OutputSet;

/// All files that a run may write of them: what it does not write must not stay from an earlier one.
const NAMES: [&str; 8] = [
    "atoms",
    "atom_types",
    "atom_sizes",
    "atom_chromosomes",
    "atom_datasets",
    PAIRS,
    "replication",
    "replication_summary",
];

/// The table of pairs, which is made and written in parts.
const PAIRS: &str = "atom_pairs";

/// The table that is written as text too.
const AS_TEXT: &str = "atoms";

/// Writes the tables, and removes those of an earlier run that this one does not have.
pub(super) fn write(evidence: Option<&Evidence>, files: &mut OutputSet) -> Result<()> {
    let tables = evidence.map(tables::of).unwrap_or_default();
    for table in &tables {
        files.add(&format!("{}.parquet", table.name), |out| {
            parquet::write(table, out)
        })?;
    }
    let pairs = evidence.and_then(|evidence| evidence.pairs.as_ref());
    if let Some(pairs) = pairs {
        files.add(&format!("{PAIRS}.parquet"), |out| write_pairs(pairs, out))?;
    }
    for name in NAMES {
        let table = tables.iter().find(|table| table.name == name);
        if table.is_none() && (name != PAIRS || pairs.is_none()) {
            files.remove(&format!("{name}.parquet"));
        }
        match table.filter(|_| name == AS_TEXT) {
            Some(table) => files.add(&format!("{name}.tsv"), |out| tsv::write(table, out))?,
            None if name == AS_TEXT => files.remove(&format!("{name}.tsv")),
            None => {}
        }
    }
    Ok(())
}

fn write_pairs(pairs: &Pairs, out: &mut dyn io::Write) -> io::Result<()> {
    let mut writer = parquet::Writer::begin(&tables::pairs(pairs.chunk(0..0)), out)?;
    for start in (0..pairs.len()).step_by(parquet::GROUP) {
        let end = pairs.len().min(start + parquet::GROUP);
        writer.add(&tables::pairs(pairs.chunk(start..end)))?;
    }
    writer.finish()
}
