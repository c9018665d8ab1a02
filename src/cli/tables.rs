//! Files of the tables beside the notebook's.

use std::collections::HashSet;
use std::io;

use rayon::prelude::*;

use crate::error::Result;
use crate::report::table::{Table, parquet, tsv};
use crate::report::tables;
use crate::stats::evidence::Evidence;
use crate::stats::pairs::Pairs;
use crate::write::set::OutputSet;

/// All files that a run may write of them: what it does not write must not stay from an earlier one.
const NAMES: [&str; 9] = [
    "atoms",
    "atom_scores",
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
    let pairs = evidence.and_then(|evidence| evidence.pairs.as_ref());
    // Each is encoded by a thread of its own, and then written: there is little to write.
    let parquet = |table: &Table| {
        encoded(format!("{}.parquet", table.name), |out| {
            parquet::write(table, out)
        })
    };
    let (written, text) = rayon::join(
        || tables.par_iter().map(parquet).collect::<Vec<_>>(),
        || {
            tables
                .iter()
                .filter(|table| table.name == AS_TEXT)
                .map(|table| encoded(format!("{AS_TEXT}.tsv"), |out| tsv::write(table, out)))
                .collect::<Vec<_>>()
        },
    );
    let mut kept = HashSet::new();
    for (name, bytes) in written.into_iter().chain(text) {
        files.add(&name, |out| out.write_all(&bytes?))?;
        kept.insert(name);
    }
    if let Some(pairs) = pairs {
        let name = format!("{PAIRS}.parquet");
        files.add(&name, |out| write_pairs(pairs, out))?;
        kept.insert(name);
    }
    let names = NAMES.iter().map(|name| format!("{name}.parquet"));
    for name in names.chain([format!("{AS_TEXT}.tsv")]) {
        if !kept.contains(&name) {
            files.remove(&name);
        }
    }
    Ok(())
}

/// A file's name, and what is to be in it.
type Encoded = (String, io::Result<Vec<u8>>);

fn encoded(name: String, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Encoded {
    let mut bytes = Vec::new();
    let written = write(&mut bytes);
    (name, written.map(|()| bytes))
}

fn write_pairs(pairs: &Pairs, out: &mut dyn io::Write) -> io::Result<()> {
    let mut writer = parquet::Writer::begin(&tables::pairs(pairs.chunk(0..0)), out)?;
    for start in (0..pairs.len()).step_by(parquet::GROUP) {
        let end = pairs.len().min(start + parquet::GROUP);
        writer.add(&tables::pairs(pairs.chunk(start..end)))?;
    }
    writer.finish()
}
