//! The whole way of an analysis in one call.

use std::path::{Path, PathBuf};

use super::builder::{Analysis, Source};
use super::counted::{CompareScores, Counted, no_model};
use super::outputs::{ResultsFolder, Save};
use super::record;
use super::session::CountOptions;
use super::shards::{self, KeepFirings, Plan, SetsFrom};
use super::tables::Tables;
use crate::control::Control;
use crate::error::{Choice, Result};
use crate::read::{find_model, model_files};
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
            Source::Memory { sae, rows, calls } => {
                let counted = Counted::of_rows(sae, *rows, calls, &options, control)?;
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
        };
        let (device, engine) = (options.device, &options.engine);
        Ok(Results {
            tables: counted.tables_by(device, engine, &tables, scores, control)?,
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
    pub counted: Counted,
    /// Every table.
    pub tables: Tables,
    inputs: Inputs,
    save_firings: bool,
    control: Control<'a>,
}

impl Results<'_> {
    /// Writes every file into a folder, which is made where it does not exist: all of them, or none. The
    /// files of an earlier run are replaced, no others.
    ///
    /// # Errors
    /// A folder or files that cannot be written; files there that no earlier run wrote; cancellation.
    pub fn write(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = ResultsFolder::open(folder.as_ref(), self.inputs.clone(), false)?;
        let nothing = |_: &mut record::Record| Ok(());
        let (counted, tables) = (&self.counted, &self.tables);
        folder
            .write(
                counted,
                tables,
                Save::all(self.save_firings),
                &self.control,
                nothing,
                |_| Ok(()),
            )
            .map(drop)
    }
}
