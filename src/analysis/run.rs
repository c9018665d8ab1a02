//! The whole way of an analysis in one call.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::builder::{Analysis, Source};
use super::counted::{CompareScores, Counted, no_model};
use super::outputs::{ResultsFolder, Save};
use super::page_file::PageFile;
use super::record;
use super::session::CountOptions;
use super::shards::{self, KeepFirings, Plan, SetsFrom};
use super::tables::{TableOptions, Tables};
use crate::control::Control;
use crate::error::{Choice, Result};
use crate::read::{find_model, model_files};
use crate::report::html::Settings;
use crate::stats::score_comparison::ScoreComparison;
use crate::write::inputs::Inputs;

impl<'a> Analysis<'a> {
    /// Counts the cohort, and makes all tables.
    ///
    /// # Errors
    /// Files that cannot be read or do not fit together; rows with a NaN or an infinity; classes that
    /// are not understood; a device that cannot be used; memory; cancellation.
    pub fn run(&self) -> Result<Results<'a>> {
        let mut options = self.options.clone();
        options.engine.scores = self.tables.extended.is_some();
        options.batch_topk.memory = Some(self.memory);
        let mut tables = self.tables.clone();
        if let Some(extended) = &mut tables.extended {
            extended.memory = self.memory;
        }
        let compare = (self.compare_scores && tables.extended.is_some()).then_some(CompareScores {
            stratify_by: options.stratify_by.clone(),
            memory: self.memory / 2,
        });
        let control = &self.control;
        let (counted, scores, inputs) = match &self.source {
            Source::Memory {
                sae,
                rows,
                calls,
                decoder,
            } => {
                let mut counted = Counted::of_rows(sae, *rows, calls, &options, control)?;
                counted.decoder.clone_from(decoder);
                let scores = compare.map(|compare| {
                    counted.compare_scores_of_rows(*rows, &options.engine, &compare, control)
                });
                (counted, scores.transpose()?, Inputs::default())
            }
            Source::Files {
                embeddings,
                metadata,
                model,
            } => {
                let shards = shards::shards(embeddings, metadata, None)?;
                let found = find_model(model, &options.model)?;
                let plan = Plan::new(&shards, &found, &options);
                self.count_files(plan, &model_files(model), compare)?
            }
            Source::Activations {
                files,
                metadata,
                atoms,
            } => {
                let shards = shards::shards_of(Choice::Activations, files, metadata, None)?;
                let sets_from = SetsFrom::Activations { atoms: *atoms };
                let plan = Plan::of(&shards, sets_from, &options);
                self.count_files(plan, &[], compare)?
            }
            Source::Counted(counted) => {
                if compare.is_some() {
                    return Err(no_model());
                }
                return self.results(counted.clone(), &tables, None, Inputs::default());
            }
        };
        self.results(Arc::new(counted), &tables, scores, inputs)
    }

    fn results(
        &self,
        counted: Arc<Counted>,
        tables: &TableOptions,
        scores: Option<ScoreComparison>,
        inputs: Inputs,
    ) -> Result<Results<'a>> {
        let (device, engine) = (self.options.device, &self.options.engine);
        Ok(Results {
            tables: counted.tables_by(device, engine, tables, scores, &self.control)?,
            counted,
            inputs,
            save_firings: self.save_firings,
            control: self.control,
        })
    }

    /// Counts a cohort in files, and compares scores where that is asked for. Returns the files that
    /// were read, too.
    fn count_files(
        &self,
        plan: Plan,
        model_files: &[PathBuf],
        compare: Option<CompareScores>,
    ) -> Result<(Counted, Option<ScoreComparison>, Inputs)> {
        let folder = std::env::temp_dir();
        let plan = Plan {
            firings: Some(KeepFirings {
                memory: self.memory / 2,
                folder: &folder,
            }),
            ..plan
        };
        let is_whole = plan.inputs.len() == 1;
        let options = CountOptions {
            stratify_by: plan.resolved_strata(is_whole)?,
            ..plan.options.clone()
        };
        let plan = Plan {
            options: &options,
            ..plan
        };
        let compare = compare.map(|compare| CompareScores {
            stratify_by: options.stratify_by.clone(),
            ..compare
        });
        if let (Some(_), SetsFrom::Activations { .. }) = (&compare, plan.sets_from) {
            return Err(no_model());
        }
        let counted = plan.count(&self.control)?;
        let scores = compare.map(|compare| plan.compare_scores(&counted, &compare, &self.control));
        let inputs = plan.reads(model_files, &|_| true);
        Ok((counted, scores.transpose()?, inputs))
    }
}

/// The results of an [`Analysis`].
#[derive(Debug)]
pub struct Results<'a> {
    /// Counts and firing sets.
    pub counted: Arc<Counted>,
    /// Every table.
    pub tables: Tables,
    inputs: Inputs,
    save_firings: bool,
    control: Control<'a>,
}

impl Results<'_> {
    /// Returns the same results, which no longer listen to the [`Control`] of their run.
    pub fn without_control(self) -> Results<'static> {
        Results {
            counted: self.counted,
            tables: self.tables,
            inputs: self.inputs,
            save_firings: self.save_firings,
            control: Control::default(),
        }
    }

    /// Returns the files that were read. No output replaces one of them.
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Returns the same results, of which no output replaces one of these files, either.
    #[must_use]
    pub fn reading(mut self, files: &Inputs) -> Self {
        self.inputs.join(files);
        self
    }

    /// Returns the record of the run, as `run.json` has it: versions, inputs, options, the certificate,
    /// and where the time went.
    pub fn record(&self) -> record::Record {
        record::Record::of(&self.counted, &self.tables, record::Written::default())
    }

    /// Writes every file into a folder, which is made where it does not exist: all of them, or none. The
    /// files of an earlier run are replaced, no others.
    ///
    /// # Errors
    /// A folder or files that cannot be written; files there that no earlier run wrote; cancellation.
    pub fn write(&self, folder: impl AsRef<Path>) -> Result<()> {
        self.write_under(folder, self.save_firings, &self.control)
    }

    /// The same under another control, with the firing sets or without.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_under(
        &self,
        folder: impl AsRef<Path>,
        save_firings: bool,
        control: &Control,
    ) -> Result<()> {
        let folder = ResultsFolder::open(folder.as_ref(), self.inputs.clone(), false)?;
        let nothing = |_: &mut record::Record| Ok(());
        let (counted, tables) = (&self.counted, &self.tables);
        folder
            .write(
                counted,
                tables,
                Save::all(save_firings),
                control,
                nothing,
                |_| Ok(()),
            )
            .map(drop)
    }

    /// Writes the page that people look at as a file of its own, and replaces one that is there. `settings`
    /// are the genome by which calls are linked, and names of atoms.
    ///
    /// # Errors
    /// A path that is an input; a file that cannot be written; cancellation.
    pub fn write_page(
        &self,
        path: impl AsRef<Path>,
        settings: &Settings,
        control: &Control,
    ) -> Result<()> {
        let file = PageFile::open(path.as_ref(), &self.inputs, true)?;
        file.write(&self.counted, &self.tables, settings, control)
    }
}
