//! Every table of a cohort that was counted.

use std::time::Instant;

use super::counted::Counted;
use crate::cohort::classes::{ClassCount, Labels};
use crate::control::Control;
use crate::error::{Result, Warning};
use crate::report::text;
use crate::stats::evidence::{self, ExtendedTables, PairsBy};
use crate::stats::notebook::{self, NotebookTables};
use crate::stats::score_comparison::ScoreComparison;
use crate::tally::CohortTally;

/// Which tables are made, and how.
#[derive(Debug, Clone, Default)]
pub struct TableOptions {
    /// The notebook's.
    pub notebook: notebook::Options,
    /// The extended ones; `None` for none.
    pub extended: Option<evidence::Options>,
}

/// The tables of a cohort.
#[derive(Debug, Clone)]
pub struct Tables {
    /// What they were made with.
    pub options: TableOptions,
    /// What the notebook computes.
    pub notebook: NotebookTables,
    /// What a paper needs besides, where it was asked for.
    pub extended: Option<ExtendedTables>,
    /// The classes of the calls, the most frequent first.
    pub classes: Vec<ClassCount>,
    /// What is odd about the calls, a sentence each.
    pub warnings: Vec<Warning>,
    /// Seconds that the notebook's tables took.
    pub notebook_seconds: f64,
}

impl Tables {
    pub(super) fn of(
        counted: &Counted,
        pairs: PairsBy<'_>,
        options: &TableOptions,
        scores: Option<ScoreComparison>,
        control: &Control,
    ) -> Result<Self> {
        let began = Instant::now();
        let cohort = &counted.cohort;
        let seen = cohort.shards.value_counts(|shard| &shard.classes);
        Labels::of(seen).check(&named(cohort), &cohort.rule)?;
        let store = counted.store();
        let notebook = NotebookTables::of_cohort(cohort, store, options.notebook, control)?;
        let notebook_seconds = began.elapsed().as_secs_f64();
        let extended = options.extended.as_ref().map(|options| {
            ExtendedTables::with_pairs_by(pairs, &cohort.tally, store, options, control)
        });
        let mut extended = extended.transpose()?;
        if let Some(extended) = &mut extended {
            extended.scores = scores;
        }
        Ok(Self {
            options: options.clone(),
            notebook,
            extended,
            classes: counted.classes(),
            warnings: counted.call_warnings(),
            notebook_seconds,
        })
    }

    /// What is printed of them.
    pub fn report(&self) -> text::Report<'_> {
        text::Report {
            notebook: &self.notebook,
            extended: self.extended.as_ref(),
        }
    }
}

/// What messages call the files of a cohort.
fn named(cohort: &CohortTally) -> String {
    let mut shards = cohort.shards.iter();
    let first = shards.next().map_or("", |shard| &shard.name);
    match shards.len() {
        0 => first.to_owned(),
        more => format!("{first} and {more} more"),
    }
}
