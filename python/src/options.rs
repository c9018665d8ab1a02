//! The options of a run.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::Arc;

use atomscope::analysis::CountOptions;
use atomscope::cohort::ClassRule;
use atomscope::engine::Nonfinite;
use atomscope::read::{Decoder, NamedBy, Regions};
use atomscope::rows::EmbeddingsChoice;
use atomscope::stats::evidence::regions::RegionOptions;
use atomscope::stats::evidence::{Exchange, ListedPairs, Partition};
use atomscope::stats::prediction::PredictBy;
use atomscope::tally::StratifyBy;
use atomscope::write::inputs::Inputs;
use atomscope::{Analysis, Calls, Device, Sae};
use pyo3::prelude::*;

use crate::errors::bad;
use crate::results::Results;
use crate::rows::{SharedRows, choice};
use crate::run::run;

/// The options of a run, from a dict.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Options {
    /// None takes all that were counted.
    strata: Option<String>,
    permutations: usize,
    block: Option<String>,
    locus_distance: u64,
    seed: u64,
    min_support: u64,
    min_coactivation: u64,
    pairs: String,
    max_pairs: usize,
    replicate: Option<String>,
    bootstrap: usize,
    compare_scores: bool,
    predict: Option<String>,
    regions: Vec<PathBuf>,
    tables: String,
    device: String,
    pub(crate) threads: Option<usize>,
    memory: Option<u64>,
    nonfinite: String,
    batch_rows: Option<u64>,
    batch_threshold: bool,
    class_column: Option<String>,
    true_class: Vec<String>,
    key: Option<String>,
    layer: Option<String>,
    pool: Option<String>,
    save_fires: bool,
}

/// Options whose words are understood.
pub(crate) struct Parsed {
    given: Options,
    pub(crate) strata: Option<StratifyBy>,
    block: Option<Exchange>,
    replicate: Option<Partition>,
    predict: Option<PredictBy>,
    pairs: ListedPairs,
    is_notebook_only: bool,
    pub(crate) device: Device,
    nonfinite: Nonfinite,
    rule: ClassRule,
    batch_rows: Option<NonZeroU64>,
    choice: EmbeddingsChoice,
}

/// The value of a word, or the exception that lists the words.
fn word<T: Copy>(argument: &str, found: &str, words: &[(&str, T)]) -> PyResult<T> {
    let known = words.iter().find(|(word, _)| *word == found);
    known.map(|&(_, value)| value).ok_or_else(|| {
        let all: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
        bad(argument, &format!("{found:?}"), &all.join(" or "))
    })
}

impl Options {
    /// The same options, understood.
    ///
    /// # Errors
    /// A word that is none of an option's.
    pub(crate) fn parsed(self) -> PyResult<Parsed> {
        let strata = self.strata.as_ref().map(|text| strata_of(text));
        let batch_rows = self.batch_rows.map(|rows| {
            NonZeroU64::new(rows).ok_or_else(|| bad("batch_rows", "0", "at least 1, or None"))
        });
        let blocks = [("locus", Exchange::Locus), ("sample", Exchange::Sample)];
        let parts = [("chrom", Partition::Chrom), ("dataset", Partition::Dataset)];
        let units = [("chrom", PredictBy::Chrom), ("locus", PredictBy::Locus)];
        let errors = [("error", Nonfinite::Error), ("skip", Nonfinite::Skip)];
        let tables = [("all", false), ("notebook", true)];
        let pairs = [
            ("significant", ListedPairs::Significant),
            ("all", ListedPairs::All),
            ("none", ListedPairs::None),
        ];
        Ok(Parsed {
            strata: strata.transpose()?,
            block: one_of("block", self.block.as_deref(), &blocks)?,
            replicate: one_of("replicate", self.replicate.as_deref(), &parts)?,
            predict: one_of("predict", self.predict.as_deref(), &units)?,
            pairs: word("pairs", &self.pairs, &pairs)?,
            is_notebook_only: word("tables", &self.tables, &tables)?,
            device: self
                .device
                .parse()
                .map_err(|why: String| wrong("device", &self.device, &why))?,
            nonfinite: word("nonfinite", &self.nonfinite, &errors)?,
            rule: ClassRule::new(self.class_column.as_deref(), &self.true_class),
            batch_rows: batch_rows.transpose()?,
            choice: choice(self.key.clone(), self.layer.clone(), self.pool.as_deref())?,
            given: self,
        })
    }
}

/// The error of an option's text, which says why it is wrong.
fn wrong(argument: &str, given: &str, why: &str) -> PyErr {
    // What is wrong of what was given, where the message says it.
    let (found, expected) = match why.split_once(": expected ") {
        Some((found, expected)) => (found.to_owned(), expected),
        None => (format!("{given:?}"), why.trim_start_matches("expected ")),
    };
    bad(argument, &found, expected)
}

