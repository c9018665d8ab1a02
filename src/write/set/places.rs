//! Renames that can be taken back.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::error::{Error, Result};
use crate::write::whole::{FinishedFile, temporary};

/// A file that is in place, and the earlier one that it took the place of.
pub(super) struct Placed {
    target: PathBuf,
    earlier: Option<Aside>,
}

/// An earlier file under a second name.
struct Aside {
    path: TempPath,
    _lock: Option<File>,
}

/// Renames one file into its place, keeping what was there.
pub(super) fn place(folder: &Path, file: FinishedFile) -> Result<Placed> {
    let target = file.path().to_owned();
    if target.is_dir() {
        return Err(Error::writing(&target, io::ErrorKind::IsADirectory.into()));
    }
    let earlier = set_aside(folder, &target).map_err(|e| Error::writing(&target, e))?;
    file.place()?;
    Ok(Placed { target, earlier })
}

/// Removes a file, keeping what was there for the case that something fails later.
pub(super) fn take_away(folder: &Path, target: PathBuf) -> Result<Placed> {
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
    if fs::symlink_metadata(target).is_err() {
        return Ok(None);
    }
    let aside = temporary(folder)?.into_temp_path();
    fs::remove_file(&aside)?;
    fs::hard_link(target, &aside).or_else(|_| fs::copy(target, &aside).map(drop))?;
    // Nobody is to take it for abandoned meanwhile. What cannot be opened, as a link that leads
    // nowhere, cannot be locked either.
    let lock = File::open(&aside).ok();
    let _ = lock.as_ref().map(File::try_lock);
    Ok(Some(Aside {
        path: aside,
        _lock: lock,
    }))
}

/// Undoes what is already in place. A failure here cannot be mended, and the first one is what
/// the user must hear of.
pub(super) fn take_back(placed: Vec<Placed>) {
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
pub(super) fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        drop(File::open(folder).and_then(|folder| folder.sync_all()));
    }
}
