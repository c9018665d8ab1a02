//! The place where a tally, or a table of one's own, is written. It never replaces an input. It
//! replaces no file but one that an earlier run made.

use std::fs;
use std::path::Path;

use crate::error::{Choice, Error, Proposal, Result};
use crate::store::check_tally_place;
use crate::write::inputs::Inputs;
use crate::write::lock::OutputLock;
use crate::write::whole::{WholeFile, create_folder_of, remove_abandoned};

/// Looks that nothing is lost by writing a tally, or its firing sets; with `force` any other file may be
/// replaced.
///
/// # Errors
/// One of the `inputs`; a folder, or another thing that is no file; a file that is no tally.
pub fn check_tally(out: &Path, inputs: &Inputs, force: bool) -> Result<()> {
    check_file(out, inputs)?;
    if force && out.is_file() {
        return Ok(());
    }
    check_tally_place(out)
}

/// Looks that what is written is neither an input nor anything but a file.
///
/// # Errors
/// One of the `inputs`; a folder, or another thing that is no file.
pub fn check_file(out: &Path, inputs: &Inputs) -> Result<()> {
    let found = inputs.find(out).or_else(|| inputs.find_possible(out));
    if let Some(input) = found {
        return Err(Error::choice(
            Choice::Out,
            format!("{}, which is to be read", input.display()),
            "another file: an input is never replaced",
        ));
    }
    match fs::metadata(out) {
        // It is not opened: a pipe would be waited for.
        Ok(facts) if !facts.is_file() => Err(Error::input(
            out.display().to_string(),
            "the output",
            if facts.is_dir() {
                "a folder"
            } else {
                "a pipe or device"
            },
            "a new name, or a file that may be replaced",
            "choose another name",
        )),
        _ => Ok(()),
    }
}

/// Looks that what is written is neither an input nor, without `force`, there already.
///
/// # Errors
/// As [`check_file`]; a file that is there.
pub fn check_new(out: &Path, inputs: &Inputs, force: bool) -> Result<()> {
    check_file(out, inputs)?;
    if force || fs::symlink_metadata(out).is_err() {
        return Ok(());
    }
    let error = Error::input(
        out.display().to_string(),
        "the output",
        "a file that is there already",
        "a new name",
        "choose another name, move the file elsewhere, or let it be replaced",
    );
    Err(error.proposing([Proposal::of(Choice::Force)]))
}

/// Looks that no input is in the folder of finished parts, in which files are replaced and removed.
///
/// # Errors
/// An input that is there.
pub fn check_parts(folder: &Path, inputs: &Inputs) -> Result<()> {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if let Some(input) = inputs.find(&entry.path()) {
            return Err(Error::input(
                folder.display().to_string(),
                "the folder of finished parts",
                format!("an input of this run, {}", input.display()),
                "nothing but parts that an earlier run has finished",
                "move it elsewhere, or choose another output",
            ));
        }
    }
    Ok(())
}

/// Makes the folder of an output, locks the output for this run, and removes what runs that were killed
/// have left there. `check` looks that nothing is lost, before, and once more when no other run can write
/// it any longer.
///
/// # Errors
/// Those of `check`; a folder that cannot be made, or written; another run that writes the same output.
pub fn claim(out: &Path, check: impl Fn() -> Result<()>) -> Result<OutputLock> {
    check()?;
    let folder = create_folder_of(out)?;
    // Better known now than after the work.
    WholeFile::create(out)?;
    let lock = OutputLock::of_file(out)?;
    remove_abandoned(folder);
    check()?;
    Ok(lock)
}
