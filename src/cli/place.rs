//! Where a tally is written: not over an input, and over nothing but a tally.

use std::fs;
use std::path::Path;

use super::arguments::ForceArgs;
use crate::error::{Error, Result};
use crate::store::check_tally_place;
use crate::write::inputs::Inputs;
use crate::write::whole::{WholeFile, create_folder_of, remove_abandoned};

/// Looks that nothing is lost by writing an output.
///
/// # Errors
/// One of the `inputs`; a folder, or another thing that is no file; a file that is no tally, unless
/// it may be replaced.
pub(super) fn check(out: &Path, inputs: &Inputs, force: ForceArgs) -> Result<()> {
    let found = inputs.find(out).or_else(|| inputs.find_possible(out));
    if let Some(input) = found {
        return Err(Error::Argument {
            name: "--out",
            found: format!("{}, which is to be read", input.display()),
            expected: "another file: an input is not replaced, by --force neither".to_owned(),
        });
    }
    match fs::metadata(out) {
        Ok(facts) if facts.is_file() && force.force => Ok(()),
        // It is not opened: a pipe would be waited for.
        Ok(facts) if !facts.is_file() => Err(Error::input(
            out.display().to_string(),
            "the output",
            if facts.is_dir() {
                "a folder"
            } else {
                "a pipe or device"
            },
            "a new name, or a tally, which is replaced",
            "choose another name",
        )),
        _ => check_tally_place(out),
    }
}

/// Looks that no input is in the folder of finished parts, in which files are replaced and removed.
///
/// # Errors
/// An input that is there.
pub(super) fn check_folder(folder: &Path, inputs: &Inputs) -> Result<()> {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if let Some(input) = inputs.find(&entry.path()) {
            return Err(Error::input(
                folder.display().to_string(),
                "the folder of finished parts",
                format!("an input of this run, {}", input.display()),
                "nothing but parts that an earlier run has finished",
                "move it elsewhere, or choose another --out",
            ));
        }
    }
    Ok(())
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
