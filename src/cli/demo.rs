//! `demo`: the main job on a cohort that it simulates, and how much of the truth was found.

use std::path::PathBuf;

use clap::Args;

use super::analyze::Analyze;
use super::arguments::{
    AnalysisArgs, AnnotateArgs, EngineArgs, ForceArgs, HtmlArg, OutputArgs, PageArgs, PrintArgs,
    Shape,
};
use super::progress;
use super::simulate::simulate_files;
use crate::analysis::ResultsFolder;
use crate::error::{Error, Result};
use crate::outputs::RESULTS;
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
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,

    #[command(flatten)]
    pub(super) engine: EngineArgs,

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
        let embeddings = folder.join(simulate::EMBEDDINGS);
        let (model, engine) = (folder.join(simulate::MODEL), self.engine.clone());
        let analyze = Analyze {
            analysis: AnalysisArgs::of_file(embeddings, model, engine),
            output: OutputArgs {
                out: results.clone(),
                save_fires: true,
                html: HtmlArg::Yes,
                page: PageArgs::default(),
                print: self.print,
                force: self.force,
            },
            annotate: AnnotateArgs::default(),
        };
        analyze.files(|report| {
            let recovery = truth.recovery(report.notebook.bias.atoms.iter().map(|atom| ReportedAtom {
                atom: atom.atom,
                significant: atom.significant,
                odds: atom.odds,
            }));
            let line = "=".repeat(50);
            progress::print(&format!(
                "{}\n Demo\n{line}\n{} simulated calls, {} atoms of which {} fire on each.\n{recovery}\n\
                 The simulated cohort and model are in {}\nThe results are in {}; open {} in a browser\n",
                self.print.text(report),
                options.rows,
                options.features,
                options.k,
                folder.display(),
                results.display(),
                results.join("report.html").display()
            ))
        })
    }

    fn folder(&self) -> Result<PathBuf> {
        if let Some(folder) = &self.out {
            return Ok(folder.clone());
        }
        let new = tempfile::Builder::new().prefix("atomscope-demo-").tempdir();
        new.map(tempfile::TempDir::keep)
            .map_err(|e| Error::writing(&std::env::temp_dir(), e))
    }
}
