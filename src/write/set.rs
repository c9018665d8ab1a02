//! Files that appear all together or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::whole::{self, FinishedFile, WholeFile, remove_abandoned, temporary};
use crate::error::{Error, Result};

/// Files of a set that are kept open until they are in their place.
const MOST_OPEN: usize = 16;

/// The files of one run and the folder they go to.
///
/// Each file is written, synced and closed under a temporary name in that folder; only
/// [`OutputSet::commit`] renames them, once all are there. Whatever fails before, or on the way, an earlier run's
/// files are left, or put back, as they were, no temporary file stays, and a folder that was
/// made for the run is removed again.
///
/// ```
/// use atomscope::write::set::OutputSet;
///
/// let folder = tempfile::tempdir()?;
/// let mut files = OutputSet::new(&folder.path().join("results"))?;
/// files.add("report.txt", |out| out.write_all(b"all is well\n"))?;
/// let written = files.commit()?;
/// assert_eq!(std::fs::read(&written[0])?, b"all is well\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct OutputSet {
    // Before `created`: files are removed before the folder that they are in.
    files: Vec<FinishedFile>,
    removed: Vec<PathBuf>,
    created: CreatedFolders,
    folder: PathBuf,
}

/// Folders that were made for a run, deepest first; removed again if they are dropped.
#[derive(Debug)]
struct CreatedFolders(Vec<PathBuf>);

/// A file that is in place, and the earlier one that it took the place of.
struct Placed {
    target: PathBuf,
    earlier: Option<Aside>,
}

/// An earlier file under a second name.
struct Aside {
    path: TempPath,
    _lock: File,
}

impl OutputSet {
    /// An empty set; makes the folder, with all above it, where it does not exist, tries that
    /// files can be made in it, and removes what runs that were killed have left there.
    ///
    /// # Errors
    /// [`Error::Io`] with the folder that cannot be made or written.
    pub fn new(folder: &Path) -> Result<Self> {
        let created = create_folder(folder)?;
        remove_abandoned(folder);
        temporary(folder).map_err(|e| Error::writing(folder, e))?;
        Ok(Self {
            files: Vec::new(),
            removed: Vec::new(),
            created,
            folder: folder.to_owned(),
        })
    }

    /// Writes a file of this name, through a buffer, under a temporary name.
    ///
    /// # Errors
    /// [`Error::Io`] with the file that could not be written.
    pub fn add(
        &mut self,
        name: &str,
        writer: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        let target = self.folder.join(name);
        let whole = WholeFile::create(&target)?;
        let mut out = BufWriter::with_capacity(1 << 16, whole.file());
        writer(&mut out)
            .and_then(|()| out.flush())
            .map_err(|e| Error::writing(&target, e))?;
        drop(out);
        self.add_whole(whole)
    }

    /// Where a file of this name will be.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Takes in a file that was written otherwise, for a [path](Self::path) in this folder.
    ///
    /// # Errors
    /// [`Error::Io`] with the file that could not be brought to the disk.
    pub fn add_whole(&mut self, file: WholeFile) -> Result<()> {
        let kept_open = self.files.len() < MOST_OPEN;
        self.files.push(file.finish(kept_open)?);
        Ok(())
    }

    /// Removes a file that an earlier run may have left and this one does not write.
    pub fn remove(&mut self, name: &str) {
        self.removed.push(self.path(name));
    }

    /// Puts every file in its place, and tells the paths in the order in which they were added.
    ///
    /// # Errors
    /// [`Error::Io`] with the file that could not be put in its place.
    pub fn commit(mut self) -> Result<Vec<PathBuf>> {
        let mut placed = Vec::new();
        for file in std::mem::take(&mut self.files) {
            match place(&self.folder, file) {
                Ok(done) => placed.push(done),
                Err(error) => {
                    take_back(placed);
                    return Err(error);
                }
            }
        }
        let written = placed
            .iter()
            .map(|file: &Placed| file.target.clone())
            .collect();
        for target in std::mem::take(&mut self.removed) {
            match take_away(&self.folder, target) {
                Ok(done) => placed.push(done),
                Err(error) => {
                    take_back(placed);
                    return Err(error);
                }
            }
        }
        sync_folder(&self.folder);
        self.created.0.clear();
        Ok(written)
    }
}

impl Drop for CreatedFolders {
    fn drop(&mut self) {
        for folder in &self.0 {
            // One that others have put files in stays.
            drop(fs::remove_dir(folder));
        }
    }
}

/// Renames one file into its place, keeping what was there.
fn place(folder: &Path, file: FinishedFile) -> Result<Placed> {
    let target = file.path().to_owned();
    if target.is_dir() {
        return Err(Error::writing(&target, io::ErrorKind::IsADirectory.into()));
    }
    let earlier = set_aside(folder, &target).map_err(|e| Error::writing(&target, e))?;
    file.place()?;
    Ok(Placed { target, earlier })
}

/// Removes a file, keeping what was there for the case that something fails later.
fn take_away(folder: &Path, target: PathBuf) -> Result<Placed> {
    let removing = || {
        let earlier = set_aside(folder, &target)?;
        if earlier.is_some() {
            fs::remove_file(&target)?;
        }
        Ok(earlier)
    };
    let earlier = removing().map_err(|e| Error::writing(&target, e))?;
    Ok(Placed { target, earlier })
}

/// A second name for a file, or a copy where the file system has no links; `None` if there is no
/// such file. The first name stays in place.
fn set_aside(folder: &Path, target: &Path) -> io::Result<Option<Aside>> {
    if !target.try_exists()? {
        return Ok(None);
    }
    let aside = temporary(folder)?.into_temp_path();
    fs::remove_file(&aside)?;
    fs::hard_link(target, &aside).or_else(|_| fs::copy(target, &aside).map(drop))?;
    // Nobody is to take it for abandoned meanwhile.
    let lock = File::open(&aside)?;
    let _ = lock.try_lock();
    Ok(Some(Aside {
        path: aside,
        _lock: lock,
    }))
}

/// Undoes what is already in place. A failure here cannot be mended, and the first one is what
/// the user must hear of.
fn take_back(placed: Vec<Placed>) {
    for file in placed.into_iter().rev() {
        match file.earlier {
            Some(earlier) => drop(earlier.path.persist(&file.target)),
            // Nothing was there before.
            None => drop(fs::remove_file(&file.target)),
        }
    }
}

/// Makes the renames last through a power cut, where the file system can do that for folders;
/// the files themselves are synced already.
fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        drop(File::open(folder).and_then(|folder| folder.sync_all()));
    }
}

/// Creates a folder with all above it that are missing.
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
