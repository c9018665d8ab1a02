//! The files of one shard: its tally, and its firing sets.

use std::path::{Path, PathBuf};

use super::place;
use super::shards::{Output, expand};
use crate::error::{Choice, Error, Result};
use crate::outputs::FIRES;
use crate::write::inputs::Inputs;
use crate::write::lock::OutputLock;
use crate::write::whole::folder_of;

/// The files that are written of one shard.
#[derive(Debug, Clone)]
pub struct TallyFiles {
    /// The tally.
    pub tally: PathBuf,
    /// The firing sets, where they are kept.
    pub fires: Option<PathBuf>,
    /// True if the firing sets have the scores of their atoms.
    pub scores: bool,
    /// True if files that are no tallies are replaced.
    pub force: bool,
}

impl TallyFiles {
    /// Makes their folder, locks the tally for this run, and looks that nothing is lost by writing them.
    ///
    /// # Errors
    /// One of the `inputs`; a file that is no tally; a folder that cannot be written; another run that
    /// writes the same tally.
    pub fn open(&self, inputs: &Inputs) -> Result<OutputLock> {
        place::claim(&self.tally, || self.check(inputs))
    }

    /// Looks that nothing is lost by writing them.
    ///
    /// # Errors
    /// One of the `inputs`; a file that is no tally.
    pub fn check(&self, inputs: &Inputs) -> Result<()> {
        for path in [Some(&self.tally), self.fires.as_ref()]
            .into_iter()
            .flatten()
        {
            place::check_tally(path, inputs, self.force)?;
        }
        Ok(())
    }

    /// The folder that they are in.
    pub fn folder(&self) -> &Path {
        folder_of(&self.tally)
    }

    /// They, as a [`Plan`](super::Plan) asks for them.
    pub fn output(&self) -> Output<'_> {
        Output {
            tally: &self.tally,
            fires: self.fires.as_deref(),
        }
    }
}

/// Files among which a tally's firing sets are: `named` are paths, patterns and folders of them; where
/// there are none, the tally's folder.
///
/// # Errors
/// A pattern that matches nothing; a folder that cannot be read.
pub fn firing_files(tally: &Path, named: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let beside = [folder_of(tally).to_owned()];
    let places = if named.is_empty() { &beside } else { named };
    let mut paths = Vec::new();
    for place in expand(Choice::Fires, places)? {
        if place.is_dir() {
            paths.extend(in_folder(&place)?);
        } else {
            paths.push(place);
        }
    }
    Ok(paths)
}

/// Files of firing sets in a folder.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |e| Error::reading(folder, e);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.to_string_lossy().ends_with(FIRES) && path.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}
