//! `calls`: the calls of a benchmark's folder, with labels and reasons.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;

use super::arguments::{BenchmarkArgs, ForceArgs};
use super::progress::{self, note, show_warnings};
use crate::analysis::LabelledCallsFiles;
use crate::error::Result;
use crate::read::benchmark::{BenchmarkCalls, KeptKey, read_benchmark, read_row_identities};
use crate::write::inputs::Inputs;

/// The calls of a benchmark's folder or VCF: labels, why false calls are false, and an account of every record
///
/// Truvari (bench, refine, ga4gh), GA4GH (hap.py, vcfeval), RTG, Aardvark, vcfdist, Witty.er, GATK
/// SVConcordance, or a file of true and one of false calls (docs/CALLS.md). The table can be given as
/// --metadata.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    atomscope calls truvari-out\n  \
    atomscope calls truvari-out --out calls.parquet\n  \
    atomscope calls truvari-out --rows-are embedded.vcf.gz --out calls.parquet\n  \
    atomscope calls truvari-out --keep info:QUAL,fmt:GT --out calls.tsv\n  \
    atomscope calls --tp 0003.vcf --fp 0001.vcf --out calls.tsv")]
pub(super) struct Calls {
    /// The benchmark's folder, or its VCF
    #[arg(value_name = "PATH", required_unless_present_any = ["tp", "fp"])]
    path: Option<PathBuf>,

    #[command(flatten)]
    benchmark: BenchmarkArgs,

    /// Write the calls to this file: FILE.tsv or FILE.parquet; beside it FILE_account.tsv says what became of every record
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    out: Option<PathBuf>,

    /// Also keep the values of these keys, as columns of their names: info:KEY (also info:QUAL and
    /// info:FILTER) or fmt:KEY, of the sample
    #[arg(
        long,
        value_name = "KEY",
        value_delimiter = ',',
        help_heading = "Output"
    )]
    keep: Vec<KeptKey>,

    #[command(flatten)]
    force: ForceArgs,

    /// No notes on stderr; warnings and errors stay
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
}

impl Calls {
    pub(super) fn run(&self) -> Result<()> {
        let mut options = self.benchmark.options();
        options.keys.clone_from(&self.keep);
        let found = read_benchmark(self.path.as_deref(), &options)?;
        let mut inputs = Inputs::of(found.paths.iter().cloned());
        let found = match &self.benchmark.rows_are {
            None => found,
            Some(path) => {
                inputs.add([path.clone()]);
                let rows = read_row_identities(path)?;
                let source = path.display().to_string();
                let joined = found.in_order_of(&rows, &source, self.benchmark.min_joined)?;
                note(self.quiet, &joined.words());
                joined.calls
            }
        };
        progress::control().check()?;
        show_warnings(&found.warnings);
        if let Some(out) = &self.out {
            let files = LabelledCallsFiles::open(out, &inputs, self.force.force)?;
            files.write(&found)?;
            let paths: Vec<_> = files
                .paths()
                .map(|path| path.display().to_string())
                .collect();
            note(
                self.quiet,
                &format!("calls are in {}", paths.join(", the account in ")),
            );
        }
        progress::print(&text(&found))
    }
}

/// What was read, in a few lines.
fn text(found: &BenchmarkCalls) -> String {
    let account = &found.account;
    let mut text = format!(
        "{}\n{} records, {} calls\n",
        found.source,
        account.read,
        found.len()
    );
    if let Some(sample) = &found.sample {
        let _ = writeln!(text, "sample {sample}");
    }
    text += "\n   records  class   reason          fate, file\n";
    for line in &account.lines {
        let (class, reason) = (line.class.unwrap_or("-"), line.reason.unwrap_or("-"));
        let (fate, file) = (line.fate.words(), &line.file);
        let shown = format!(
            "{:>10}  {class:<6}  {reason:<14}  {fate}, {file}",
            line.records
        );
        text += &crate::python::printable(&shown);
        text.push('\n');
    }
    text
}
