//! Finished parts on disk, recognised by the digests of what they were made from.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::parts::Place;
use crate::cohort::ClassRule;
use crate::control::Control;
use crate::engine::{EngineOptions, Nonfinite};
use crate::error::{Error, Result, Warning};
use crate::store::{
    Fires, FiresFile, Maker, check_tally_place, is_ours, read_tally, write_fires, write_tally,
};
use crate::tally::{CohortTally, ModelId, Shard, Shards, StratifyBy};
use crate::write::lock::OutputLock;
use crate::write::whole::{create_folder, remove_abandoned};

/// A folder with the parts that a run has finished: for each a tally, and its firing sets where
/// they are kept. A run that is killed leaves it to the next; one that ends removes it.
#[derive(Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    were_empty: bool,
    /// Held as long as a run works here.
    lock: Option<OutputLock>,
}

/// The lock's name in the folder.
const LOCK: &str = "lock";

impl Checkpoints {
    /// Opens the folder, which is made where it does not exist, for this run alone.
    ///
    /// # Errors
    /// A folder that cannot be made, or in which another run is at work.
    pub fn open(folder: &Path) -> Result<Self> {
        create_folder(folder)?;
        let lock = OutputLock::acquire(folder.join(LOCK), folder)?;
        remove_abandoned(folder);
        Ok(Self {
            folder: folder.to_owned(),
            were_empty: Self::is_empty(folder).map_err(|e| Error::reading(folder, e))?,
            lock: Some(lock),
        })
    }

    /// Says whether no earlier run has left anything.
    pub fn were_empty(&self) -> bool {
        self.were_empty
    }

    /// A part that an earlier run has finished: of the same model, the same rows of the same files,
    /// and whole. What is not is made again.
    pub(super) fn find(
        &self,
        (model, scheme): (&ModelId, StratifyBy),
        shard: &Shard,
        (engine, with_fires, described): (&EngineOptions, bool, &[String]),
        rule: &ClassRule,
    ) -> Option<(CohortTally, Option<Place>)> {
        let (path, nonfinite) = (self.tally_path(shard), engine.nonfinite);
        let tally = finished(&path, (model, scheme), shard, nonfinite, &|_| true)?;
        (tally.rule == *rule).then_some(())?;
        if !with_fires {
            return Some((tally, None));
        }
        let path = self.fires_path(shard);
        let counted = tally.shards.iter().next()?;
        let file = finished_fires(&path, model, counted)?;
        (file.rule() == rule).then_some(())?;
        // Scores that are there and not wanted do no harm: nobody sees them.
        let has_all = (file.has_scores() || !engine.scores) && file.describes(described);
        has_all.then(|| (tally, Some(Place::File(path, file.stamp()))))
    }

    /// Keeps a finished part. Its firing sets come first: a tally says that the part is done. Whatever else
    /// is in its place is set aside, with a warning.
    pub(super) fn save(
        &self,
        tally: &CohortTally,
        fires: Option<&Fires>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<Place>> {
        let Some(shard) = tally.shards.iter().next() else {
            return Ok(None);
        };
        let mut place = None;
        if let Some(fires) = fires {
            let path = self.fires_path(shard);
            warnings.extend(make_room(&path)?);
            write_fires(&path, fires)?.persist()?;
            place = Some(Place::File(path, None));
        }
        let path = self.tally_path(shard);
        warnings.extend(make_room(&path)?);
        write_tally(&path, tally, Maker::Tally)?.persist()?;
        Ok(place)
    }

    /// Removes the folder: all that a run has put there is in the output now. What others have put
    /// there stays, and the folder with it.
    pub fn remove(self) {
        remove_abandoned(&self.folder);
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if is_part(&entry.file_name().to_string_lossy()) && is_ours(&entry.path()) {
                // What cannot be removed does no harm.
                drop(fs::remove_file(entry.path()));
            }
        }
    }

    fn is_empty(folder: &Path) -> io::Result<bool> {
        let mut entries = fs::read_dir(folder)?;
        entries.try_fold(true, |empty, entry| Ok(empty && entry?.file_name() == LOCK))
    }

    fn tally_path(&self, shard: &Shard) -> PathBuf {
        self.folder.join(format!("{}.tally", part_name(shard)))
    }

    fn fires_path(&self, shard: &Shard) -> PathBuf {
        self.folder.join(format!("{}.fires", part_name(shard)))
    }
}

impl Drop for Checkpoints {
    /// Leaves no folder in which nothing is kept.
    fn drop(&mut self) {
        // The lock's file goes with it.
        drop(self.lock.take());
        drop(fs::remove_dir(&self.folder));
    }
}

