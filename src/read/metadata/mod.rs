//! The calls in a table of their own: CSV, TSV, JSON lines (each also compressed by gzip) or
//! Parquet. The content tells which, never the name.

mod delimited;
mod json_lines;
mod parquet;
mod text;

use std::path::Path;

use super::fields::{COUNT, Gathered, NAMES, NoNumber, field_of, is_number};
use super::sniff;
use super::source::{Source, Stamp};
use crate::cohort::Calls;
use crate::error::{Error, Result};
pub use parquet::THREAD as PARSER_THREAD;
use text::Text;

/// The endings of tables that are looked for beside embeddings; text also with `.gz`.
pub(super) const SUFFIXES: [&str; 5] = [".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"];

/// The calls of a table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) calls: Calls,
    /// Whether it has a column of IDs.
    pub(super) has_ids: bool,
    /// What is odd about the calls, a sentence each.
    pub(super) warnings: Vec<String>,
    /// What the file was when it was opened.
    pub(super) stamp: Option<Stamp>,
}

/// What a table is, but for its calls.
#[derive(Debug)]
pub(super) struct Outline {
    /// The format, in words.
    pub(super) format: &'static str,
    pub(super) columns: Vec<String>,
    pub(super) rows: usize,
}

impl Table {
    /// Reads a table that must have `rows` calls, one for each row of `embeddings`.
    pub(super) fn read(path: &Path, rows: usize, embeddings: &str) -> Result<Self> {
        let source = Source::open(path)?;
        if rows == 0 && text::is_blank(&source)? {
            return Ok(Self::of_nothing(&source));
        }
        let mut sink = Sink::new(&source, rows);
        let outline = read(&source, &mut sink)?;
        let [.., has_ids] = sink.seen;
        let has = |name: &str| outline.columns.iter().any(|column| column == name);
        // What has no row need not say what its rows would be.
        let of_nothing = rows == 0 && outline.rows == 0;
        if !of_nothing && !NAMES.iter().any(|name| has(name)) {
            return Err(Error::input(
                source.name(),
                "the columns",
                listed(&outline.columns),
                format!("at least one of {}", NAMES.join(", ")),
                advice(&outline.columns),
            ));
        }
        if outline.rows != rows {
            return Err(Error::input(
                source.name(),
                "the number of rows",
                format!("{} calls", outline.rows),
                format!("{rows}, one for each row of {embeddings}"),
                "give the table that was made with these embeddings",
            ));
        }
        source.check_unchanged()?;
        let file = path.file_name().unwrap_or(path.as_os_str());
        let file = file.to_string_lossy();
        let mut warnings = sink.gathered.warnings(&file);
        if !of_nothing && !has("truvari_class") {
            warnings.push(format!(
                "{file}: there is no column truvari_class (there are {}), so that every call counts as \
                 false: name the column with the truth benchmark's classes so",
                listed(&outline.columns)
            ));
        }
        Ok(Self {
            warnings,
            calls: sink.gathered.calls,
            has_ids,
            stamp: source.stamp(),
        })
    }

    /// A table without even a header, of embeddings without a row.
    fn of_nothing(source: &Source) -> Self {
        Self {
            calls: Calls::default(),
            has_ids: false,
            warnings: Vec::new(),
            stamp: source.stamp(),
        }
    }
}

/// What to do about columns none of which is known.
fn advice(columns: &[String]) -> &'static str {
    match columns {
        [only] if only.contains(';') => {
            "separate columns by commas or tabs: in pandas, to_csv(file, index=False)"
        }
        _ => "name the columns so in the first line, as the keys of sv_info are",
    }
}

impl Outline {
    /// Counts a table's rows.
    pub(super) fn read(source: &Source) -> Result<Self> {
        read(source, &mut Sink::new(source, 0))
    }
}

fn read(source: &Source, sink: &mut Sink<'_>) -> Result<Outline> {
    let head = source.head(sniff::HEAD)?;
    if head.starts_with(b"PAR1") {
        return parquet::read(source, sink);
    }
    let text = Text::open(source, &head)?;
    match text.first_line.trim_ascii_start().first() {
        Some(b'{') => json_lines::read(text, sink),
        Some(b'[') => Err(Error::input(
            source.name(),
            "the file's beginning",
            "a JSON list",
            "JSON lines: an object a line, one for each call",
            "save it so: in pandas, to_json(file, orient=\"records\", lines=True)",
        )),
        _ => delimited::read(text, sink),
    }
}

/// Where calls go as they are read. Those beyond the wanted number are counted, and not kept: a
/// small file can say that it has any number of them.
struct Sink<'a> {
    source: &'a Source,
    gathered: Gathered,
    /// Calls that are kept.
    most: usize,
    /// Fields that were there.
    seen: [bool; COUNT],
}

impl<'a> Sink<'a> {
    fn new(source: &'a Source, most: usize) -> Self {
        Self {
            source,
            gathered: Gathered::default(),
            most,
            seen: [false; COUNT],
        }
    }

    fn see(&mut self, field: usize) {
        if let Some(seen) = self.seen.get_mut(field) {
            *seen = true;
        }
    }

    /// The error of a field that has something else than it must.
    fn unlike(&self, place: &str, field: usize, found: String) -> Error {
        let name = NAMES.get(field).copied().unwrap_or_default();
        Error::input(
            self.source.name(),
            format!("{place}, column {name}"),
            found,
            if is_number(field) { "a number" } else { "text" },
            "correct this call and save the file again",
        )
    }
}

/// Names, for a message.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 12;
    match names.get(..SHOWN) {
        _ if names.is_empty() => "no columns".to_owned(),
        Some(first) if names.len() > SHOWN => {
            let more = names.len() - SHOWN;
            format!("the columns {}, and {more} more", first.join(", "))
        }
        _ => format!("the columns {}", names.join(", ")),
    }
}
