//! The calls of a shard as tensors, column by column. Texts are numbers, with a list of the texts.
//!
//! `chrom`, `svtype`, `truvari_class`, `dataset`: U8, U16 or U32, places in `…_values`, the bytes
//! of a JSON list; a missing value is the place after the last. `pos`, `svlen`: I32 or I64;
//! `…_float_rows` and `…_floats` hold the calls' numbers that are not integers. `id_ends`: the end
//! of each ID in `id_bytes`; `id_missing`: calls without an ID. `reason`, `mate_chrom` and `mate_pos` are
//! there only if any call has one, and `levels`, a JSON list of the other properties that strata distinguish,
//! with `level_0` and so on, only if there are any.

use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexSet;

use super::header::to_json;
use super::sealed::Tensor;
use super::tensors::Tensors;
use crate::cohort::{Calls, ClassRule, IdColumn, Number, NumberColumn, TextColumn};
use crate::error::Result;

/// The tensors of a text column.
struct TextNames {
    codes: &'static str,
    values: &'static str,
}

const CHROM: TextNames = text("chrom", "chrom_values");
const SVTYPE: TextNames = text("svtype", "svtype_values");
const CLASS: TextNames = text("truvari_class", "truvari_class_values");
const DATASET: TextNames = text("dataset", "dataset_values");
const REASON: TextNames = text("reason", "reason_values");
const MATE_CHROM: TextNames = text("mate_chrom", "mate_chrom_values");

/// The levels of other properties, in the order of the list of their names.
const LEVELS: [TextNames; 16] = [
    text("level_0", "level_0_values"),
    text("level_1", "level_1_values"),
    text("level_2", "level_2_values"),
    text("level_3", "level_3_values"),
    text("level_4", "level_4_values"),
    text("level_5", "level_5_values"),
    text("level_6", "level_6_values"),
    text("level_7", "level_7_values"),
    text("level_8", "level_8_values"),
    text("level_9", "level_9_values"),
    text("level_10", "level_10_values"),
    text("level_11", "level_11_values"),
    text("level_12", "level_12_values"),
    text("level_13", "level_13_values"),
    text("level_14", "level_14_values"),
    text("level_15", "level_15_values"),
];
/// The names of these properties.
const LEVEL_NAMES: &str = "levels";

const fn text(codes: &'static str, values: &'static str) -> TextNames {
    TextNames { codes, values }
}

/// The tensors of a column of numbers.
struct NumberNames {
    integers: &'static str,
    float_rows: &'static str,
    floats: &'static str,
}

const POS: NumberNames = number("pos", "pos_float_rows", "pos_floats");
const SVLEN: NumberNames = number("svlen", "svlen_float_rows", "svlen_floats");
const MATE_POS: NumberNames = number("mate_pos", "mate_pos_float_rows", "mate_pos_floats");

const fn number(
    integers: &'static str,
    float_rows: &'static str,
    floats: &'static str,
) -> NumberNames {
    NumberNames {
        integers,
        float_rows,
        floats,
    }
}

/// Makes the tensors of all columns.
pub(super) fn tensors(calls: &Calls) -> Vec<Tensor<'static>> {
    let mut all = Vec::new();
    for (names, column) in [
        (&CHROM, &calls.chrom),
        (&SVTYPE, &calls.svtype),
        (&CLASS, &calls.truvari_class),
        (&DATASET, &calls.dataset),
    ] {
        all.extend(text_tensors(names, column));
    }
    all.extend(number_tensors(&POS, &calls.pos));
    all.extend(number_tensors(&SVLEN, &calls.svlen));
    all.extend(id_tensors(calls));
    // A file of calls without them is as it was before there were any.
    for (names, column) in [(&REASON, &calls.reason), (&MATE_CHROM, &calls.mate_chrom)] {
        if !column.values().is_empty() {
            all.extend(text_tensors(names, column));
        }
    }
    if !calls.mate_chrom.values().is_empty() {
        all.extend(number_tensors(&MATE_POS, &calls.mate_pos));
    }
    if !calls.levels.is_empty() {
        let names: Vec<&str> = calls.levels.iter().map(|(name, _)| &**name).collect();
        all.push(Tensor::owned(LEVEL_NAMES, to_json(&names).as_bytes()));
        for (names, (_, column)) in LEVELS.iter().zip(&calls.levels) {
            all.extend(text_tensors(names, column));
        }
    }
    all
}

fn text_tensors(names: &TextNames, column: &TextColumn) -> [Tensor<'static>; 2] {
    let values: Vec<&str> = column.values().iter().map(|text| &**text).collect();
    let missing = values.len() as u32;
    let codes = column.codes().iter().map(|&code| code.min(missing));
    let codes = match missing {
        0..=0xff => Tensor::owned(
            names.codes,
            &codes.map(|code| code as u8).collect::<Vec<_>>(),
        ),
        0x100..=0xffff => Tensor::owned(
            names.codes,
            &codes.map(|code| code as u16).collect::<Vec<_>>(),
        ),
        _ => Tensor::owned(names.codes, &codes.collect::<Vec<_>>()),
    };
    [
        codes,
        Tensor::owned(names.values, to_json(&values).as_bytes()),
    ]
}

