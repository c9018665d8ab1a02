//! Files of firing sets: the atoms that fire on each row of a shard, with the calls.
//!
//! Tensors: `atoms` U16 or U32 \[kept rows, k\], ascending in each row; `scores` F64 \[kept rows, k\],
//! their canonical scores, where these were kept. Where rows differ in how many atoms fire, both are
//! \[firings\], and `row_ends` U64 \[kept rows\] says where each row's end. `dropped_rows` U64: rows of the
//! shard's file that have no set; `kinds` as in a tally; the [columns](super::columns) of all calls,
//! dropped ones among them.

use std::fs::File;
use std::path::Path;

use super::columns;
use super::header::{KindsText, ShardText, rule_text, text, to_json};
use super::sealed::{self, Tensor};
use crate::cohort::Calls;
use crate::error::{Error, Result};
use crate::fires::FiringStore;
use crate::tally::{ModelId, Shard};
use crate::write::whole::WholeFile;

/// The name that the header gives to the file.
pub(super) const FORMAT: &str = "atomscope firing sets";
/// The firing sets of a shard with its calls, to be written.
#[derive(Clone, Copy)]
pub struct Fires<'a> {
    /// The model that made them.
    pub model: &'a ModelId,
    /// The shard that they belong to.
    pub shard: &'a Shard,
    /// The shard's calls.
    pub calls: &'a Calls,
    /// Their firing sets.
    pub details: &'a dyn FiringStore,
    /// True if the scores of the atoms are written; the firing sets must have them.
    pub scores: bool,
}

impl Fires<'_> {
    /// Writes them to an open file; messages call it `path`.
    pub(super) fn write_to(&self, file: &File, path: &Path) -> Result<()> {
        let mut header = text(FORMAT, self.model);
        header.push(("shards", to_json(&[ShardText::of(self.shard)])));
        header.extend(rule_text(&self.calls.rule));
        let row_ends = self.row_ends()?;
        sealed::write(file, path, header, &self.tensors(row_ends.as_deref()))
    }

    fn scores(&self, shape: Vec<u64>) -> Tensor<'_> {
        let details = self.details;
        Tensor::streamed::<f64>("scores", shape, move |write| {
            details.sets(&mut |sets| {
                let scores = sets.scores().ok_or_else(no_scores)?;
                write(bytemuck::cast_slice(scores))
            })
        })
    }

    /// Returns the end of each kept row's firings; `None` if the same number of atoms fires on
    /// each.
    fn row_ends(&self) -> Result<Option<Vec<u64>>> {
        if self.model.top_k.is_some() {
            return Ok(None);
        }
        let (mut ends, mut end) = (Vec::new(), 0);
        self.details.sets(&mut |sets| {
            ends.extend(sets.all().iter().map(|set| {
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
                details.sets(&mut |sets| {
                    sets.atoms().chunks(1 << 16).try_for_each(|atoms| {
                        let narrow: Vec<u16> = atoms.iter().map(|&atom| atom as u16).collect();
                        write(bytemuck::cast_slice(&narrow))
                    })
                })
            })
        } else {
            Tensor::streamed::<u32>("atoms", shape.clone(), move |write| {
                details.sets(&mut |sets| write(bytemuck::cast_slice(sets.atoms())))
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
