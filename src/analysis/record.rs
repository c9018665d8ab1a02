//! `run.json`: what ran, on what, how, and where the time went.

use serde::Serialize;

use super::counted::{Counted, Run};
use super::session::Encoder;
use super::shards::InputFile;
use super::tables::Tables;
use crate::clock::Lap;
use crate::cohort::ClassRule;
use crate::cohort::classes::ClassCount;
use crate::engine::{Nonfinite, ThreadSeconds};
use crate::error::Warning;
use crate::read::ModelAbout;
use crate::report::text;
use crate::stats::evidence::{self, ExtendedTables};
use crate::stats::notebook::{self, BiasTable};
use crate::stats::pairs::{PairNumbers, Pairs};
use crate::stats::prediction;
use crate::stats::score_comparison::ScoreComparison;
use crate::tally::{Batches, Certificate, CohortTally, Shard, StratifyBy};

/// The most classes that a record names.
const MOST_CLASSES: usize = 50;

/// The record of a run.
#[derive(Debug, Serialize)]
pub struct Record {
    atomscope: &'static str,
    definition: u32,
    /// The files that were read.
    pub inputs: Vec<InputFile>,
    /// The encoder; `None` if nothing was encoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoder: Option<Encoder>,
    /// What the model is, in words; absent where none was read, and nobody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<ModelAbout>,
    /// A sentence on activations, where these were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    activations: Option<&'static str>,
    shapes: Shapes,
    options: notebook::Options,
    /// The options of the tables beside the notebook's, and the time they took; `None` if none were
    /// asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    tables: Option<ExtendedRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonfinite: Option<Nonfinite>,
    atoms: Atoms,
    /// The column that has the classes, and the classes that are true.
    class_rule: ClassRule,
    /// The most frequent ones.
    classes: Vec<ClassCount>,
    /// The number of further classes.
    other_classes: usize,
    /// The work of certified selection; `None` where activations were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<Certificate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encode: Option<Encode>,
    /// Wall clock of its stages.
    pub seconds: Seconds,
    /// CPU time of all threads of the process in these stages.
    pub cpu_seconds: Seconds,
    peak_memory_bytes: Option<u64>,
    /// The oddities, one sentence each.
    pub warnings: Vec<Warning>,
}

/// The tables that are not the notebook's.
#[derive(Debug, Serialize)]
struct ExtendedRecord {
    options: evidence::Options,
    /// The properties that tell strata apart, and the number of strata.
    strata_scheme: StratifyBy,
    strata: usize,
    /// The device that compared atoms by their scores, and how often the rows were read for it.
    /// Absent if scores were not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    scores_compared: Option<ScoresCompared>,
    /// The device that counted pairs of atoms; absent if pairs were not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pairs_counted: Option<evidence::PairsCounted>,
    /// The numbers of pairs, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pairs: Option<PairNumbers>,
    /// The prediction of the label; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction: Option<Predicted>,
    seconds: TablesSeconds,
    /// The CPU time of all threads.
    cpu_seconds: TablesSeconds,
}

/// The record of a prediction.
#[derive(Debug, Serialize)]
struct Predicted {
    options: prediction::Options,
    /// What lies in one fold as a whole, and their number.
    units: &'static str,
    unit_count: u32,
    folds: usize,
    seconds: f64,
}

impl Predicted {
    fn of(found: &prediction::Prediction) -> Self {
        Self {
            options: found.options,
            units: found.folds.unit(),
            unit_count: found.folds.units,
            folds: found.folds.count,
            seconds: found.seconds,
        }
    }
}

/// The record of how scores were compared.
#[derive(Debug, Serialize)]
struct ScoresCompared {
    device: &'static str,
    passes: usize,
    seconds: f64,
}

impl ScoresCompared {
    fn of(found: &ScoreComparison) -> Self {
        Self {
            device: "cpu",
            passes: found.passes,
            seconds: found.seconds,
        }
    }
}

/// The seconds that the tables took: to compute each, to write them all, and to make the page.
#[derive(Debug, Serialize)]
struct TablesSeconds {
    #[serde(flatten)]
    each: evidence::Seconds,
    writing: f64,
    page: f64,
}

/// The time that outputs took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Written {
    /// Writing the extended tables.
    pub(super) tables: Lap,
    /// Making and writing the page; nothing where none was asked for.
    pub(super) page: Lap,
}

/// The number of atoms in the table, and the reasons why the others are not in it.
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
    rows: u64,
    rows_dropped_as_nonfinite: usize,
    /// The length of an embedding; `None` where activations were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    input_dim: Option<u64>,
    feature_dim: u64,
    /// Atoms that fire on every row; none where rows differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    k: Option<u64>,
    /// The batches of a model of batch top-k.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_topk: Option<BatchRecord>,
    shards: Vec<ShardRows>,
}

/// The batches that decided what fires.
#[derive(Debug, Serialize)]
struct BatchRecord {
    /// Atoms that fire on a row of a batch, on average.
    k: u64,
    /// Rows of a batch; none where the whole cohort is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    /// The threshold that was estimated, above which scores fire.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_threshold: Option<f64>,
    /// All of it in words.
    words: String,
}

impl BatchRecord {
    fn of(batches: &Batches) -> Self {
        Self {
            k: batches.k(),
            rows: batches.rows(),
            estimated_threshold: batches.threshold(),
            words: batches.to_string(),
        }
    }
}

/// Some rows of a file, in the cohort's order.
#[derive(Debug, Serialize)]
struct ShardRows {
    name: String,
    rows: [u64; 2],
}

