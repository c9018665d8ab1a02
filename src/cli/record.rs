//! `run.json`: what ran, on what, how, and where the time went.

use serde::Serialize;

use crate::analysis::Encoder;
use crate::analysis::shards::{InputFile, Tallied};
use crate::cohort::ClassRule;
use crate::cohort::classes::{ClassCount, Part, true_class};
use crate::engine::{Nonfinite, ThreadSeconds};
use crate::stats::evidence::{self, ExtendedTables};
use crate::stats::notebook::{self, BiasTable, NotebookTables};
use crate::stats::score_comparison::ScoreComparison;
use crate::tally::{Certificate, CohortTally, Shard, StratifyBy};

/// The most classes that a record names.
const MOST_CLASSES: usize = 50;

/// The most classes that are warned of one by one.
const MOST_WARNINGS: usize = 10;

/// A run's record.
#[derive(Debug, Serialize)]
pub(super) struct Record {
    pub(super) atomscope: &'static str,
    definition: u32,
    pub(super) inputs: Vec<InputFile>,
    /// Where nothing was encoded, there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoder: Option<Encoder>,
    shapes: Shapes,
    options: notebook::Options,
    /// What was asked beside the notebook's tables, and what it took; none where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    tables: Option<Tables>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonfinite: Option<Nonfinite>,
    atoms: Atoms,
    /// Which column has the classes, and which of them are true.
    class_rule: ClassRule,
    /// The most frequent ones.
    classes: Vec<ClassCount>,
    /// How many there are besides.
    other_classes: usize,
    certificate: Certificate,
    #[serde(skip_serializing_if = "Option::is_none")]
    encode: Option<Encode>,
    pub(super) seconds: Seconds,
    peak_memory_bytes: Option<u64>,
    pub(super) warnings: Vec<String>,
}

/// The tables that are not the notebook's.
#[derive(Debug, Serialize)]
struct Tables {
    options: evidence::Options,
    /// What the strata tell apart, and how many there are.
    strata_scheme: StratifyBy,
    strata: usize,
    /// Where pairs of atoms were counted.
    /// Where atoms were compared by their scores: by what, and how often the rows were read for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    scores_compared: Option<ScoresCompared>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pairs_counted: Option<evidence::PairsCounted>,
    seconds: TablesSeconds,
}

/// How scores were compared.
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

/// What they took: computing each, and writing them all.
#[derive(Debug, Serialize)]
struct TablesSeconds {
    #[serde(flatten)]
    each: evidence::Seconds,
    writing: f64,
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
    rows: u64,
    rows_dropped_as_nonfinite: usize,
    input_dim: u64,
    feature_dim: u64,
    k: u64,
    shards: Vec<ShardRows>,
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

/// Wall clock of the run's stages.
#[derive(Debug, Default, Serialize)]
pub(super) struct Seconds {
    /// Until the first calls were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) read: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) encode: Option<f64>,
    pub(super) statistics: f64,
    /// To the end, but for putting files in their place.
    pub(super) total: f64,
}

impl Record {
    /// What is known from counts alone.
    pub(super) fn new(
        cohort: &CohortTally,
        findings: &NotebookTables,
        options: notebook::Options,
        classes: Vec<ClassCount>,
    ) -> Self {
        let of = |shard: &Shard| ShardRows {
            name: shard.name.clone(),
            rows: [shard.rows.start, shard.rows.end],
        };
        Self {
            atomscope: env!("CARGO_PKG_VERSION"),
            definition: CohortTally::DEFINITION,
            inputs: Vec::new(),
            encoder: None,
            shapes: Shapes {
                rows: cohort.shards.rows(),
                rows_dropped_as_nonfinite: findings.dropped_calls,
                input_dim: cohort.model.input_dim,
                feature_dim: cohort.model.feature_dim,
                k: cohort.model.k,
                shards: cohort.shards.iter().map(of).collect(),
            },
            options,
            tables: None,
            nonfinite: None,
            atoms: Atoms::of(&findings.bias),
            class_rule: cohort.rule.clone(),
            other_classes: classes.len().saturating_sub(MOST_CLASSES),
            classes: classes.into_iter().take(MOST_CLASSES).collect(),
            certificate: cohort.tally.certificate(),
            encode: None,
            seconds: Seconds::default(),
            peak_memory_bytes: None,
            warnings: Vec::new(),
        }
    }

