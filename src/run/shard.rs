//! One shard after another, part by part.

use std::cell::OnceCell;
use std::ops::Range;

use super::ahead::{Ahead, Loaded};
use super::parts::{Part, Place};
use super::{InputFile, Job, ShardInput, Watch};
use crate::analysis::{Encoder, Session};
use crate::cohort::Calls;
use crate::details::InMemory;
use crate::engine::{Control, Encoded, Seconds};
use crate::error::{Error, Result};
use crate::read::{LoadedModel, TensorRows};
use crate::rows::{RowRange, Rows};
use crate::store::{Fires, FiresFile};
use crate::tally::{CohortTally, Merger, ModelId, Shard};

/// A run at work.
pub(super) struct Work<'a> {
    job: &'a Job<'a>,
    watch: &'a Watch<'a>,
    ahead: &'a Ahead<'a>,
    model: &'a LoadedModel,
    model_id: OnceCell<ModelId>,
    model_file: Option<InputFile>,
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
    pub(super) seconds: Seconds,
    pub(super) resumed_rows: u64,
    pub(super) was_there: bool,
    pub(super) encoder: Option<Encoder>,
}

/// A shard at work: its digest comes when it is asked for first.
struct Current<'a> {
    number: usize,
    input: &'a ShardInput,
    file: OnceCell<InputFile>,
    metadata: Option<InputFile>,
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
            ahead,
            model,
            model_id: OnceCell::new(),
            model_file: None,
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
        let rows = range(input, &cohort.rows)?;
        (self.watch.more_rows)(rows.end - rows.start);
        let many = self.job.inputs.len() > 1;
        let of = |text: &String| {
            if many {
                format!("{}: {text}", input.name)
            } else {
                text.clone()
            }
        };
        self.done.warnings.extend(cohort.warnings.iter().map(of));
        let current = Current {
            number,
            input,
            file: OnceCell::new(),
            metadata,
        };
        if self.was_there(&current, &rows)? {
            return self.end(current, &cohort.rows);
        }
        let (whole, step) = (rows.clone(), self.job.part_rows.max(1));
        let all = 0..cohort.rows.count() as u64;
        let mut calls = cohort.calls;
        for start in whole.clone().step_by(step as usize) {
            let part = start..whole.end.min(start + step);
            let calls = if part == all {
                std::mem::take(&mut calls)
            } else {
                calls.slice(part.start as usize..part.end as usize)
            };
            self.part(&current, &cohort.rows, part, calls)?;
        }
        self.end(current, &cohort.rows)
    }

    /// Whether the output holds all of it already.
    fn was_there(&mut self, current: &Current, rows: &Range<u64>) -> Result<bool> {
        let Some(output) = self.job.output.filter(|output| output.tally.exists()) else {
            return Ok(false);
        };
        let shard = self.identity(current, rows.clone())?;
        let nonfinite = self.job.options.engine.nonfinite;
        let Some(tally) = output.find(self.model_id()?, &shard, nonfinite) else {
            return Ok(false);
        };
        let count = rows.end - rows.start;
        self.done.was_there = true;
        self.done.resumed_rows += count;
        self.add(tally, count, None)?;
        Ok(true)
    }

    /// What was hashed, and what was read, must be one and the same.
    fn end(&mut self, current: Current, rows: &TensorRows) -> Result<()> {
        self.digest(&current)?;
        rows.check_unchanged()?;
        self.done.files.extend(current.file.into_inner());
        self.done.files.extend(current.metadata);
        Ok(())
    }

    /// Counts some rows of a shard, or finds that an earlier run has.
    fn part(
        &mut self,
        current: &Current,
        rows: &dyn Rows,
        part: Range<u64>,
        calls: Calls,
    ) -> Result<()> {
        let count = part.end - part.start;
        if let Some(checkpoints) = self.job.checkpoints.filter(|found| !found.were_empty()) {
            let shard = self.identity(current, part.clone())?;
            let options = (
                self.job.options.engine.nonfinite,
                self.job.details.is_some(),
            );
            if let Some((tally, place)) = checkpoints.find(self.model_id()?, &shard, options) {
                self.done.resumed_rows += count;
                return self.add(tally, count, place);
            }
        }
        let (first, last) = (part.start as usize, part.end as usize);
        let rows = RowRange::new(rows, first..last);
        let Encoded {
            fires,
            tally,
            seconds,
        } = self
            .encode(&rows, &calls)
            .map_err(|error| in_file(error, first))?;
        self.done.seconds.encode += seconds.encode;
        self.done.seconds.threads.add(&seconds.threads);
        let identity = self.identity(current, part)?;
        let shard = Shard::new(
            (identity.name, identity.sha256, identity.metadata),
            identity.rows,
            &calls,
            fires.dropped(),
        );
        let model = *self.model_id()?;
        let sets = Fires {
            model: &model,
            shard: &shard,
            calls: &calls,
            details: &InMemory {
                calls: &calls,
                sets: &fires,
            },
        };
        let cohort = CohortTally::of_shard(model, shard.clone(), tally);
        let mut place = None;
        if let Some(checkpoints) = self.job.checkpoints {
            place = checkpoints.save(&cohort, self.job.details.is_some().then_some(&sets))?;
        }
        if let Some(details) = self.job.details {
            let bytes = fires.bytes() + calls.bytes();
            if self.held + bytes <= details.memory {
                self.held += bytes;
                place = Some(Place::Memory {
                    calls: Box::new(calls),
                    sets: fires,
                });
            } else if place.is_none() {
                place = Some(Place::Open(Box::new(FiresFile::unnamed(
                    details.folder,
                    &sets,
                )?)));
            }
        }
        self.add(cohort, count, place)
    }

    fn add(&mut self, tally: CohortTally, rows: u64, place: Option<Place>) -> Result<()> {
        if let (Some(place), Some(shard)) = (place, tally.shards.iter().next()) {
            let shard = shard.clone();
            self.done.parts.push(Part { shard, place });
        }
        let name = tally.shards.iter().next().map(|shard| shard.name.clone());
        self.merger.add(tally, &name.unwrap_or_default())?;
        self.rows_before += rows;
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
        if self.session.is_none() {
            // Of the others it is only known that they are there.
            let about = rows.whole().saturating_mul(self.job.inputs.len());
            let session = Session::open(&self.model.sae, about, self.job.options)?;
            self.session = Some(session);
        }
        match &mut self.session {
            Some(session) => session.encode(rows, calls, &control),
            None => Err(Error::Cancelled),
        }
    }

    /// The model's identity; its digest is the first that is asked for.
    fn model_id(&mut self) -> Result<&ModelId> {
        if self.model_id.get().is_none() {
            let file = self.ahead.digest(None, &|| self.watch.check())?;
            let sae = &self.model.sae;
            let id = ModelId {
                sha256: file.sha256,
                input_dim: sae.input_dim() as u64,
                feature_dim: sae.feature_dim() as u64,
                k: sae.k() as u64,
            };
            self.model_file = Some(file);
            return Ok(self.model_id.get_or_init(|| id));
        }
        self.model_id.get().ok_or(Error::Cancelled)
    }

    fn digest<'c>(&mut self, current: &'c Current) -> Result<&'c InputFile> {
        self.model_id()?;
        if let Some(file) = current.file.get() {
            return Ok(file);
        }
        let file = self
            .ahead
            .digest(Some(current.number), &|| self.watch.check())?;
        Ok(current.file.get_or_init(|| file))
    }

    /// Some rows of a shard, without what its calls are.
    fn identity(&mut self, current: &Current, rows: Range<u64>) -> Result<Shard> {
        Ok(Shard {
            name: current.input.name.clone(),
            sha256: self.digest(current)?.sha256,
            metadata: current.metadata.as_ref().map(|file| file.sha256),
            rows,
            dropped: Vec::new(),
            svtypes: crate::tally::Kinds::default(),
            classes: crate::tally::Kinds::default(),
        })
    }

    /// What came of it all.
    pub(super) fn finish(mut self) -> (Merger, Done) {
        self.done.files.extend(self.model_file);
        self.done.encoder = self.session.as_ref().map(Session::encoder);
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
            mut rows,
            count,
            total,
        } => {
            for row in &mut rows {
                *row += first;
            }
            Error::NonFinite {
                file,
                rows,
                count,
                total,
            }
        }
        error => error,
    }
}
