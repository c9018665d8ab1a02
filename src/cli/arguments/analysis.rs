//! The arguments of `analyze`, except those that say where results go.

use std::path::PathBuf;

use clap::Args;

use super::{
    BatchTopKArgs, CohortArgs, EngineArgs, KeepArgs, LabelledArgs, ModelArgs, RunArgs,
    StatisticsArgs, StrataArgs, TablesArgs,
};
use crate::tally::StratifyBy;

/// Cohort, model, and which tables are made of them.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct AnalysisArgs {
    #[command(flatten)]
    pub(in crate::cli) run: RunArgs,
    #[command(flatten)]
    pub(in crate::cli) batches: BatchTopKArgs,
    #[command(flatten)]
    pub(in crate::cli) strata: StrataArgs,
    #[command(flatten)]
    pub(in crate::cli) statistics: StatisticsArgs,
    #[command(flatten)]
    pub(in crate::cli) tables: TablesArgs,
    #[command(flatten)]
    pub(in crate::cli) keep: KeepArgs,
}

impl AnalysisArgs {
    /// An analysis of one file of embeddings with its calls in it, all else as where nothing is asked for.
    pub(in crate::cli) fn of_file(embeddings: PathBuf, model: PathBuf, engine: EngineArgs) -> Self {
        Self {
            run: RunArgs {
                cohort: CohortArgs::of_file(embeddings),
                model: ModelArgs::of(model),
                engine,
                labelled: LabelledArgs::default(),
            },
            batches: BatchTopKArgs::default(),
            strata: StrataArgs {
                strata: StratifyBy::ALL,
                describe: Vec::new(),
            },
            statistics: StatisticsArgs::default(),
            tables: TablesArgs::default(),
            keep: KeepArgs::default(),
        }
    }
}