    /// What is known of the run that encoded the rows.
    pub(super) fn ran(&mut self, tallied: &Tallied, nonfinite: Nonfinite) {
        let seconds = tallied.seconds;
        let rows = tallied.cohort.shards.rows() - tallied.resumed_rows;
        self.inputs.clone_from(&tallied.files);
        self.warnings.clone_from(&tallied.warnings);
        self.encoder.clone_from(&tallied.encoder);
        self.nonfinite = Some(nonfinite);
        self.encode = tallied.encoder.is_some().then_some(Encode {
            rows,
            rows_per_s: rows as f64 / seconds.encode,
            seconds: seconds.encode,
            thread_seconds: seconds.threads,
            rows_resumed: tallied.resumed_rows,
        });
        self.seconds.read = Some(tallied.read_seconds);
        self.seconds.encode = Some(seconds.encode);
    }

    /// What was computed beside the notebook's tables, and the seconds that writing it took.
    pub(super) fn tables(&mut self, evidence: Option<&ExtendedTables>, writing: f64) {
        self.tables = evidence.map(|evidence| Tables {
            options: evidence.options.clone(),
            strata_scheme: evidence.scheme,
            strata: evidence.strata,
            scores_compared: evidence.scores.as_ref().map(ScoresCompared::of),
            pairs_counted: evidence.pairs_counted.clone(),
            seconds: TablesSeconds {
                each: evidence.seconds,
                writing,
            },
        });
    }

    /// The most memory that was held until now.
    pub(super) fn note_memory(&mut self) {
        self.peak_memory_bytes = peak_memory();
    }
}

/// All that is odd about the calls that were counted.
pub(super) fn warnings(cohort: &CohortTally, classes: &[ClassCount]) -> Vec<String> {
    let mut warnings = class_warnings(classes, &cohort.rule, Part::All);
    warnings.extend(dropped_warning(cohort, "dropped_rows.npy lists them"));
    warnings
}

/// A sentence on rows that were dropped; `listed` says where they are.
pub(super) fn dropped_warning(cohort: &CohortTally, listed: &str) -> Option<String> {
    let count = cohort.shards.dropped().count();
    let (shard, first) = cohort
        .shards
        .iter()
        .find_map(|shard| Some((shard, *shard.dropped.first()?)))?;
    Some(format!(
        "{count} of {} calls were dropped for a NaN or an infinity in their embedding (the first is row \
         {first} of {}): they are in no count and no table; {listed}",
        cohort.shards.rows(),
        shard.name
    ))
}

/// Sentences on classes that say neither true nor false, and so count as false.
///
/// Where the true classes were given, all others are false by decision, and only what looks like
/// another spelling of true is odd, and a class that was given and no call of the whole cohort has.
pub(super) fn class_warnings(classes: &[ClassCount], rule: &ClassRule, part: Part) -> Vec<String> {
    let is_odd = |class: &&ClassCount| match rule.given() {
        None => class.says_neither(),
        Some(_) => class.may_be_true(),
    };
    let odd: Vec<_> = classes.iter().filter(is_odd).collect();
    let column = rule.column();
    let trues = rule.true_classes();
    let neither = format!(
        "only {} count as true, so these count as FP",
        trues.join(" and ")
    );
    let advice = |class: &ClassCount| match class.name.as_deref() {
        Some(name) if class.may_be_true() => {
            let all: Vec<&str> = trues.iter().copied().chain([name]).collect();
            format!("if they are true calls, give {}", true_class(&all))
        }
        _ => "rename the class if they are true calls".to_owned(),
    };
    let mut warnings: Vec<_> = odd
        .iter()
        .take(MOST_WARNINGS)
        .map(|class| {
            let what = match class.name.as_deref() {
                None => format!("no {column}"),
                Some("None") => format!("None as {column}"),
                Some(name) => format!("{column} {name:?}"),
            };
            format!(
                "{} calls have {what}: {neither}; {}",
                class.calls,
                advice(class)
            )
        })
        .collect();
    if let Some(more) = odd.get(MOST_WARNINGS..).filter(|more| !more.is_empty()) {
        let calls: u64 = more.iter().map(|class| class.calls).sum();
        warnings.push(format!(
            "{calls} calls have {} further classes: {neither}",
            more.len()
        ));
    }
    let known = |given: &&String| {
        classes
            .iter()
            .any(|class| class.name.as_ref() == Some(*given))
    };
    let given = rule.given().unwrap_or_default().iter();
    for class in given.filter(|class| part == Part::All && !known(class)) {
        warnings.push(format!(
            "no call has {column} {class:?}, which --true-class names"
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
