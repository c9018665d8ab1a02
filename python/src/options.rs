//! The options of a run.

use std::num::NonZeroU64;
use std::path::PathBuf;

use atomscope::analysis::CountOptions;
use atomscope::cohort::ClassRule;
use atomscope::engine::Nonfinite;
use atomscope::read::{NamedBy, Regions};
use atomscope::stats::evidence::regions::RegionOptions;
use atomscope::stats::evidence::{Exchange, ListedPairs, Partition};
use atomscope::stats::prediction::PredictBy;
use atomscope::tally::StratifyBy;
use atomscope::{Analysis, Device};
use pyo3::prelude::*;

use crate::errors::bad;
use crate::results::Results;
use crate::rows::choice;
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
    pub(crate) device: String,
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
    strata: Option<StratifyBy>,
    pub(crate) device: Device,
    nonfinite: Nonfinite,
    rule: ClassRule,
    batch_rows: Option<NonZeroU64>,
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
    pub(crate) fn parsed(&self) -> PyResult<Parsed> {
        let wrong = |argument: &str, found: &str, why: &str| {
            let why = why.strip_prefix(&format!("{found:?}: ")).unwrap_or(why);
            bad(
                argument,
                &format!("{found:?}"),
                why.trim_start_matches("expected "),
            )
        };
        let strata = self.strata.as_ref().map(|text| {
            text.parse()
                .map_err(|why: String| wrong("strata", text, &why))
        });
        let batch_rows = self.batch_rows.map(|rows| {
            NonZeroU64::new(rows).ok_or_else(|| bad("batch_rows", "0", "at least 1, or None"))
        });
        Ok(Parsed {
            strata: strata.transpose()?,
            device: self
                .device
                .parse()
                .map_err(|why: String| wrong("device", &self.device, &why))?,
            nonfinite: word(
                "nonfinite",
                &self.nonfinite,
                &[("error", Nonfinite::Error), ("skip", Nonfinite::Skip)],
            )?,
            rule: ClassRule::new(self.class_column.as_deref(), &self.true_class),
            batch_rows: batch_rows.transpose()?,
        })
    }

    fn listed_pairs(&self) -> PyResult<ListedPairs> {
        let words = [
            ("significant", ListedPairs::Significant),
            ("all", ListedPairs::All),
            ("none", ListedPairs::None),
        ];
        word("pairs", &self.pairs, &words)
    }

    /// The same analysis with all options.
    fn apply<'a>(&self, analysis: Analysis<'a>) -> PyResult<Analysis<'a>> {
        let Parsed {
            strata,
            device,
            nonfinite,
            rule,
            batch_rows,
        } = self.parsed()?;
        let mut analysis = analysis
            .permutations(self.permutations)
            .locus_distance(self.locus_distance)
            .seed(self.seed)
            .min_support(self.min_support)
            .min_coactivation(self.min_coactivation)
            .pairs(self.listed_pairs()?)
            .max_pairs(self.max_pairs)
            .bootstrap(self.bootstrap)
            .device(device)
            .nonfinite(nonfinite)
            .class_rule(rule)
            .embeddings_choice(choice(
                self.key.clone(),
                self.layer.clone(),
                self.pool.as_deref(),
            )?);
        if let Some(strata) = strata {
            analysis = analysis.stratify_by(strata);
        }
        if let Some(block) = &self.block {
            let blocks = [("locus", Exchange::Locus), ("sample", Exchange::Sample)];
            analysis = analysis.exchange(word("block", block, &blocks)?);
        }
        if let Some(by) = &self.replicate {
            let parts = [("chrom", Partition::Chrom), ("dataset", Partition::Dataset)];
            analysis = analysis.replicate(word("replicate", by, &parts)?);
        }
        if let Some(by) = &self.predict {
            let units = [("chrom", PredictBy::Chrom), ("locus", PredictBy::Locus)];
            analysis = analysis.predict(word("predict", by, &units)?);
        }
        if let Some(rows) = batch_rows {
            analysis = analysis.batch_rows(rows);
        }
        if let Some(bytes) = self.memory {
            analysis = analysis.memory(bytes);
        }
        if self.batch_threshold {
            analysis = analysis.batch_threshold();
        }
        if self.compare_scores {
            analysis = analysis.compare_scores();
        }
        if self.save_fires {
            analysis = analysis.save_firings();
        }
        if word(
            "tables",
            &self.tables,
            &[("all", false), ("notebook", true)],
        )? {
            analysis = analysis.notebook_only();
        }
        Ok(analysis)
    }

    /// Reads the files of regions, where there are some.
    fn regions(&self) -> atomscope::Result<Option<RegionOptions>> {
        if self.regions.is_empty() {
            return Ok(None);
        }
        let mut all = Regions::default();
        for path in &self.regions {
            all.add(Regions::read(path, NamedBy::File)?);
        }
        all.take_complements();
        all.check_names()?;
        Ok(Some(RegionOptions {
            sets: all.sets,
            rule: atomscope::regions::RegionRule::default(),
        }))
    }

    pub(crate) fn count_options(&self, scores: bool) -> PyResult<CountOptions> {
        let parsed = self.parsed()?;
        let mut options = CountOptions {
            device: parsed.device,
            stratify_by: parsed.strata.unwrap_or_default(),
            rule: parsed.rule,
            ..CountOptions::default()
        };
        options.engine.nonfinite = parsed.nonfinite;
        options.engine.scores = scores;
        options.batch_topk.rows = parsed.batch_rows;
        options.batch_topk.threshold = self.batch_threshold;
        options.batch_topk.memory = self.memory;
        Ok(options)
    }

    pub(crate) fn run(
        &self,
        py: Python<'_>,
        analysis: Analysis<'_>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Results> {
        let analysis = self.apply(analysis)?;
        let found = run(py, self.threads, progress, |control| {
            let mut analysis = analysis.clone().control(*control);
            if let Some(regions) = self.regions()? {
                analysis = analysis.regions(regions);
            }
            Ok(analysis.run()?.without_control())
        })?;
        Ok(Results::new(found))
    }
}
