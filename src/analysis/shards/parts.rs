//! The parts' firing sets, in the cohort's order.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::cover::{Counted, Cover};

use crate::cohort::Calls;
use crate::control::Control;
use crate::error::{Choice, Error, Proposal, Result};
use crate::fires::FiringSets;
use crate::fires::{FiringBlock, FiringStore};
use crate::read::Stamp;
use crate::store::FiresFile;
use crate::tally::{CohortTally, Shard, Shards};

/// The firing sets of some rows of a shard.
#[derive(Debug)]
pub struct Part {
    pub(super) shard: Shard,
    pub(super) place: Place,
}

/// The place where the firing sets are.
#[derive(Debug)]
pub(super) enum Place {
    Memory {
        calls: Box<Calls>,
        sets: FiringSets,
    },
    Open(Box<FiresFile>),
    /// A file, with its stamp when it was looked at, if it was.
    File(PathBuf, Option<Stamp>),
}

/// The firing sets of a cohort with its calls, part by part. It is a handle: a clone shares them.
#[derive(Debug, Clone, Default)]
pub struct CohortFirings {
    parts: Arc<Vec<Part>>,
    /// True if all of them come with scores; otherwise none does.
    scores: bool,
}

impl CohortFirings {
    /// Parts in any order. With `scores` all of them have these; without, some may, and they are
    /// left out.
    pub(super) fn new(mut parts: Vec<Part>, scores: bool) -> Self {
        parts.sort_by(|a, b| a.shard.order(&b.shard));
        Self {
            parts: Arc::new(parts),
            scores,
        }
    }

    /// A cohort in memory: one part.
    pub(in crate::analysis) fn in_memory(shard: Shard, calls: Calls, sets: FiringSets) -> Self {
        let scores = sets.scores().is_some();
        let calls = Box::new(calls);
        let place = Place::Memory { calls, sets };
        Self::new(vec![Part { shard, place }], scores)
    }

    /// The same, if all of it is one part, which is of this shard.
    pub(in crate::analysis) fn renamed(mut self, shard: &Shard) -> Self {
        let parts = Arc::get_mut(&mut self.parts);
        if let Some([part]) = parts.map(Vec::as_mut_slice) {
            part.shard = shard.clone();
        }
        self
    }

    /// The firing sets, where they are all in memory and in one piece.
    pub fn sets(&self) -> Option<&FiringSets> {
        match self.parts.as_slice() {
            [
                Part {
                    place: Place::Memory { sets, .. },
                    ..
                },
            ] => Some(sets),
            _ => None,
        }
    }

    /// Says whether the firing sets come with the scores of their atoms.
    pub fn has_scores(&self) -> bool {
        self.scores
    }

    /// A part's file, with scores if all have them.
    fn open(&self, path: &Path) -> Result<FiresFile> {
        let file = FiresFile::open(path)?;
        Ok(if self.scores {
            file
        } else {
            file.without_scores()
        })
    }

    /// The firing sets of exactly the rows of a tally, each once, from files among which there may
    /// be others'. Every file that is used is read once for its checksum. Scores come with them where
    /// every one of these files has them. `None` where there are no
    /// such files at all, unless they were `named`.
    ///
    /// # Errors
    /// Rows whose firing sets are in none of them; a file that is damaged; cancellation, which is
    /// asked now and then.
    pub fn of_files(
        paths: Vec<PathBuf>,
        cohort: &CohortTally,
        named: bool,
        control: &Control,
    ) -> Result<Option<Self>> {
        let opened: Vec<(PathBuf, Result<FiresFile>)> = paths
            .into_par_iter()
            .map(|path| (path.clone(), FiresFile::open(&path)))
            .collect();
        let (mut files, mut others) = (Vec::new(), Vec::new());
        let counted = Counted::of(cohort);
        for (path, file) in opened {
            match file {
                Ok(file) if counted.has(&file) => files.push((path, file)),
                other => others.push(other),
            }
        }
        if files.is_empty() && others.is_empty() && !named {
            return Ok(None);
        }
        // Of shards without a call there is nothing to find.
        files.retain(|(_, file)| file.shard().count() > 0);
        let mut cover = Cover::new(files);
        let mut parts = Vec::new();
        for shard in cohort.shards.iter().filter(|shard| shard.count() > 0) {
            let Some(of_shard) = cover.take(shard) else {
                // A file that only seems to be another cohort's, as it is damaged, is named itself.
                for other in others {
                    other?.verify(control)?;
                }
                return Err(cover.missing(shard));
            };
            parts.extend(of_shard);
        }
        parts
            .par_iter()
            .try_for_each(|(_, file)| file.verify(control))?;
        let part = |(path, file): (PathBuf, FiresFile)| Part {
            shard: file.shard().clone(),
            place: Place::File(path, file.stamp()),
        };
        let scores = parts.iter().all(|(_, file)| file.has_scores());
        let details = Self::new(parts.into_iter().map(part).collect(), scores);
        details.check(cohort)?;
        Ok(Some(details))
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
        ] = self.parts.as_slice()
        {
            return Ok(Cow::Borrowed(calls));
        }
        let mut all = Calls::default();
        self.blocks(&mut |block| {
            all.rule.clone_from(&block.calls.rule);
            (0..block.calls.len()).for_each(|row| all.push(&block.calls.get(row)));
            Ok(())
        })?;
        Ok(Cow::Owned(all))
    }

    /// Checks that these are of the calls that were counted, with the same dropped calls and the
    /// same kinds.
    fn check(&self, cohort: &CohortTally) -> Result<()> {
        let found = Shards::new(self.parts.iter().map(|part| part.shard.clone()).collect());
        let counted = cohort.shards.iter().filter(|shard| shard.count() > 0);
        let differs = counted.zip(&found).find(|(a, b)| a != b);
        let Some((shard, _)) = differs else {
            return Ok(());
        };
        Err(Error::input(
            shard.name.clone(),
            "its firing sets",
            "those of other calls, or other ones that were dropped",
            "those that were counted",
            "tally the shard again, and keep its firing sets",
        )
        .proposing([Proposal::of(Choice::Fires)]))
    }
}

impl FiringStore for CohortFirings {
    fn blocks(&self, take: &mut dyn FnMut(FiringBlock<'_>) -> Result<()>) -> Result<()> {
        let mut first = 0;
        for part in self.parts.iter() {
            match &part.place {
                Place::Memory { calls, sets } => take(FiringBlock { first, calls, sets })?,
                Place::Open(file) => file.blocks(first, take)?,
                Place::File(path, stamp) => {
                    let file = self.open(path)?;
                    file.check_stamp(*stamp)?;
                    file.blocks(first, take)?;
                }
            }
            first += part.shard.count();
        }
        Ok(())
    }
    fn sets(&self, take: &mut dyn FnMut(&FiringSets) -> Result<()>) -> Result<()> {
        for part in self.parts.iter() {
            match &part.place {
                Place::Memory { sets, .. } => take(sets)?,
                Place::Open(file) => file.all_sets(take)?,
                Place::File(path, stamp) => {
                    let file = self.open(path)?;
                    file.check_stamp(*stamp)?;
                    file.all_sets(take)?;
                }
            }
        }
        Ok(())
    }
}
