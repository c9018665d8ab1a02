//! Sets of files that appear all together or not at all, and replace nothing but an earlier run's.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Map;

use super::lock::OutputLock;
use super::places::{Placed, place, sync_folder, take_away, take_back};
use super::record::{WrittenFile, seal};
pub use super::standing::Place;
use super::standing::Standings;
use super::whole::{self, FinishedFile, WholeFile, remove_abandoned, temporary};
use crate::digest::{Digest, Hashing};
use crate::error::{Error, Result};
use crate::outputs::PLACING;

/// The most files of a set that stay open until they are in their place.
const MOST_OPEN: usize = 16;

/// The files of one run and the folder they go to.
///
/// Each file is written, synced and closed under a temporary name in that folder. Only
/// [`Ready::commit`] renames them, once all are written. If anything fails before or during that,
/// an earlier run's files stay or are restored, no temporary file stays, and a folder that was made
/// for the run is removed again.
///
/// ```
/// use atomscope::write::inputs::Inputs;
/// use atomscope::write::set::{OutputSet, Place};
///
/// let folder = tempfile::tempdir()?;
/// let mut files = OutputSet::new(Place {
///     folder: folder.path().join("results"),
///     names: ["report.txt", "run.json"].map(str::to_owned).into(),
///     record: "run.json",
///     inputs: Inputs::default(),
///     force: false,
/// })?;
/// files.add("report.txt", |out| out.write_all(b"all is well\n"))?;
/// let record = serde_json::json!({"made_by": "me"});
/// let done = files.seal(&record)?.commit()?;
/// assert_eq!(std::fs::read(&done.written[0])?, b"all is well\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct OutputSet {
    // This precedes `created`: files are removed before their folder.
    files: Vec<FinishedFile>,
    written: Vec<WrittenFile>,
    /// Held until all files are in their places.
    lock: OutputLock,
    created: CreatedFolders,
    there: Standings,
}

/// A set with its record, all of it on the disk under temporary names.
#[derive(Debug)]
pub struct Ready {
    record: FinishedFile,
    set: OutputSet,
}

/// Files that are in their place.
#[derive(Debug)]
pub struct Committed {
    /// The files' paths in the order in which they were added, the record's last.
    pub written: Vec<PathBuf>,
    /// Names of a user's files that have the name of an output which this run does not write.
    pub staying: Vec<String>,
}

/// Folders that were made for a run, deepest first. They are removed again if they are dropped.
#[derive(Debug)]
struct CreatedFolders(Vec<PathBuf>);

impl OutputSet {
    /// Makes an empty set. Makes the folder with its parents if it does not exist, locks it, and checks
    /// that no input or user's file has one of the set's names. Also tests that files can be made in it,
    /// and removes the remains of killed runs there.
    ///
    /// # Errors
    /// Fails with [`Error::Input`] for files that are inputs of this run or a user's, and for a folder in
    /// which another run is at work; with [`Error::Io`] for one that cannot be made or written.
    pub fn new(place: Place) -> Result<Self> {
        let folder = place.folder.clone();
        let created = create_folder(&folder)?;
        let lock = OutputLock::of_folder(&folder)?;
        let there = Standings::look(place)?;
        remove_abandoned(&folder);
        temporary(&folder).map_err(|e| Error::writing(&folder, e))?;
        Ok(Self {
            files: Vec::new(),
            written: Vec::new(),
            lock,
            created,
            there,
        })
    }

    /// Checks for inputs and a user's files alone, so that a run can do so before other work.
    ///
    /// # Errors
    /// Fails as [`new`](Self::new) does for existing files.
    pub fn check(place: Place) -> Result<()> {
        Standings::look(place).map(drop)
    }

    /// Writes a file of this name, through a buffer, under a temporary name. A name with a slash is one in a
    /// folder within this one, which is made if it does not exist.
    ///
    /// # Errors
    /// Fails with [`Error::Io`] if the file cannot be written.
    pub fn add(
        &mut self,
        name: &str,
        writer: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        self.check_name(name)?;
        let target = self.path(name);
        self.make_folder_of(&target)?;
        let whole = WholeFile::create(&target)?;
        let hashing = Hashing::new(whole.file());
        let mut out = BufWriter::with_capacity(1 << 16, hashing);
        writer(&mut out).map_err(|e| Error::writing(&target, e))?;
        let hashing = out.into_inner();
        let hashing = hashing.map_err(|e| Error::writing(&target, e.into_error()))?;
        let content = hashing.finish();
        self.take(name, whole, content)
    }

