//! Files of the calls that a benchmark labelled: a table of the calls, and the account of every record.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::place;
use crate::error::{Choice, Error, Proposal, Result};
use crate::read::benchmark::{AccountLine, BenchmarkCalls};
use crate::regular;
use crate::report::table::{Column, Table, Values, tsv};
use crate::write::inputs::Inputs;
use crate::write::lock::OutputLock;
use crate::write::together::publish_together;
use crate::write::whole::WholeFile;

/// The end of the account's name; before it stands the stem of the table's.
const ACCOUNT: &str = "_account.tsv";

/// The table of calls and the account beside it.
#[derive(Debug, Clone)]
pub struct LabelledCallsFiles {
    calls: PathBuf,
    account: Option<PathBuf>,
    is_parquet: bool,
    /// Held until the files are in their places.
    _locks: Vec<Arc<OutputLock>>,
}

impl LabelledCallsFiles {
    /// Looks at the name, and that nothing is lost by writing there: no file is replaced without
    /// `force`, and none of the `inputs` ever.
    ///
    /// # Errors
    /// A name that ends in no known format; a file that is there; a folder that cannot be written.
    pub fn open(path: &Path, inputs: &Inputs, force: bool) -> Result<Self> {
        Self::open_with(path, inputs, force, true)
    }

    fn open_with(path: &Path, inputs: &Inputs, force: bool, has_account: bool) -> Result<Self> {
        let end = path.extension().unwrap_or_default().to_string_lossy();
        let is_parquet = match &*end.to_ascii_lowercase() {
            "tsv" => false,
            "parquet" if cfg!(feature = "parquet") => true,
            _ => {
                let expected = "a name that ends in .tsv or .parquet";
                return Err(Error::choice(
                    Choice::Out,
                    path.display().to_string(),
                    expected,
                ));
            }
        };
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let account = has_account.then(|| path.with_file_name(format!("{stem}{ACCOUNT}")));
        let mut locks = Vec::new();
        for path in [Some(path), account.as_deref()].into_iter().flatten() {
            let lock = place::claim(path, || {
                place::check_file(path, inputs)?;
                if !force && std::fs::symlink_metadata(path).is_ok() {
                    return Err(is_there(path));
                }
                Ok(())
            })?;
            locks.push(Arc::new(lock));
        }
        Ok(Self {
            calls: path.to_owned(),
            account,
            is_parquet,
            _locks: locks,
        })
    }

    /// Names the files of calls that are made for a run whose output is `out`: `OUT.calls.parquet`, or
    /// `OUT.calls.tsv` where Parquet is not built in. The calls of one file of several are in
    /// `OUT.calls-1.parquet` and so on.
    pub fn of_output(out: &Path, part: Option<usize>) -> PathBuf {
        let mut name = out.as_os_str().to_owned();
        let end = if cfg!(feature = "parquet") {
            "parquet"
        } else {
            "tsv"
        };
        let part = part.map(|part| format!("-{part}")).unwrap_or_default();
        name.push(format!(".calls{part}.{end}"));
        name.into()
    }

    /// Writes both files, unless they are there with the same content already.
    ///
    /// # Errors
    /// A file that is there with other content, unless `force` lets it be replaced; an input in its
    /// place; a file that cannot be written.
    pub fn write_anew(
        path: &Path,
        found: &BenchmarkCalls,
        inputs: &Inputs,
        force: bool,
    ) -> Result<()> {
        Self::anew(path, found, inputs, force, true)
    }

    /// Writes the table alone, as [`Self::write_anew`] does: the account is of all calls.
    ///
    /// # Errors
    /// As [`Self::write_anew`].
    pub fn write_table_anew(
        path: &Path,
        found: &BenchmarkCalls,
        inputs: &Inputs,
        force: bool,
    ) -> Result<()> {
        Self::anew(path, found, inputs, force, false)
    }

    fn anew(
        path: &Path,
        found: &BenchmarkCalls,
        inputs: &Inputs,
        force: bool,
        has_account: bool,
    ) -> Result<()> {
        let folder = tempfile::tempdir().map_err(|error| Error::writing(path, error))?;
        let name = path.file_name().unwrap_or_default();
        let made = folder.path().join(name);
        let made = Self::open_with(&made, &Inputs::default(), false, has_account)?;
        made.write(found)?;
        let is_same = |made: &Path| {
            let there = path.with_file_name(made.file_name().unwrap_or_default());
            let [made, there] = [made, &there].map(|path| regular::read(path, u64::MAX));
            matches!((made, there), (Ok(a), Ok(b)) if a == b)
        };
        if made.paths().all(is_same) {
            return Ok(());
        }
        Self::open_with(path, inputs, force, has_account)?.write(found)
    }

    /// Writes the files, each whole or not at all.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, found: &BenchmarkCalls) -> Result<()> {
        let calls = whole(&self.calls, |out| {
            let table = calls_table(found);
            match self.is_parquet {
                #[cfg(feature = "parquet")]
                true => crate::report::table::parquet::write(&table, out),
                _ => tsv::write(&table, out),
            }
        })?;
        let account = self
            .account
            .as_deref()
            .map(|path| whole(path, |out| tsv::write(&account_table(found), out)));
        let account = account.transpose()?;
        publish_together([calls].into_iter().chain(account).collect(), &[])
    }

    /// Returns the paths of the files.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        [Some(&self.calls), self.account.as_ref()]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
    }
}

fn is_there(path: &Path) -> Error {
    Error::input(
        path.display().to_string(),
        "the output",
        "a file that is there already",
        "a new name",
        "choose another name, move the file elsewhere, or let it be replaced",
    )
    .proposing([Proposal::of(Choice::Force)])
}

