//! One shard after another, part by part.

use std::ops::Range;
use std::path::Path;

use super::ahead::{Ahead, Loaded};
use super::cohort_rows::FileRows;
use super::content::Content;
use super::identity::{Current, Identities};
use super::labels;
use super::length::Length;
use super::maker::Maker;
use super::parts::{CohortFirings, Part, Place};
use super::{InputFile, Plan, SetsFrom, ShardInput};
use crate::analysis::batches;
use crate::analysis::counted::{Counted, Run};
use crate::analysis::session::in_file;
use crate::clock::Clock;
use crate::cohort::Calls;
use crate::control::{Control, Progress, Stage};
use crate::engine::Encoded;
use crate::error::{Error, Result, Warning};
use crate::fires::{FiringSets, InMemory};
use crate::read::{Decoder, LoadedModel, Stamp, check_same};
use crate::sae::Activation;
use crate::store::{Fires, FiresFile};
use crate::tally::{Batches, Certificate, CohortTally, Counts, Merger, ModelId, Tally};

/// A run at work.
pub(super) struct Work<'a> {
    plan: &'a Plan<'a>,
    control: Control<'a>,
    ahead: &'a Ahead<'a>,
    identities: Identities<'a>,
    /// The batches that the counts are of.
    batches: Option<Batches>,
    /// The stamps of the files in which cuts were found.
    stamps: Vec<Option<Stamp>>,
    maker: Maker,
    merger: Merger,
    length: Length,
    parts: Vec<Part>,
    /// Bytes of firing sets and calls in memory.
    held: u64,
    rows_before: u64,
    run: Run,
    decoder: Option<Decoder>,
    warnings: Vec<Warning>,
}

