//! `verify`: whether a folder's files are those of one run.

use std::path::PathBuf;

use clap::Args;

use super::flags::line;
use super::progress;
use crate::error::{Error, Result};
use crate::write::verify::{Verified, verify};

/// Check that the files of a folder are those of one run, whole, as its record lists them
///
/// Reads run.json (of analyze, report and demo) and truth.json (of simulate and demo), and compares length
/// and SHA-256 of each file that they list. Each fault is a line on stderr: a file that is missing, changed,
/// or listed by no record; a record that is missing, as after a run that was killed. Exit code 2 if there is
/// one, else 0.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    atomscope verify results\n  \
    atomscope verify --allow-others results sim")]
pub(super) struct Verify {
    /// Folders of results, or of simulated cohorts
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,

    /// Pass over files that no record lists, as notes of one's own
    #[arg(long)]
    allow_others: bool,

    /// Print nothing about folders that are whole
    #[arg(short, long)]
    quiet: bool,
}

impl Verify {
    pub(super) fn run(&self) -> Result<()> {
        let mut faults = Vec::new();
        for folder in &self.folders {
            match verify(folder, self.allow_others, &progress::control()) {
                Ok(found) if found.faults.is_empty() => {
                    if !self.quiet {
                        progress::print(&words(&folder.display().to_string(), &found))?;
                    }
                }
                Ok(found) => faults.extend(found.faults),
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => faults.push(error),
            }
        }
        // The last one is told as every error is.
        let last = faults.pop();
        for fault in &faults {
            progress::say(&line(fault));
        }
        last.map_or(Ok(()), Err)
    }
}

fn words(folder: &str, found: &Verified) -> String {
    format!(
        "{}: {} files, {} bytes, are whole and of one run, as {} lists them\n",
        crate::python::printable(folder),
        found.files,
        found.bytes,
        found.records.join(" and ")
    )
}
