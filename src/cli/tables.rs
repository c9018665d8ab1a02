//! Files of the tables beside the notebook's.

use std::io;

use rayon::prelude::*;

use crate::error::Result;
use crate::outputs::{ATOM_PAIRS, ATOMS_TEXT};
use crate::report::table::{Table, parquet, tsv};
use crate::report::tables;
use crate::stats::evidence::ExtendedTables;
use crate::stats::pairs::Pairs;
use crate::write::set::OutputSet;

/// The table that is written as text too.
const AS_TEXT: &str = "atoms";

/// Writes the tables.
pub(super) fn write(evidence: Option<&ExtendedTables>, files: &mut OutputSet) -> Result<()> {
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
                .map(|table| encoded(ATOMS_TEXT.to_owned(), |out| tsv::write(table, out)))
                .collect::<Vec<_>>()
        },
    );
    for (name, bytes) in written.into_iter().chain(text) {
        files.add(&name, |out| out.write_all(&bytes?))?;
    }
    match pairs {
        Some(pairs) => files.add(ATOM_PAIRS, |out| write_pairs(pairs, out)),
        None => Ok(()),
    }
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
