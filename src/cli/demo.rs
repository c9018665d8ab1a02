//! `demo`: the main job on a cohort that it simulates, and how much of the truth was found.

use std::path::{Path, PathBuf};

use clap::Args;

use super::analyze::Analyze;
use super::arguments::{
    CohortArgs, EngineArgs, ForceArgs, KeepArgs, PrintArgs, RunArgs, StatisticsArgs, StrataArgs,
    TablesArgs,
};
use super::progress;
use super::simulate::{Shape, simulate_files};
use crate::analysis::ResultsFolder;
use crate::error::{Error, Result};
use crate::outputs::RESULTS;
use crate::simulate::{self, ReportedAtom};
use crate::tally::StratifyBy;

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

    #[command(flatten)]
    print: PrintArgs,

    #[command(flatten)]
    force: ForceArgs,
}

impl Demo {
    pub(super) fn run(&self) -> Result<()> {
        let folder = self.folder()?;
        let options = self.shape.options();
        let results = folder.join(RESULTS);
        // Before the cohort is made.
        ResultsFolder::check(&results, self.force.force)?;
        let truth = simulate_files(&folder, &options, 1, self.force, self.engine.quiet)?;
        let analysis = Analyze {
            run: RunArgs {
                cohort: CohortArgs::of_file(folder.join(simulate::EMBEDDINGS)),
                model: folder.join(simulate::MODEL),
                engine: self.engine.clone(),
            },
            strata: StrataArgs {
                strata: StratifyBy::ALL,
            },
            keep: KeepArgs::default(),
            statistics: StatisticsArgs::default(),
            tables: TablesArgs::default(),
            out: results.clone(),
            save_fires: true,
            print: self.print,
            force: self.force,
        };
        analysis.files(|report| {
            let recovery = truth.recovery(report.notebook.bias.atoms.iter().map(|atom| ReportedAtom {
                atom: atom.atom,
                significant: atom.significant,
                odds: atom.odds,
            }));
            progress::print(&format!(
                "{}\n Demo\n{}\n{} simulated calls, {} atoms of which {} fire on each.\n{recovery}\n\
                 The simulated cohort and model are in {}\nThe results are in {}\n",
                self.print.text(report),
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
