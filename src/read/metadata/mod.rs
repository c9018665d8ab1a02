//! Calls in a table of their own: CSV, TSV, JSON lines (each also compressed by gzip), Parquet or Arrow.
//! The content determines the format, never the name.

#[cfg(feature = "parquet")]
mod arrow;
mod columns;
mod delimited;
mod foreign;
pub(super) mod gzip;
mod json_lines;
mod look;
#[cfg(feature = "parquet")]
pub(super) mod parquet;
mod text;

#[cfg(feature = "parquet")]
use std::collections::BTreeMap;
use std::path::Path;

use super::budget::{Budget, NAME};
use super::fields::{COUNT, Gathered, NAMES, NoNumber, is_number, usual};
use super::naming::{CLASS, ID, Naming};
use super::sniff;
use super::source::{Source, Stamp};
use crate::cohort::{Calls, ClassColumn, ClassRule, TextColumn};
use crate::error::{Choice, Error, Proposal, Result};
pub use columns::{CallTable, CallValue, ReadCalls, read_call_file, read_call_table};
pub(super) use look::Look;
use text::Text;

/// The name of the thread in which Parquet is parsed. A program can silence its panics by this
/// name, since they become errors.
pub const PARSER_THREAD: &str = "atomscope-parquet";

/// The endings of tables that are looked for in the embeddings' folder; text also with `.gz`.
pub(super) const SUFFIXES: [&str; 5] = [".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"];

/// The calls of a table, and remarks on them.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) calls: Calls,
    /// True if the table has a column of IDs.
    pub(super) has_ids: bool,
    /// True if the table has the column of classes.
    pub(super) has_classes: bool,
    /// Sentences about what is odd in the calls.
    pub(super) warnings: Vec<String>,
    /// The file's stamp when it was opened.
    pub(super) stamp: Option<Stamp>,
}

/// The facts of a table other than its calls.
#[derive(Debug)]
pub(super) struct Outline {
    /// The format's name.
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
        let source = Self::open(path)?;
        let budget = Budget::of(&source).beside(rows);
        Self::read_within(&source, (rows, embeddings), rule, Naming::of(rule), budget)
    }

    /// The same, with columns by other names, of a table whose own number of rows that is.
    pub(super) fn read_by(
        path: &Path,
        rows: usize,
        words: &str,
        rule: &ClassRule,
        naming: Naming<'_>,
    ) -> Result<Self> {
        let source = Self::open(path)?;
        Self::read_within(&source, (rows, words), rule, naming, Budget::of(&source))
    }

    fn open(path: &Path) -> Result<Source> {
        foreign::refuse_folder(path)?;
        Source::open(path)
    }

    fn read_within(
        source: &Source,
        (rows, embeddings): (usize, &str),
        rule: &ClassRule,
        naming: Naming<'_>,
        budget: Budget,
    ) -> Result<Self> {
        if rows == 0 && text::is_blank(source)? {
            return Ok(Self::of_nothing(source));
        }
        let mut sink = Sink::new(source, rows, naming);
        sink.budget = budget;
        let outline = read(source, &mut sink)?;
        // An empty table is right for embeddings without rows, whatever its columns.
        let of_nothing = rows == 0 && outline.rows == 0;
        sink.check_columns(&outline, of_nothing, rule)?;
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
        let path = source.path();
        let file = path.file_name().unwrap_or(path.as_os_str());
        let has = |field: usize| sink.has(field);
        Ok(Self {
            warnings: sink.warnings(&file.to_string_lossy(), &outline, of_nothing),
            has_ids: has(ID),
            has_classes: of_nothing || has(CLASS),
            calls: sink.gathered.calls,
            stamp: source.stamp(),
        })
    }

    /// Makes a table without even a header, for embeddings without a row.
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

/// Counts the calls of a table.
///
/// # Errors
/// A file that is no table, or that cannot be read.
pub(super) fn count(path: &Path) -> Result<usize> {
    Ok(columns_and_count(path)?.1)
}

/// Returns the names of a table's columns, and the number of its calls.
///
/// # Errors
/// As [`count`].
pub(crate) fn columns_and_count(path: &Path) -> Result<(Vec<String>, usize)> {
    foreign::refuse_folder(path)?;
    let source = Source::open(path)?;
    if text::is_blank(&source)? {
        return Ok((Vec::new(), 0));
    }
    let outline = read(&source, &mut Sink::new(&source, 0, Naming::default()))?;
    Ok((outline.columns, outline.rows))
}

/// Reads one column of a table of so many rows as text.
///
/// # Errors
/// A table that cannot be read; a column whose values are no numbers or text.
pub(super) fn texts(path: &Path, column: &str, rows: usize) -> Result<TextColumn> {
    let source = Source::open(path)?;
    let rule = ClassRule::new(Some(column), &[]);
    let mut sink = Sink::new(&source, rows, Naming::of(&rule));
    // That is the column of classes, and no other is read.
    sink.enough = Some(usize::MAX);
    read(&source, &mut sink)?;
    Ok(sink.gathered.calls.truvari_class)
}

/// Reads one column of a table as text, whatever its number of rows.
///
/// # Errors
/// As [`texts`].
#[cfg(feature = "parquet")]
pub(crate) fn column(path: &Path, name: &str) -> Result<TextColumn> {
    texts(path, name, count(path)?)
}

