//! Where a tally is written: not over an input, and over nothing but a tally.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::store::check_tally_place;
use crate::write::whole::{WholeFile, create_folder_of, remove_abandoned};

/// Looks that nothing is lost by writing an output.
///
/// # Errors
/// A file that is no tally; one of the `inputs`.
pub(super) fn check(out: &Path, inputs: &[&Path]) -> Result<()> {
    if let Some(input) = inputs.iter().find(|input| is_same(input, out)) {
        return Err(Error::Argument {
            name: "--out",
            found: format!("{}, which is to be read", input.display()),
            expected: "another file".to_owned(),
        });
    }
    check_tally_place(out)
}

/// Makes the folder of an output, and removes what runs that were killed have left there.
///
/// # Errors
/// A folder that cannot be made, or written.
pub(super) fn prepare(out: &Path) -> Result<()> {
    let folder = create_folder_of(out)?;
    remove_abandoned(folder);
    // Better known now than after the work.
    WholeFile::create(out).map(drop)
}

/// Whether two paths lead to one file.
pub(super) fn is_same(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| -> Option<PathBuf> { path.canonicalize().ok() };
    a == b || real(a).is_some_and(|a| real(b) == Some(a))
}
