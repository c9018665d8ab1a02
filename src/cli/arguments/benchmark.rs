//! The arguments that say where a benchmark's calls are.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::analysis::LabelledCallsFiles;
use crate::cli::progress::{note, show_warnings};
use crate::error::{Choice, Error, Result};
use crate::read::benchmark::{
    BenchmarkOptions, KeptKey, RowIdentities, read_benchmark, read_row_identities,
};
use crate::write::inputs::Inputs;

/// What becomes of true calls below the benchmark's least size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum BelowSizemin {
    /// They are left out, and counted.
    Drop,
    /// They are kept, with the reason below_sizemin.
    Keep,
}

/// Labels.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Labels")]
pub(in crate::cli) struct BenchmarkArgs {
    /// A VCF whose calls are all true; with --fp, or with PATH as the VCF of all calls
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) tp: Option<PathBuf>,

    /// A VCF whose calls are all false; with --tp, or with PATH as the VCF of all calls
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) fp: Option<PathBuf>,

    /// The sample whose labels and genotypes are read, if not the one that the benchmark names
    #[arg(long, value_name = "NAME")]
    sample: Option<String>,

    /// What says which call each row of the embeddings is: the calls then come in that order
    ///
    /// The VCF that was embedded, in its order, before anything was filtered; a table of calls; a text of one
    /// ID a line; or the embeddings themselves, if they have sv_info or IDs. Rows are joined to calls by ID;
    /// else by chrom, pos, ref and alt; else by chrom, pos, svtype and the length.
    #[arg(long, value_name = "FILE", help_heading = "Rows")]
    pub(in crate::cli) rows_are: Option<PathBuf>,

    /// The least share of rows, in percent, that must have a call; rows without one are dropped and counted
    #[arg(long, value_name = "PERCENT", default_value_t = 95.0, help_heading = "Rows", value_parser = parse_percent)]
    pub(in crate::cli) min_joined: f64,

    /// True calls below Truvari's sizemin, which are true by construction
    #[arg(long, value_name = "WHAT", value_enum, default_value = "drop")]
    below_sizemin: BelowSizemin,
}

impl Default for BenchmarkArgs {
    fn default() -> Self {
        Self {
            tp: None,
            fp: None,
            sample: None,
            rows_are: None,
            min_joined: 95.0,
            below_sizemin: BelowSizemin::Drop,
        }
    }
}

/// A benchmark's calls in place of a table.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Labels")]
pub(in crate::cli) struct LabelledArgs {
    /// Labels from a benchmark's folder or VCF (Truvari, GA4GH, RTG, Aardvark, …: docs/CALLS.md)
    ///
    /// The calls are joined to the rows of the embeddings by what --rows-are, --metadata or the embeddings'
    /// own file says of these, and written beside the output as OUT.calls.parquet. Rows without a call are
    /// dropped.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["class_column", "true_class"])]
    calls: Option<PathBuf>,

    #[command(flatten)]
    benchmark: BenchmarkArgs,
}

impl LabelledArgs {
    /// Says whether calls come from a benchmark.
    pub(in crate::cli) fn are_given(&self) -> bool {
        self.calls.is_some() || self.benchmark.tp.is_some() || self.benchmark.fp.is_some()
    }

    /// Refuses a benchmark's calls where no table of them can be written.
    pub(in crate::cli) fn refuse(&self) -> Result<()> {
        if !self.are_given() {
            return Ok(());
        }
        let expected =
            "the table that analyze or tally writes beside its output, OUT.calls.parquet";
        Err(Error::choice(
            Choice::Metadata,
            "a benchmark's calls",
            expected,
        ))
    }

    /// Reads the calls in the order of the rows that the files of `rows` identify, one after another, writes
    /// their table beside the output `out`, and one for each file where there are several. Returns the path
    /// of each file's table.
    pub(in crate::cli) fn tables(
        &self,
        rows: &[PathBuf],
        out: &Path,
        force: bool,
        quiet: bool,
        keys: &[KeptKey],
    ) -> Result<Vec<PathBuf>> {
        let mut options = self.benchmark.options();
        options.keys = keys.to_vec();
        let rows = match &self.benchmark.rows_are {
            None => rows,
            Some(file) if rows.len() == 1 => std::slice::from_ref(file),
            Some(file) => {
                let found = format!("{} for {} files", file.display(), rows.len());
                let expected = "a table for each file, which says what its rows are";
                return Err(Error::choice(Choice::Metadata, found, expected));
            }
        };
        let found = read_benchmark(self.calls.as_deref(), &options)?;
        let (identities, ends) = identities(rows)?;
        let source = named(rows);
        let joined = found.in_order_of(&identities, &source, self.benchmark.min_joined)?;
        note(
            quiet,
            &format!("{}: {}", joined.calls.source, joined.words()),
        );
        show_warnings(&joined.calls.warnings);
        let path = LabelledCallsFiles::of_output(out, None);
        let inputs = Inputs::of(found.paths.iter().chain(rows).cloned());
        LabelledCallsFiles::write_anew(&path, &joined.calls, &inputs, force)?;
        if rows.len() == 1 {
            return Ok(vec![path]);
        }
        let starts = [0].into_iter().chain(ends.iter().copied());
        let parts = starts.zip(&ends).zip(1..);
        let part = |((start, end), number): ((usize, &usize), usize)| {
            let path = LabelledCallsFiles::of_output(out, Some(number));
            let part = joined.calls.part(start..*end);
            LabelledCallsFiles::write_table_anew(&path, &part, &inputs, force)?;
            Ok(path)
        };
        parts.map(part).collect()
    }
}

/// Reads what the rows of all files say of themselves, and where each file's end among them.
fn identities(files: &[PathBuf]) -> Result<(RowIdentities, Vec<usize>)> {
    let mut all = RowIdentities::default();
    let mut ends = Vec::new();
    for file in files {
        all.append(read_row_identities(file)?);
        ends.push(all.len());
    }
    Ok((all, ends))
}

/// Names files in messages.
fn named(files: &[PathBuf]) -> String {
    let first = files.first().map(|file| file.display().to_string());
    let first = first.unwrap_or_default();
    match files.len() {
        0 | 1 => first,
        more => format!("{first} and {} more, one after another", more - 1),
    }
}

impl BenchmarkArgs {
    pub(in crate::cli) fn options(&self) -> BenchmarkOptions {
        BenchmarkOptions {
            tp: self.tp.clone(),
            fp: self.fp.clone(),
            sample: self.sample.clone(),
            keep_below_sizemin: self.below_sizemin == BelowSizemin::Keep,
            keys: Vec::new(),
        }
    }
}

fn parse_percent(text: &str) -> std::result::Result<f64, String> {
    let percent = text.trim_end_matches('%').trim().parse::<f64>().ok();
    let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
    percent.ok_or_else(|| "expected a number from 0 to 100".to_owned())
}
