//! Every table of a cohort that was counted.

use std::sync::Arc;

use super::counted::Counted;
#[cfg(feature = "cuda")]
use super::pairs::PairCounter;
use super::warnings;
use crate::clock::{Clock, Lap};
use crate::cohort::classes::{ClassCount, Labels};
use crate::control::{Control, Stage};
use crate::engine::{Device, EngineOptions};
use crate::error::{Result, Warning};
use crate::report::{html, text};
use crate::stats::evidence::reasons::ReasonTables;
use crate::stats::evidence::regions::{RegionOptions, RegionPermutations, RegionTables};
use crate::stats::evidence::values::ValueTables;
use crate::stats::evidence::{self, ExtendedTables, PairsBy, Summary};
use crate::stats::notebook::{self, NotebookTables};
use crate::stats::prediction::{self, PredictBy, Prediction};
use crate::stats::score_comparison::ScoreComparison;
use crate::tally::CohortTally;

/// The choice of tables that are made, and their options.
#[derive(Debug, Clone, Default)]
pub struct TableOptions {
    /// The notebook's.
    pub notebook: notebook::Options,
    /// The extended ones; `None` for none.
    pub extended: Option<evidence::Options>,
    /// The regions that calls are compared by, if any.
    pub regions: Option<Arc<RegionOptions>>,
    /// What lies in one fold where the label is predicted; `None` for no prediction.
    pub predict: Option<PredictBy>,
    /// What the page has beside results: names of atoms, links to genome browsers.
    pub page: html::Settings,
}

/// The tables of a cohort.
#[derive(Debug, Clone)]
pub struct Tables {
    /// The options the tables were made with.
    pub options: TableOptions,
    /// The tables that the notebook computes.
    pub notebook: NotebookTables,
    /// The further tables that a paper needs, if they were asked for.
    pub extended: Option<ExtendedTables>,
    /// The summary of both: claims, the strongest atoms, cautions.
    pub summary: Summary,
    /// The classes of the calls, the most frequent first.
    pub classes: Vec<ClassCount>,
    /// The oddities of the calls, one sentence each.
    pub warnings: Vec<Warning>,
    /// The seconds that the notebook's tables took.
    pub(crate) notebook_lap: Lap,
}

impl Counted {
    /// Makes the tables. `scores` are those of [`Self::compare_scores`], where atoms were compared by
    /// them.
    ///
    /// # Errors
    /// Classes that are not understood; what cannot be computed without firing sets; firing sets that
    /// are not those that were counted; memory; cancellation.
    pub fn tables(
        &self,
        options: &TableOptions,
        scores: Option<ScoreComparison>,
        control: &Control,
    ) -> Result<Tables> {
        Tables::of(self, PairsBy::Cpu, options, scores, control)
    }

    /// The same; where a CUDA device encoded the rows, it counts the pairs of atoms too.
    ///
    /// # Errors
    /// As [`Self::tables`], and those of a device that was asked for by name.
    pub fn tables_by(
        &self,
        device: Device,
        engine: &EngineOptions,
        options: &TableOptions,
        scores: Option<ScoreComparison>,
        control: &Control,
    ) -> Result<Tables> {
        #[cfg(feature = "cuda")]
        let mut counter = PairCounter::of(self, device, engine);
        #[cfg(feature = "cuda")]
        let pairs = PairCounter::by(counter.as_mut());
        #[cfg(not(feature = "cuda"))]
        let pairs = {
            let _ = (device, engine);
            PairsBy::Cpu
        };
        Tables::of(self, pairs, options, scores, control)
    }
}

