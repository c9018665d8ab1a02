//! The cohort: embeddings, one row a call, and the calls. The calls are in the same torch file as
//! `sv_info`, or in a table of their own.

use std::path::{Path, PathBuf};

use super::activations::{Activations, Opened};
use super::budget::check_rows;
use super::calls::read_calls;
use super::embedding_rows::EmbeddingRows;
use super::embeddings::File;
use super::metadata::{Table, count};
use super::naming::{Naming, svtype};
use super::order::{self, Order};
use super::pickle::Id;
use super::source::{Source, Stamp};
use super::tables_beside::{find_beside, is_own_table};
use super::torch::TorchFile;
use crate::cohort::{Calls, ClassRule, IdColumn};
use crate::error::{Choice, Error, Proposal, Result};
use crate::rows::{EmbeddingsChoice, Rows};

/// Embeddings, or [`Activations`], which stay in the file until they are needed, and their calls.
#[derive(Debug)]
pub struct Cohort<R = EmbeddingRows> {
    /// The embeddings: one row a call.
    pub rows: R,
    /// The calls, in the order of the rows.
    pub calls: Calls,
    /// The file of the calls, if it is not the embeddings' own.
    pub metadata: Option<PathBuf>,
    /// The stamp of that file when it was opened.
    pub(crate) metadata_stamp: Option<Stamp>,
    /// True if any call has a class, or if the table has a column of classes.
    pub has_classes: bool,
    /// Sentences about what is odd in the calls.
    pub warnings: Vec<String>,
    /// Sentences about what could not be checked.
    pub notes: Vec<String>,
}

impl<R> Cohort<R> {
    /// The same cohort with its rows as something else.
    pub(crate) fn with_rows<S>(self, change: impl FnOnce(R) -> S) -> Cohort<S> {
        Cohort {
            rows: change(self.rows),
            calls: self.calls,
            metadata: self.metadata,
            metadata_stamp: self.metadata_stamp,
            has_classes: self.has_classes,
            warnings: self.warnings,
            notes: self.notes,
        }
    }

    /// Notes the rule of which calls are true, and writes SV types as the VCF specification does.
    fn labelled(mut self, rule: &ClassRule) -> Self {
        self.calls.rule = rule.clone();
        self.calls.svtype = self.calls.svtype.renamed(svtype);
        self
    }
}

/// Reads a cohort without metadata, as [`read_cohort_with`] does. Its embeddings stay in the file.
pub fn read_cohort(path: &Path) -> Result<Cohort> {
    read_cohort_with(path, None)
}

/// Reads a cohort. Its embeddings stay in their file, which is torch's (`.pt`), `NumPy`'s (`.npy`,
/// `.npz`), safetensors, Parquet or Arrow IPC.
///
/// The calls are those of `metadata`: a table (CSV, TSV, JSON lines or Parquet; text also
/// compressed by gzip) with one row for each row of embeddings, in their order. Its columns are
/// named as the keys of `sv_info`. Without `metadata` the calls are the `sv_info` of a torch file.
/// A file without `sv_info` has its calls in the only table in the same folder whose name differs
/// from the embeddings' in its ending alone. If there is none, a table that has a column of lists, the
/// embeddings, has the calls in its other columns.
///
/// # Errors
///
/// Fails if a file cannot be read, if the files differ in their number of rows, or if both have IDs
/// and these disagree.
pub fn read_cohort_with(embeddings: &Path, metadata: Option<&Path>) -> Result<Cohort> {
    read_cohort_by(embeddings, metadata, &ClassRule::default())
}

/// Reads a cohort as [`read_cohort_with`] does, with the classes of the column or key that `rule`
/// names. SV types are written as in the VCF specification, whatever case or brackets (`<DEL>`) the
/// file has.
///
/// # Errors
/// Fails as [`read_cohort_with`] does, and if there is no such column.
pub fn read_cohort_by(
    embeddings: &Path,
    metadata: Option<&Path>,
    rule: &ClassRule,
) -> Result<Cohort> {
    read_cohort_choosing(embeddings, metadata, rule, &EmbeddingsChoice::default())
}

