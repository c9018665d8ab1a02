//! Tally files.
//!
//! Tensors: the counts above 0 in compressed sparse rows, stratum after stratum: `starts` U64
//! \[strata + 1\], the place of each stratum's first count, and the number of all; `atoms` U16 or U32,
//! the atom of each count, ascending in each stratum; `counts` U8, U16, U32 or U64, the least that holds
//! the largest. `rows` U64 \[strata\]; `dropped_rows` U64: rows of the shards' files, shard after shard;
//! `kinds` U8: JSON, for each shard the SV types and classes of its calls with their numbers and first
//! rows. Text in the header: the model, the strata, the shards, and the certificate. The certificate
//! depends on the machine, while all else depends on the inputs alone.
//!
//! The header's `layout` is 2. Files of layout 1, which have no such key, are read as well: they have
//! `counts` U64 \[strata, features\], zeros among them, and neither `starts` nor `atoms`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::header::{Header, KindsText, ShardText, about_text, rule_text, text, to_json};
use super::sealed::{self, Tensor};
use super::tensors::widened;
use crate::cohort::Label;
use crate::error::{Error, Result};
use crate::memory::room;
use crate::read::SafeTensors;
use crate::tally::{CohortTally, Counts, ModelId, Shards, SizeBin, StratifyBy, Stratum, Tally};
use crate::write::whole::WholeFile;

/// The format's name in a tally file's header.
const FORMAT: &str = "atomscope tally";

/// The key of the layout of counts, and the layout that is written.
const LAYOUT: &str = "layout";
const SPARSE: &str = "2";

#[derive(Debug, Serialize, Deserialize)]
struct StratumText {
    label: Label,
    svtype: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dataset: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    levels: BTreeMap<String, String>,
}

impl StratumText {
    fn of(stratum: &Stratum) -> Self {
        Self {
            label: stratum.label,
            svtype: stratum.svtype.clone(),
            size: stratum.size.map(|bin| bin.name().to_owned()),
            dataset: stratum.dataset.clone(),
            levels: stratum.levels.clone(),
        }
    }

    /// Makes the stratum; `None` if it is not one of that scheme.
    fn stratum(self, scheme: &StratifyBy) -> Option<Stratum> {
        let size = match &self.size {
            Some(name) => Some(SizeBin::named(name)?),
            None => None,
        };
        let properties = scheme.properties.iter().map(ToString::to_string);
        let levels: BTreeSet<String> = properties.collect();
        let fits = size.is_some() == scheme.size
            && self.dataset.is_some() == scheme.dataset
            && levels.iter().eq(self.levels.keys());
        fits.then_some(Stratum {
            label: self.label,
            svtype: self.svtype,
            size,
            dataset: self.dataset,
            levels: self.levels,
        })
    }
}

/// The command that made a tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// Counting. Such a tally has no second source: a lost one has to be counted again.
    Tally,
    /// Merging. Such a tally can be made again from the tallies that were merged.
    Merge,
}

impl Maker {
    fn name(self) -> &'static str {
        match self {
            Self::Tally => "tally",
            Self::Merge => "merge",
        }
    }
}

/// Writes a tally to a temporary file next to its place, ready to be published.
///
/// # Errors
/// Fails if the file cannot be written.
pub fn write_tally(path: &Path, cohort: &CohortTally, maker: Maker) -> Result<WholeFile> {
    let tally = &cohort.tally;
    let strata = tally.table().iter().map(StratumText::of);
    let shards: Vec<_> = cohort.shards.iter().map(ShardText::of).collect();
    let kinds: Vec<_> = cohort.shards.iter().map(KindsText::of).collect();
    let mut header = text(FORMAT, &cohort.model);
    header.extend([
        ("made_by", maker.name().to_owned()),
        (LAYOUT, SPARSE.to_owned()),
        ("strata_scheme", cohort.scheme.to_string()),
        ("strata", to_json(&strata.collect::<Vec<_>>())),
        ("shards", to_json(&shards)),
        ("certificate", to_json(&tally.certificate())),
    ]);
    header.extend(rule_text(&cohort.rule));
    header.extend(cohort.about.as_ref().map(about_text));
    let dropped: Vec<u64> = cohort
        .shards
        .iter()
        .flat_map(|shard| &shard.dropped)
        .copied()
        .collect();
    let counts = tally.all_counts();
    let mut tensors = [
        Tensor::line("starts", counts.starts()),
        atoms_tensor(counts.atoms(), tally.feature_dim()),
        numbers_tensor(counts.numbers()),
        Tensor::line("rows", tally.rows()),
        Tensor::line("dropped_rows", &dropped),
        Tensor::owned("kinds", to_json(&kinds).as_bytes()),
    ];
    // The widest numbers first: so all of them are aligned.
    tensors.sort_by_key(|tensor| std::cmp::Reverse(tensor.width()));
    let whole = WholeFile::create(path)?;
    sealed::write(whole.file(), path, header, &tensors)?;
    Ok(whole)
}

