//! Tally files.
//!
//! Tensors: `counts` U64 \[strata, features\]; `rows` U64 \[strata\]; `dropped_rows` U64: rows of
//! the shards' files, shard after shard; `kinds` U8: JSON, for each shard the SV types and classes
//! of its calls with their numbers and first rows. Text in the header: the model, the strata, the
//! shards, and the certificate. The certificate depends on the machine, while all else depends on
//! the inputs alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::header::{Header, KindsText, ShardText, about_text, rule_text, text, to_json};
use super::sealed::{self, Tensor};
use crate::cohort::Label;
use crate::error::{Error, Result};
use crate::read::SafeTensors;
use crate::tally::{CohortTally, ModelId, Shards, SizeBin, StratifyBy, Stratum, Tally};
use crate::write::whole::WholeFile;

/// The format's name in a tally file's header.
const FORMAT: &str = "atomscope tally";

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
    let shape = vec![tally.rows().len() as u64, tally.feature_dim() as u64];
    let tensors = [
        Tensor::new("counts", shape, tally.all_counts()),
        Tensor::line("rows", tally.rows()),
        Tensor::line("dropped_rows", &dropped),
        Tensor::owned("kinds", to_json(&kinds).as_bytes()),
    ];
    let whole = WholeFile::create(path)?;
    sealed::write(whole.file(), path, header, &tensors)?;
    Ok(whole)
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
    let mut bytes = Vec::with_capacity(file.source.len() as usize);
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
    let tally = checked(
        header,
        strata,
        &model,
        [numbers("rows")?, numbers("counts")?],
    )?;
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
    let each = bytes.as_chunks().0.iter();
    each.map(|bytes| u64::from_le_bytes(*bytes)).collect()
}

/// Makes a tally after checking its numbers: strata ascend, each with rows; no atom fires on more
/// rows than there are; if `k` atoms fire on each row, the counts agree.
fn checked(
    header: Header,
    strata: Vec<Stratum>,
    model: &ModelId,
    [rows, counts]: [Vec<u64>; 2],
) -> Result<Tally> {
    let features = model.feature_dim as usize;
    let fits = rows.len() == strata.len()
        && features.checked_mul(strata.len()) == Some(counts.len())
        && strata
            .iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .eq(&strata)
        && rows
            .iter()
            .try_fold(0, |sum: u64, &n| sum.checked_add(n))
            .is_some_and(|n| n < CohortTally::MOST_ROWS);
    let is_counted = || {
        rows.iter()
            .zip(counts.chunks_exact(features))
            .all(|(&rows, counts)| {
                let most = counts.iter().copied().max().unwrap_or(0);
                let fired: u128 = counts.iter().map(|&n| u128::from(n)).sum();
                let of_rows = |k: u64| fired == u128::from(rows) * u128::from(k);
                rows > 0 && most <= rows && model.top_k.is_none_or(of_rows)
            })
    };
    if !fits || !is_counted() {
        let expected = "ascending strata, and counts in which k atoms fire on each row";
        return Err(header.bad(
            "strata, or the counts",
            "numbers that are no tally",
            expected,
        ));
    }
    Ok(Tally::new(
        features,
        strata,
        rows,
        counts,
        header.json("certificate")?,
    ))
}
