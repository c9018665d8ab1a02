//! INFO keys of a VCF from what a folder of results says of single calls.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::keys::Keys;
use crate::analysis::outputs::CALL_ATOMS;
use crate::cohort::{Call, Calls, Number};
use crate::error::{Choice, Error, Proposal, Result};
use crate::read::benchmark::RowIdentities;

/// The table of `--predict`, and its column of chances.
const PREDICTIONS: &str = "call_predictions.parquet";
#[cfg(feature = "parquet")]
const CHANCE: &str = "p_false_both";

/// The columns that are read, in the order of [`Line`].
const COLUMNS: [&str; 11] = [
    "row", "chrom", "pos", "id", "svtype", "svlen", "label", "reason", "claim", "atoms", "log_or",
];

/// The calls of a folder of results.
#[derive(Debug, Default)]
pub(super) struct KnownCalls {
    /// The identity that each call gives itself.
    pub(super) identities: RowIdentities,
    /// The keys of all calls, one after another, without what divides them from other keys.
    keys: Vec<u8>,
    /// The end of each call's keys.
    ends: Vec<usize>,
    /// The keys that any call has.
    pub(super) used: Keys,
}

impl KnownCalls {
    /// Reads the calls of a folder of results.
    ///
    /// # Errors
    /// A folder without what is needed, and files that cannot be read or are no such tables.
    pub(super) fn read(results: &Path) -> Result<Self> {
        let path = results.join(CALL_ATOMS);
        if !path.is_file() {
            return Err(Error::input(
                results.display().to_string(),
                CALL_ATOMS,
                "no such file",
                "the results of analyze, with each call's atoms",
                "run analyze again with the firing sets saved",
            )
            .proposing([Proposal::of(Choice::SaveFires)]));
        }
        let chances = Chances::read(&results.join(PREDICTIONS))?;
        let mut found = Self::default();
        let mut calls = Calls::default();
        let mut table = Table::open(&path)?;
        while let Some([row, chrom, pos, id, svtype, svlen, rest @ ..]) = table.next()? {
            calls.push(&Call {
                chrom,
                pos: number(pos),
                svtype,
                svlen: number(svlen),
                truvari_class: rest[0],
                id,
                ..Call::default()
            });
            let chance = row.and_then(|row| chances.as_ref()?.of_row(row.parse().ok()?));
            let [label, reason, claim, atoms, log_or] = rest;
            let texts = [label, reason, atoms, log_or];
            found.used.add(&mut found.keys, texts, chance);
            found.used.note_claim(claim);
            found.ends.push(found.keys.len());
        }
        found.identities = RowIdentities::of_calls(calls);
        Ok(found)
    }

    /// Returns the keys of a call with their values, as they stand in INFO.
    pub(super) fn keys(&self, call: usize) -> &[u8] {
        let start = call.checked_sub(1).and_then(|before| self.ends.get(before));
        let end = self.ends.get(call).copied().unwrap_or_default();
        let start = start.copied().unwrap_or_default();
        self.keys.get(start..end).unwrap_or_default()
    }
}

fn number(text: Option<&str>) -> Number {
    Number::Int(text.and_then(|text| text.parse().ok()).unwrap_or_default())
}

/// The table of calls, line by line.
struct Table {
    path: PathBuf,
    lines: BufReader<File>,
    line: Vec<u8>,
    number: u64,
    /// The place of each column.
    places: [usize; COLUMNS.len()],
    /// The columns of the header.
    width: usize,
}

impl Table {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::reading(path, error))?;
        let mut table = Self {
            path: path.to_owned(),
            lines: BufReader::with_capacity(1 << 18, file),
            line: Vec::new(),
            number: 0,
            places: [0; COLUMNS.len()],
            width: 0,
        };
        table.advance()?;
        let header = String::from_utf8_lossy(&table.line).into_owned();
        let names: Vec<&str> = header.split('\t').collect();
        for (name, place) in COLUMNS.into_iter().zip(&mut table.places) {
            let found = names.iter().position(|column| *column == name);
            let Some(found) = found else {
                return Err(table.bad(&format!("no column {name}")));
            };
            *place = found;
        }
        table.width = names.len();
        Ok(table)
    }

    /// Reads the next line; `false` after the last.
    fn advance(&mut self) -> Result<bool> {
        self.line.clear();
        let read = self.lines.read_until(b'\n', &mut self.line);
        let count = read.map_err(|error| Error::reading(&self.path, error))?;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        }
        self.number += 1;
        Ok(count > 0)
    }

    /// The columns of the next line; a missing value is `None`.
    fn next(&mut self) -> Result<Option<[Option<&str>; COLUMNS.len()]>> {
        if !self.advance()? {
            return Ok(None);
        }
        let Ok(line) = std::str::from_utf8(&self.line) else {
            return Err(self.bad("bytes that are no text"));
        };
        let fields: Vec<&str> = line.split('\t').collect();
        if fields.len() != self.width {
            return Err(self.bad(&format!("{} columns", fields.len())));
        }
        let field = |place: usize| fields.get(place).copied().filter(|text| *text != "NA");
        Ok(Some(self.places.map(field)))
    }

    fn bad(&self, found: &str) -> Error {
        Error::input(
            self.path.display().to_string(),
            format!("line {}", self.number),
            found,
            format!("columns {}, divided by tabs", COLUMNS.join(", ")),
            "make the results again: the table was changed, or another version wrote it",
        )
    }
}

/// The chance that a call is false, by the cohort's row.
#[cfg_attr(not(feature = "parquet"), allow(dead_code))]
struct Chances(std::collections::HashMap<u64, f64>);

impl Chances {
    /// Reads them; `None` where the label was not predicted.
    #[cfg(feature = "parquet")]
    fn read(path: &Path) -> Result<Option<Self>> {
        if !path.is_file() {
            return Ok(None);
        }
        let [rows, chances] = ["row", CHANCE].map(|name| crate::read::column(path, name));
        let (rows, chances) = (rows?, chances?);
        let of = |at: usize| {
            let row = rows.get(at)?.parse().ok()?;
            Some((row, chances.get(at)?.parse().ok()?))
        };
        let all = (0..rows.len()).filter_map(of).collect();
        Ok(Some(Self(all)))
    }

    /// Without Parquet there are none.
    #[cfg(not(feature = "parquet"))]
    #[expect(clippy::unnecessary_wraps, reason = "as where Parquet is built in")]
    fn read(_: &Path) -> Result<Option<Self>> {
        Ok(None)
    }

    fn of_row(&self, row: u64) -> Option<f64> {
        self.0
            .get(&row)
            .copied()
            .filter(|chance| chance.is_finite())
    }
}
