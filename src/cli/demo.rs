//! `demo`: the main job on a cohort that it simulates, and how much of the truth was found.

use std::path::{Path, PathBuf};

use clap::Args;

use super::analyze::analyze_files;
use super::options::{EngineArgs, RunArgs};
use super::progress;
use super::simulate::{Shape, simulate_files};
use crate::error::{Error, Result};
use crate::report::text;
use crate::simulate::{self, ReportedAtom};

/// Simulate a cohort, analyze it, and say how much of what was planted was found
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    atomscope demo\n  \
    atomscope demo --rows 20000 --input-dim 1024 --features 4096 --k 64 --out demo")]
pub(super) struct Demo {
    #[command(flatten)]
    shape: Shape,

    /// The folder for cohort and results [default: a new one among the system's temporary files]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    #[command(flatten)]
    engine: EngineArgs,
}

impl Demo {
    pub(super) fn run(&self) -> Result<()> {
        let folder = self.folder()?;
        let options = self.shape.options();
        let truth = simulate_files(&folder, &options, self.engine.quiet)?;
        let run = RunArgs {
            embeddings: folder.join(simulate::EMBEDDINGS),
            metadata: None,
            model: folder.join(simulate::MODEL),
            engine: self.engine.clone(),
            min_support: crate::stats::Options::default().min_support,
        };
        let results = folder.join("results");
        analyze_files(&run, &results, true, |findings| {
            let recovery = truth.recovery(findings.bias.atoms.iter().map(|atom| ReportedAtom {
                atom: atom.atom,
                significant: atom.significant,
                odds: atom.odds,
            }));
            progress::print(&format!(
                "{}\n Demo\n{}\n{} simulated calls, {} atoms of which {} fire on each.\n{recovery}\n\
                 The simulated cohort and model are in {}\nThe results are in {}\n",
                text::Analysis(findings),
                "=".repeat(50),
                options.rows,
                options.features,
                options.k,
                folder.display(),
                results.display()
            ))
        })
    }

    fn folder(&self) -> Result<PathBuf> {
        match &self.out {
            Some(folder) => Ok(folder.clone()),
            None => tempfile::Builder::new()
                .prefix("atomscope-demo-")
                .tempdir()
                .map(tempfile::TempDir::keep)
                .map_err(|e| Error::writing(Path::new(&std::env::temp_dir()), e)),
        }
    }
}