impl Tables {
    fn of(
        counted: &Counted,
        pairs: PairsBy<'_>,
        options: &TableOptions,
        scores: Option<ScoreComparison>,
        control: &Control,
    ) -> Result<Self> {
        let mut clock = Clock::start();
        let cohort = &counted.cohort;
        let seen = cohort.shards.value_counts(|shard| &shard.classes);
        Labels::of(seen).check(&named(cohort), &cohort.rule)?;
        let store = counted.store();
        let notebook = NotebookTables::of_cohort(cohort, store, options.notebook, control)?;
        let notebook_lap = clock.lap();
        let extended = options.extended.as_ref().map(|options| {
            ExtendedTables::with_pairs_by(pairs, &cohort.tally, store, options, control)
        });
        let mut extended = extended.transpose()?;
        if let Some(extended) = &mut extended {
            extended.scores = scores;
            let control = &control.stage(Stage::Comparing, 0);
            extended.reasons = reasons_of(counted, extended, control)?;
            extended.values = values_of(counted, &extended.options, control)?;
            extended.regions = regions_of(counted, options, &extended.options, control)?;
            extended.prediction = prediction_of(counted, options, &extended.options, control)?;
        }
        let classes = counted.classes();
        Ok(Self {
            options: options.clone(),
            summary: {
                let summary = Summary::of(&notebook, extended.as_ref(), cohort.model.batches);
                if cohort.model.is_of_activations() {
                    summary.of_activations()
                } else {
                    summary
                }
            },
            notebook,
            warnings: {
                let of_regions = extended
                    .as_ref()
                    .and_then(|extended| extended.regions.as_ref());
                let of_regions = of_regions.iter().flat_map(|regions| &regions.warnings);
                let of_values = extended
                    .as_ref()
                    .and_then(|extended| extended.values.as_ref());
                let of_values = of_values.iter().flat_map(|values| &values.warnings);
                let mut all = warnings::of_cohort(cohort, &classes);
                all.extend(of_values.cloned().map(Warning::from));
                all.extend(of_regions.cloned().map(Warning::from));
                all
            },
            extended,
            classes,
            notebook_lap,
        })
    }

    /// Returns the text that is printed of the tables.
    pub fn report(&self) -> text::Report<'_> {
        text::Report {
            notebook: &self.notebook,
            summary: &self.summary,
        }
    }
}

/// Compares the false calls of each reason with all true calls, where calls have reasons.
fn reasons_of(
    counted: &Counted,
    extended: &ExtendedTables,
    control: &Control,
) -> Result<Option<ReasonTables>> {
    let (features, least) = (extended.atoms.len(), extended.options.min_support);
    let found = counted
        .store()
        .map(|store| ReasonTables::of(store, features, least, control));
    found.transpose().map(Option::flatten)
}

/// Compares atoms with quantities of the calls, where any are described.
fn values_of(
    counted: &Counted,
    extended: &evidence::Options,
    control: &Control,
) -> Result<Option<ValueTables>> {
    let Some(store) = counted.store() else {
        return Ok(None);
    };
    let fires = counted.cohort.tally.counts_where(|_| true);
    ValueTables::of(
        store,
        &fires,
        (extended.min_support, extended.memory),
        control,
    )
}

/// Compares the calls in each region with those outside, where regions are given.
fn regions_of(
    counted: &Counted,
    options: &TableOptions,
    extended: &evidence::Options,
    control: &Control,
) -> Result<Option<RegionTables>> {
    let Some((regions, store)) = options.regions.as_ref().zip(counted.store()) else {
        return Ok(None);
    };
    let fires = counted.cohort.tally.counts_where(|_| true);
    let permutations = RegionPermutations {
        count: extended.permutations,
        seed: extended.seed,
        locus_distance: extended.locus_distance,
    };
    let limits = (extended.min_support, extended.memory);
    RegionTables::of(store, &fires, regions, permutations, limits, control).map(Some)
}

/// Predicts the label of every call, where that is asked for.
fn prediction_of(
    counted: &Counted,
    options: &TableOptions,
    extended: &evidence::Options,
    control: &Control,
) -> Result<Option<Prediction>> {
    let Some((by, store)) = options.predict.zip(counted.store()) else {
        return Ok(None);
    };
    let regions = options.regions.as_deref();
    let options = prediction::Options {
        by,
        min_support: extended.min_support,
        locus_distance: extended.locus_distance,
        bootstrap: extended.bootstrap,
        seed: extended.seed,
    };
    Prediction::of(store, options, regions, control).map(Some)
}

/// Returns the name that messages give to the files of a cohort.
fn named(cohort: &CohortTally) -> String {
    let mut shards = cohort.shards.iter();
    let first = shards.next().map_or("", |shard| &shard.name);
    match shards.len() {
        0 => first.to_owned(),
        more => format!("{first} and {more} more"),
    }
}
