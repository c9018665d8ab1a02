//! The doctor's report: checks as they are done, and what follows from them.

use serde::Serialize;

use super::VERSION;
use super::check::{Check, Status};
use crate::cli::progress;
use crate::error::{Error, Result};

/// Everything that was checked, in the order in which it was.
pub(super) struct Report {
    pub(super) checks: Vec<Check>,
    /// True if each check is printed as soon as it is done.
    printed: bool,
}

/// The device that `--device auto` takes, and the reason.
#[derive(Debug, Serialize)]
pub(super) struct Auto {
    /// `cpu`, or `cuda:` and a number.
    pub(super) device: String,
    /// A sentence.
    pub(super) says: String,
}

impl Report {
    pub(super) fn new(printed: bool) -> Self {
        Self {
            checks: Vec::new(),
            printed,
        }
    }

    /// Takes a check, and prints it.
    pub(super) fn add(&mut self, check: Check) -> Result<()> {
        progress::control().check()?;
        if self.printed {
            progress::print(&check.to_string())?;
        }
        self.checks.push(check);
        Ok(())
    }

    /// Says what `--device auto` takes; fails where something that is there is broken.
    pub(super) fn finish(&self, auto: &Auto) -> Result<()> {
        if self.printed {
            progress::print(&format!("\n{}\n", auto.says))?;
        } else {
            let json = serde_json::json!({
                "atomscope": VERSION,
                "checks": self.checks,
                "auto": auto,
            });
            let json =
                serde_json::to_string_pretty(&json).map_err(|e| Error::printing(e.into()))?;
            progress::print(&(json + "\n"))?;
        }
        self.broken().map_or(Ok(()), Err)
    }

    /// The first thing that keeps a device that is there from being used.
    fn broken(&self) -> Option<Error> {
        let device = self.checks.iter().any(|check| check.is_device);
        let keeps = |check: &&Check| match check.status {
            Status::Failed => true,
            Status::Missing => device,
            Status::Ok | Status::Note => false,
        };
        let check = self.checks.iter().find(keeps)?;
        Some(Error::Device {
            wanted: "cuda".to_owned(),
            reason: format!("{}: {}", check.what, check.found),
            action: check
                .action
                .unwrap_or("use --device cpu, which gives the same answer"),
            no_memory: false,
        })
    }
}
