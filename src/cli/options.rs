//! Arguments that several commands take, and what they mean to the engine.

use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use crate::analysis::AnalyzeOptions;
use crate::analysis::shards::{self, ShardInput};
use crate::cohort::ClassRule;
use crate::engine::cuda::ScreenChoice;
use crate::engine::{
    CpuOptions, CpuScreen, CudaOptions, Device, EngineOptions, Nonfinite, Simd, threads_error,
};
use crate::error::{Error, Result};
use crate::tally::StratifyBy;

/// The cohort, the model, and how rows are encoded.
#[derive(Debug, Clone, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) cohort: CohortArgs,

    /// The SAE: sae.pt, the folder that holds it, or a BEST_MODEL.json
    #[arg(long, value_name = "PATH")]
    pub(super) model: PathBuf,

    #[command(flatten)]
    pub(super) engine: EngineArgs,
}

/// Which embeddings, and the calls that they are of.
#[derive(Debug, Clone, Args)]
pub(super) struct CohortArgs {
    /// Embeddings: .pt, .npy, .npz or .safetensors; may be given several times, or as a pattern in
    /// quotes ('shards/*.npy'). Files are taken in the order in which people count their names
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    embeddings: Vec<PathBuf>,

    /// The calls, one line for each row, where they are not in the embeddings' file: .csv, .tsv,
    /// .jsonl (these also .gz) or .parquet; the first is of the first embeddings, and so on
    /// [default: the file of that name beside the embeddings]
    #[arg(long, value_name = "FILE", num_args = 1..)]
    metadata: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) labels: LabelArgs,

    /// Only these rows of one embeddings file, counted from 0, the last one left out
    #[arg(long, value_name = "A..B", value_parser = parse_rows)]
    rows: Option<Range<u64>>,
}

impl CohortArgs {
    /// One file, with its calls in it.
    pub(super) fn of_file(embeddings: PathBuf) -> Self {
        Self {
            embeddings: vec![embeddings],
            metadata: Vec::new(),
            labels: LabelArgs::default(),
            rows: None,
        }
    }

    /// The shards, in order.
    pub(super) fn shards(&self) -> Result<Vec<ShardInput>> {
        shards::shards(&self.embeddings, &self.metadata, self.rows.as_ref())
    }
}

/// Which calls are true.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct LabelArgs {
    /// The column, or key of sv_info, with the truth benchmark's classes [default: truvari_class]
    #[arg(long, value_name = "NAME", value_parser = parse_class_column)]
    class_column: Option<String>,

    /// The classes that are true calls, exactly as they are written; may be given several times, or as
    /// a list with commas. All others are false [default: TP,tp_comp_vcf]
    #[arg(long, value_name = "VALUE", value_delimiter = ',')]
    true_class: Vec<String>,
}

impl LabelArgs {
    pub(super) fn rule(&self) -> ClassRule {
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
pub(super) struct KeepArgs {
    /// Keep what is done every so many rows, so that a run that is killed goes on there when it is
    /// started again [default: at the end of each file, where there are several]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) checkpoint_rows: Option<u64>,

    /// The most memory for firing sets and calls, as 8GiB or 500MB; what is beyond lies in files
    /// in the output's folder meanwhile. Half of it is for the tables beside the notebook's, where
    /// they are made
    #[arg(long, value_name = "SIZE", default_value = MEMORY, value_parser = parse_bytes)]
    pub(super) memory: u64,
}

/// What may be replaced.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct ForceArgs {
    /// Replace files that an output has the name of even if no earlier run wrote them; what this run
    /// reads is never replaced
    #[arg(long)]
    pub(super) force: bool,
}

/// What firing sets and calls may take of memory where nothing else is asked for.
pub(super) const MEMORY: &str = "512MiB";

impl Default for KeepArgs {
    fn default() -> Self {
        Self {
            checkpoint_rows: None,
            memory: parse_bytes(MEMORY).unwrap_or(u64::MAX),
        }
    }
}

/// How rows are encoded. But for --nonfinite skip, none of it changes the answer.
#[derive(Debug, Clone, Args)]
pub(super) struct EngineArgs {
    /// auto, cpu, cuda, cuda:N, or cuda:all
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: Device,

    /// Threads, 1 to 1024 [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// The most rows that a thread works on at once [default, and most: 16 MiB of them, 4096 at most]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    batch_rows: Option<u32>,

    /// What to do with rows that have a NaN or an infinity
    #[arg(long, value_name = "WHAT", default_value = "error")]
    nonfinite: NonfiniteArg,