impl<'a> Work<'a> {
    /// `model` is what encodes rows, with its file; `None` where activations are given.
    pub(super) fn new(
        plan: &'a Plan<'a>,
        control: Control<'a>,
        ahead: &'a Ahead<'a>,
        model: Option<(&'a Path, LoadedModel)>,
    ) -> Self {
        let loaded = model.as_ref().map(|(path, loaded)| (*path, loaded));
        let sae = loaded.map(|(_, loaded)| loaded.sae.clone());
        Self {
            plan,
            control,
            ahead,
            batches: None,
            stamps: Vec::new(),
            identities: Identities::new(ahead, control, loaded),
            maker: match sae.clone() {
                Some(sae) => Maker::Encoder {
                    sae,
                    cuts: None,
                    session: None,
                },
                None => Maker::Reader(None),
            },
            merger: Merger::default(),
            length: Length::new(plan.inputs),
            parts: Vec::new(),
            held: 0,
            rows_before: 0,
            run: Run::new(
                sae,
                loaded.map(|(_, loaded)| loaded.about.clone()),
                plan.options.engine.nonfinite,
            ),
            decoder: loaded.and_then(|(_, loaded)| loaded.decoder.clone()),
            warnings: model
                .into_iter()
                .flat_map(|(_, model)| model.warnings)
                .map(Warning::from)
                .collect(),
        }
    }

    /// Counts the next shard.
    pub(super) fn shard(&mut self, number: usize, clock: &Clock) -> Result<()> {
        let Loaded { cohort, metadata } = self.ahead.shard(number, &self.control)?;
        if number == 0 {
            let read = clock.elapsed();
            self.run.read_seconds = read.wall;
            self.run.cpu_seconds[0] = read.cpu;
        }
        self.maker.check(&cohort.rows)?;
        if number == 0 {
            self.check_layer(&cohort.rows)?;
        }
        self.identities.of_activations(self.maker.feature_dim());
        let input = &self.plan.inputs[number];
        let whole = input.range(cohort.rows.count())?;
        let of_file = cohort.rows.count() as u64;
        self.length.open(number, of_file, whole.end - whole.start);
        labels::check(self.plan, number, &cohort, &whole, &self.control)?;
        if number == 0 {
            self.prepare_batches()?;
        }
        // Cuts are those of the rows that they were found in.
        if let Some(&stamp) = self.stamps.get(number) {
            check_same(&cohort.rows.name(), stamp, cohort.rows.stamp())?;
        }
        self.warn(input, cohort.warnings);
        self.run.notes.extend(cohort.notes);
        let current = Current::new(number, input, &cohort.rows, metadata);
        let was_there = self.was_there(&current, &whole)?;
        if whole.is_empty() {
            self.warn(input, vec!["there is no call in it".to_owned()]);
            if !was_there {
                self.empty(&current, &cohort.rows)?;
            }
        } else if !was_there {
            self.parts_of(&current, &cohort.rows, &whole, cohort.calls)?;
        }
        self.identities.file(&current)?;
        self.run.files.extend(current.into_files());
        Ok(())
    }

    /// An error if a layer was answered that chose neither the model nor embeddings.
    fn check_layer(&self, rows: &Content) -> Result<()> {
        let SetsFrom::Model(model) = self.plan.sets_from else {
            return Ok(());
        };
        let options = self.plan.options;
        let chosen = rows
            .taken()
            .is_some_and(|taken| taken.choice.layer.is_some());
        options.model.check_layer(Some(model), chosen)
    }

    /// Finds the cuts of the cohort's batches, if the model is one of batch top-k.
    fn prepare_batches(&mut self) -> Result<()> {
        let options = self.plan.options;
        let Maker::Encoder { sae, cuts, .. } = &mut self.maker else {
            return batches::check_not_asked("activations", options.batch_topk);
        };
        let is_batch = matches!(sae.activation(), Activation::BatchTopK { .. });
        let rows = if is_batch { self.plan.inputs } else { &[] };
        let rows = FileRows::open(rows, &options.embeddings)?;
        let found = batches::prepare(sae.clone(), &rows, options, &self.control)?;
        self.stamps = rows.into_stamps();
        self.identities.set_batches(found.of_run);
        (*sae, *cuts, self.batches) = (found.sae, found.cuts, found.of_counts);
        self.run.sae = Some(sae.clone());
        Ok(())
    }

    /// The model, as a tally of this run's counts names it.
    fn model_of_counts(&self) -> Result<ModelId> {
        Ok(self.identities.model()?.with_batches(self.batches))
    }

    fn parts_of(
        &mut self,
        current: &Current,
        rows: &Content,
        whole: &Range<u64>,
        mut calls: Calls,
    ) -> Result<()> {
        let all = 0..rows.count() as u64;
        let step = self.plan.rows_at_once(self.maker.firings_a_row(rows));
        for start in whole.clone().step_by(step as usize) {
            let part = start..whole.end.min(start.saturating_add(step));
            let calls = if part == all {
                std::mem::take(&mut calls)
            } else {
                calls.slice(part.start as usize..part.end as usize)
            };
            self.part(current, rows, part, calls)?;
        }
        Ok(())
    }

    fn warn(&mut self, input: &ShardInput, warnings: Vec<String>) {
        let many = self.plan.inputs.len() > 1;
        let named = |text| {
            Warning::from(if many {
                format!("{}: {text}", input.name)
            } else {
                text
            })
        };
        self.warnings.extend(warnings.into_iter().map(named));
    }

    /// Says whether the output holds all of it already.
    fn was_there(&mut self, current: &Current, rows: &Range<u64>) -> Result<bool> {
        let Some(output) = self.plan.output.filter(|output| output.tally.exists()) else {
            return Ok(false);
        };
        let shard = self.identities.shard(current, rows.clone())?;
        let engine = &self.plan.options.engine;
        let model = self.model_of_counts()?;
        let of = (&model, self.plan.options.stratify_by.clone());
        let rule = &self.plan.options.rule;
        let Some(mut tally) =
            output.find(of, &shard, (engine, &self.plan.options.described()), rule)
        else {
            return Ok(false);
        };
        self.run.was_there = true;
        self.run.resumed_rows += rows.end - rows.start;
        tally.model = *self.identities.model()?;
        self.add(tally, None)?;
        Ok(true)
    }

    /// Adds a shard without a call: it is named among those that were counted, and changes no count.
    fn empty(&mut self, current: &Current, rows: &Content) -> Result<()> {
        self.maker.check_empty(rows)?;
        let shard = self.identities.shard(current, 0..0)?;
        let features = self.maker.feature_dim();
        let tally = Tally::new(
            features,
            vec![],
            vec![],
            Counts::default(),
            Certificate::default(),
        );
        let scheme = self.plan.options.stratify_by.clone();
        let cohort = CohortTally::of_shard(*self.identities.model()?, scheme, shard, tally);
        self.add(cohort, None)
    }

    /// Counts some rows of a shard, or finds that an earlier run has.
    fn part(
        &mut self,
        current: &Current,
        rows: &Content,
        part: Range<u64>,
        calls: Calls,
    ) -> Result<()> {
        if let Some(checkpoints) = self.plan.checkpoints.filter(|found| !found.were_empty()) {
            let shard = self.identities.shard(current, part.clone())?;
            let described = self.plan.options.described();
            let with_fires = self.plan.firings.is_some();
            let options = (&self.plan.options.engine, with_fires, &*described);
            let of = (
                self.identities.model()?,
                self.plan.options.stratify_by.clone(),
            );
            let rule = &self.plan.options.rule;
            if let Some((tally, place)) = checkpoints.find(of, &shard, options, rule) {
                self.run.resumed_rows += part.end - part.start;
                return self.add(tally, place);
            }
        }
        let first = part.start as usize;
        let clock = Clock::start();
        let encoded = self.make(rows, first..part.end as usize, &calls);
        self.run.cpu_seconds[1] += clock.elapsed().cpu;
        let Encoded {
            fires,
            tally,
            seconds,
        } = encoded.map_err(|error| in_file(error, first))?;
        self.run.seconds.encode += seconds.encode;
        self.run.seconds.threads.add(&seconds.threads);
        let identity = self.identities.shard(current, part)?;
        // What was hashed, and what was read, must be one and the same before it is kept.
        rows.check_unchanged()?;
        let shard = identity.with_calls(&calls, fires.dropped());
        let scheme = self.plan.options.stratify_by.clone();
        let cohort = CohortTally::of_shard(*self.identities.model()?, scheme, shard, tally)
            .with_rule(calls.rule.clone());
        let place = self.keep(&cohort, calls, fires)?;
        self.add(cohort, place)
    }

    /// Puts a part among the checkpoints, and keeps its firing sets, where either is wanted.
    fn keep(
        &mut self,
        cohort: &CohortTally,
        calls: Calls,
        sets: FiringSets,
    ) -> Result<Option<Place>> {
        let details = InMemory {
            calls: &calls,
            sets: &sets,
        };
        let fires = cohort.shards.iter().next().map(|shard| Fires {
            model: &cohort.model,
            shard,
            calls: &calls,
            details: &details,
            scores: self.plan.options.engine.scores,
        });
        let fires = fires.filter(|_| self.plan.firings.is_some());
        let mut place = None;
        if let Some(checkpoints) = self.plan.checkpoints {
            place = checkpoints.save(cohort, fires.as_ref(), &mut self.warnings)?;
        }
        let (Some(kept), Some(fires)) = (self.plan.firings, fires) else {
            return Ok(place);
        };
        let bytes = sets.bytes() + calls.bytes();
        if self.held.saturating_add(bytes) <= kept.memory {
            self.held += bytes;
            let calls = Box::new(calls);
            return Ok(Some(Place::Memory { calls, sets }));
        }
        if place.is_none() {
            let file = FiresFile::unnamed(kept.folder, &fires)?;
            place = Some(Place::Open(Box::new(file)));
        }
        Ok(place)
    }

    /// Adds the tally of one part, and notes where its firing sets are.
    fn add(&mut self, tally: CohortTally, place: Option<Place>) -> Result<()> {
        let shard = tally.shards.iter().next().cloned();
        let name = shard
            .as_ref()
            .map_or(String::new(), |shard| shard.name.clone());
        self.rows_before += tally.shards.rows();
        self.merger.add(tally, &name)?;
        if let (Some(place), Some(shard)) = (place, shard) {
            self.parts.push(Part { shard, place });
        }
        self.progress().report(0);
        self.control.check()
    }

    fn make(&mut self, rows: &Content, part: Range<usize>, calls: &Calls) -> Result<Encoded> {
        let control = self.progress();
        // Of the other shards it is only known that they are there.
        let about = rows.count().saturating_mul(self.plan.inputs.len());
        let options = (self.plan.options, about, self.rows_before);
        self.maker.make(rows, part, calls, options, &control)
    }

    /// The control of what comes next.
    fn progress(&self) -> Control<'a> {
        self.control.from(Progress {
            stage: match self.maker {
                Maker::Encoder { .. } => Stage::Encoding,
                Maker::Reader(_) => Stage::Reading,
            },
            done: self.rows_before,
            total: self.length.total(),
        })
    }

    /// Returns the result of all of it.
    pub(super) fn finish(mut self) -> Result<Counted> {
        self.run.encoder = self.maker.encoder();
        self.run.files.extend(self.identities.into_model_file());
        let mut beside = Vec::new();
        for path in self.run.about.iter().flat_map(|about| &about.beside) {
            let file = InputFile::of("model", path, &self.control)?;
            beside.push(file);
        }
        self.run.files.extend(beside);
        let scores = self.plan.options.engine.scores;
        let firings = CohortFirings::new(self.parts, scores);
        let mut cohort = self.merger.finish().ok_or(Error::Cancelled)?;
        cohort.model = cohort.model.with_batches(self.batches);
        cohort.about = self.run.about.clone().or(cohort.about);
        Ok(Counted {
            cohort,
            firings: self.plan.firings.map(|_| firings),
            run: Some(self.run),
            model_file: None,
            decoder: self.decoder,
            warnings: self.warnings,
        })
    }
}
