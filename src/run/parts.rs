//! The parts' firing sets, in the cohort's order.

use std::borrow::Cow;
use std::path::PathBuf;

use rayon::prelude::*;

use crate::cohort::Calls;
use crate::details::{Block, Details};
use crate::error::{Error, Result};
use crate::fires::FiringSets;
use crate::store::FiresFile;
use crate::tally::{CohortTally, Shard, Shards};

/// The firing sets of some rows of a shard.
#[derive(Debug)]
pub struct Part {
    pub(super) shard: Shard,
    pub(super) place: Place,
}

/// Where they are.
#[derive(Debug)]
pub(super) enum Place {
    Memory { calls: Box<Calls>, sets: FiringSets },
    Open(Box<FiresFile>),
    File(PathBuf),
}

/// The firing sets of a cohort with its calls, part by part.
#[derive(Debug, Default)]
pub struct CohortDetails(Vec<Part>);

impl CohortDetails {
    /// Parts in any order.
    pub(super) fn new(mut parts: Vec<Part>) -> Self {
        parts.sort_by(|a, b| a.shard.order(&b.shard));
        Self(parts)
    }

    /// The firing sets of exactly the rows of a tally, from files among which there may be others'.
    /// Every file that is used is read once for its checksum. `None` where there are no such files at
    /// all, unless they were `named`.
    ///
    /// # Errors
    /// A file that cannot be read, is none, or is damaged; rows whose firing sets are in none of
    /// them, or in several.
    pub fn of_files(
        paths: Vec<PathBuf>,
        cohort: &CohortTally,
        named: bool,
    ) -> Result<Option<Self>> {
        let open = |path: PathBuf| {
            let file = FiresFile::open(&path)?;
            if !belongs(&file, cohort) {
                return Ok(Err(path));
            }
            file.verify()?;
            let (shard, place) = (file.shard().clone(), Place::File(path));
            Ok(Ok(Part { shard, place }))
        };
        let opened: Result<Vec<_>> = paths.into_par_iter().map(open).collect();
        let (mut parts, mut others) = (Vec::new(), Vec::new());
        for file in opened? {
            match file {
                Ok(part) => parts.push(part),
                Err(path) => others.push(path),
            }
        }
        let mut details = Self::new(parts);
        // The same file under two names.
        details.0.dedup_by(|a, b| a.shard == b.shard);
        let complete = details.check(cohort);
        if complete.is_err() {
            // One that only seems to be another cohort's, as it is damaged, must be named itself.
            let verify = |path: PathBuf| FiresFile::open(&path)?.verify();
            others.into_par_iter().try_for_each(verify)?;
        }
        if details.0.is_empty() && !named {
            return Ok(None);
        }
        complete.map(|()| Some(details))
    }

    /// The calls of all parts after one another.
    ///
    /// # Errors
    /// Those of reading.
    pub fn calls(&self) -> Result<Cow<'_, Calls>> {
        if let [
            Part {
                place: Place::Memory { calls, .. },
                ..
            },
        ] = self.0.as_slice()
        {
            return Ok(Cow::Borrowed(calls));
        }
        let mut all = Calls::default();
        self.blocks(&mut |block| {
            (0..block.calls.len()).for_each(|row| all.push(&block.calls.get(row)));
            Ok(())
        })?;
        Ok(Cow::Owned(all))
    }

    /// Whether these are the firing sets of all rows that were counted, and what is missing if not.
    fn check(&self, cohort: &CohortTally) -> Result<()> {
        let found = Shards::new(self.0.iter().map(|part| part.shard.clone()).collect());
        let Some(missing) = cohort
            .shards
            .iter()
            .find(|shard| !found.iter().any(|s| s == *shard))
        else {
            return Ok(());
        };
        let there = found.iter().find(|shard| shard.sha256 == missing.sha256);
        let rows = &missing.rows;
        Err(Error::input(
            missing.name.clone(),
            format!("rows {}..{}", rows.start, rows.end),
            there.map_or("no firing sets of it".to_owned(), |shard| {
                format!(
                    "firing sets of its rows {}..{} alone, or other ones",
                    shard.rows.start, shard.rows.end
                )
            }),
            "the firing sets of every row that was counted, once",
            "name them all with --fires, or leave them out with --without-fires",
        ))
    }
}

/// Whether a file's rows are among those that were counted, by the same model.
fn belongs(file: &FiresFile, cohort: &CohortTally) -> bool {
    let shard = file.shard();
    let holds = |counted: &Shard| {
        counted.sha256 == shard.sha256
            && counted.metadata == shard.metadata
            && counted.name == shard.name
            && counted.rows.start <= shard.rows.start
            && shard.rows.end <= counted.rows.end
    };
    *file.model() == cohort.model && cohort.shards.iter().any(holds)
}

impl Details for CohortDetails {
    fn blocks(&self, take: &mut dyn FnMut(Block<'_>) -> Result<()>) -> Result<()> {
        let mut first = 0;
        for part in &self.0 {
            match &part.place {
                Place::Memory { calls, sets } => take(Block { first, calls, sets })?,
                Place::Open(file) => file.blocks(first, take)?,
                Place::File(path) => FiresFile::open(path)?.blocks(first, take)?,
            }
            first += part.shard.count();
        }
        Ok(())
    }
}
