//! Files of firing sets: the atoms that fire on each row of a shard, with the calls.
//!
//! Tensors: `atoms` U16 or U32 \[kept rows, k\], ascending in each row; `scores` F64 \[kept rows, k\],
//! their canonical scores, where these were kept. Where rows differ in how many atoms fire, both are
//! \[firings\], and `row_ends` U64 \[kept rows\] says where each row's end. `dropped_rows` U64: rows of the
//! shard's file that have no set; `kinds` as in a tally; the [columns](super::columns) of all calls,
//! dropped ones among them.

use std::fs::File;
use std::ops::Range;
use std::path::Path;

use super::columns::{self, Columns};
use super::header::{Header, KindsText, ShardText, rule_text, text, to_json};
use super::sealed::{self, Tensor};
use super::tensors::{Tensors, widened};
use crate::cohort::{Calls, ClassRule};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::fires::FiringSets;
use crate::fires::{FiringBlock, FiringStore};
use crate::read::{SafeTensors, Source, Stamp, check_same};
use crate::tally::{ModelId, Shard};
use crate::write::whole::WholeFile;

/// What the header calls the file.
const FORMAT: &str = "atomscope firing sets";
/// Firing sets that are read at a time, in atoms; and the least and most rows of them.
const ATOMS_AT_ONCE: u64 = 1 << 21;
const ROWS_AT_ONCE: (u64, u64) = (1 << 10, 1 << 17);

/// The firing sets of a shard with its calls, to be written.
#[derive(Clone, Copy)]
pub struct Fires<'a> {
    /// Which model made them.
    pub model: &'a ModelId,
    /// Whose they are.
    pub shard: &'a Shard,
    /// The shard's calls.
    pub calls: &'a Calls,
    /// Their firing sets.
    pub details: &'a dyn FiringStore,
    /// Whether the scores of their atoms are written; the firing sets must have them.
    pub scores: bool,
}

impl Fires<'_> {
    fn write_to(&self, file: &File, path: &Path) -> Result<()> {
        let mut header = text(FORMAT, self.model);
        header.push(("shards", to_json(&[ShardText::of(self.shard)])));
        header.extend(rule_text(&self.calls.rule));
        let row_ends = self.row_ends()?;
        sealed::write(file, path, header, &self.tensors(row_ends.as_deref()))
    }

    fn scores(&self, shape: Vec<u64>) -> Tensor<'_> {
        let details = self.details;
        Tensor::streamed::<f64>("scores", shape, move |write| {
            details.blocks(&mut |block| {
                let scores = block.sets.scores().ok_or_else(no_scores)?;
                write(bytemuck::cast_slice(scores))
            })
        })
    }

    /// Where each kept row's firings end; `None` where as many atoms fire on each.
    fn row_ends(&self) -> Result<Option<Vec<u64>>> {
        if self.model.top_k.is_some() {
            return Ok(None);
        }
        let (mut ends, mut end) = (Vec::new(), 0);
        self.details.blocks(&mut |block| {
            ends.extend(block.sets.all().iter().map(|set| {
                end += set.len() as u64;
                end
            }));
            Ok(())
        })?;
        Ok(Some(ends))
    }

    fn tensors(&self, row_ends: Option<&[u64]>) -> Vec<Tensor<'_>> {
        let kept = self.shard.count() - self.shard.dropped.len() as u64;
        // Of the tensors that have a number for each firing.
        let shape = match (self.model.top_k, row_ends) {
            (Some(k), _) => vec![kept, k],
            (None, ends) => vec![ends.and_then(<[u64]>::last).copied().unwrap_or(0)],
        };
        let details = self.details;
        let atoms = if self.model.feature_dim <= 1 << 16 {
            Tensor::streamed::<u16>("atoms", shape.clone(), move |write| {
                details.blocks(&mut |block| {
                    block.sets.atoms().chunks(1 << 16).try_for_each(|atoms| {
                        let narrow: Vec<u16> = atoms.iter().map(|&atom| atom as u16).collect();
                        write(bytemuck::cast_slice(&narrow))
                    })
                })
            })
        } else {
            Tensor::streamed::<u32>("atoms", shape.clone(), move |write| {
                details.blocks(&mut |block| write(bytemuck::cast_slice(block.sets.atoms())))
            })
        };
        let kinds = to_json(&[KindsText::of(self.shard)]);
        let mut tensors = vec![atoms];
        tensors.extend(self.scores.then(|| self.scores(shape)));
        tensors.extend(row_ends.map(|ends| Tensor::owned("row_ends", ends)));
        tensors.push(Tensor::line("dropped_rows", &self.shard.dropped));
        tensors.push(Tensor::owned("kinds", kinds.as_bytes()));
        tensors.extend(columns::tensors(self.calls));
        tensors
    }
}