/// The atoms of all counts, as narrow as the model's atoms let them be.
fn atoms_tensor(atoms: &[u32], features: usize) -> Tensor<'_> {
    if features > 1 << 16 {
        return Tensor::line("atoms", atoms);
    }
    let narrow: Vec<u16> = atoms.iter().map(|&atom| atom as u16).collect();
    Tensor::owned("atoms", &narrow)
}

/// All counts, as narrow as the largest of them lets them be.
fn numbers_tensor(numbers: &[u64]) -> Tensor<'_> {
    match numbers.iter().max().copied().unwrap_or(0) {
        0..=0xff => Tensor::owned("counts", &narrow::<u8>(numbers, |n| n as u8)),
        0x100..=0xffff => Tensor::owned("counts", &narrow::<u16>(numbers, |n| n as u16)),
        0x1_0000..=0xffff_ffff => Tensor::owned("counts", &narrow::<u32>(numbers, |n| n as u32)),
        _ => Tensor::line("counts", numbers),
    }
}

fn narrow<T>(numbers: &[u64], narrow: impl Fn(u64) -> T) -> Vec<T> {
    numbers.iter().map(|&number| narrow(number)).collect()
}

/// Checks that a tally may be written to this path: nothing else is there.
///
/// # Errors
/// Fails if there is a file that is no tally.
pub fn check_tally_place(path: &Path) -> Result<()> {
    sealed::check_replaceable(path, "a tally")
}

/// Says whether there is a tally, or a file of firing sets, at a path, whole or not.
pub fn is_ours(path: &Path) -> bool {
    sealed::is_sealed(path)
}

/// Says whether a tally was made by counting. An unreadable file was not.
pub fn is_counted(path: &Path) -> bool {
    is_made_by(path, Maker::Tally)
}

/// Says whether a tally was made by merging. An unreadable file was not.
pub fn is_merged(path: &Path) -> bool {
    is_made_by(path, Maker::Merge)
}

fn is_made_by(path: &Path, maker: Maker) -> bool {
    let file = sealed::open(path, FORMAT, "a tally");
    file.is_ok_and(|file| {
        let made_by = file.metadata.get("made_by");
        made_by.is_some_and(|found| found == maker.name())
    })
}

/// Reads a tally file. Verifies its checksum, and that its numbers are a tally's.
///
/// # Errors
/// Fails if the file cannot be read, is not a tally, is damaged, or has another definition.
pub fn read_tally(path: &Path) -> Result<CohortTally> {
    let file = sealed::open(path, FORMAT, "a file that atomscope tally or merge wrote")?;
    let header = Header(&file);
    let mut bytes = room(file.source.len(), "a tally")?;
    sealed::verify(&file, &mut |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    })?;
    let model = header.model()?;
    let scheme = header.text("strata_scheme")?;
    let known = scheme
        .parse()
        .ok()
        .filter(|known: &StratifyBy| known.svtype);
    let expected = "svtype, with size, dataset and others or without";
    let scheme = known.ok_or_else(|| header.bad("strata_scheme", scheme, expected))?;
    let part = |name, dtype| tensor(&file, &bytes, name, dtype);
    let numbers = |name| part(name, "U64").map(integers);
    let features = model.feature_dim as usize;
    let shards = header.shards(&numbers("dropped_rows")?, part("kinds", "U8")?)?;
    let list = Shards::new(shards.clone());
    if !list.iter().eq(&shards) {
        return Err(header.bad("shards", "shards in another order", "the cohort's order"));
    }
    if list.overlap() {
        return Err(header.bad("shards", "rows twice", "each row of a file once"));
    }
    let strata: Vec<StratumText> = header.json("strata")?;
    let strata = strata
        .into_iter()
        .map(|text| text.stratum(&scheme))
        .collect();
    let strata: Option<Vec<_>> = strata;
    let strata = strata.ok_or_else(|| header.bad("strata", "others", "strata of that scheme"))?;
    let counts = match file.metadata.get(LAYOUT).map(String::as_str) {
        None => dense_counts(&numbers("counts")?, strata.len(), features),
        Some(SPARSE) => {
            let atoms = widest(&file, &bytes, "atoms")?;
            let atoms = atoms.into_iter().map(|atom| u32::try_from(atom).ok());
            let numbers = (numbers("starts")?, widest(&file, &bytes, "counts")?);
            let atoms: Option<Vec<u32>> = atoms.collect();
            atoms.and_then(|atoms| Counts::new(numbers.0, atoms, numbers.1))
        }
        Some(other) => {
            return Err(Error::input(
                file.source.name(),
                "the header's layout",
                format!("{other:?}"),
                format!("{SPARSE:?}, or none"),
                "read it by the version of atomscope that wrote it, or a later one",
            ));
        }
    };
    let tally = checked(header, strata, &model, numbers("rows")?, counts)?;
    let kept = list.rows() - list.dropped().count() as u64;
    if tally.rows_where(|_| true) != kept {
        let found = format!("{kept} rows that were not dropped");
        return Err(header.bad("shards", found, "as many rows as are counted"));
    }
    Ok(CohortTally {
        about: header.about(&model)?,
        model,
        scheme,
        rule: header.rule()?,
        shards: list,
        tally,
    })
}