/// Sets aside what is in the place of a part and is none, which every run would stumble over; returns a
/// warning that names it.
fn make_room(path: &Path) -> Result<Option<Warning>> {
    match check_tally_place(path) {
        Ok(()) => return Ok(None),
        Err(Error::Cancelled) => return Err(Error::Cancelled),
        Err(_) => {}
    }
    let aside = set_aside(path)?;
    let (path, aside) = (path.display(), aside.display());
    let text =
        format!("{path}: not a finished part, though it has the name of one: it is now {aside}");
    Ok(Some(Warning::from(text)))
}

/// Gives what is at a path a name that no run looks for, and returns it.
fn set_aside(path: &Path) -> Result<PathBuf> {
    let named = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".aside-{number}"));
        PathBuf::from(name)
    };
    let mut free = (1..).map(named);
    let aside = free.find(|aside| fs::symlink_metadata(aside).is_err());
    let aside = aside.unwrap_or_else(|| named(0));
    fs::rename(path, &aside).map_err(|error| Error::writing(path, error))?;
    Ok(aside)
}

/// Returns the name by which a part is looked for. Whether the part fits is decided by its header.
fn part_name(shard: &Shard) -> String {
    let mut name = shard.sha256.to_string();
    name.truncate(16);
    format!("{name}-{}-{}", shard.rows.start, shard.rows.end)
}

/// The place where a run over one shard writes.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    /// The tally.
    pub tally: &'a Path,
    /// The firing sets, where they are wanted.
    pub fires: Option<&'a Path>,
}

impl Output<'_> {
    /// Finds the output that is there already, if it is all that the run would write.
    pub(super) fn find(
        &self,
        (model, scheme): (&ModelId, StratifyBy),
        shard: &Shard,
        (engine, described): (&EngineOptions, &[String]),
        rule: &ClassRule,
    ) -> Option<CohortTally> {
        let named = |name: &str| name == shard.name;
        let of = (model, scheme);
        let tally = finished(self.tally, of, shard, engine.nonfinite, &named)?;
        (tally.rule == *rule).then_some(())?;
        if let Some(path) = self.fires {
            let fires = finished_fires(path, model, tally.shards.iter().next()?)?;
            let is_it = *fires.rule() == *rule
                && named(&fires.shard().name)
                && fires.has_scores() == engine.scores
                && fires.describes(described);
            is_it.then_some(())?;
        }
        Some(tally)
    }
}

/// Says whether a name is one that [`part_name`] gives, with its ending.
fn is_part(name: &str) -> bool {
    let stem = name
        .strip_suffix(".tally")
        .or_else(|| name.strip_suffix(".fires"));
    let mut parts = stem.unwrap_or_default().split('-');
    let digest = parts
        .next()
        .is_some_and(|digest| digest.len() == 16 && digest.bytes().all(|c| c.is_ascii_hexdigit()));
    let number = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit()))
    };
    digest && number(parts.next()) && number(parts.next()) && parts.next().is_none()
}

/// A whole tally of exactly these rows, under the name that the shard has now; `None` if there is
/// none, or if the name that it has now does not do.
fn finished(
    path: &Path,
    (model, scheme): (&ModelId, StratifyBy),
    shard: &Shard,
    nonfinite: Nonfinite,
    named: &dyn Fn(&str) -> bool,
) -> Option<CohortTally> {
    let mut tally = read_tally(path).ok()?;
    let mut shards = std::mem::take(&mut tally.shards).into_vec().into_iter();
    let (found, more) = (shards.next()?, shards.next());
    let is_it = more.is_none()
        && tally.model == *model
        && tally.scheme == scheme.union(StratifyBy::TYPE)
        && is_of(&found, shard)
        && named(&found.name)
        && (found.dropped.is_empty() || nonfinite == Nonfinite::Skip);
    let found = Shard {
        name: shard.name.clone(),
        ..found
    };
    tally.shards = Shards::new(vec![found]);
    is_it.then_some(tally)
}

/// Whole firing sets of the rows of a tally's shard.
fn finished_fires(path: &Path, model: &ModelId, shard: &Shard) -> Option<FiresFile> {
    let file = FiresFile::open(path).ok()?;
    let found = file.shard();
    let is_it = file.model() == model && is_of(found, shard) && found.dropped == shard.dropped;
    (is_it && file.verify(&Control::default()).is_ok()).then_some(file)
}

fn is_of(found: &Shard, wanted: &Shard) -> bool {
    found.is_of_same_content(wanted) && found.rows == wanted.rows
}
