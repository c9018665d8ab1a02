//! `run.json`: what ran, on what, how, and where the time went.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::analysis::{Analysis, Encoder};
use crate::cohort::Calls;
use crate::error::{Error, Result};
use crate::sae::Sae;
use crate::stats;
use crate::tally::Certificate;

/// The version of the definition of the answer: scores, firing sets, counts.
const DEFINITION: u32 = 1;

/// A run's record.
#[derive(Debug, Serialize)]
pub(super) struct Record {
    pub(super) atomscope: &'static str,
    definition: u32,
    pub(super) inputs: Vec<Input>,
    encoder: Encoder,
    shapes: Shapes,
    options: stats::Options,
    classes: Vec<Class>,
    certificate: Certificate,
    encode: Encode,
    pub(super) seconds: Seconds,
    peak_memory_bytes: Option<u64>,
    pub(super) warnings: Vec<String>,
}

/// A file that was read.
#[derive(Debug, Serialize)]
pub(super) struct Input {
    pub(super) role: &'static str,
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

#[derive(Debug, Serialize)]
struct Shapes {
    rows: usize,
    rows_dropped_as_nonfinite: usize,
    input_dim: usize,
    feature_dim: usize,
    k: usize,
}

/// A value of `truvari_class`, and what it counts as.
#[derive(Debug, Serialize)]
struct Class {
    name: Option<String>,
    label: &'static str,
    calls: u64,
}

/// Rows over the wall time of reading, encoding, selecting and counting together. The seconds of
/// single stages are summed over threads.
#[derive(Debug, Serialize)]
struct Encode {
    rows_per_s: f64,
    seconds: f64,
    thread_seconds: ThreadSeconds,
}

#[derive(Debug, Serialize)]
struct ThreadSeconds {
    read: f64,
    whiten: f64,
    product: f64,
    select: f64,
    settle: f64,
}

/// Wall clock of the run's stages.
#[derive(Debug, Default, Serialize)]
pub(super) struct Seconds {
    pub(super) read: f64,
    pub(super) encode: f64,
    pub(super) statistics: f64,
    pub(super) total_before_writing: f64,
}

impl Record {
    pub(super) fn new(
        sae: &Sae,
        calls: &Calls,
        analysis: &Analysis,
        options: stats::Options,
        warnings: Vec<String>,
    ) -> Self {
        let seconds = analysis.seconds;
        Self {
            atomscope: env!("CARGO_PKG_VERSION"),
            definition: DEFINITION,
            inputs: Vec::new(),
            encoder: analysis.encoder.clone(),
            shapes: Shapes {
                rows: calls.len(),
                rows_dropped_as_nonfinite: analysis.fires.dropped().len(),
                input_dim: sae.input_dim(),
                feature_dim: sae.feature_dim(),
                k: sae.k(),
            },
            options,
            classes: classes(calls),
            certificate: analysis.tally.certificate(),
            encode: Encode {
                rows_per_s: calls.len() as f64 / seconds.encode,
                seconds: seconds.encode,
                thread_seconds: ThreadSeconds {
                    read: seconds.read,
                    whiten: seconds.whiten,
                    product: seconds.product,
                    select: seconds.select,
                    settle: seconds.settle,
                },
            },
            seconds: Seconds {
                encode: seconds.encode,
                statistics: analysis.statistics_seconds,
                ..Seconds::default()
            },
            peak_memory_bytes: peak_memory(),
            warnings,
        }
    }

    pub(super) fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        out.write_all(b"\n")
    }
}

fn classes(calls: &Calls) -> Vec<Class> {
    let all = calls.truvari_class.counts(0..calls.len()).into_iter();
    all.map(|(class, n)| Class {
        name: class.map(str::to_owned),
        label: crate::cohort::Label::of_class(class).as_str(),
        calls: n,
    })
    .collect()
}

/// A sentence for each class that says neither true nor false, and so counts as false.
pub(super) fn class_warnings(calls: &Calls) -> Vec<String> {
    const FALSE: [&str; 3] = ["FP", "fp", "fp_vcf"];
    let counted = calls.truvari_class.counts(0..calls.len()).into_iter();
    counted
        .filter_map(|(class, n)| {
            let neither = match class {
                None => "no truvari_class".to_owned(),
                Some("TP" | "tp_comp_vcf") => return None,
                Some(class) if FALSE.contains(&class) => return None,
                Some(class) => format!("truvari_class {class:?}"),
            };
            Some(format!(
                "{n} calls have {neither}, which is neither true nor false; counted as FP"
            ))
        })
        .collect()
}

/// Reads a file once more to name its content.
pub(super) fn digest(role: &'static str, path: &Path) -> Result<Input> {
    let failed = |e| Error::reading(path, e);
    let mut file = File::open(path).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        super::progress::check_interrupt()?;
        let n = file.read(&mut buffer).map_err(failed)?;
        if n == 0 {
            break;
        }
        bytes += n as u64;
        hash.update(&buffer[..n]);
    }
    let sha256 = hash
        .finalize()
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    Ok(Input {
        role,
        path: path.to_owned(),
        bytes,
        sha256,
    })
}

/// The most memory that this process has held, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
