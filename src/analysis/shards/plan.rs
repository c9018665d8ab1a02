//! A cohort in files, and how it is counted.

use std::path::{Path, PathBuf};

use super::checkpoint::{Checkpoints, Output};
use super::content::Content;
use super::inputs::ShardInput;
use crate::analysis::session::CountOptions;
use crate::cohort::ClassRule;
use crate::error::Result;
use crate::read::{Cohort, read_activations, read_cohort_choosing, tables_beside};
use crate::write::inputs::Inputs;

/// The most rows that are encoded, and kept or put away, at a time.
pub const PART_ROWS: u64 = 1 << 20;

/// The least rows of a part, however little memory there is: fewer do not pay.
const LEAST_PART_ROWS: u64 = 1 << 12;

/// About the bytes that a call takes beside its firing set.
const CALL_BYTES: u64 = 64;

/// A cohort in files, and how it is counted.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// The shards, in order: at least one.
    pub inputs: &'a [ShardInput],
    /// What makes firing sets of the files.
    pub sets_from: SetsFrom<'a>,
    /// The way in which rows are encoded, and whether the atoms that fire are scored.
    pub options: &'a CountOptions,
    /// The most rows of a part; fewer, where firing sets would not fit the memory for them.
    pub part_rows: u64,
    /// The folder of finished parts, kept for a run that goes on after this one was killed.
    pub checkpoints: Option<&'a Checkpoints>,
    /// The place where firing sets are kept; `None` drops them.
    pub firings: Option<KeepFirings<'a>>,
    /// The place of the one shard's output, which may be there already.
    pub output: Option<Output<'a>>,
    /// Read files ahead, and hash them, beside the encoding.
    pub read_ahead: bool,
}

/// What makes firing sets of a cohort's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetsFrom<'a> {
    /// Files of embeddings, encoded by the model in this file.
    Model(&'a Path),
    /// Files of activations, which say which atoms fire.
    Activations {
        /// F, the number of atoms, where the files do not hold it.
        atoms: Option<u64>,
    },
}

impl SetsFrom<'_> {
    /// What a record calls the files.
    pub(super) fn role(&self) -> &'static str {
        match self {
            Self::Model(_) => "embeddings",
            Self::Activations { .. } => "activations",
        }
    }
}

/// The place where firing sets are kept.
#[derive(Debug, Clone, Copy)]
pub struct KeepFirings<'a> {
    /// Bytes of them, and of their calls, that are kept in memory.
    pub memory: u64,
    /// The folder in which files are made for the rest.
    pub folder: &'a Path,
}

impl<'a> Plan<'a> {
    /// The plan that keeps nothing, with parts of the most rows; it reads ahead where there is a thread
    /// for it.
    pub fn new(inputs: &'a [ShardInput], model: &'a Path, options: &'a CountOptions) -> Self {
        Self::of(inputs, SetsFrom::Model(model), options)
    }

    /// The same plan of files of embeddings or activations, as `sets_from` has it.
    pub fn of(
        inputs: &'a [ShardInput],
        sets_from: SetsFrom<'a>,
        options: &'a CountOptions,
    ) -> Self {
        Self {
            inputs,
            sets_from,
            options,
            part_rows: PART_ROWS,
            checkpoints: None,
            firings: None,
            output: None,
            read_ahead: rayon::current_num_threads() > 1,
        }
    }

    /// The files that will be read, `model_files` among them. Of tables that may be found beside
    /// embeddings only those whose name `is_output` are looked for: there may be many shards.
    pub fn reads(&self, model_files: &[PathBuf], is_output: &dyn Fn(&str) -> bool) -> Inputs {
        let mut inputs = Inputs::default();
        if let SetsFrom::Model(model) = self.sets_from {
            inputs.add([model.to_owned()]);
        }
        inputs.add(model_files.iter().cloned());
        for shard in self.inputs {
            inputs.add([shard.embeddings.clone()]);
            inputs.add(shard.metadata.clone());
            if shard.metadata.is_none() {
                let named = |path: &PathBuf| {
                    let name = path.file_name().map(|name| name.to_string_lossy());
                    // Where a file system does not tell cases apart.
                    name.is_some_and(|name| is_output(&name) || is_output(&name.to_lowercase()))
                };
                let tables = tables_beside(&shard.embeddings);
                inputs.add_possible(tables.into_iter().filter(named));
            }
        }
        inputs
    }

    /// Opens a shard, and reads its calls, with the levels of their properties.
    pub(super) fn read(&self, input: &ShardInput) -> Result<Cohort<Content>> {
        let mut cohort = self.read_by(input, &self.options.rule)?;
        self.add_levels(&mut cohort, input)?;
        Ok(cohort)
    }

    /// Opens a shard, and reads its calls with the classes of the column that a rule names.
    pub(super) fn read_by(&self, input: &ShardInput, rule: &ClassRule) -> Result<Cohort<Content>> {
        let (path, table) = (&input.embeddings, input.metadata.as_deref());
        match self.sets_from {
            SetsFrom::Model(_) => {
                let cohort = read_cohort_choosing(path, table, rule, &self.options.embeddings)?;
                Ok(cohort.with_rows(|rows| Content::Embeddings(Box::new(rows))))
            }
            SetsFrom::Activations { atoms } => {
                let cohort = read_activations(path, table, rule, atoms)?;
                Ok(cohort.with_rows(|rows| Content::Activations(Box::new(rows))))
            }
        }
    }

    /// The rows of a part, of whose calls about `atoms` fire on each.
    pub(super) fn rows_at_once(&self, atoms: usize) -> u64 {
        let score = if self.options.engine.scores {
            size_of::<f64>()
        } else {
            0
        };
        let call = CALL_BYTES + (atoms * (size_of::<u32>() + score)) as u64;
        // Half of it for the part that is under way, half for those that are done.
        let fitting = self
            .firings
            .map_or(u64::MAX, |firings| firings.memory / 2 / call);
        self.part_rows
            .clamp(1, PART_ROWS)
            .min(fitting.max(LEAST_PART_ROWS))
    }
}
