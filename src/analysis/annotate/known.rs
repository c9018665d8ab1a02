//! INFO keys of a VCF from what a folder of results says of single calls.

use std::path::Path;

use super::keys::Keys;
use crate::analysis::outputs::CALL_ATOMS;
use crate::cohort::{Identity, JoinSide, Label};
use crate::error::{Choice, Error, Proposal, Result};
use crate::read::Source;

/// The table of `--predict`, and its column of chances.
const PREDICTIONS: &str = "call_predictions.parquet";
#[cfg(feature = "parquet")]
const CHANCE: &str = "p_false_both";

/// Bytes that are read at a time, in the order of the file, and in that of another.
const AT_ONCE: u64 = 1 << 16;
const AGAIN: u64 = 1 << 12;

/// The columns that are read.
const COLUMNS: [&str; 11] = [
    "row", "chrom", "pos", "id", "svtype", "svlen", "label", "reason", "claim", "atoms", "log_or",
];

/// The place of the claim among the columns.
const CLAIM: usize = 8;

/// The calls of a folder of results. Of each call the place of its line is held, and no text.
pub(super) struct KnownCalls {
    /// What each call says of itself.
    pub(super) side: JoinSide,
    /// The keys that any call has.
    pub(super) used: Keys,
    table: Table,
    /// Where each call's line begins and ends.
    lines: Vec<[u64; 2]>,
    chances: Option<Chances>,
    /// The keys of the call that was asked for last.
    keys: Vec<u8>,
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
        let mut found = Self {
            side: JoinSide::default(),
            used: Keys::default(),
            table: Table::open(&path)?,
            lines: Vec::new(),
            chances,
            keys: Vec::new(),
        };
        while let Some(place) = found.table.advance()? {
            let columns = found.table.columns()?;
            found.side.push(&identity(&columns));
            found.used.note_claim(columns[CLAIM]);
            let (texts, chance) = values(&columns, found.chances.as_ref());
            found.used.note(texts, chance.is_some());
            found.lines.push(place);
        }
        Ok(found)
    }

    /// Returns the keys of a call with their values, as they stand in INFO.
    ///
    /// # Errors
    /// A table that cannot be read any more.
    pub(super) fn keys(&mut self, call: usize) -> Result<&[u8]> {
        self.keys.clear();
        if let Some(place) = self.lines.get(call) {
            self.table.read_line(*place)?;
            let columns = self.table.columns()?;
            let (texts, chance) = values(&columns, self.chances.as_ref());
            Keys::add(&mut self.keys, texts, chance);
        }
        Ok(&self.keys)
    }

    /// Fails if the table is another than it was.
    pub(super) fn check_unchanged(&self) -> Result<()> {
        self.table.source.check_unchanged()
    }
}

/// Returns what the keys of a call hold: label, reason, atoms, their log odds ratios, and the chance that it
/// is false.
fn values<'a>(
    columns: &Columns<'a>,
    chances: Option<&Chances>,
) -> ([Option<&'a str>; 4], Option<f64>) {
    let [row, .., label, reason, _, atoms, log_or] = *columns;
    let chance = row.and_then(|row| chances?.of_row(row.parse().ok()?));
    ([label, reason, atoms, log_or], chance)
}

/// Says what a call tells of itself.
fn identity<'a>(columns: &Columns<'a>) -> Identity<'a> {
    let [_, chrom, pos, id, svtype, svlen, label, ..] = *columns;
    Identity {
        chrom,
        pos: chrom.map(|_| number(pos)),
        id,
        svtype,
        length: Some(number(svlen).unsigned_abs()),
        label: label.map(|label| Label::of_class(Some(label))),
        ..Identity::default()
    }
}

fn number(text: Option<&str>) -> i64 {
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The table of calls. Lines are read one after another, and then in any order.
struct Table {
    source: Source,
    /// A part of the file, and where it begins.
    part: Vec<u8>,
    part_at: u64,
    /// Where the line that was read last begins and ends.
    line: [u64; 2],
    number: u64,
    /// The place of each column.
    places: [usize; COLUMNS.len()],
    /// The columns of the header.
    width: usize,
}

/// The columns of a line; a missing value is `None`.
type Columns<'a> = [Option<&'a str>; COLUMNS.len()];

