//! A cohort that was counted: counts, firing sets, and what is known of the run.

use std::path::{Path, PathBuf};

use super::batches::{self, OneSource};
use super::session::{CountOptions, Encoder, Session};
use super::shards::{CohortFirings, InputFile};
use super::warnings;
use crate::clock::Clock;
use crate::cohort::Calls;
use crate::cohort::classes::{self as labels, ClassCount, classes};
use crate::control::{Control, Progress, Stage};
use crate::digest::Digest;
use crate::engine::{DenseScores, Encoded, EngineOptions, Nonfinite, Seconds};
use crate::error::{Error, Result, Warning};
use crate::fires::FiringStore;
use crate::read::{ModelAbout, ModelAnswers, read_model_alone};
use crate::rows::Rows;
use crate::sae::Sae;
use crate::stats::calls::{AtomCalls, Pick, calls_of};
use crate::stats::evidence::CallFacts;
use crate::stats::notebook::{self, BiasTable, Investigation};
use crate::stats::score_comparison::{
    LabelledCalls, Part, RowsAgain, ScoreComparison, blocks, compare,
};
use crate::store::{Fires, Maker, read_tally, write_fires, write_tally};
use crate::tally::{CohortTally, ModelId, Shard, StratifyBy};
use crate::write::together::publish_together;

/// A cohort that was counted.
#[derive(Debug)]
pub struct Counted {
    /// The counts, and what they are of.
    pub cohort: CohortTally,
    /// The firing sets, where they were kept.
    pub firings: Option<CohortFirings>,
    /// The run that counted the rows; `None` where counts are from a tally.
    pub run: Option<Run>,
    /// The model's file, where a tally's was given besides: [`take_model`](Self::take_model).
    pub model_file: Option<InputFile>,
    /// The oddities of the model and the calls, one sentence each.
    pub warnings: Vec<Warning>,
}

/// A run that counted rows.
#[derive(Debug)]
pub struct Run {
    /// The model that encoded them; `None` where activations were given.
    pub sae: Option<Sae>,
    /// What the model is, in words; `None` if it was not read from a file.
    pub about: Option<ModelAbout>,
    /// The files that were read.
    pub files: Vec<InputFile>,
    /// The device and program that encoded the rows; `None` if all rows were done already, or where
    /// activations were given.
    pub encoder: Option<Encoder>,
    /// The treatment of rows with a NaN or an infinity.
    pub nonfinite: Nonfinite,
    /// The time that each step of encoding took; that of reading and counting activations.
    pub seconds: Seconds,
    /// Seconds until the first shard's calls were read.
    pub read_seconds: f64,
    /// CPU seconds of the whole process until then, and while rows were encoded or counted.
    pub cpu_seconds: [f64; 2],
    /// Rows that an earlier run had done.
    pub resumed_rows: u64,
    /// True if the output was there already.
    pub was_there: bool,
    /// The checks that could not be made, one sentence for each file.
    pub notes: Vec<String>,
}

/// The way in which scores are compared.
#[derive(Debug, Clone)]
pub struct CompareScores {
    /// The properties by which calls are stratified.
    pub stratify_by: StratifyBy,
    /// Bytes that scores may take at a time.
    pub memory: u64,
}

impl Run {
    pub(super) fn new(sae: Option<Sae>, about: Option<ModelAbout>, nonfinite: Nonfinite) -> Self {
        Self {
            sae,
            about,
            files: Vec::new(),
            encoder: None,
            nonfinite,
            seconds: Seconds::default(),
            read_seconds: 0.0,
            cpu_seconds: [0.0; 2],
            resumed_rows: 0,
            was_there: false,
            notes: Vec::new(),
        }
    }
}

