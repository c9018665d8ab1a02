//! Tables from a tally, and the files beside it, as `report` and `html` make them.

use std::path::PathBuf;

use super::arguments::{PageArgs, ReadRegions, StatisticsArgs, TablesArgs, TallyInputArgs};
use super::counting::enough_memory;
use super::progress;
use crate::analysis::{Counted, Tables, firing_files};
use crate::control::Control;
use crate::error::Result;
use crate::report::html::Settings;
use crate::write::inputs::Inputs;

/// A tally, and what is read beside it.
pub(super) struct FromTally<'a> {
    from: &'a TallyInputArgs,
    statistics: StatisticsArgs,
    tables: &'a TablesArgs,
    page: &'a PageArgs,
    settings: Settings,
    fires: Option<Vec<PathBuf>>,
    /// The regions that calls are compared by.
    pub(super) regions: ReadRegions,
}

impl<'a> FromTally<'a> {
    /// Finds the firing sets, and reads regions and the page's names.
    ///
    /// # Errors
    /// Files that are not there, or cannot be read.
    pub(super) fn open(
        from: &'a TallyInputArgs,
        statistics: StatisticsArgs,
        tables: &'a TablesArgs,
        page: &'a PageArgs,
    ) -> Result<Self> {
        let fires = (!from.without_fires).then(|| firing_files(&from.tally, &from.fires));
        Ok(Self {
            from,
            statistics,
            tables,
            page,
            fires: fires.transpose()?,
            regions: tables.regions.read(from.quiet)?,
            settings: page.settings()?,
        })
    }

    /// The files that are read.
    pub(super) fn inputs(&self) -> Inputs {
        let files = self.fires.iter().flatten().chain([&self.from.tally]);
        let files = files
            .chain(&self.regions.paths)
            .chain(&self.from.model)
            .cloned();
        Inputs::of(files.chain(self.page.inputs()))
    }

    /// Reads the tally, and the firing sets and the model where they are wanted.
    ///
    /// # Errors
    /// Files that cannot be read, or do not belong together; cancellation.
    pub(super) fn count(&self, control: &Control) -> Result<Counted> {
        let are_named = !self.from.fires.is_empty();
        let fires = self.fires.clone().map(|paths| (paths, are_named));
        let mut counted = Counted::of_tally(&self.from.tally, fires, control)?;
        if let Some(model) = &self.from.model {
            counted.take_model(model, &self.from.answers.answers(), control)?;
        }
        Ok(counted)
    }

    /// Makes the tables, and shows what is odd.
    ///
    /// # Errors
    /// Options that need firing sets which are not there, and those of [`Counted::tables`].
    pub(super) fn tables(&self, counted: &Counted, control: &Control) -> Result<Tables> {
        self.tables.check(counted.firings.is_some())?;
        let memory = enough_memory(counted, self.from.memory, self.from.quiet);
        let mut options = self.tables.table_options(
            self.statistics,
            self.from.strata.clone(),
            self.regions.options.clone(),
            memory,
        );
        options.page = self.settings.clone();
        let tables = counted.tables(&options, None, control)?;
        progress::show_warnings(&tables.warnings);
        Ok(tables)
    }
}
