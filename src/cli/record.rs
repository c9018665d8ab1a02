//! `run.json`: what ran, on what, how, and where the time went.

use std::io;

use serde::Serialize;

use super::digest::Input;
use crate::analysis::{Analysis, AnalyzeOptions, Encoder};
use crate::cohort::Calls;
use crate::engine::{Nonfinite, ThreadSeconds};
use crate::sae::Sae;
use crate::stats::classes::ClassCount;
use crate::stats::{self, BiasTable};
use crate::tally::Certificate;

/// The version of the definition of the answer: scores, firing sets, counts.
pub(super) const DEFINITION: u32 = 1;

/// The most classes that a record names.
const MOST_CLASSES: usize = 50;

/// What is said of a class that is none of the known ones.
const NEITHER: &str = "only TP and tp_comp_vcf count as true, so these count as FP";

/// The most classes that are warned of one by one.
const MOST_WARNINGS: usize = 10;

/// A run's record.
#[derive(Debug, Serialize)]
pub(super) struct Record {
    pub(super) atomscope: &'static str,
    definition: u32,
    pub(super) inputs: Vec<Input>,
    encoder: Encoder,
    shapes: Shapes,
    options: stats::Options,
    nonfinite: Nonfinite,
    atoms: Atoms,
    /// The most frequent ones.
    classes: Vec<ClassCount>,
    /// How many there are besides.
    other_classes: usize,
    certificate: Certificate,
    encode: Encode,
    pub(super) seconds: Seconds,
    peak_memory_bytes: Option<u64>,
    pub(super) warnings: Vec<String>,
}

/// How many atoms are in the table, and why the others are not.
#[derive(Debug, Serialize)]
struct Atoms {
    analyzed: usize,
    skipped_for_low_support: u64,
    skipped_for_a_zero_expected_count: u64,
}

impl Atoms {
    fn of(table: &BiasTable) -> Self {
        Self {
            analyzed: table.atoms.len(),
            skipped_for_low_support: table.skipped_low_support,
            skipped_for_a_zero_expected_count: table.skipped_zero_expected,
        }
    }
}

#[derive(Debug, Serialize)]
struct Shapes {
    rows: usize,
    rows_dropped_as_nonfinite: usize,
    input_dim: usize,
    feature_dim: usize,
    k: usize,
}

/// Rows over the wall time of reading, encoding, selecting and counting together. The seconds of
/// single stages are summed over threads.
#[derive(Debug, Serialize)]
struct Encode {
    rows_per_s: f64,
    seconds: f64,
    thread_seconds: ThreadSeconds,
}

/// Wall clock of the run's stages.
#[derive(Debug, Default, Serialize)]
pub(super) struct Seconds {
    pub(super) read: f64,
    pub(super) encode: f64,
    pub(super) statistics: f64,
    /// To the end, but for putting files in their place.
    pub(super) total: f64,
}

impl Record {
    pub(super) fn new(
        sae: &Sae,
        calls: &Calls,
        analysis: &Analysis,
        options: &AnalyzeOptions,
        classes: Vec<ClassCount>,
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
            options: options.statistics,
            nonfinite: options.engine.nonfinite,
            atoms: Atoms::of(&analysis.findings.bias),
            other_classes: classes.len().saturating_sub(MOST_CLASSES),
            classes: classes.into_iter().take(MOST_CLASSES).collect(),
            certificate: analysis.tally.certificate(),
            encode: Encode {
                rows_per_s: calls.len() as f64 / seconds.encode,
                seconds: seconds.encode,
                thread_seconds: seconds.threads,
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

/// Sentences on classes that say neither true nor false, and so count as false.
pub(super) fn class_warnings(classes: &[ClassCount]) -> Vec<String> {
    let odd: Vec<_> = classes
        .iter()
        .filter(|class| class.says_neither())
        .collect();
    let mut warnings: Vec<_> = odd
        .iter()
        .take(MOST_WARNINGS)
        .map(|class| {
            let what = match class.name.as_deref() {
                None => "no truvari_class".to_owned(),
                Some("None") => "None as truvari_class".to_owned(),
                Some(name) => format!("truvari_class {name:?}"),
            };
            format!(
                "{} calls have {what}: {NEITHER}; rename the class if they are true calls",
                class.calls
            )
        })
        .collect();
    if let Some(more) = odd.get(MOST_WARNINGS..).filter(|more| !more.is_empty()) {
        let calls: u64 = more.iter().map(|class| class.calls).sum();
        warnings.push(format!(
            "{calls} calls have {} further classes: {NEITHER}",
            more.len()
        ));
    }
    warnings
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