impl Counted {
    /// Counts rows in memory, or wherever else they are; `rows` and `calls` are of the same length
    /// and order.
    ///
    /// # Errors
    /// Those of [`Session::open`] and [`Session::encode`].
    pub fn of_rows(
        sae: &Sae,
        rows: &dyn Rows,
        calls: &Calls,
        options: &CountOptions,
        control: &Control,
    ) -> Result<Self> {
        let prepared = batches::prepare(sae.clone(), &OneSource(rows), options, control)?;
        let sae = &prepared.sae;
        let mut session = Session::open(sae, rows.count(), options)?.with_cuts(prepared.cuts);
        let control = control.from(Progress {
            stage: Stage::Encoding,
            done: 0,
            total: rows.count() as u64,
        });
        let clock = Clock::start();
        let encoded = session.encode(rows, calls, 0, &control)?;
        let cpu_seconds = [0.0, clock.elapsed().cpu];
        let Encoded {
            fires,
            tally,
            seconds,
        } = encoded;
        let model = ModelId::of(sae, Digest::default()).with_batches(prepared.of_counts);
        let shard = Shard::new(rows.name(), Digest::default(), 0..rows.count() as u64);
        let shard = shard.with_calls(calls, fires.dropped());
        let cohort =
            CohortTally::of_shard(model, options.stratify_by.clone(), shard.clone(), tally);
        let firings = CohortFirings::in_memory(shard, calls.clone(), fires);
        Ok(Self {
            cohort: cohort.with_rule(calls.rule.clone()),
            firings: Some(firings),
            run: Some(Run {
                encoder: Some(session.encoder()),
                seconds,
                cpu_seconds,
                ..Run::new(Some(sae.clone()), None, options.engine.nonfinite)
            }),
            model_file: None,
            warnings: Vec::new(),
        })
    }

    /// Reads a tally; `firings` are paths of files of firing sets, among which there may be others'.
    /// With `named` at least one must be the tally's.
    ///
    /// # Errors
    /// Files that cannot be read, are damaged, or do not go together; cancellation.
    pub fn of_tally(
        tally: &Path,
        firings: Option<(Vec<PathBuf>, bool)>,
        control: &Control,
    ) -> Result<Self> {
        let cohort = read_tally(tally)?;
        let find = |(paths, named)| CohortFirings::of_files(paths, &cohort, named, control);
        Ok(Self {
            firings: firings.map(find).transpose()?.flatten(),
            cohort,
            run: None,
            model_file: None,
            warnings: Vec::new(),
        })
    }

    /// Takes note of the model that a tally is of, for what its decoder says. `answers` are those that the
    /// tally was made with.
    ///
    /// # Errors
    /// Files that cannot be read, or are no model; another model than the tally's; cancellation.
    pub fn take_model(
        &mut self,
        model: &Path,
        answers: &ModelAnswers,
        control: &Control,
    ) -> Result<()> {
        let loaded = read_model_alone(model, answers)?;
        let file = InputFile::of("model", &loaded.path, control)?;
        file.check(loaded.stamp)?;
        let digest = loaded.identity.digest(&loaded.sae, file.sha256)?;
        let wanted = self.cohort.model.sha256;
        if digest != wanted {
            return Err(Error::input(
                model.display().to_string(),
                "the model",
                format!("one with the digest {digest}"),
                format!("that of the tally, {wanted}"),
                "give the model that the tally was made with, or none",
            ));
        }
        self.model_file = Some(file);
        Ok(())
    }

    /// The firing sets, where they were kept.
    pub fn store(&self) -> Option<&dyn FiringStore> {
        self.firings.as_ref().map(|firings| firings as _)
    }

    /// The classes of the calls that were not dropped, the most frequent first.
    pub fn classes(&self) -> Vec<ClassCount> {
        let seen = self.cohort.shards.value_counts(|shard| &shard.classes);
        classes(seen, &self.cohort.rule)
    }

    /// Sentences on all that is odd about the calls that were counted.
    pub fn call_warnings(&self) -> Vec<Warning> {
        warnings::of_cohort(&self.cohort, &self.classes())
    }

    /// Sentences on what is odd about the calls of a part of a cohort.
    pub fn shard_warnings(&self) -> Vec<Warning> {
        let rule = &self.cohort.rule;
        let mut found = warnings::of_classes(&self.classes(), rule, labels::Part::Some);
        found.extend(warnings::of_batches(&self.cohort));
        found.extend(warnings::of_dropped(&self.cohort, "the tally lists them"));
        found
    }

    /// Writes the tally of one shard and, where a path is given, its firing sets, with the scores of
    /// their atoms or without. A tally says that the shard is done, so it goes first and comes back last.
    ///
    /// # Errors
    /// Files that cannot be written; those of reading firing sets.
    pub fn write_tally(&self, tally: &Path, fires: Option<&Path>, scores: bool) -> Result<()> {
        let shard = self.cohort.shards.iter().next();
        let mut files = Vec::new();
        if let (Some(path), Some(shard), Some(firings)) = (fires, shard, &self.firings) {
            let fires = Fires {
                model: &self.cohort.model,
                shard,
                calls: &*firings.calls()?,
                details: firings,
                scores,
            };
            files.push(write_fires(path, &fires)?);
        }
        files.push(write_tally(tally, &self.cohort, Maker::Tally)?);
        publish_together(files, &[])
    }

