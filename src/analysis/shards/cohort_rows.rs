//! The rows of all shards, for what has to see all of them before any is encoded.

use std::ops::Range;

use super::ShardInput;
use crate::analysis::batches::{CohortRows, TakeRows};
use crate::analysis::session::in_file;
use crate::error::Result;
use crate::read::{EmbeddingRows, Stamp, check_same, read_rows};
use crate::rows::{EmbeddingsChoice, RowRange, Rows};

/// Files of embeddings that stay open from pass to pass; more are opened anew each time.
const MOST_OPEN: usize = 64;

/// The rows of all shards that are meant, in the cohort's order.
pub(super) struct FileRows<'a> {
    shards: Vec<ShardRows<'a>>,
    choice: &'a EmbeddingsChoice,
}

struct ShardRows<'a> {
    input: &'a ShardInput,
    /// Its rows in the file.
    rows: Range<u64>,
    /// The number of the first of them in the cohort.
    first: u64,
    /// The file's stamp when it was first opened.
    stamp: Option<Stamp>,
    open: Option<EmbeddingRows>,
}

impl<'a> FileRows<'a> {
    /// Looks at every file.
    ///
    /// # Errors
    /// Files that cannot be read; rows that they do not have.
    pub(super) fn open(inputs: &'a [ShardInput], choice: &'a EmbeddingsChoice) -> Result<Self> {
        let mut first = 0;
        let mut shards = Vec::with_capacity(inputs.len());
        for (number, input) in inputs.iter().enumerate() {
            let open = read_rows(&input.embeddings, choice)?;
            let rows = input.range(open.count())?;
            let count = rows.end - rows.start;
            shards.push(ShardRows {
                input,
                rows,
                first,
                stamp: open.stamp(),
                open: (number < MOST_OPEN).then_some(open),
            });
            first += count;
        }
        Ok(Self { shards, choice })
    }

    /// The stamp of each file, by which it is known that it is the same later.
    pub(super) fn into_stamps(self) -> Vec<Option<Stamp>> {
        self.shards.into_iter().map(|shard| shard.stamp).collect()
    }
}

impl ShardRows<'_> {
    /// The rows of the cohort that are here.
    fn of_cohort(&self) -> Range<u64> {
        self.first..self.first + (self.rows.end - self.rows.start)
    }

    fn read(
        &self,
        wanted: Range<u64>,
        choice: &EmbeddingsChoice,
        take: &mut TakeRows,
    ) -> Result<()> {
        let opened;
        let rows = if let Some(rows) = &self.open {
            rows
        } else {
            opened = read_rows(&self.input.embeddings, choice)?;
            let name = self.input.embeddings.display().to_string();
            check_same(&name, self.stamp, opened.stamp())?;
            &opened
        };
        let of_file = |row: u64| (row - self.first + self.rows.start) as usize;
        let range = of_file(wanted.start)..of_file(wanted.end);
        let first = range.start;
        let taken = take(&RowRange::new(rows, range), wanted.start);
        taken.map_err(|error| in_file(error, first))?;
        rows.check_unchanged()
    }
}

impl CohortRows for FileRows<'_> {
    fn counts(&self) -> Vec<u64> {
        let count = |shard: &ShardRows| shard.rows.end - shard.rows.start;
        self.shards.iter().map(count).collect()
    }

    fn read(&self, rows: Range<u64>, take: &mut TakeRows) -> Result<()> {
        let after = |shard: &ShardRows| shard.of_cohort().end <= rows.start;
        let from = self.shards.partition_point(after);
        for shard in &self.shards[from..] {
            let here = shard.of_cohort();
            if here.start >= rows.end {
                break;
            }
            let wanted = here.start.max(rows.start)..here.end.min(rows.end);
            if !wanted.is_empty() {
                shard.read(wanted, self.choice, take)?;
            }
        }
        Ok(())
    }
}