/// Returns a tensor's bytes.
fn tensor<'b>(file: &SafeTensors, bytes: &'b [u8], name: &str, dtype: &str) -> Result<&'b [u8]> {
    let entry = file.tensors.get(name).filter(|entry| entry.dtype == dtype);
    let part = entry.and_then(|entry| {
        let start = usize::try_from(entry.start).ok()?;
        bytes
            .get(start..)?
            .get(..usize::try_from(entry.length).ok()?)
    });
    part.ok_or_else(|| {
        let (source, place) = (file.source.name(), format!("tensor {name}"));
        Error::input(
            source,
            place,
            "none",
            format!("one of {dtype}"),
            sealed::DAMAGED,
        )
    })
}

fn integers(bytes: &[u8]) -> Vec<u64> {
    widened(bytes, u64::from_le_bytes)
}

/// Returns the integers of a tensor that has as narrow ones as they let it.
fn widest(file: &SafeTensors, bytes: &[u8], name: &str) -> Result<Vec<u64>> {
    let dtype = file
        .tensors
        .get(name)
        .map_or("U64", |entry| entry.dtype.as_str());
    let part = |dtype| tensor(file, bytes, name, dtype);
    Ok(match dtype {
        "U8" => part("U8")?.iter().map(|&number| number.into()).collect(),
        "U16" => widened(part("U16")?, |b| u16::from_le_bytes(b).into()),
        "U32" => widened(part("U32")?, |b| u32::from_le_bytes(b).into()),
        _ => integers(part("U64")?),
    })
}

/// Makes counts of those that are written with their zeros; `None` if they are not \[strata, features\].
fn dense_counts(dense: &[u64], strata: usize, features: usize) -> Option<Counts> {
    let fits = features.checked_mul(strata) == Some(dense.len());
    let counts = fits.then(|| Counts::of_dense(features, dense))?;
    (counts.strata() == strata).then_some(counts)
}

/// Makes a tally after checking its numbers: strata ascend, each with rows; no atom fires on more
/// rows than there are; if `k` atoms fire on each row, the counts agree.
fn checked(
    header: Header,
    strata: Vec<Stratum>,
    model: &ModelId,
    rows: Vec<u64>,
    counts: Option<Counts>,
) -> Result<Tally> {
    let features = model.feature_dim as usize;
    let fits = rows.len() == strata.len()
        && strata.is_sorted_by(|a, b| a < b)
        && rows
            .iter()
            .try_fold(0, |sum: u64, &n| sum.checked_add(n))
            .is_some_and(|n| n < CohortTally::MOST_ROWS);
    let is_counted = |counts: &Counts| {
        let is_of_rows = |(stratum, &rows): (usize, &u64)| {
            let most = counts.of(stratum).map(|(_, number)| number).max();
            let fired: u128 = counts.of(stratum).map(|(_, n)| u128::from(n)).sum();
            let of_rows = |k: u64| fired == u128::from(rows) * u128::from(k);
            rows > 0 && most.unwrap_or(0) <= rows && model.top_k.is_none_or(of_rows)
        };
        let atom = counts.atoms().iter().max();
        counts.strata() == rows.len()
            && atom.is_none_or(|&atom| (atom as usize) < features)
            && rows.iter().enumerate().all(is_of_rows)
    };
    let Some(counts) = counts.filter(|counts| fits && is_counted(counts)) else {
        let expected = "ascending strata, and counts in which k atoms fire on each row";
        return Err(header.bad(
            "strata, or the counts",
            "numbers that are no tally",
            expected,
        ));
    };
    Ok(Tally::new(
        features,
        strata,
        rows,
        counts,
        header.json("certificate")?,
    ))
}
