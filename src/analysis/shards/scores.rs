//! The rows of a cohort that was counted, read again: for scores of all atoms.

use std::collections::HashMap;
use std::path::Path;

use super::{InputFile, ShardInput, Tallied};
use crate::engine::{Control, DenseScores, Simd};
use crate::error::{Error, Result};
use crate::read::{TensorRows, read_rows};
use crate::rows::{RowRange, Rows};
use crate::stats::evidence::CallFacts;
use crate::stats::score_comparison::{
    LabelledCalls, Part, RowsAgain, ScoreComparison, blocks, compare,
};
use crate::tally::StratifyBy;

/// Files of embeddings that stay open from pass to pass; more are opened anew each time.
const MOST_OPEN: usize = 64;

/// How scores are compared.
#[derive(Debug, Clone, Copy)]
pub struct CompareScores {
    /// What calls are stratified by.
    pub strata: StratifyBy,
    /// Bytes that scores may take at a time.
    pub memory: u64,
    /// Vector instructions; the best that the machine has where `None`.
    pub simd: Option<Simd>,
}

impl Tallied {
    /// How often the rows have to be read for the scores of all atoms to fit the memory.
    pub fn passes(&self, options: CompareScores) -> usize {
        let kept = self.cohort.tally.rows_where(|_| true) as usize;
        blocks(self.model.sae.feature_dim(), kept, options.memory).len()
    }

    /// Compares the scores of all atoms between true and false calls, on the processor. `inputs` are
    /// those that were counted, with details. `control` is told how many rows are done, of all rows
    /// times [`passes`](Self::passes).
    ///
    /// # Errors
    /// Files that cannot be read, or are not what was counted; memory; cancellation.
    pub fn compare_scores(
        &self,
        inputs: &[ShardInput],
        options: CompareScores,
        control: &Control,
    ) -> Result<ScoreComparison> {
        let facts = CallFacts::gather(&self.details, options.strata)?;
        let calls = LabelledCalls::new(facts.is_tp, facts.strata);
        let sae = &self.model.sae;
        let dense = DenseScores::new(sae, options.simd);
        let rows = ShardRows::new(self, inputs)?;
        compare(
            &dense,
            sae.feature_dim(),
            &rows,
            &calls,
            options.memory,
            control,
        )
    }
}

/// The counted rows of all shards, in the cohort's order.
struct ShardRows<'a> {
    tallied: &'a Tallied,
    /// By the shards' names.
    paths: HashMap<&'a str, &'a Path>,
    files: HashMap<&'a str, &'a InputFile>,
    /// Those of the shards that are kept open.
    open: Vec<TensorRows>,
}

impl<'a> ShardRows<'a> {
    fn new(tallied: &'a Tallied, inputs: &'a [ShardInput]) -> Result<Self> {
        let path = |input: &'a ShardInput| (&*input.name, &*input.embeddings);
        let embeddings = tallied
            .files
            .iter()
            .filter(|file| file.role == "embeddings");
        let mut rows = Self {
            tallied,
            paths: inputs.iter().map(path).collect(),
            files: embeddings.map(|file| (&*file.path, file)).collect(),
            open: Vec::new(),
        };
        for shard in tallied.cohort.shards.iter().take(MOST_OPEN) {
            rows.open.push(rows.open(&shard.name)?);
        }
        Ok(rows)
    }

    /// Opens a shard's embeddings, which must be what was counted.
    fn open(&self, name: &str) -> Result<TensorRows> {
        let path = self.paths.get(name).ok_or(Error::Cancelled)?;
        let rows = read_rows(path)?;
        if let Some(file) = self.files.get(&*path.display().to_string()) {
            file.check(rows.stamp())?;
        }
        Ok(rows)
    }
}

impl RowsAgain for ShardRows<'_> {
    fn parts(&self, take: &mut dyn FnMut(Part<'_>) -> Result<()>) -> Result<()> {
        for (number, shard) in self.tallied.cohort.shards.iter().enumerate() {
            let opened;
            let rows = if let Some(rows) = self.open.get(number) {
                rows
            } else {
                opened = self.open(&shard.name)?;
                &opened
            };
            let range = shard.rows.start as usize..(shard.rows.end as usize).min(rows.count());
            let first = range.start.min(range.end);
            let dropped: Vec<usize> = (shard.dropped.iter())
                .map(|&row| row as usize - first)
                .collect();
            let rows_of_shard = RowRange::new(rows, first..range.end);
            take(Part {
                rows: &rows_of_shard,
                dropped: &dropped,
            })?;
            rows.check_unchanged()?;
        }
        Ok(())
    }
}
