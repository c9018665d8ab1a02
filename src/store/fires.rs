//! Files of firing sets: the atoms that fire on each row of a shard, with the calls.
//!
//! Tensors: `atoms` U16 or U32 \[kept rows, k\], ascending in each row; `dropped_rows` U64, rows of the
//! shard's file that have no set; `kinds` as in a tally; the [columns](super::columns) of all calls, dropped ones among them.

use std::fs::File;
use std::ops::Range;
use std::path::Path;

use super::columns::{self, Columns};
use super::header::{Header, KindsText, ShardText, text, to_json};
use super::sealed::{self, Tensor};
use crate::cohort::Calls;
use crate::details::{Block, Details};
use crate::error::{Error, Result};
use crate::fires::FiringSets;
use crate::read::{Entry, SafeTensors, Source, Stamp, check_same};
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
    pub details: &'a dyn Details,
}

impl Fires<'_> {
    fn write_to(&self, file: &File, path: &Path) -> Result<()> {
        let mut header = text(FORMAT, self.model);
        header.push(("shards", to_json(&[ShardText::of(self.shard)])));
        sealed::write(file, path, header, &self.tensors())
    }

    fn tensors(&self) -> Vec<Tensor<'_>> {
        let kept = self.shard.count() - self.shard.dropped.len() as u64;
        let shape = vec![kept, self.model.k];
        let details = self.details;
        let atoms = if self.model.feature_dim <= 1 << 16 {
            Tensor::streamed::<u16>("atoms", shape, move |write| {
                details.blocks(&mut |block| {
                    block.sets.atoms().chunks(1 << 16).try_for_each(|atoms| {
                        let narrow: Vec<u16> = atoms.iter().map(|&atom| atom as u16).collect();
                        write(bytemuck::cast_slice(&narrow))
                    })
                })
            })
        } else {
            Tensor::streamed::<u32>("atoms", shape, move |write| {
                details.blocks(&mut |block| write(bytemuck::cast_slice(block.sets.atoms())))
            })
        };
        let kinds = to_json(&[KindsText::of(self.shard)]);
        let mut tensors = vec![
            atoms,
            Tensor::line("dropped_rows", &self.shard.dropped),
            Tensor::owned("kinds", kinds.as_bytes()),
        ];
        tensors.extend(columns::tensors(self.calls));
        tensors
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
}