/// Reads a cohort as [`read_cohort_by`] does, with the embeddings that `choice` names: by their key or
/// layer, where a file has several matrices, and with tokens pooled, where a call has a row of
/// numbers for each of its tokens.
///
/// # Errors
/// Fails as [`read_cohort_by`] does, if there is no such matrix, or if several are there and nothing
/// is chosen.
pub fn read_cohort_choosing(
    embeddings: &Path,
    metadata: Option<&Path>,
    rule: &ClassRule,
    choice: &EmbeddingsChoice,
) -> Result<Cohort> {
    let file = File::open(embeddings)?;
    let rows = file.rows(choice)?;
    check_rows(rows.source(), None, rows.count())?;
    let inside = file.sv_info();
    let mut cohort = match (metadata, inside) {
        (None, Some((file, info))) => {
            let (calls, warnings) = read_calls(file, info, Some(rows.count()), Naming::of(rule))?;
            let has_classes = calls.is_empty()
                || (0..calls.len()).any(|row| calls.truvari_class.get(row).is_some());
            if !has_classes && rule.column() != ClassRule::COLUMN {
                return Err(no_such_key(file, info, rule));
            }
            Cohort {
                rows,
                has_classes,
                calls,
                metadata: None,
                metadata_stamp: None,
                warnings,
                notes: Vec::new(),
            }
        }
        (Some(path), _) => beside_file(&file, rows, path, rule)?,
        (None, None) => match find_beside(embeddings, Some(&file)) {
            Ok(path) => beside_file(&file, rows, &path, rule)?,
            Err(_) if is_own_table(&file, embeddings, rule) => {
                let cohort = beside(rows, embeddings, rule, || Ok(None))?;
                Cohort {
                    metadata: None,
                    metadata_stamp: None,
                    ..cohort
                }
            }
            Err(error) => return Err(error),
        },
    };
    cohort.warnings.extend(file.passed_over());
    cohort.rows.check_unchanged()?;
    Ok(cohort.labelled(rule))
}

/// Reads a cohort whose [`Activations`] were computed elsewhere. Its calls are those of `metadata`, a
/// table as [`read_cohort_with`] takes it, or of the only table beside the activations that has their
/// name. `atoms` is F, which some layouts do not hold.
///
/// # Errors
///
/// Fails if a file cannot be read or holds no activations, if activations and calls differ in their
/// number of rows, and if the number of atoms is not known, or is another than the file's.
pub fn read_activations(
    activations: &Path,
    metadata: Option<&Path>,
    rule: &ClassRule,
    atoms: Option<u64>,
) -> Result<Cohort<Activations>> {
    let mut opened = Opened::at(activations)?;
    let found;
    let table = if let Some(path) = metadata {
        path
    } else {
        found = find_beside(activations, None)?;
        &found
    };
    let (ids, warnings) = (opened.ids.take(), std::mem::take(&mut opened.warnings));
    let notes = std::mem::take(&mut opened.notes);
    let rows = match opened.rows() {
        Some(rows) => rows,
        // The file names rows on which something fires, and there may be others.
        None => count(table)?,
    };
    let (of_rows, of_calls) = (Source::open(activations)?, Source::open(table)?);
    check_rows(&of_rows, Some(&of_calls), rows)?;
    let rows = opened.with_calls(rows, atoms)?;
    let mut cohort = beside(rows, table, rule, || Ok(ids))?;
    cohort.warnings.extend(warnings);
    cohort.notes.extend(notes);
    cohort.rows.check_unchanged()?;
    Ok(cohort.labelled(rule))
}