    /// Describes the calls on which some atoms fire, in the order in which they are named. An atom
    /// that never fires, or does not exist, has no calls.
    ///
    /// # Errors
    /// No firing sets; those of reading them.
    pub fn investigate(
        &self,
        atoms: &[u32],
        min_support: u64,
        control: &Control,
    ) -> Result<Vec<Investigation>> {
        let store = self.store().ok_or_else(no_firings)?;
        let bias = BiasTable::of(&self.cohort.tally, min_support);
        notebook::investigate(atoms, &bias, store, control)
    }

    /// Lists the calls on which some atoms fire, in the order in which atoms are named.
    ///
    /// # Errors
    /// No firing sets; those of reading them.
    pub fn calls_of(&self, atoms: &[u32], pick: Pick, control: &Control) -> Result<Vec<AtomCalls>> {
        let store = self.store().ok_or_else(no_firings)?;
        calls_of(atoms, pick, store, control)
    }

    /// The least memory with which tables are made at a fair pace. It is a 32nd of what firings by
    /// atom take, and 16 MiB at most. Firings are then gathered in about 32 passes.
    pub fn least_memory(&self) -> u64 {
        const MOST: u64 = 16 << 20;
        const FIRING: u64 = (size_of::<u32>() + size_of::<f64>()) as u64;
        (self.cohort.tally.firings() * FIRING / 32).min(MOST)
    }

    /// Counts how often the rows have to be read for the scores of all atoms to fit the memory.
    pub fn passes(&self, memory: u64) -> usize {
        let kept = self.cohort.tally.rows_where(|_| true) as usize;
        blocks(self.cohort.tally.feature_dim(), kept, memory).len()
    }

    /// Compares the scores of all atoms between true and false calls, on the CPU. `rows` are those
    /// that were counted. `control` learns how many rows are done, of all rows times
    /// [`Self::passes`].
    ///
    /// # Errors
    /// Rows that cannot be read, or are not what was counted; no firing sets; memory; cancellation.
    pub fn compare_scores(
        &self,
        rows: &dyn RowsAgain,
        engine: &EngineOptions,
        options: &CompareScores,
        control: &Control,
    ) -> Result<ScoreComparison> {
        let (Some(store), Some(run)) = (self.store(), &self.run) else {
            return Err(no_firings());
        };
        let sae = run.sae.as_ref().ok_or_else(no_model)?;
        let facts = CallFacts::read(store, &options.stratify_by, control)?;
        let calls = LabelledCalls::new(facts.is_tp, facts.strata);
        let dense = DenseScores::new(sae, engine.simd);
        let features = sae.feature_dim();
        let control = control.from(Progress {
            stage: Stage::Scoring,
            done: 0,
            total: self.cohort.shards.rows() * self.passes(options.memory) as u64,
        });
        compare(&dense, features, rows, &calls, options.memory, &control)
    }

    /// The same, of rows that are all at hand.
    ///
    /// # Errors
    /// As [`Self::compare_scores`].
    pub(super) fn compare_scores_of_rows(
        &self,
        rows: &dyn Rows,
        engine: &EngineOptions,
        options: &CompareScores,
        control: &Control,
    ) -> Result<ScoreComparison> {
        let dropped: Vec<usize> = self
            .cohort
            .shards
            .dropped()
            .map(|row| row as usize)
            .collect();
        let part = Part {
            rows,
            dropped: &dropped,
        };
        self.compare_scores(&part, engine, options, control)
    }
}

/// The error of a comparison of scores where activations were given.
pub(super) fn no_model() -> Error {
    Error::Argument {
        name: "comparison of scores",
        found: "activations, which say nothing of atoms that do not fire".to_owned(),
        expected: "embeddings and a model".to_owned(),
    }
}

fn no_firings() -> Error {
    Error::Argument {
        name: "firing sets",
        found: "none".to_owned(),
        expected: "those of the calls that were counted".to_owned(),
    }
}