/// Returns the texts that a Parquet file has of itself, by their keys.
///
/// # Errors
/// A file that cannot be read, or is no Parquet.
#[cfg(feature = "parquet")]
pub(crate) fn file_texts(path: &Path) -> Result<BTreeMap<String, String>> {
    parquet::file_texts(&Source::open(path)?)
}

/// Returns the columns of a table that hold no field, with their values in the first calls. Columns
/// that cannot be read are left out.
pub(super) fn other_columns(path: &Path) -> Result<Vec<ClassColumn>> {
    const MOST_COLUMNS: usize = 100;
    const MOST_CALLS: usize = 10_000;
    let source = Source::open(path)?;
    let mut first = Sink::new(&source, 0, Naming::default());
    // A line of JSON may lack keys that others have.
    first.enough = Some(1000);
    let outline = read(&source, &mut first)?;
    let others = outline.columns.into_iter();
    let others = others.filter(|name| Naming::default().field(name).is_none());
    let column = |name: String| {
        let rule = ClassRule::new(Some(&name), &[]);
        let rows = outline.rows;
        let is_parquet = matches!(outline.format, "Parquet" | "Arrow");
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

/// Returns the advice for a table of which no column is known.
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
        #[cfg(feature = "parquet")]
        return parquet::read(source, sink);
        #[cfg(not(feature = "parquet"))]
        return Err(Error::input(
            source.name(),
            "the file's beginning",
            "a Parquet table, which this build leaves out",
            "a table as text",
            "build with the feature parquet, or save the table as CSV",
        ));
    }
    #[cfg(feature = "parquet")]
    if super::lists::is_arrow(&head, source.len()) {
        return arrow::read(source, sink);
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

/// The destination of calls as they are read. Calls beyond the wanted number are counted but not
/// kept, since a small file can claim any number of them.
struct Sink<'a> {
    source: &'a Source,
    gathered: Gathered,
    budget: Budget,
    /// True if what is beyond the budget is left out, and is no error.
    sums_up: bool,
    /// The most calls that are kept.
    most: usize,
    /// The number of calls after which reading ends; `None` reads all.
    enough: Option<usize>,
    naming: Naming<'a>,
    /// Fields that the table has.
    seen: [bool; COUNT],
    /// Columns that hold a field under another name while the field's own name is there too.
    passed_over: Vec<String>,
}

impl<'a> Sink<'a> {
    fn new(source: &'a Source, most: usize, naming: Naming<'a>) -> Self {
        Self {
            source,
            gathered: Gathered::default(),
            budget: Budget::of(source),
            sums_up: false,
            most,
            enough: None,
            naming,
            seen: [false; COUNT],
            passed_over: Vec::new(),
        }
    }

    /// Checks what the calls take, after each that is kept.
    fn kept(&mut self, row: usize) -> Result<()> {
        match self.gathered.check(row, &self.budget) {
            Err(_) if self.sums_up => {
                self.most = 0;
                Ok(())
            }
            other => other,
        }
    }

    /// Counts the names of columns, before there is a list of them.
    fn take_columns(&mut self, names: usize, letters: usize, place: &str) -> Result<()> {
        let bytes = (names as u64).saturating_mul(NAME);
        let bytes = bytes.saturating_add(letters as u64);
        self.budget.take(bytes, place, &format!("{names} columns"))
    }

    /// Checks that all rows which a table by columns claims can be kept, before any is.
    #[cfg(feature = "parquet")]
    fn check_claimed(&self, rows: usize) -> Result<()> {
        let place = "the number of rows";
        self.budget.check_rows(rows, place, "calls")
    }

    fn has(&self, field: usize) -> bool {
        self.seen.get(field) == Some(&true)
    }

    /// Checks that the table has the column of classes that is asked for, and any field at all.
    fn check_columns(&self, outline: &Outline, of_nothing: bool, rule: &ClassRule) -> Result<()> {
        if !of_nothing && !self.has(CLASS) && rule.column() != ClassRule::COLUMN {
            return Err(Error::input(
                self.source.name(),
                "the columns",
                listed(&outline.columns),
                format!("the column of classes, {}", rule.column()),
                "name a column that is there",
            )
            .proposing([Proposal::of(Choice::ClassColumn)]));
        }
        if of_nothing || self.seen.contains(&true) {
            return Ok(());
        }
        Err(Error::input(
            self.source.name(),
            "the columns",
            listed(&outline.columns),
            format!("at least one of {}", usual().join(", ")),
            advice(&outline.columns),
        ))
    }

    /// Sentences on what is odd in the calls.
    fn warnings(&self, file: &str, outline: &Outline, of_nothing: bool) -> Vec<String> {
        let mut warnings = self.gathered.warnings(file);
        warnings.extend(self.passed_over.iter().map(|name| {
            format!("{file}: the column {name} is passed over, since there is one of that field's own name")
        }));
        if !of_nothing && !self.has(CLASS) {
            warnings.push(format!(
                "{file}: there is no column truvari_class (there are {}), so that every call counts as \
                 false: name the column with the truth benchmark's classes so",
                listed(&outline.columns)
            ));
        }
        warnings
    }

    fn is_enough(&self, rows: usize) -> bool {
        self.enough.is_some_and(|enough| rows >= enough)
    }

    /// Records which fields the columns hold.
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

    /// Makes the error of a field whose value has the wrong kind.
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

/// Lists names, for a message.
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