/// Makes the error for a key of classes that no call has.
fn no_such_key(file: &TorchFile, info: Id, rule: &ClassRule) -> Error {
    let first = file.document.items(info).and_then(|mut items| items.next());
    file.bad(
        "key sv_info",
        file.keys(first.unwrap_or(info)),
        format!("the key of classes, {}", rule.column()),
        "name a key that is there",
    )
    .proposing([Proposal::of(Choice::ClassColumn)])
}

/// Rows that calls stand beside.
trait RowsOfCalls {
    /// What messages call the rows, and their file.
    const WORDS: [&'static str; 2];

    fn rows(&self) -> usize;
    fn file(&self) -> String;
}

impl RowsOfCalls for EmbeddingRows {
    const WORDS: [&'static str; 2] = ["embeddings", "the embeddings' file"];

    fn rows(&self) -> usize {
        self.count()
    }
    fn file(&self) -> String {
        self.name()
    }
}

impl RowsOfCalls for Activations {
    const WORDS: [&'static str; 2] = ["activations", "the activations' file"];

    fn rows(&self) -> usize {
        self.count()
    }
    fn file(&self) -> String {
        self.name()
    }
}

/// Reads the cohort of a file of embeddings whose calls are in a file of their own.
fn beside_file(file: &File, rows: EmbeddingRows, path: &Path, rule: &ClassRule) -> Result<Cohort> {
    let count = rows.count();
    beside(rows, path, rule, || {
        match (file.ids(count)?, file.sv_info()) {
            (Some(ids), _) => Ok(Some(ids)),
            (None, Some((file, info))) => {
                let naming = Naming::default();
                Ok(Some(read_calls(file, info, Some(count), naming)?.0.id))
            }
            (None, None) => Ok(None),
        }
    })
}

/// Reads the cohort whose calls are in a file of their own; `ids` reads those that stand with the rows.
fn beside<R: RowsOfCalls>(
    rows: R,
    path: &Path,
    rule: &ClassRule,
    ids: impl FnOnce() -> Result<Option<IdColumn>>,
) -> Result<Cohort<R>> {
    let table = Table::read(path, rows.rows(), &rows.file(), rule)?;
    let expected = if table.has_ids { ids()? } else { None };
    if let Some(ids) = &expected {
        check_ids(path, &table.calls.id, &rows, ids)?;
    }
    let found = table.has_ids.then_some(&table.calls.id);
    let order = Order::of(found, expected.as_ref(), R::WORDS[1]);
    Ok(Cohort {
        has_classes: table.has_classes,
        notes: order.note(path, &rows.file()).into_iter().collect(),
        rows,
        calls: table.calls,
        metadata: Some(path.to_owned()),
        metadata_stamp: table.stamp,
        warnings: table.warnings,
    })
}

/// Checks that IDs stored with the embeddings, if any call has one, equal those of the table.
fn check_ids<R: RowsOfCalls>(
    path: &Path,
    found: &IdColumn,
    rows: &R,
    expected: &IdColumn,
) -> Result<()> {
    let name = rows.file();
    if expected.len() != rows.rows() {
        return Err(Error::input(
            name,
            "the IDs",
            format!("{} IDs", expected.len()),
            format!("{}, one for each row of {}", rows.rows(), R::WORDS[0]),
            "save both from the same run",
        ));
    }
    let differs = |row: &usize| match (order::id(found, *row), order::id(expected, *row)) {
        (Some(found), Some(expected)) => found != expected,
        _ => false,
    };
    let Some(row) = (0..expected.len()).find(differs) else {
        return Ok(());
    };
    let (found, expected) = (found.get(row), expected.get(row));
    Err(Error::input(
        path.display().to_string(),
        format!("row {row}, counted from 0, column id"),
        format!("{:?}", found.unwrap_or_default()),
        format!("{:?}, which {name} has there", expected.unwrap_or_default()),
        format!(
            "give the table whose rows are in the order of the {}",
            R::WORDS[0]
        ),
    ))
}