    /// Vector instructions: auto, avx512, avx2, or portable; to check that the answer is the same
    #[arg(
        long,
        value_name = "NAME",
        default_value = "auto",
        hide_short_help = true
    )]
    simd: String,

    /// The most device memory for model and batches, as 8GiB or 500MB [default: nine tenths of what is free]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    gpu_memory: Option<u64>,

    /// How scores are screened: auto or single; on a GPU half or split; on the processor bfloat16
    /// (or bfloat16-tiles, bfloat16-vectors, bfloat16-plain)
    #[arg(
        long,
        value_name = "NAME",
        default_value = "auto",
        hide_short_help = true
    )]
    screen: ScreenArg,

    /// No progress and no notes on stderr; warnings and errors stay
    #[arg(short, long)]
    pub(super) quiet: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum NonfiniteArg {
    /// End the run, naming them
    Error,
    /// Drop them, count them, and say so
    Skip,
}

/// A screen by its name. Where the device is left open too, a name that only the other kind of
/// device knows leaves the choice to the one that is taken.
#[derive(Debug, Clone)]
struct ScreenArg {
    name: String,
    cpu: Option<CpuScreen>,
    cuda: Option<ScreenChoice>,
}

impl FromStr for ScreenArg {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        let (cpu, cuda) = (name.parse(), name.parse());
        if let (Err(cpu), Err(cuda)) = (&cpu, &cuda) {
            return Err(format!("for the processor {cpu}; for a GPU {cuda}"));
        }
        Ok(Self {
            name: name.to_owned(),
            cpu: cpu.ok(),
            cuda: cuda.ok(),
        })
    }
}

impl ScreenArg {
    fn check(&self, device: Device) -> Result<()> {
        let expected = match device {
            Device::Cpu if self.cpu.is_none() => "auto, single, or bfloat16 with --device cpu",
            Device::Cuda(_) | Device::CudaAll if self.cuda.is_none() => {
                "auto, half, split, or single with --device cuda"
            }
            _ => return Ok(()),
        };
        Err(Error::Argument {
            name: "--screen",
            found: self.name.clone(),
            expected: expected.to_owned(),
        })
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

/// Bytes as people write them: a number with or without a unit, of 1000 (MB) or 1024 (MiB).
pub(super) fn parse_bytes(text: &str) -> std::result::Result<u64, String> {
    let expected = || "expected a size as in 8GiB, 500MB, or a number of bytes".to_owned();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| expected())?;
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1000 * 1000,
        "gb" => 1000 * 1000 * 1000,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        _ => return Err(expected()),
    };
    let bytes = number.checked_mul(factor).filter(|&bytes| bytes > 0);
    bytes.ok_or_else(expected)
}

impl EngineArgs {
    fn options(&self) -> Result<EngineOptions> {
        Ok(EngineOptions {
            threads: None,
            batch_rows: self.batch_rows.map(|rows| rows as usize),
            nonfinite: match self.nonfinite {
                NonfiniteArg::Error => Nonfinite::Error,
                NonfiniteArg::Skip => Nonfinite::Skip,
            },
            scores: false,
            simd: match self.simd.as_str() {
                "auto" => None,
                name => Some(Simd::named(name).ok_or_else(|| Error::Argument {
                    name: "--simd",
                    found: name.to_owned(),
                    expected: {
                        let here = Simd::all()
                            .iter()
                            .map(ToString::to_string)
                            .collect::<Vec<_>>();
                        format!("auto, or what this machine has: {}", here.join(", "))
                    },
                })?),
            },
            cuda: CudaOptions {
                memory: self.gpu_memory,
                screen: self.screen.cuda.unwrap_or_default(),
                ..CudaOptions::default()
            },
            cpu: CpuOptions {
                screen: self.screen.cpu.unwrap_or_default(),
            },
        })
    }

    /// Before anything is read: that the device can be had, and `--threads` for the whole process
    /// rather than the engine alone.
    pub(super) fn check(&self) -> Result<()> {
        self.screen.check(self.device)?;
        self.device.check()?;
        let Some(threads) = self.threads.map(usize::from) else {
            return Ok(());
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global();
        pool.map_err(|error| threads_error(threads, &error))
    }

    pub(super) fn analyze_options(&self, strata: StratifyBy) -> Result<AnalyzeOptions> {
        Ok(AnalyzeOptions {
            device: self.device,
            engine: self.options()?,
            strata,
            ..AnalyzeOptions::default()
        })
    }
}
