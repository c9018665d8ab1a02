//! Where a tally is written: not over an input, and over nothing but a tally.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::store::check_tally_place;
use crate::write::whole::{WholeFile, create_folder_of, remove_abandoned};

/// Makes the folder of an output, removes what runs that were killed have left there, and looks
/// that nothing is lost by writing it.
///
/// # Errors
/// A folder that cannot be made; a file that is no tally; one of the `inputs`.
pub(super) fn prepare(out: &Path, inputs: &[&Path]) -> Result<()> {
    if let Some(input) = inputs.iter().find(|input| is_same(input, out)) {
        return Err(Error::Argument {
            name: "--out",
            found: format!("{}, which is to be read", input.display()),
            expected: "another file".to_owned(),
        });
    }
    check_tally_place(out)?;
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
