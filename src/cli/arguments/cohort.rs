//! Which cohort and model, and what is kept of a run.

use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::Args;

use super::benchmark::LabelledArgs;
use super::engine::EngineArgs;
use super::headings::REQUIRED;
use super::model::ModelArgs;
use super::size::{MEMORY, parse_bytes};
use crate::analysis::shards::{self, ShardInput};
use crate::cohort::ClassRule;
use crate::error::{Choice, Error, Result};
use crate::read::benchmark::KeptKey;
use crate::rows::{EmbeddingsChoice, Pool};

/// The cohort, the model, and how rows are encoded.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct RunArgs {
    #[command(flatten)]
    pub(in crate::cli) cohort: CohortArgs,

    #[command(flatten)]
    pub(in crate::cli) model: ModelArgs,

    #[command(flatten)]
    pub(in crate::cli) engine: EngineArgs,

    #[command(flatten)]
    pub(in crate::cli) labelled: LabelledArgs,
}

impl RunArgs {
    /// The same arguments, with a benchmark's calls as the table of the calls if they are asked for. That
    /// table is written beside the output, with the values of these keys.
    pub(in crate::cli) fn with_labels(
        &self,
        out: &Path,
        force: bool,
        keys: &[KeptKey],
    ) -> Result<Self> {
        let mut run = self.clone();
        if !self.labelled.are_given() {
            return Ok(run);
        }
        let files = if self.cohort.activations.is_empty() {
            &self.cohort.embeddings
        } else {
            &self.cohort.activations
        };
        let files = shards::expand(self.cohort.choice(), files)?;
        let tables = &self.cohort.metadata;
        if !tables.is_empty() && tables.len() != files.len() {
            let found = format!("{} tables for {} files", tables.len(), files.len());
            let expected =
                "a table for each file, in their order, which says what its rows are; or none";
            return Err(Error::choice(Choice::Metadata, found, expected));
        }
        let rows = if tables.is_empty() { &files } else { tables };
        let quiet = self.engine.quiet;
        run.cohort.metadata = self.labelled.tables(rows, out, force, quiet, keys)?;
        Ok(run)
    }
}

/// Which embeddings, and the calls that they are of.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Input")]
pub(in crate::cli) struct CohortArgs {
    /// Embeddings: .pt, .npy, .npz, .safetensors, .parquet or .arrow; may be given several times, or as a
    /// pattern in quotes ('shards/*.npy')
    ///
    /// An array of numbers, a row a call. A .pt holds it as embeddings, with the calls as sv_info, or is
    /// the array alone. A table holds it as a column of lists, all of one length. Files are taken in the
    /// order in which people count their names.
    #[arg(long, value_name = "FILE", required_unless_present = "activations", num_args = 1.., help_heading = REQUIRED)]
    embeddings: Vec<PathBuf>,

    /// In place of embeddings and model: activations that were computed elsewhere, for a model that is
    /// not read here; .npz, .npy, .safetensors or .parquet; several files, or a pattern, as embeddings
    ///
    /// An atom fires where its activation is not 0, whatever its sign. A sparse matrix
    /// (scipy.sparse.save_npz, CSR), a dense one [calls, F], top_indices and top_acts [calls, k], a
    /// Parquet table of row, atom and value, or the fires.npy or fires.npz of --save-fires. The calls
    /// are in a table: --metadata, or beside. docs/INPUTS.md has the layouts.
    #[arg(long, value_name = "FILE", num_args = 1.., help_heading = REQUIRED, conflicts_with_all = [
        "embeddings", "model", "device", "screen", "nonfinite", "batch_rows", "simd", "gpu_memory", "key",
        "pool",
    ])]
    activations: Vec<PathBuf>,

    /// F, the number of the model's atoms, where a file of activations does not hold it
    #[arg(long = "atoms", value_name = "F", requires = "activations", value_parser = clap::value_parser!(u64).range(1..=u64::from(u32::MAX)))]
    pub(in crate::cli) atom_count: Option<u64>,

    /// The calls, one line for each row, where they are not in the embeddings' file: .csv, .tsv,
    /// .jsonl (these also .gz) or .parquet [default: the file of that name beside the embeddings]
    ///
    /// The first table is of the first embeddings, and so on. Its columns are found by name, whatever
    /// their order: truvari_class (TP or tp_comp_vcf is a true call), svtype, svlen, chrom, pos, dataset
    /// and id, also as VCF tools write them (SVTYPE, #CHROM, INFO/SVLEN). Each may be missing. atomscope
    /// inspect FILE says how a table would be read.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    metadata: Vec<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) matrix: MatrixArgs,

    #[command(flatten)]
    pub(in crate::cli) labels: LabelArgs,

    /// Only these rows of one file of embeddings or activations, counted from 0, the last one left out
    #[arg(long, value_name = "A..B", value_parser = parse_rows, help_heading = "Input")]
    rows: Option<Range<u64>>,
}

