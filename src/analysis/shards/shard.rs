//! One shard after another, part by part.

use std::ops::Range;

use super::ahead::{Ahead, Loaded};
use super::identity::{Current, Identities};
use super::labels;
use super::parts::{Part, Place};
use super::{InputFile, Job, ShardInput, Watch};
use crate::analysis::{Encoder, Session};
use crate::cohort::Calls;
use crate::engine::{Control, Encoded, Seconds, check_dim};
use crate::error::{Error, Result};
use crate::fires::FiringSets;
use crate::fires::InMemory;
use crate::read::{LoadedModel, TensorRows};
use crate::rows::{RowRange, Rows};
use crate::store::{Fires, FiresFile};
use crate::tally::{Certificate, CohortTally, Merger, Tally};

/// A run at work.
pub(super) struct Work<'a> {
    job: &'a Job<'a>,
    watch: &'a Watch<'a>,
    model: &'a LoadedModel,
    identities: Identities<'a>,
    /// Opened for the first part that has to be encoded.
    session: Option<Session<'a>>,
    merger: Merger,
    /// Bytes of firing sets and calls in memory.
    held: u64,
    rows_before: u64,
    done: Done,
}

/// What it gives.
#[derive(Default)]
pub(super) struct Done {
    pub(super) parts: Vec<Part>,
    pub(super) files: Vec<InputFile>,
    pub(super) warnings: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) seconds: Seconds,
    pub(super) resumed_rows: u64,
    pub(super) was_there: bool,
    pub(super) encoder: Option<Encoder>,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        job: &'a Job<'a>,
        watch: &'a Watch<'a>,
        ahead: &'a Ahead<'a>,
        model: &'a LoadedModel,
    ) -> Self {
        Self {
            job,
            watch,
            model,
            identities: Identities::new(ahead, watch, model),
            session: None,
            merger: Merger::default(),
            held: 0,
            rows_before: 0,
            done: Done::default(),
        }
    }

    /// Counts one shard.
    pub(super) fn shard(
        &mut self,
        number: usize,
        input: &'a ShardInput,
        loaded: Loaded,
    ) -> Result<()> {
        let Loaded { cohort, metadata } = loaded;
        let whole = range(input, &cohort.rows)?;
        (self.watch.more_rows)(whole.end - whole.start);
        labels::check(self.job, number, &cohort, &whole, &|| self.watch.check())?;
        self.warn(input, cohort.warnings);
        self.done.notes.extend(cohort.notes);
        let current = Current::new(number, input, &cohort.rows, metadata);
        let was_there = self.was_there(&current, &whole)?;
        if whole.is_empty() {
            self.warn(input, vec!["there is no call in it".to_owned()]);
            if !was_there {
                self.empty(&current, &cohort.rows)?;
            }
        } else if !was_there {
            let all = 0..cohort.rows.count() as u64;
            let step = self.job.rows_at_once(self.model.sae.k());
            let mut calls = cohort.calls;
            for start in whole.clone().step_by(step as usize) {
                let part = start..whole.end.min(start.saturating_add(step));
                let calls = if part == all {
                    std::mem::take(&mut calls)
                } else {
                    calls.slice(part.start as usize..part.end as usize)
                };
                self.part(&current, &cohort.rows, part, calls)?;
            }
        }
        self.identities.file(&current)?;
        self.done.files.extend(current.into_files());
        Ok(())
    }

    fn warn(&mut self, input: &ShardInput, warnings: Vec<String>) {
        let many = self.job.inputs.len() > 1;
        let named = |text| {
            if many {
                format!("{}: {text}", input.name)
            } else {
                text
            }
        };
        self.done.warnings.extend(warnings.into_iter().map(named));
    }

    /// Whether the output holds all of it already.
    fn was_there(&mut self, current: &Current, rows: &Range<u64>) -> Result<bool> {
        let Some(output) = self.job.output.filter(|output| output.tally.exists()) else {
            return Ok(false);
        };
        let shard = self.identities.shard(current, rows.clone())?;
        let engine = &self.job.options.engine;
        let of = (self.identities.model()?, self.job.options.strata);
        let rule = &self.job.options.rule;
        let Some(tally) = output.find(of, &shard, engine, rule) else {
            return Ok(false);
        };
        self.done.was_there = true;
        self.done.resumed_rows += rows.end - rows.start;
        self.add(tally, None)?;
        Ok(true)
    }

    /// Adds a shard without a call: it is named among those that were counted, and changes no count.
    fn empty(&mut self, current: &Current, rows: &TensorRows) -> Result<()> {
        check_dim(&self.model.sae, rows)?;
        let shard = self.identities.shard(current, 0..0)?;
        let features = self.model.sae.feature_dim();
        let tally = Tally::new(features, vec![], vec![], vec![], Certificate::default());
        let scheme = self.job.options.strata;
        let cohort = CohortTally::of_shard(*self.identities.model()?, scheme, shard, tally);
        self.add(cohort, None)
    }

    /// Counts some rows of a shard, or finds that an earlier run has.
    fn part(
        &mut self,
        current: &Current,
        rows: &TensorRows,
        part: Range<u64>,
        calls: Calls,
    ) -> Result<()> {
        if let Some(checkpoints) = self.job.checkpoints.filter(|found| !found.were_empty()) {
            let shard = self.identities.shard(current, part.clone())?;
            let options = (&self.job.options.engine, self.job.details.is_some());
            let of = (self.identities.model()?, self.job.options.strata);
            let rule = &self.job.options.rule;
            if let Some((tally, place)) = checkpoints.find(of, &shard, options, rule) {
                self.done.resumed_rows += part.end - part.start;
                return self.add(tally, place);
            }
        }
        let first = part.start as usize;
        let encoded = self.encode(&RowRange::new(rows, first..part.end as usize), &calls);
        let Encoded {
            fires,
            tally,
            seconds,
        } = encoded.map_err(|error| in_file(error, first))?;
        self.done.seconds.encode += seconds.encode;
        self.done.seconds.threads.add(&seconds.threads);
        let identity = self.identities.shard(current, part)?;
        // What was hashed, and what was read, must be one and the same before it is kept.
        rows.check_unchanged()?;
        let shard = identity.with_calls(&calls, fires.dropped());
        let scheme = self.job.options.strata;
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
            scores: self.job.options.engine.scores,
        });
        let fires = fires.filter(|_| self.job.details.is_some());
        let mut place = None;
        if let Some(checkpoints) = self.job.checkpoints {
            place = checkpoints.save(cohort, fires.as_ref())?;
        }
        let (Some(kept), Some(fires)) = (self.job.details, fires) else {
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
            self.done.parts.push(Part { shard, place });
        }
        (self.watch.progress)(self.rows_before);
        self.watch.check()
    }

    fn encode(&mut self, rows: &RowRange, calls: &Calls) -> Result<Encoded> {
        let before = self.rows_before;
        let progress = |done: u64| (self.watch.progress)(before + done);
        let control = Control {
            cancel: self.watch.cancel,
            progress: Some(&progress),
        };
        let session = match &mut self.session {
            Some(session) => session,
            none => {
                // Of the other shards it is only known that they are there.
                let about = rows.whole().saturating_mul(self.job.inputs.len());
                none.insert(Session::open(&self.model.sae, about, self.job.options)?)
            }
        };
        session.encode(rows, calls, &control)
    }

    /// What came of it all.
    pub(super) fn finish(mut self) -> (Merger, Done) {
        self.done.encoder = self.session.as_ref().map(Session::encoder);
        self.done.files.extend(self.identities.into_model_file());
        (self.merger, self.done)
    }
}

/// Which rows of a shard are meant.
fn range(input: &ShardInput, rows: &dyn Rows) -> Result<Range<u64>> {
    let all = 0..rows.count() as u64;
    match &input.rows {
        None => Ok(all),
        Some(some) if some.start < some.end && some.end <= all.end => Ok(some.clone()),
        Some(some) => Err(Error::Argument {
            name: "--rows",
            found: format!("{}..{}", some.start, some.end),
            expected: format!("rows of {}, which has {}", input.name, all.end),
        }),
    }
}

/// Rows are named as those of the file.
fn in_file(error: Error, first: usize) -> Error {
    match error {
        Error::NonFinite {
            file,
            rows,
            count,
            total,
        } => Error::NonFinite {
            file,
            rows: rows.into_iter().map(|row| row + first).collect(),
            count,
            total,
        },
        error => error,
    }
}