/// Rows over the wall time of reading, encoding, selecting and counting together. The seconds of
/// single stages are summed over threads.
#[derive(Debug, Serialize)]
struct Encode {
    rows: u64,
    rows_per_s: f64,
    seconds: f64,
    thread_seconds: ThreadSeconds,
    /// Rows that an earlier run, which was killed, had done.
    rows_resumed: u64,
}

/// Seconds of the run's stages.
#[derive(Debug, Default, Serialize)]
pub struct Seconds {
    /// Until the first calls were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// Reading, encoding, selecting and counting together.
    pub encode: Option<f64>,
    /// Reading and counting activations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<f64>,
    /// The notebook's tables.
    pub statistics: f64,
    /// The whole time up to the end, without the time to put files in their place.
    pub total: f64,
}

impl Record {
    /// Records what is known of counts, tables and the run that encoded the rows.
    pub(super) fn of(counted: &Counted, tables: &Tables, written: Written) -> Self {
        let mut record = Self::of_counts(&counted.cohort, tables);
        if let Some(run) = &counted.run {
            record.of_run(&counted.cohort, run);
        }
        record.warnings.clone_from(&counted.warnings);
        record.warnings.extend(tables.warnings.iter().cloned());
        let bias = &tables.notebook.bias;
        let nothing = bias
            .why_empty()
            .map(|_| text::Nothing(bias).to_string().into());
        record.warnings.extend(nothing);
        record.extended(tables.extended.as_ref(), written);
        record
    }

    fn of_counts(cohort: &CohortTally, tables: &Tables) -> Self {
        let (findings, classes) = (&tables.notebook, tables.classes.clone());
        let of = |shard: &Shard| ShardRows {
            name: shard.name.clone(),
            rows: [shard.rows.start, shard.rows.end],
        };
        let is_given = cohort.model.is_of_activations();
        Self {
            atomscope: env!("CARGO_PKG_VERSION"),
            definition: CohortTally::DEFINITION,
            inputs: Vec::new(),
            encoder: None,
            model: cohort.about.clone(),
            activations: is_given.then_some(text::ACTIVATIONS_GIVEN),
            shapes: Shapes {
                rows: cohort.shards.rows(),
                rows_dropped_as_nonfinite: findings.dropped_calls,
                input_dim: (!is_given).then_some(cohort.model.input_dim),
                feature_dim: cohort.model.feature_dim,
                k: cohort.model.top_k,
                batch_topk: cohort.model.batches.as_ref().map(BatchRecord::of),
                shards: cohort.shards.iter().map(of).collect(),
            },
            options: tables.options.notebook,
            tables: None,
            nonfinite: None,
            atoms: Atoms::of(&findings.bias),
            class_rule: cohort.rule.clone(),
            other_classes: classes.len().saturating_sub(MOST_CLASSES),
            classes: classes.into_iter().take(MOST_CLASSES).collect(),
            certificate: (!is_given).then(|| cohort.tally.certificate()),
            encode: None,
            seconds: Seconds {
                statistics: tables.notebook_lap.wall,
                ..Seconds::default()
            },
            cpu_seconds: Seconds {
                statistics: tables.notebook_lap.cpu,
                ..Seconds::default()
            },
            peak_memory_bytes: None,
            warnings: Vec::new(),
        }
    }

    fn of_run(&mut self, cohort: &CohortTally, run: &Run) {
        let seconds = run.seconds;
        let rows = cohort.shards.rows() - run.resumed_rows;
        self.inputs.clone_from(&run.files);
        self.encoder.clone_from(&run.encoder);
        // With the places of its files, which a tally has not.
        if run.about.is_some() {
            self.model.clone_from(&run.about);
        }
        let [read, encode] = run.cpu_seconds;
        self.seconds.read = Some(run.read_seconds);
        self.cpu_seconds.read = Some(read);
        if run.sae.is_none() {
            self.seconds.count = Some(seconds.encode);
            self.cpu_seconds.count = Some(encode);
            return;
        }
        self.nonfinite = Some(run.nonfinite);
        self.encode = run.encoder.is_some().then_some(Encode {
            rows,
            rows_per_s: rows as f64 / seconds.encode,
            seconds: seconds.encode,
            thread_seconds: seconds.threads,
            rows_resumed: run.resumed_rows,
        });
        self.seconds.encode = Some(seconds.encode);
        self.cpu_seconds.encode = Some(encode);
    }

    fn extended(&mut self, extended: Option<&ExtendedTables>, written: Written) {
        self.tables = extended.map(|evidence| ExtendedRecord {
            options: evidence.options.clone(),
            strata_scheme: evidence.scheme.clone(),
            strata: evidence.strata,
            scores_compared: evidence.scores.as_ref().map(ScoresCompared::of),
            pairs_counted: evidence.pairs_counted.clone(),
            pairs: evidence.pairs.as_ref().map(Pairs::numbers),
            prediction: evidence.prediction.as_ref().map(Predicted::of),
            seconds: TablesSeconds {
                each: evidence.seconds,
                writing: written.tables.wall,
                page: written.page.wall,
            },
            cpu_seconds: TablesSeconds {
                each: evidence.cpu_seconds,
                writing: written.tables.cpu,
                page: written.page.cpu,
            },
        });
    }

    /// Records what is known only at the end.
    pub(super) fn finish(&mut self, spent: Lap) {
        self.seconds.total = spent.wall;
        self.cpu_seconds.total = spent.cpu;
        self.peak_memory_bytes = peak_memory();
    }
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
