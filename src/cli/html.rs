//! `html`: the page that people look at, from earlier results or from a tally.

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::{ForceArgs, PageArgs, StatisticsArgs, TablesArgs, TallyInputArgs};
use super::counting::enough_memory;
use super::progress::{self, note};
use crate::analysis::{Counted, PageFile, firing_files};
use crate::error::Result;
use crate::write::inputs::Inputs;

/// The page that people look at, from a tally, or with names and links added to that of earlier results
///
/// From a tally it is the report.html of atomscope report. Of a folder of results its report.html is
/// taken, and given the names and links that are asked for.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    atomscope html all.tally --out report.html\n  \
    atomscope html results --genome hg38 --labels labels.tsv --out named.html")]
pub(super) struct Html {
    #[command(flatten)]
    from: TallyInputArgs,

    /// The page's file
    #[arg(long, value_name = "FILE", help_heading = super::arguments::REQUIRED)]
    out: PathBuf,

    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    statistics: StatisticsArgs,
    #[command(flatten)]
    tables: TablesArgs,
    #[command(flatten)]
    force: ForceArgs,
}

impl Html {
    pub(super) fn run(&self) -> Result<()> {
        let settings = self.page.settings()?;
        if self.from.tally.is_dir() {
            let folder: &Path = &self.from.tally;
            let inputs = Inputs::of(self.page.inputs().chain([PageFile::in_folder(folder)]));
            let file = PageFile::open(&self.out, &inputs, self.force.force)?;
            file.redress(folder, &settings)?;
        } else {
            self.of_tally(settings)?;
        }
        note(
            self.from.quiet,
            &format!("the page is {}", self.out.display()),
        );
        Ok(())
    }

    fn of_tally(&self, settings: crate::report::html::Settings) -> Result<()> {
        self.tables
            .compare
            .needs_embeddings("a page from a tally")?;
        let control = progress::control();
        let wanted = !self.from.without_fires;
        let fires = wanted.then(|| firing_files(&self.from.tally, &self.from.fires));
        let fires = fires.transpose()?;
        let regions = self.tables.regions.read(self.from.quiet)?;
        let inputs = fires.iter().flatten().chain([&self.from.tally]);
        let inputs = inputs
            .chain(&regions.paths)
            .cloned()
            .chain(self.page.inputs());
        let file = PageFile::open(&self.out, &Inputs::of(inputs), self.force.force)?;
        let fires = fires.map(|paths| (paths, !self.from.fires.is_empty()));
        let counted = Counted::of_tally(&self.from.tally, fires, &control)?;
        self.tables.check(counted.firings.is_some())?;
        let memory = enough_memory(&counted, self.from.memory, self.from.quiet);
        let mut options = self.tables.table_options(
            self.statistics,
            self.from.strata.clone(),
            regions.options.clone(),
            memory,
        );
        options.page = settings;
        let tables = counted.tables(&options, None, &control)?;
        progress::show_warnings(&tables.warnings);
        file.write(&counted, &tables, &tables.options.page, &control)
    }
}