impl Table {
    fn open(path: &Path) -> Result<Self> {
        let mut table = Self {
            source: Source::open(path)?,
            part: Vec::new(),
            part_at: 0,
            line: [0; 2],
            number: 0,
            places: [0; COLUMNS.len()],
            width: 0,
        };
        table.advance()?;
        let header = String::from_utf8_lossy(table.text()).into_owned();
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

    /// Reads the next line, and returns where it begins and ends; `None` after the last.
    fn advance(&mut self) -> Result<Option<[u64; 2]>> {
        let start = self.line[1];
        self.number += 1;
        let mut looked_at = 0;
        loop {
            let rest = self.part_from(start);
            let unseen = rest.get(looked_at..).unwrap_or_default();
            let end = unseen.iter().position(|&byte| byte == b'\n');
            if let Some(end) = end {
                self.line = [start, start + (looked_at + end) as u64 + 1];
                return Ok(Some(self.line));
            }
            looked_at = rest.len();
            let is_whole = start + looked_at as u64 == self.source.len();
            if is_whole {
                self.line = [start, self.source.len()];
                return Ok((looked_at > 0).then_some(self.line));
            }
            // A line that is longer than the part was takes a larger one.
            self.read_part(start, AT_ONCE.max(2 * looked_at as u64))?;
        }
    }

    /// Reads a line again.
    fn read_line(&mut self, line: [u64; 2]) -> Result<()> {
        let [start, end] = line;
        if (self.part_from(start).len() as u64) < end - start {
            self.read_part(start, (end - start).max(AGAIN))?;
        }
        self.line = line;
        Ok(())
    }

    fn part_from(&self, start: u64) -> &[u8] {
        let skipped = start.checked_sub(self.part_at);
        let skipped = skipped.and_then(|skipped| usize::try_from(skipped).ok());
        skipped
            .and_then(|skipped| self.part.get(skipped..))
            .unwrap_or_default()
    }

    fn read_part(&mut self, start: u64, length: u64) -> Result<()> {
        let length = length.min(self.source.len().saturating_sub(start));
        self.part.resize(length as usize, 0);
        self.part_at = start;
        self.source.read_at(&mut self.part, start)
    }

    /// Returns the line that was read last, without what ends it.
    fn text(&self) -> &[u8] {
        let [start, end] = self.line;
        let line = self.part_from(start).get(..(end - start) as usize);
        let line = line.unwrap_or_default();
        line.strip_suffix(b"\n").unwrap_or(line)
    }

    /// Splits the line that was read last.
    fn columns(&self) -> Result<Columns<'_>> {
        let Ok(line) = std::str::from_utf8(self.text()) else {
            return Err(self.bad("bytes that are no text"));
        };
        let mut columns = [None; COLUMNS.len()];
        let mut width = 0;
        for (at, text) in line.split('\t').enumerate() {
            width = at + 1;
            let slots = self.places.iter().zip(&mut columns);
            for (_, slot) in slots.filter(|(place, _)| **place == at) {
                *slot = Some(text).filter(|text| *text != "NA");
            }
        }
        if width != self.width {
            return Err(self.bad(&format!("{width} columns")));
        }
        Ok(columns)
    }

    fn bad(&self, found: &str) -> Error {
        Error::input(
            self.source.name(),
            format!("line {}", self.number),
            found,
            format!("columns {}, divided by tabs", COLUMNS.join(", ")),
            "make the results again: the table was changed, or another version wrote it",
        )
    }
}

/// The chance that each call is false, by the cohort's row, ascending.
#[cfg_attr(not(feature = "parquet"), allow(dead_code))]
struct Chances(Vec<(u64, f64)>);

impl Chances {
    /// Reads them; `None` where the label was not predicted.
    #[cfg(feature = "parquet")]
    fn read(path: &Path) -> Result<Option<Self>> {
        if !path.is_file() {
            return Ok(None);
        }
        let rows = parsed(path, "row", u64::MAX)?;
        let chances = parsed(path, CHANCE, f64::NAN)?;
        let mut all: Vec<_> = rows.into_iter().zip(chances).collect();
        all.retain(|(_, chance)| chance.is_finite());
        all.sort_unstable_by_key(|(row, _)| *row);
        Ok(Some(Self(all)))
    }

    /// Without Parquet there are none.
    #[cfg(not(feature = "parquet"))]
    #[expect(clippy::unnecessary_wraps, reason = "as where Parquet is built in")]
    fn read(_: &Path) -> Result<Option<Self>> {
        Ok(None)
    }

    fn of_row(&self, row: u64) -> Option<f64> {
        let at = self.0.binary_search_by_key(&row, |(row, _)| *row).ok()?;
        self.0.get(at).map(|(_, chance)| *chance)
    }
}

/// Reads a column of numbers, with another one for those that are missing.
#[cfg(feature = "parquet")]
fn parsed<N: std::str::FromStr + Copy>(path: &Path, name: &str, missing: N) -> Result<Vec<N>> {
    let texts = crate::read::column(path, name)?;
    let number = |at| texts.get(at).and_then(|text| text.parse().ok());
    Ok((0..texts.len())
        .map(|at| number(at).unwrap_or(missing))
        .collect())
}
