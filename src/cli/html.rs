//! `html`: the page that people look at, from earlier results or from a tally.

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::{ForceArgs, PageArgs, StatisticsArgs, TablesArgs, TallyInputArgs};
use super::from_tally::FromTally;
use super::progress::{self, note};
use crate::analysis::PageFile;
use crate::error::Result;
use crate::write::inputs::Inputs;

/// The page that people look at, from a tally, or with names and links added to that of earlier results
///
/// From a tally it is the report.html of atomscope report. Of a folder of results its report.html is
/// taken, and given the names and links that are asked for; where that is gone, a page is made of the
/// tables, which says what they lack.
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
        if self.from.tally.is_dir() {
            let settings = self.page.settings()?;
            let folder: &Path = &self.from.tally;
            let inputs = Inputs::of(self.page.inputs().chain([PageFile::in_folder(folder)]));
            let file = PageFile::open(&self.out, &inputs, self.force.force)?;
            file.redress(folder, &settings)?;
        } else {
            self.of_tally()?;
        }
        note(
            self.from.quiet,
            &format!("the page is {}", self.out.display()),
        );
        Ok(())
    }

    fn of_tally(&self) -> Result<()> {
        let compare = self.tables.compare;
        compare.needs_embeddings("a page from a tally")?;
        let control = progress::control();
        let from = FromTally::open(&self.from, self.statistics, &self.tables, &self.page)?;
        let file = PageFile::open(&self.out, &from.inputs(), self.force.force)?;
        let counted = from.count(&control)?;
        let tables = from.tables(&counted, &control)?;
        file.write(&counted, &tables, &tables.options.page, &control)
    }
}