/// Firing sets that should have scores, and have none: a defect of this program, but no reason to
/// end it.
fn no_scores() -> Error {
    Error::Argument {
        name: "scores",
        found: "firing sets without them".to_owned(),
        expected: "firing sets with the scores of their atoms".to_owned(),
    }
}

/// Writes firing sets beside their place, ready to be published.
///
/// # Errors
/// A file that cannot be written.
pub fn write_fires(path: &Path, fires: &Fires) -> Result<WholeFile> {
    let whole = WholeFile::create(path)?;
    fires.write_to(whole.file(), path)?;
    Ok(whole)
}

/// An open file of firing sets, read in pieces.
#[derive(Debug)]
pub struct FiresFile {
    tensors: Tensors,
    columns: Columns,
    model: ModelId,
    shard: Shard,
    /// Where each kept row's firings end, where rows differ.
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

    /// Whose firing sets these are.
    pub fn shard(&self) -> &Shard {
        &self.shard
    }

    /// Which model made them.
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// Which of its calls are true.
    pub fn rule(&self) -> &ClassRule {
        self.columns.rule()
    }

    /// Whether the atoms' scores are in it.
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

    /// What messages call the file.
    pub fn name(&self) -> String {
        self.tensors.0.source.name()
    }

    /// What the file was when it was opened.
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
        let (least, most) = ROWS_AT_ONCE;
        let rows = self.shard.count();
        let a_row = match self.model.top_k {
            Some(k) => k,
            None => self.firings(rows).div_ceil(rows.max(1)).max(1),
        };
        let step = (ATOMS_AT_ONCE / a_row).clamp(least, most);
        for start in (0..rows).step_by(step as usize) {
            let range = start..rows.min(start + step);
            let sets = self.sets(range.clone())?;
            take(FiringBlock {
                first: first + start,
                calls: &self.columns.read(&self.tensors, range)?,
                sets: &sets,
            })?;
        }
        Ok(())
    }

    /// The firing sets of some rows, counted from the shard's first; with scores, where it has them.
    pub fn sets(&self, rows: Range<u64>) -> Result<FiringSets> {
        let at = |row: u64| {
            let dropped = &self.shard.dropped;
            dropped.partition_point(|&gone| gone < self.shard.rows.start + row)
        };
        let (before, after) = (at(rows.start), at(rows.end));
        let dropped = self.shard.dropped[before..after].iter();
        let dropped = dropped.map(|&row| (row - self.shard.rows.start - rows.start) as usize);
        let kept = rows.start - before as u64..rows.end - after as u64;
        let places = self.firings(kept.start)..self.firings(kept.end);
        let atoms = self.tensors.atoms(places.clone())?;
        let sets = match self.model.top_k {
            Some(k) => FiringSets::uniform(k as usize, atoms, dropped.collect()),
            None => {
                let ends = self.row_ends.as_deref().unwrap_or_default();
                let ends = &ends[kept.start as usize..kept.end as usize];
                let ends = ends.iter().map(|end| (end - places.start) as usize);
                FiringSets::ragged(ends.collect(), atoms, dropped.collect())
            }
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

    /// Firings of so many first kept rows.
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

/// Where each kept row's firings end.
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