impl CohortArgs {
    /// One file, with its calls in it.
    pub(in crate::cli) fn of_file(embeddings: PathBuf) -> Self {
        Self {
            embeddings: vec![embeddings],
            activations: Vec::new(),
            atom_count: None,
            metadata: Vec::new(),
            matrix: MatrixArgs::default(),
            labels: LabelArgs::default(),
            rows: None,
        }
    }

    /// What the files were given as.
    pub(in crate::cli) fn choice(&self) -> Choice {
        if self.activations.is_empty() {
            Choice::Embeddings
        } else {
            Choice::Activations
        }
    }

    /// The shards, in order.
    pub(in crate::cli) fn shards(&self) -> Result<Vec<ShardInput>> {
        let choice = self.choice();
        let files = match choice {
            Choice::Activations => &self.activations,
            _ => &self.embeddings,
        };
        shards::shards_of(choice, files, &self.metadata, self.rows.as_ref())
    }
}

/// Which matrix of a file holds the embeddings.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Input")]
pub(in crate::cli) struct MatrixArgs {
    /// The key of the embeddings, where a file has several matrices: of a dict in a .pt (a.b where dicts
    /// are nested), an array of an .npz, a tensor of a .safetensors, a column of a table
    /// [default: embeddings, or the only one]
    #[arg(long, value_name = "NAME")]
    key: Option<String>,

    /// How the tokens of a call become one row, where embeddings are [N, L, D]: mean, last, max, or
    /// token:I, where I counts from 0, or from the end as -1
    ///
    /// A mean is the sum over tokens in ascending order in binary64, divided by L, rounded to binary32
    /// once. Every call has the same number of tokens: padding is pooled as any other token is.
    #[arg(long, value_name = "HOW")]
    pool: Option<Pool>,
}

impl MatrixArgs {
    /// The choice; `layer` is that of the model and of embeddings.
    pub(in crate::cli) fn choice(&self, layer: Option<String>) -> EmbeddingsChoice {
        EmbeddingsChoice {
            key: self.key.clone(),
            layer,
            pool: self.pool,
        }
    }
}

/// Which calls are true.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Labels")]
pub(in crate::cli) struct LabelArgs {
    /// The column, or key of sv_info, with the truth benchmark's classes [default: truvari_class]
    #[arg(long, value_name = "NAME", value_parser = parse_class_column)]
    class_column: Option<String>,

    /// The classes that are true calls, exactly as they are written; may be given several times, or as
    /// a list with commas [default: TP,tp_comp_vcf]
    ///
    /// A call's label is true (TP) where its class is one of these, and false (FP) where it is any
    /// other, or missing. Classes of which none is true end a run before it begins.
    #[arg(long, value_name = "VALUE", value_delimiter = ',')]
    true_class: Vec<String>,
}

impl LabelArgs {
    pub(in crate::cli) fn rule(&self) -> ClassRule {
        ClassRule::new(self.class_column.as_deref(), &self.true_class)
    }
}

/// A column that is not one of the calls' other fields.
fn parse_class_column(name: &str) -> std::result::Result<String, String> {
    const OTHERS: [&str; 6] = ["chrom", "pos", "svtype", "svlen", "dataset", "id"];
    if name.is_empty() || OTHERS.contains(&name) {
        return Err(format!(
            "expected the name of a column, and none of {}",
            OTHERS.join(", ")
        ));
    }
    Ok(name.to_owned())
}

/// How a long run keeps what it has.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Engine")]
pub(in crate::cli) struct KeepArgs {
    /// Keep what is done every so many rows, so that a run that is killed goes on there when it is
    /// started again [default: at the end of each file, where there are several]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) checkpoint_rows: Option<u64>,

    /// The most memory for firing sets and calls, as 8GiB or 500MB; what is beyond lies in files
    /// in the output's folder meanwhile. Half of it is for the tables beside the notebook's, where
    /// they are made
    #[arg(long, value_name = "SIZE", default_value = MEMORY, value_parser = parse_bytes)]
    pub(in crate::cli) memory: u64,
}

impl Default for KeepArgs {
    fn default() -> Self {
        Self {
            checkpoint_rows: None,
            memory: parse_bytes(MEMORY).unwrap_or(u64::MAX),
        }
    }
}

/// Rows as people write them: `a..b`, half open.
fn parse_rows(text: &str) -> std::result::Result<Range<u64>, String> {
    let rows = text.split_once("..").and_then(|(start, end)| {
        let rows = start.trim().parse().ok()?..end.trim().parse().ok()?;
        (rows.start < rows.end).then_some(rows)
    });
    rows.ok_or_else(|| "expected A..B with A below B, as 0..1000".to_owned())
}