fn whole(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<WholeFile> {
    let failed = |error| Error::writing(path, error);
    let whole = WholeFile::create(path)?;
    let mut out = BufWriter::new(whole.file());
    content(&mut out).map_err(failed)?;
    out.flush().map_err(failed)?;
    drop(out);
    Ok(whole)
}

/// Makes the table of calls. Its columns have the names by which a table of calls is read.
pub fn calls_table(found: &BenchmarkCalls) -> Table {
    let (calls, rows) = (&found.calls, 0..found.len());
    let text =
        |get: &dyn Fn(usize) -> Option<String>| Values::Text(rows.clone().map(get).collect());
    let number = |get: &dyn Fn(usize) -> Option<i64>| Values::I64(rows.clone().map(get).collect());
    let owned = |value: Option<&str>| value.map(str::to_owned);
    let int = |number: crate::cohort::Number| number.as_f64() as i64;
    let [reference, alt] = &found.alleles;
    let columns = [
        (
            "chrom",
            "Chromosome.",
            text(&|row| owned(calls.chrom.get(row))),
        ),
        (
            "pos",
            "POS, from 1.",
            number(&|row| Some(int(calls.pos.get(row)))),
        ),
        (
            "end",
            "The last base on the reference, from 1.",
            number(&|row| found.end.get(row).copied()),
        ),
        ("id", "ID.", text(&|row| owned(calls.id.get(row)))),
        ("ref", ALLELE, text(&|row| owned(reference.get(row)))),
        ("alt", ALLELE, text(&|row| owned(alt.get(row)))),
        (
            "svtype",
            "SV type, in upper case.",
            text(&|row| owned(calls.svtype.get(row))),
        ),
        (
            "svlen",
            "Length in base pairs, never negative; missing of a breakend.",
            number(&|row| Some(int(calls.svlen.get(row))).filter(|&length| length > 0)),
        ),
        (
            "truvari_class",
            "TP or FP; missing in a file without labels.",
            text(&|row| owned(calls.truvari_class.get(row))),
        ),
        (
            "reason",
            "The first reason why the call is false.",
            text(&|row| owned(calls.reason.get(row))),
        ),
        (
            "reasons",
            "All reasons, divided by commas.",
            text(&|row| owned(found.reasons.get(row))),
        ),
        (
            "dataset",
            "The sample.",
            text(&|row| owned(calls.dataset.get(row))),
        ),
        (
            "source_file",
            "The file that the call is in.",
            text(&|row| owned(found.file.get(row))),
        ),
        (
            "span_start",
            SPAN,
            number(&|row| found.span.get(row).map(|span| span.start)),
        ),
        (
            "span_end",
            "The end of the span, half open.",
            number(&|row| found.span.get(row).map(|span| span.end)),
        ),
        (
            "mate_chrom",
            "The chromosome of a breakend's other end, as ALT names it.",
            text(&|row| owned(calls.mate_chrom.get(row))),
        ),
        (
            "mate_pos",
            "Its position, from 1.",
            number(&|row| {
                calls
                    .mate_chrom
                    .get(row)
                    .map(|_| int(calls.mate_pos.get(row)))
            }),
        ),
        (
            "mate_id",
            "The ID of the other end's record.",
            text(&|row| owned(found.mate_id.get(row))),
        ),
    ];
    let column = |(name, about, values)| Column::new(name, about, values);
    Table {
        name: "calls",
        about: "One row is a call, in the order of the files.",
        columns: columns.map(column).into_iter().chain(kept(found)).collect(),
    }
}

/// Makes a column for each key that was kept.
fn kept(found: &BenchmarkCalls) -> impl Iterator<Item = Column> {
    found.kept.iter().map(|(key, column)| {
        let value = |row| column.get(row).map(str::to_owned);
        let values = Values::Text((0..column.len()).map(value).collect());
        Column::new(key.clone(), KEPT, values)
    })
}

const KEPT: &str = "The key's value as the record has it; of a flag yes or no.";

const ALLELE: &str =
    "In upper case; of an allele of more than 64 letters `sha256:` and its digest.";
const SPAN: &str = "The interval that regions are compared with, from 0: bases between the breakpoints; of an insertion empty, of a breakend its position.";

/// Makes the account: sums of records by file, class, reason and fate.
pub fn account_table(found: &BenchmarkCalls) -> Table {
    let lines = &found.account.lines;
    let text = |get: &dyn Fn(&AccountLine) -> Option<String>| {
        Values::Text(lines.iter().map(get).collect())
    };
    let columns = [
        ("file", "The file.", text(&|line| Some(line.file.clone()))),
        (
            "class",
            "TP or FP; missing of a record without a label.",
            text(&|line| line.class.map(str::to_owned)),
        ),
        (
            "reason",
            "The first reason why calls are false.",
            text(&|line| line.reason.map(str::to_owned)),
        ),
        (
            "fate",
            "What became of the records.",
            text(&|line| Some(line.fate.words())),
        ),
        (
            "kept",
            "Whether they are calls.",
            Values::Bool(lines.iter().map(|line| Some(line.fate.is_kept())).collect()),
        ),
        (
            "records",
            "How many they are.",
            Values::U64(lines.iter().map(|line| line.records).collect()),
        ),
    ];
    Table {
        name: "calls_account",
        about: "One row is a kind of record; together they are all records that were read.",
        columns: columns
            .map(|(name, about, values)| Column::new(name, about, values))
            .into(),
    }
}