    /// Returns the final path of a file of this name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.there.place.folder.join(name)
    }

    /// Makes the folder within this one that a name with a slash has.
    fn make_folder_of(&mut self, target: &Path) -> Result<()> {
        let folder = whole::folder_of(target);
        if folder == self.there.place.folder || folder.is_dir() {
            return Ok(());
        }
        let created = create_folder(folder)?;
        self.created.0.splice(0..0, created.take());
        Ok(())
    }

    /// Adds a file that was written in another way, for the [path](Self::path) of this name.
    ///
    /// # Errors
    /// Fails with [`Error::Io`] if the file cannot be synced to the disk.
    pub fn add_whole(&mut self, name: &str, file: WholeFile) -> Result<()> {
        self.check_name(name)?;
        let content = Digest::of_file(file.temporary_path());
        let content = content.map_err(|e| Error::writing(file.path(), e))?;
        self.take(name, file, content)
    }

    /// Adds the files that the run has read, now that they are known. None of them is replaced.
    pub fn finish_inputs(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        self.there.place.inputs.finish(paths);
    }

    /// Adds the record: the entries of a struct or a map, and the list of all files.
    ///
    /// # Errors
    /// Fails with [`Error::Io`] if it cannot be written.
    pub fn seal(self, record: &impl Serialize) -> Result<Ready> {
        let path = self.path(self.there.place.record);
        let record = listing(&path, record, &self.written)?;
        Ok(Ready { record, set: self })
    }

    fn take(&mut self, name: &str, file: WholeFile, (bytes, sha256): (u64, Digest)) -> Result<()> {
        let kept_open = self.files.len() < MOST_OPEN;
        self.files.push(file.finish(kept_open)?);
        self.written.push(WrittenFile {
            name: name.to_owned(),
            bytes,
            sha256,
        });
        Ok(())
    }

    /// Refuses a name that was not checked. Such a file might replace a user's, which would be a
    /// defect of this program.
    fn check_name(&self, name: &str) -> Result<()> {
        let place = &self.there.place;
        if place.names.contains(name) && name != place.record && name != PLACING {
            return Ok(());
        }
        Err(Error::Argument {
            name: "output",
            found: name.to_owned(),
            expected: "a name from the list of outputs".to_owned(),
        })
    }
}

/// Writes a file that lists others, under a temporary name.
fn listing(path: &Path, record: &impl Serialize, files: &[WrittenFile]) -> Result<FinishedFile> {
    let failed = |e| Error::writing(path, e);
    let text = seal(record, files).map_err(failed)?;
    let whole = WholeFile::create(path)?;
    whole.file().write_all(&text).map_err(failed)?;
    whole.finish(true)
}

impl Ready {
    /// Puts every file in its place, and removes an earlier run's files that are not among them.
    /// Meanwhile a separate file lists the files of this step: should this process be killed, the
    /// next run knows which files are its own.
    ///
    /// # Errors
    /// Fails with [`Error::Io`] if a file cannot be put in its place, and with [`Error::Input`] if
    /// a user has put files there meanwhile.
    pub fn commit(self) -> Result<Committed> {
        let Self { record, mut set } = self;
        set.there.look_again()?;
        let folder = set.there.place.folder.clone();
        let placing = folder.join(PLACING);
        let known = set.there.known(&set.written);
        let list = listing(&placing, &Map::new(), &known)?;
        let mut placed = Vec::new();
        let outcome = put(&mut placed, list, record, &mut set);
        if let Err(error) = outcome {
            take_back(placed);
            return Err(error);
        }
        sync_folder(&folder);
        // A list that stays does no harm.
        drop(fs::remove_file(&placing));
        drop(set.lock);
        set.created.0.clear();
        let names = set.written.iter().map(|file| file.name.as_str());
        let names = names.chain([set.there.place.record]);
        Ok(Committed {
            written: names.map(|name| folder.join(name)).collect(),
            staying: set.there.staying(&set.written),
        })
    }
}

/// Places the list of the coming files, and removes the earlier record, which vouches for the files of its
/// run. Then it places all files, and at last the record, which shows that all is done. So a record is never
/// beside files of another run, whenever this process is killed.
fn put(
    placed: &mut Vec<Placed>,
    list: FinishedFile,
    record: FinishedFile,
    set: &mut OutputSet,
) -> Result<()> {
    let folder = &*set.there.place.folder;
    placed.push(place(folder, list)?);
    sync_folder(folder);
    placed.push(take_away(folder, record.path().to_owned())?);
    sync_folder(folder);
    let mut folders = BTreeSet::from([folder.to_owned()]);
    for file in std::mem::take(&mut set.files) {
        folders.insert(whole::folder_of(file.path()).to_owned());
        placed.push(place(folder, file)?);
    }
    for name in set.there.left_over(&set.written) {
        placed.push(take_away(folder, folder.join(name))?);
    }
    // Every file is there before the record can be.
    for folder in &folders {
        sync_folder(folder);
    }
    placed.push(place(folder, record)?);
    Ok(())
}

impl CreatedFolders {
    /// Returns the folders, to be removed by another.
    fn take(mut self) -> Vec<PathBuf> {
        std::mem::take(&mut self.0)
    }
}

impl Drop for CreatedFolders {
    fn drop(&mut self) {
        for folder in &self.0 {
            // A folder in which others have put files stays.
            drop(fs::remove_dir(folder));
        }
    }
}

/// Creates a folder and its missing parents.
fn create_folder(folder: &Path) -> Result<CreatedFolders> {
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let missing = folder
        .ancestors()
        .take_while(is_missing)
        .map(Path::to_owned);
    let created = CreatedFolders(missing.collect());
    whole::create_folder(folder)?;
    Ok(created)
}

#[cfg(test)]
mod tests;
