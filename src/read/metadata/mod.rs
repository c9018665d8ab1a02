//! The calls in a table of their own: CSV, TSV, JSON lines (each also compressed by gzip) or
//! Parquet. The content tells which, never the name.

mod delimited;
mod foreign;
mod gzip;
mod json_lines;
mod look;
mod parquet;
mod text;

use std::path::Path;

use super::fields::{COUNT, Gathered, NAMES, NoNumber, is_number};
use super::naming::{CLASS, ID, Naming};
use super::sniff;
use super::source::{Source, Stamp};
use crate::cohort::{Calls, ClassColumn, ClassRule};
use crate::error::{Choice, Error, Proposal, Result};
pub(super) use look::Look;
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
    /// Whether it has the column of classes.
    pub(super) has_classes: bool,
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
    pub(super) fn read(
        path: &Path,
        rows: usize,
        embeddings: &str,
        rule: &ClassRule,
    ) -> Result<Self> {
        foreign::refuse_folder(path)?;
        let source = Source::open(path)?;
        if rows == 0 && text::is_blank(&source)? {
            return Ok(Self::of_nothing(&source));
        }
        let mut sink = Sink::new(&source, rows, Naming::of(rule));
        let outline = read(&source, &mut sink)?;
        let has = |field: usize| sink.seen.get(field) == Some(&true);
        // What has no row need not say what its rows would be.
        let of_nothing = rows == 0 && outline.rows == 0;
        if !of_nothing && !has(CLASS) && rule.column() != ClassRule::COLUMN {
            return Err(Error::input(
                source.name(),
                "the columns",
                listed(&outline.columns),
                format!("the column of classes, {}", rule.column()),
                "name a column that is there",
            )
            .proposing([Proposal::of(Choice::ClassColumn)]));
        }
        if !of_nothing && !sink.seen.contains(&true) {
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
        warnings.extend(sink.passed_over.iter().map(|name| {
            format!("{file}: the column {name} is passed over, since there is one of that field's own name")
        }));
        if !of_nothing && !has(CLASS) {
            warnings.push(format!(
                "{file}: there is no column truvari_class (there are {}), so that every call counts as \
                 false: name the column with the truth benchmark's classes so",
                listed(&outline.columns)
            ));
        }
        Ok(Self {
            warnings,
            has_ids: has(ID),
            has_classes: of_nothing || has(CLASS),
            calls: sink.gathered.calls,
            stamp: source.stamp(),
        })
    }

    /// A table without even a header, of embeddings without a row.
    fn of_nothing(source: &Source) -> Self {
        Self {
            calls: Calls::default(),
            has_ids: false,
            has_classes: true,
            warnings: Vec::new(),
            stamp: source.stamp(),
        }
    }
}

/// The columns of a table that are none of the fields, with the values that they have in the first
/// calls; those that cannot be read are left out.
pub(super) fn other_columns(path: &Path) -> Result<Vec<ClassColumn>> {
    const MOST_COLUMNS: usize = 100;
    const MOST_CALLS: usize = 10_000;
    let source = Source::open(path)?;
    let mut first = Sink::new(&source, 0, Naming::default());
    first.enough = Some(1);
    let outline = read(&source, &mut first)?;
    let others = outline.columns.into_iter();
    let others = others.filter(|name| Naming::default().field(name).is_none());
    let column = |name: String| {
        let rule = ClassRule::new(Some(&name), &[]);
        let rows = outline.rows;
        let is_parquet = outline.format == "Parquet";
        let most = if is_parquet { rows } else { MOST_CALLS };
        let mut sink = Sink::new(&source, most, Naming::of(&rule));
        sink.enough = Some(MOST_CALLS);
        read(&source, &mut sink).ok()?;
        let classes = sink.gathered.calls.truvari_class;
        let classes = classes.counts(0..classes.len()).into_iter();
        let classes = classes.map(|(value, calls)| (value.map(str::to_owned), calls));
        Some(ClassColumn {
            name,
            classes: classes.collect(),
        })
    };
    Ok(others.take(MOST_COLUMNS).filter_map(column).collect())
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

fn read(source: &Source, sink: &mut Sink<'_>) -> Result<Outline> {
    let head = source.head(sniff::HEAD)?;
    if head.starts_with(b"PAR1") {
        return parquet::read(source, sink);
    }
    foreign::refuse(source, &head)?;
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
    /// Calls after which nothing more is read; all are, where there is no such number.
    enough: Option<usize>,
    naming: Naming<'a>,
    /// Fields that were there.
    seen: [bool; COUNT],
    /// Columns that are a field by another name than its own, which is there too.
    passed_over: Vec<String>,
}

impl<'a> Sink<'a> {
    fn new(source: &'a Source, most: usize, naming: Naming<'a>) -> Self {
        Self {
            source,
            gathered: Gathered::default(),
            most,
            enough: None,
            naming,
            seen: [false; COUNT],
            passed_over: Vec::new(),
        }
    }

    fn is_enough(&self, rows: usize) -> bool {
        self.enough.is_some_and(|enough| rows >= enough)
    }

    /// Notes which fields columns are.
    fn see_columns(&mut self, names: &[String], fields: &[Option<usize>]) {
        for (name, field) in names.iter().zip(fields) {
            match field {
                Some(field) => self.see(*field),
                None if self.naming.field(name).is_some() => self.passed_over.push(name.clone()),
                None => {}
            }
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
            if is_number(field) {
                "save the field as a number, or leave it empty where it is not known"
            } else {
                "save the field as one text"
            },
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
