//! Renames that can be undone.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::error::{Error, Result};
use crate::write::whole::{FinishedFile, temporary};

/// A file that is in place, and the earlier one that it replaced.
pub(super) struct Placed {
    target: PathBuf,
    earlier: Option<Aside>,
}

/// An earlier file under a second name.
struct Aside {
    path: TempPath,
    _lock: Option<File>,
}

/// Renames one file into its place, and keeps the earlier file.
pub(super) fn place(folder: &Path, file: FinishedFile) -> Result<Placed> {
    let target = file.path().to_owned();
    if target.is_dir() {
        return Err(Error::writing(&target, io::ErrorKind::IsADirectory.into()));
    }
    let earlier = set_aside(folder, &target).map_err(|e| Error::writing(&target, e))?;
    file.place()?;
    step(&target);
    Ok(Placed { target, earlier })
}

/// Removes a file, and keeps it until nothing can fail any more.
pub(super) fn take_away(folder: &Path, target: PathBuf) -> Result<Placed> {
    let removing = || {
        let earlier = set_aside(folder, &target)?;
        if earlier.is_some() {
            fs::remove_file(&target)?;
            step(&target);
        }
        Ok(earlier)
    };
    let earlier = removing().map_err(|e| Error::writing(&target, e))?;
    Ok(Placed { target, earlier })
}

/// Makes a second name for a file, or a copy if the file system has no links; `None` if there is no
/// such file. The first name stays in place.
fn set_aside(folder: &Path, target: &Path) -> io::Result<Option<Aside>> {
    if fs::symlink_metadata(target).is_err() {
        return Ok(None);
    }
    let aside = temporary(folder)?.into_temp_path();
    fs::remove_file(&aside)?;
    fs::hard_link(target, &aside).or_else(|_| fs::copy(target, &aside).map(drop))?;
    // The lock keeps others from taking it for abandoned. A file that cannot be opened, as a
    // dangling link, cannot be locked either.
    let lock = File::open(&aside).ok();
    let _ = lock.as_ref().map(File::try_lock);
    step(&aside);
    Ok(Some(Aside {
        path: aside,
        _lock: lock,
    }))
}

/// Lets a test look at what a process leaves that is killed here.
#[cfg(not(test))]
fn step(_: &Path) {}

#[cfg(test)]
pub(super) use steps::after_each_step;
#[cfg(test)]
use steps::step;

/// Undoes the renames so far. A failure here cannot be repaired, and the first failure is the one
/// to report.
pub(super) fn take_back(placed: Vec<Placed>) {
    for file in placed.into_iter().rev() {
        match file.earlier {
            Some(earlier) => drop(earlier.path.persist(&file.target)),
            // There was no file before.
            None => drop(fs::remove_file(&file.target)),
        }
    }
}

/// Makes the renames survive a power cut, if the file system can do that for folders. The files
/// themselves are synced already.
pub(super) fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        drop(File::open(folder).and_then(|folder| folder.sync_all()));
    }
}

#[cfg(test)]
mod steps {
    use std::cell::RefCell;
    use std::path::Path;

    type Look = Box<dyn FnMut(&Path)>;

    thread_local! {
        static LOOK: RefCell<Option<Look>> = const { RefCell::new(None) };
    }

    /// Calls `look` after each change of a folder that `work` makes, with the path that changed.
    pub(in crate::write) fn after_each_step<T>(
        look: impl FnMut(&Path) + 'static,
        work: impl FnOnce() -> T,
    ) -> T {
        LOOK.set(Some(Box::new(look)));
        let done = work();
        LOOK.set(None);
        done
    }

    pub(super) fn step(path: &Path) {
        // What it looks at may take steps of its own.
        let look = LOOK.take();
        if let Some(mut look) = look {
            look(path);
            LOOK.set(Some(look));
        }
    }
}
