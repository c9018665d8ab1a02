//! The rows of a cohort that was counted, read again: for scores of all atoms.

use std::collections::HashMap;
use std::path::Path;

use super::ShardInput;
use super::input_file::InputFile;
use crate::error::{Error, Result};
use crate::read::{EmbeddingRows, read_rows};
use crate::rows::{EmbeddingsChoice, RowRange, Rows};
use crate::stats::score_comparison::{Part, RowsAgain};
use crate::tally::CohortTally;

/// Files of embeddings that stay open from pass to pass; more are opened anew each time.
const MOST_OPEN: usize = 64;

/// The counted rows of all shards, in the cohort's order.
pub(in crate::analysis) struct ShardRows<'a> {
    cohort: &'a CohortTally,
    /// The path of each shard, by its name.
    paths: HashMap<&'a str, &'a Path>,
    files: HashMap<&'a str, &'a InputFile>,
    /// The embeddings that are taken of each file.
    choice: &'a EmbeddingsChoice,
    /// The shards that are kept open.
    open: Vec<EmbeddingRows>,
}

impl<'a> ShardRows<'a> {
    pub(in crate::analysis) fn new(
        cohort: &'a CohortTally,
        read: &'a [InputFile],
        inputs: &'a [ShardInput],
        choice: &'a EmbeddingsChoice,
    ) -> Result<Self> {
        let path = |input: &'a ShardInput| (&*input.name, &*input.embeddings);
        let embeddings = read.iter().filter(|file| file.role == "embeddings");
        let mut rows = Self {
            cohort,
            paths: inputs.iter().map(path).collect(),
            files: embeddings.map(|file| (&*file.path, file)).collect(),
            choice,
            open: Vec::new(),
        };
        for shard in cohort.shards.iter().take(MOST_OPEN) {
            rows.open.push(rows.open(&shard.name)?);
        }
        Ok(rows)
    }

    /// Opens a shard's embeddings, which must be what was counted.
    fn open(&self, name: &str) -> Result<EmbeddingRows> {
        let path = self.paths.get(name).ok_or(Error::Cancelled)?;
        let rows = read_rows(path, self.choice)?;
        if let Some(file) = self.files.get(&*path.display().to_string()) {
            file.check(rows.stamp())?;
        }
        Ok(rows)
    }
}

impl RowsAgain for ShardRows<'_> {
    fn parts(&self, take: &mut dyn FnMut(Part<'_>) -> Result<()>) -> Result<()> {
        for (number, shard) in self.cohort.shards.iter().enumerate() {
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