/// The confounders of a text, as the program writes them.
pub(crate) fn strata_of(text: &str) -> PyResult<StratifyBy> {
    let parsed = text.parse();
    parsed.map_err(|why: String| wrong("strata", text, &why))
}

/// Reads files of regions, where there are some.
pub(crate) fn regions(paths: &[PathBuf]) -> atomscope::Result<Option<RegionOptions>> {
    if paths.is_empty() {
        return Ok(None);
    }
    let mut all = Regions::default();
    for path in paths {
        all.add(Regions::read(path, NamedBy::File)?);
    }
    all.take_complements();
    all.check_names()?;
    Ok(Some(RegionOptions {
        sets: all.sets,
        rule: atomscope::regions::RegionRule::default(),
    }))
}

/// The value of a word, where one is given.
fn one_of<T: Copy>(
    argument: &str,
    found: Option<&str>,
    words: &[(&str, T)],
) -> PyResult<Option<T>> {
    found.map(|found| word(argument, found, words)).transpose()
}

impl Parsed {
    /// The analysis with all options.
    ///
    /// # Errors
    /// Those of reading the files of regions.
    fn apply<'a>(&self, analysis: Analysis<'a>) -> atomscope::Result<Analysis<'a>> {
        let given = &self.given;
        let mut analysis = analysis
            .permutations(given.permutations)
            .locus_distance(given.locus_distance)
            .seed(given.seed)
            .min_support(given.min_support)
            .min_coactivation(given.min_coactivation)
            .pairs(self.pairs)
            .max_pairs(given.max_pairs)
            .bootstrap(given.bootstrap)
            .device(self.device)
            .nonfinite(self.nonfinite)
            .class_rule(self.rule.clone())
            .embeddings_choice(self.choice.clone());
        if let Some(strata) = &self.strata {
            analysis = analysis.stratify_by(strata.clone());
        }
        if let Some(block) = self.block {
            analysis = analysis.exchange(block);
        }
        if let Some(by) = self.replicate {
            analysis = analysis.replicate(by);
        }
        if let Some(by) = self.predict {
            analysis = analysis.predict(by);
        }
        if let Some(rows) = self.batch_rows {
            analysis = analysis.batch_rows(rows);
        }
        if let Some(bytes) = given.memory {
            analysis = analysis.memory(bytes);
        }
        if given.batch_threshold {
            analysis = analysis.batch_threshold();
        }
        if given.compare_scores {
            analysis = analysis.compare_scores();
        }
        if given.save_fires {
            analysis = analysis.save_firings();
        }
        if self.is_notebook_only {
            analysis = analysis.notebook_only();
        }
        if let Some(regions) = self.regions()? {
            analysis = analysis.regions(regions);
        }
        Ok(analysis)
    }

    /// Reads the files of regions, where there are some.
    fn regions(&self) -> atomscope::Result<Option<RegionOptions>> {
        regions(&self.given.regions)
    }

    /// The options of counting alone.
    pub(crate) fn counting(&self) -> CountOptions {
        let mut options = CountOptions {
            device: self.device,
            stratify_by: self.strata.clone().unwrap_or_default(),
            rule: self.rule.clone(),
            ..CountOptions::default()
        };
        options.engine.nonfinite = self.nonfinite;
        options.engine.scores = true;
        options.batch_topk.rows = self.batch_rows;
        options.batch_topk.threshold = self.given.batch_threshold;
        options.batch_topk.memory = self.given.memory;
        options
    }

    pub(crate) fn threads(&self) -> Option<usize> {
        self.given.threads
    }

    /// Runs an analysis with these options.
    pub(crate) fn run(
        self,
        py: Python<'_>,
        inputs: Analyzed,
        files: &Inputs,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Results> {
        let found = run(py, self.given.threads, progress, move |control| {
            let analysis = self.apply(inputs.analysis())?.control(*control);
            Ok(analysis.run()?.without_control())
        })?;
        Ok(Results::new(found.reading(files)))
    }
}

/// What is analyzed, which a run keeps.
pub(crate) enum Analyzed {
    /// Rows, a model and calls that are at hand.
    Memory {
        rows: Arc<SharedRows>,
        sae: Sae,
        decoder: Option<Decoder>,
        calls: Arc<Calls>,
    },
    /// Files, or what was counted before.
    Kept(Box<Analysis<'static>>),
}

impl Analyzed {
    /// Files, or what was counted before.
    pub(crate) fn kept(analysis: Analysis<'static>) -> Self {
        Self::Kept(Box::new(analysis))
    }

    fn analysis(&self) -> Analysis<'_> {
        match self {
            Self::Memory {
                rows,
                sae,
                decoder,
                calls,
            } => Analysis::of(sae, &**rows, calls).decoder(decoder.clone()),
            Self::Kept(analysis) => Analysis::clone(analysis),
        }
    }
}