fn number_tensors(names: &NumberNames, column: &NumberColumn) -> [Tensor<'static>; 3] {
    let integers = column.integers();
    let narrow: std::result::Result<Vec<i32>, _> = integers.iter().map(|&n| n.try_into()).collect();
    let (rows, floats): (Vec<u64>, Vec<f64>) = column
        .floats()
        .iter()
        .map(|&(row, x)| (u64::from(row), x))
        .unzip();
    [
        match narrow {
            Ok(narrow) => Tensor::owned(names.integers, &narrow),
            Err(_) => Tensor::owned(names.integers, integers),
        },
        Tensor::owned(names.float_rows, &rows),
        Tensor::owned(names.floats, &floats),
    ]
}

fn id_tensors(calls: &Calls) -> [Tensor<'static>; 3] {
    let (mut ends, mut bytes, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..calls.len() {
        match calls.id.get(row) {
            Some(id) => bytes.extend_from_slice(id.as_bytes()),
            None => missing.push(row as u64),
        }
        ends.push(bytes.len() as u64);
    }
    [
        Tensor::owned("id_ends", &ends),
        Tensor::owned("id_bytes", &bytes),
        Tensor::owned("id_missing", &missing),
    ]
}

/// The columns of a file, read in pieces.
#[derive(Debug)]
pub(super) struct Columns {
    /// The values of the text columns, in the order of their names above.
    values: [Arc<IndexSet<Box<str>>>; 4],
    floats: [Vec<(u64, f64)>; 2],
    /// The values of reasons and of the other ends' chromosomes; `None` if the file has none.
    more: [Option<Arc<IndexSet<Box<str>>>>; 2],
    mate_floats: Vec<(u64, f64)>,
    /// The names of other properties, and the values of their levels.
    levels: Vec<(String, Arc<IndexSet<Box<str>>>)>,
    missing_ids: Vec<u64>,
    rule: ClassRule,
}

impl Columns {
    /// Reads what all pieces need, and checks that every column has a place for each of `rows`.
    pub(super) fn open(file: &Tensors, rows: u64, rule: ClassRule) -> Result<Self> {
        let values = |names: &TextNames| {
            file.check_length(names.codes, rows)?;
            let json = file.bytes(names.values, None)?;
            let values: std::result::Result<Vec<Box<str>>, _> = serde_json::from_slice(&json);
            let values = values.map_err(|_| file.bad(names.values, "no list of texts"))?;
            Ok(Arc::new(values.into_iter().collect::<IndexSet<_>>()))
        };
        let floats = |names: &NumberNames| {
            file.check_length(names.integers, rows)?;
            let at = ascending(file, names.float_rows, rows)?;
            let bytes = file.bytes(names.floats, None)?;
            let numbers = bytes
                .as_chunks()
                .0
                .iter()
                .map(|bytes| f64::from_le_bytes(*bytes));
            if numbers.len() != at.len() {
                return Err(file.bad(names.floats, "another length than its rows have"));
            }
            Ok(at.into_iter().zip(numbers).collect())
        };
        file.check_length("id_ends", rows)?;
        let mut levels = Vec::new();
        for (name, names) in level_names(file)?.into_iter().zip(&LEVELS) {
            levels.push((name, values(names)?));
        }
        Ok(Self {
            levels,
            values: [
                values(&CHROM)?,
                values(&SVTYPE)?,
                values(&CLASS)?,
                values(&DATASET)?,
            ],
            floats: [floats(&POS)?, floats(&SVLEN)?],
            more: [
                file.has(REASON.codes)
                    .then(|| values(&REASON))
                    .transpose()?,
                file.has(MATE_CHROM.codes)
                    .then(|| values(&MATE_CHROM))
                    .transpose()?,
            ],
            mate_floats: if file.has(MATE_POS.integers) {
                floats(&MATE_POS)?
            } else {
                Vec::new()
            },
            missing_ids: ascending(file, "id_missing", rows)?,
            rule,
        })
    }

    /// Returns the rule of which calls are true.
    pub(super) fn rule(&self) -> &ClassRule {
        &self.rule
    }

    /// Returns the names of the properties and quantities that calls have.
    pub(super) fn level_names(&self) -> impl Iterator<Item = &str> {
        self.levels.iter().map(|(name, _)| name.as_str())
    }

    /// Reads some of the calls.
    pub(super) fn read(&self, file: &Tensors, rows: Range<u64>) -> Result<Calls> {
        let [chroms, svtypes, classes, datasets] = &self.values;
        let text = |names: &TextNames, values: &Arc<IndexSet<Box<str>>>| {
            let codes = file.numbers(names.codes, rows.clone())?;
            let code = |code: i64| match u32::try_from(code) {
                Ok(code) if (code as usize) < values.len() => code,
                _ => TextColumn::MISSING,
            };
            let codes = codes.into_iter().map(code).collect();
            Ok(TextColumn::from_codes(values.clone(), codes))
        };
        let [reasons, mates] = &self.more;
        let more = |names: &TextNames, values: Option<&Arc<IndexSet<Box<str>>>>| {
            if let Some(values) = values {
                return text(names, values);
            }
            let missing = rows.clone().map(|_| TextColumn::MISSING).collect();
            Ok(TextColumn::from_codes(Arc::default(), missing))
        };
        let number = |names: &NumberNames, floats: &[(u64, f64)]| {
            let integers = file.numbers(names.integers, rows.clone())?;
            let mut column = NumberColumn::default();
            let first = floats.partition_point(|&(row, _)| row < rows.start);
            let mut floats = floats[first..].iter().peekable();
            for (row, integer) in rows.clone().zip(integers) {
                let float = floats.next_if(|&&(at, _)| at == row);
                column.push(float.map_or(Number::Int(integer), |&(_, x)| Number::Float(x)));
            }
            Ok(column)
        };
        let mut levels = Vec::new();
        for ((name, values), names) in self.levels.iter().zip(&LEVELS) {
            levels.push((name.clone(), text(names, values)?));
        }
        Ok(Calls {
            levels,
            chrom: text(&CHROM, chroms)?,
            pos: number(&POS, &self.floats[0])?,
            svtype: text(&SVTYPE, svtypes)?,
            svlen: number(&SVLEN, &self.floats[1])?,
            truvari_class: text(&CLASS, classes)?,
            dataset: text(&DATASET, datasets)?,
            reason: more(&REASON, reasons.as_ref())?,
            mate_chrom: more(&MATE_CHROM, mates.as_ref())?,
            mate_pos: if file.has(MATE_POS.integers) {
                number(&MATE_POS, &self.mate_floats)?
            } else {
                let mut none = NumberColumn::default();
                rows.clone().for_each(|_| none.push(Number::Int(0)));
                none
            },
            id: self.ids(file, rows)?,
            rule: self.rule.clone(),
        })
    }

    fn ids(&self, file: &Tensors, rows: Range<u64>) -> Result<IdColumn> {
        let bad = || {
            file.bad(
                "id_ends",
                "places that are not ascending places in id_bytes",
            )
        };
        let before = rows.start.saturating_sub(1);
        let mut ends = file.numbers("id_ends", before..rows.end)?.into_iter();
        let start = if rows.start == 0 {
            Some(0)
        } else {
            ends.next()
        };
        let start = start.and_then(|n| u64::try_from(n).ok()).ok_or_else(bad)?;
        let ends: Vec<u64> = ends.map(i64::cast_unsigned).collect();
        let last = ends.last().copied().unwrap_or(start);
        if last < start || last > file.length("id_bytes")? || !ends.is_sorted() {
            return Err(bad());
        }
        let bytes = file.bytes("id_bytes", Some(start..last))?;
        let first = self.missing_ids.partition_point(|&row| row < rows.start);
        let mut missing = self.missing_ids[first..].iter().peekable();
        let mut column = IdColumn::default();
        let mut from = start;
        for (row, to) in rows.zip(ends) {
            let id = bytes.get((from - start) as usize..(to.max(from) - start) as usize);
            let id = id
                .map(String::from_utf8_lossy)
                .filter(|_| to >= from)
                .ok_or_else(bad)?;
            let is_missing = missing.next_if(|&&at| at == row).is_some();
            column.push((!is_missing).then_some(&*id));
            from = to;
        }
        Ok(column)
    }
}

/// Reads the names of other properties; none of a file without them.
fn level_names(file: &Tensors) -> Result<Vec<String>> {
    if !file.has(LEVEL_NAMES) {
        return Ok(Vec::new());
    }
    let names: Option<Vec<String>> = serde_json::from_slice(&file.bytes(LEVEL_NAMES, None)?).ok();
    let names = names.filter(|names| names.len() <= LEVELS.len());
    names.ok_or_else(|| file.bad(LEVEL_NAMES, "no list of a few texts"))
}

/// Reads row numbers, and checks that they are ascending and distinct.
fn ascending(file: &Tensors, name: &'static str, rows: u64) -> Result<Vec<u64>> {
    let count = file.length(name)?;
    let numbers = file.numbers(name, 0..count)?;
    let numbers: Vec<u64> = numbers.into_iter().map(i64::cast_unsigned).collect();
    if numbers.is_sorted_by(|a, b| a < b) && numbers.last().is_none_or(|&last| last < rows) {
        return Ok(numbers);
    }
    Err(file.bad(name, "rows that are not ascending rows of the shard"))
}
