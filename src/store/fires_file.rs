//! Files of firing sets, read in pieces.

use std::ops::Range;
use std::path::Path;

use super::columns::Columns;
use super::fires::{FORMAT, Fires};
use super::header::Header;
use super::sealed;
use super::tensors::{Tensors, widened};
use crate::cohort::{Calls, ClassRule};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::fires::{FiringBlock, FiringSets};
use crate::read::{SafeTensors, Source, Stamp, check_same};
use crate::tally::{ModelId, Shard};

/// Firing sets that are read at a time, in atoms; and the least and most rows of them.
const ATOMS_AT_ONCE: u64 = 1 << 21;
const ROWS_AT_ONCE: (u64, u64) = (1 << 10, 1 << 17);

/// An open file of firing sets, read in pieces.
#[derive(Debug)]
pub struct FiresFile {
    tensors: Tensors,
    columns: Columns,
    model: ModelId,
    shard: Shard,
    /// The end of each kept row's firings, if rows have different numbers of them.
    row_ends: Option<Vec<u64>>,
    has_scores: bool,
}

impl FiresFile {
    /// Opens a file, and checks its header; what it holds is checked by
    /// [`verify`](Self::verify), and as it is read.
    ///
    /// # Errors
    /// A file that cannot be read, is none, is cut off, or is of another definition.
    pub fn open(path: &Path) -> Result<Self> {
        let file = sealed::open(
            path,
            FORMAT,
            "firing sets that atomscope wrote beside a tally",
        )?;
        Self::of(file)
    }