impl FiresFile {
    /// Opens a file, and checks its header; what it holds is checked by
    /// [`verify`](Self::verify), and as it is read.
    ///
    /// # Errors
    /// A file that cannot be read, is none, is cut off, or is of another definition.
    pub fn open(path: &Path) -> Result<Self> {
        let file = sealed::open(path, FORMAT, "a file that atomscope tally --fires wrote")?;
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
        let expected = [kept as usize, model.k as usize];
        if tensors.entry("atoms")?.shape != expected {
            return Err(tensors.bad("atoms", "another shape than the header's"));
        }
        Ok(Self {
            columns: Columns::open(&tensors, shard.count())?,
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

    /// Reads the whole file and compares its checksum. `go_on` is asked now and then; an error of
    /// its ends the reading.
    ///
    /// # Errors
    /// A file that is not as it was written.
    pub fn verify(&self, go_on: &dyn Fn() -> Result<()>) -> Result<()> {
        sealed::verify(&self.tensors.0, &mut |_| go_on())
    }

    /// Hands over all rows in order; `first` is the cohort's row of the shard's first.
    ///
    /// # Errors
    /// Those of reading, of numbers that are no firing sets, and of `take`.
    pub fn blocks(&self, first: u64, take: &mut dyn FnMut(Block<'_>) -> Result<()>) -> Result<()> {
        let (least, most) = ROWS_AT_ONCE;
        let step = (ATOMS_AT_ONCE / self.model.k).clamp(least, most);
        let rows = self.shard.count();
        for start in (0..rows).step_by(step as usize) {
            let range = start..rows.min(start + step);
            let sets = self.sets(range.clone())?;
            take(Block {
                first: first + start,
                calls: &self.columns.read(&self.tensors, range)?,
                sets: &sets,
            })?;
        }
        Ok(())
    }

    /// The firing sets of some rows, counted from the shard's first.
    pub fn sets(&self, rows: Range<u64>) -> Result<FiringSets> {
        let at = |row: u64| {
            let dropped = &self.shard.dropped;
            dropped.partition_point(|&gone| gone < self.shard.rows.start + row)
        };
        let (before, after) = (at(rows.start), at(rows.end));
        let dropped = self.shard.dropped[before..after].iter();
        let dropped = dropped.map(|&row| (row - self.shard.rows.start - rows.start) as usize);
        let kept = rows.start - before as u64..rows.end - after as u64;
        let k = self.model.k;
        let atoms = self
            .tensors
            .numbers("atoms", kept.start * k..kept.end * k)?;
        let atoms: Vec<u32> = atoms.into_iter().map(|atom| atom as u32).collect();
        let fires = |set: &[u32]| {
            set.is_sorted_by(|a, b| a < b)
                && set
                    .last()
                    .is_some_and(|&last| u64::from(last) < self.model.feature_dim)
        };
        if !atoms.chunks_exact(k as usize).all(fires) {
            return Err(self
                .tensors
                .bad("atoms", "rows that are no ascending atoms below F"));
        }
        Ok(FiringSets::new(k as usize, atoms, dropped.collect()))
    }
}

/// A file's tensors, read in parts, with errors that name them.
#[derive(Debug)]
pub(super) struct Tensors(SafeTensors);

impl Tensors {
    pub(super) fn bad(&self, name: &str, found: &str) -> Error {
        let expected = "what atomscope writes there";
        let place = format!("tensor {name}");
        Error::input(
            self.0.source.name(),
            place,
            found,
            expected,
            sealed::DAMAGED,
        )
    }

    fn entry(&self, name: &str) -> Result<&Entry> {
        self.0
            .tensors
            .get(name)
            .ok_or_else(|| self.bad(name, "none"))
    }

    /// How many numbers a tensor has.
    pub(super) fn length(&self, name: &str) -> Result<u64> {
        Ok(self.entry(name)?.shape.iter().product::<usize>() as u64)
    }

    pub(super) fn check_length(&self, name: &str, length: u64) -> Result<()> {
        if self.length(name)? == length {
            return Ok(());
        }
        Err(self.bad(name, "another length than there are rows"))
    }

    /// Some bytes of a tensor, or all.
    pub(super) fn bytes(&self, name: &str, range: Option<Range<u64>>) -> Result<Vec<u8>> {
        let entry = self.entry(name)?;
        let range = range.unwrap_or(0..entry.length);
        if range.start > range.end || range.end > entry.length {
            return Err(self.bad(name, "fewer bytes than there should be"));
        }
        let mut bytes = vec![0; (range.end - range.start) as usize];
        self.0
            .source
            .read_at(&mut bytes, entry.start + range.start)?;
        Ok(bytes)
    }

    /// Some integers of a tensor.
    pub(super) fn numbers(&self, name: &str, range: Range<u64>) -> Result<Vec<i64>> {
        let entry = self.entry(name)?;
        let bytes = |size: u64| self.bytes(name, Some(range.start * size..range.end * size));
        Ok(match entry.dtype.as_str() {
            "U8" => bytes(1)?.into_iter().map(i64::from).collect(),
            "U16" => widened(&bytes(2)?, |b| i64::from(u16::from_le_bytes(b))),
            "U32" => widened(&bytes(4)?, |b| i64::from(u32::from_le_bytes(b))),
            "I32" => widened(&bytes(4)?, |b| i64::from(i32::from_le_bytes(b))),
            "U64" | "I64" => widened(&bytes(8)?, i64::from_le_bytes),
            _ => return Err(self.bad(name, "numbers that are no integers")),
        })
    }
}

fn widened<const N: usize>(bytes: &[u8], widen: impl Fn([u8; N]) -> i64) -> Vec<i64> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|bytes| widen(*bytes))
        .collect()
}