    /// Writes firing sets to a file without a name, and opens it. `folder` is where it is made.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn unnamed(folder: &Path, fires: &Fires) -> Result<Self> {
        let failed = |e| Error::writing(folder, e);
        let file = tempfile::tempfile_in(folder).map_err(failed)?;
        fires.write_to(&file, folder)?;
        let length = file.metadata().map_err(failed)?.len();
        let source = Source::unnamed(file, folder.to_owned(), length);
        Self::of(SafeTensors::open(&source)?)
    }

    fn of(file: SafeTensors) -> Result<Self> {
        let tensors = Tensors(file);
        let header = Header(&tensors.0);
        let model = header.model()?;
        let count = tensors.length("dropped_rows")?;
        let dropped = tensors.numbers("dropped_rows", 0..count)?;
        let dropped: Vec<u64> = dropped.into_iter().map(i64::cast_unsigned).collect();
        let kinds = tensors.bytes("kinds", None)?;
        let [shard] = <[Shard; 1]>::try_from(header.shards(&dropped, &kinds)?)
            .map_err(|_| header.bad("shards", "several", "one shard"))?;
        let kept = shard.count() - count;
        let row_ends = match model.top_k {
            Some(_) => None,
            None => Some(row_ends(&tensors, kept)?),
        };
        let expected = match (model.top_k, &row_ends) {
            (Some(k), _) => vec![kept as usize, k as usize],
            (None, ends) => vec![ends.iter().flatten().last().copied().unwrap_or(0) as usize],
        };
        if tensors.entry("atoms")?.shape != expected {
            return Err(tensors.bad("atoms", "another shape than the header's"));
        }
        let scores = tensors.0.tensors.get("scores");
        if scores.is_some_and(|scores| scores.dtype != "F64" || scores.shape != expected) {
            return Err(tensors.bad(
                "scores",
                "other than F64 numbers, one for each of the atoms",
            ));
        }
        Ok(Self {
            has_scores: scores.is_some(),
            row_ends,
            columns: Columns::open(&tensors, shard.count(), header.rule()?)?,
            tensors,
            model,
            shard,
        })
    }

    /// Returns the shard that these firing sets belong to.
    pub fn shard(&self) -> &Shard {
        &self.shard
    }

    /// Returns the model that made them.
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// Returns the rule for which of its calls are true.
    pub fn rule(&self) -> &ClassRule {
        self.columns.rule()
    }

    /// Says whether the calls have these quantities, and no others.
    pub fn describes(&self, names: &[String]) -> bool {
        let found = Calls::described_names(self.columns.level_names());
        found.eq(names.iter().map(String::as_str))
    }

    /// Says whether the atoms' scores are in the file.
    pub fn has_scores(&self) -> bool {
        self.has_scores
    }

    /// The same file, read as if it had no scores.
    pub(crate) fn without_scores(self) -> Self {
        Self {
            has_scores: false,
            ..self
        }
    }

    /// Returns the name that messages give to the file.
    pub fn name(&self) -> String {
        self.tensors.0.source.name()
    }

    /// Returns the stamp of the file when it was opened.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        self.tensors.0.source.stamp()
    }

    /// An error if it is no longer what it was.
    pub(crate) fn check_stamp(&self, before: Option<Stamp>) -> Result<()> {
        check_same(&self.name(), before, self.stamp())
    }

    /// Reads the whole file and compares its checksum. `control` is asked now and then; an error of
    /// its ends the reading.
    ///
    /// # Errors
    /// A file that is not as it was written.
    pub fn verify(&self, control: &Control) -> Result<()> {
        sealed::verify(&self.tensors.0, &mut |_| control.check())
    }

    /// Hands over all rows in order; `first` is the cohort's row of the shard's first.
    ///
    /// # Errors
    /// Those of reading, of numbers that are no firing sets, and of `take`.
    pub fn blocks(
        &self,
        first: u64,
        take: &mut dyn FnMut(FiringBlock<'_>) -> Result<()>,
    ) -> Result<()> {
        self.pieces().try_for_each(|range| {
            let sets = self.sets(range.clone())?;
            take(FiringBlock {
                first: first + range.start,
                calls: &self.columns.read(&self.tensors, range)?,
                sets: &sets,
            })
        })
    }

    /// Hands over the firing sets of all rows in order, without their calls.
    ///
    /// # Errors
    /// As [`blocks`](Self::blocks).
    pub fn all_sets(&self, take: &mut dyn FnMut(&FiringSets) -> Result<()>) -> Result<()> {
        self.pieces().try_for_each(|range| take(&self.sets(range)?))
    }

    /// Rows that are read together, counted from the shard's first.
    fn pieces(&self) -> impl Iterator<Item = Range<u64>> {
        let mut start = 0;
        std::iter::from_fn(move || {
            let range = start..(start < self.shard.count()).then(|| self.block_end(start))?;
            start = range.end;
            Some(range)
        })
    }

    /// Returns the end of the rows that are read together from `start` on.
    fn block_end(&self, start: u64) -> u64 {
        let (least, most) = ROWS_AT_ONCE;
        let rows = self.shard.count();
        if let Some(k) = self.model.top_k {
            return rows.min(start + (ATOMS_AT_ONCE / k).clamp(least, most));
        }
        let mut count = most.min(rows - start);
        while count > least && self.firings_of(start..start + count) > ATOMS_AT_ONCE {
            count = (count / 2).max(least);
        }
        start + count
    }

    /// Returns the number of firings of some rows, counted from the shard's first.
    fn firings_of(&self, rows: Range<u64>) -> u64 {
        let kept = self.kept(&rows);
        self.firings(kept.end) - self.firings(kept.start)
    }

    /// Returns the place of some rows among the kept rows.
    fn kept(&self, rows: &Range<u64>) -> Range<u64> {
        let before = |row: u64| self.dropped_before(row) as u64;
        rows.start - before(rows.start)..rows.end - before(rows.end)
    }

    /// Counts the rows before this one that were dropped.
    fn dropped_before(&self, row: u64) -> usize {
        let dropped = &self.shard.dropped;
        dropped.partition_point(|&gone| gone < self.shard.rows.start + row)
    }

    /// The firing sets of some rows, counted from the shard's first; with scores, where it has them.
    pub fn sets(&self, rows: Range<u64>) -> Result<FiringSets> {
        let gone = self.dropped_before(rows.start)..self.dropped_before(rows.end);
        let dropped = self.shard.dropped[gone].iter();
        let dropped = dropped.map(|&row| (row - self.shard.rows.start - rows.start) as usize);
        let kept = self.kept(&rows);
        let places = self.firings(kept.start)..self.firings(kept.end);
        let atoms = self.tensors.atoms(places.clone())?;
        let sets = if let Some(k) = self.model.top_k {
            FiringSets::uniform(k as usize, atoms, dropped.collect())
        } else {
            let ends = self.row_ends.as_deref().unwrap_or_default();
            let ends = &ends[kept.start as usize..kept.end as usize];
            let ends = ends.iter().map(|end| (end - places.start) as usize);
            FiringSets::ragged(ends.collect(), atoms, dropped.collect())
        };
        if !sets.all().iter().all(|set| self.can_fire(set)) {
            return Err(self
                .tensors
                .bad("atoms", "rows that are no ascending atoms below F"));
        }
        if !self.has_scores {
            return Ok(sets);
        }
        Ok(sets.with_scores(self.scores(places)?))
    }

    /// Returns the number of firings of the given number of first kept rows.
    fn firings(&self, rows: u64) -> u64 {
        match (self.model.top_k, &self.row_ends) {
            (Some(k), _) => rows * k,
            (None, Some(ends)) => {
                let last = rows.checked_sub(1).and_then(|last| ends.get(last as usize));
                last.or(ends.last().filter(|_| rows > 0))
                    .copied()
                    .unwrap_or(0)
            }
            (None, None) => 0,
        }
    }

    /// Atoms that can fire on a row of this model.
    fn can_fire(&self, set: &[u32]) -> bool {
        let is_atom = |&last: &u32| u64::from(last) < self.model.feature_dim;
        set.is_sorted_by(|a, b| a < b) && set.last().is_none_or(is_atom)
    }

    /// The scores of some firings.
    fn scores(&self, firings: Range<u64>) -> Result<Vec<f64>> {
        let size = size_of::<f64>() as u64;
        let bytes = Some(firings.start * size..firings.end * size);
        let scores = widened(&self.tensors.bytes("scores", bytes)?, f64::from_le_bytes);
        if !scores.iter().all(|score| score.is_finite()) {
            return Err(self.tensors.bad("scores", "a NaN or an infinity"));
        }
        Ok(scores)
    }
}

/// Reads the end of each kept row's firings.
fn row_ends(tensors: &Tensors, kept: u64) -> Result<Vec<u64>> {
    let name = "row_ends";
    tensors.check_length(name, kept)?;
    let ends = tensors.numbers(name, 0..kept)?;
    let ends: Vec<u64> = ends.into_iter().map(i64::cast_unsigned).collect();
    if ends.is_sorted() && ends.last().is_none_or(|&end| end < 1 << 48) {
        return Ok(ends);
    }
    Err(tensors.bad(name, "places that do not ascend"))
}
