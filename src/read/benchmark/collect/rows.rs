//! The records that were read, before it is known which of them are left out.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;

use super::super::BenchmarkCalls;
use super::super::account::Fate;
use super::super::plan::Plan;
use super::super::reason::Reason;
use super::Verdict;
use crate::cohort::{Call, Label, Number, allele_key};
use crate::control::hear_at;
use crate::error::{Error, Result};
use crate::read::vcf::{Allele, Record, Span};
use crate::read::words::Words;

/// A position on a chromosome, from 1.
#[derive(Debug)]
struct Place {
    chrom: String,
    pos: i64,
}

/// One record.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) file: usize,
    pub(super) label: Option<Label>,
    pub(super) fate: Fate,
    pub(super) reasons: Vec<Reason>,
    chrom: Arc<str>,
    pos: i64,
    id: Option<Box<str>>,
    alleles: [Box<str>; 2],
    svtype: Arc<str>,
    length: Option<u64>,
    end: i64,
    span: Span,
    mate: Option<Box<Place>>,
    mate_id: Option<Box<str>>,
    /// The values of the keys that are kept.
    pub(super) kept: Box<[Option<Box<str>>]>,
}

fn text(bytes: &[u8]) -> Box<str> {
    String::from_utf8_lossy(bytes).into()
}

/// The bytes of memory that an allocation takes besides what is asked for.
const EACH: usize = 16;
/// The bytes that a call takes in the columns that are made of records, without texts.
const IN_COLUMNS: usize = 136;

impl Row {
    /// The bytes of memory that the record takes, with what is made of it.
    pub(super) fn held(&self) -> usize {
        let [reference, alt] = &self.alleles;
        let texts = [
            self.id.as_deref(),
            Some(reference),
            Some(alt),
            self.mate_id.as_deref(),
            self.mate.as_ref().map(|mate| mate.chrom.as_str()),
        ];
        let texts = texts
            .into_iter()
            .chain(self.kept.iter().map(Option::as_deref));
        let letters: usize = texts.flatten().map(|text| text.len() + EACH).sum();
        // A word may be of this record alone.
        let words = self.chrom.len() + self.svtype.len();
        let kept = size_of_val(&*self.kept);
        size_of::<Self>() + IN_COLUMNS + letters + words + kept
    }

    pub(super) fn of(
        record: &Record<'_>,
        allele: Option<&Allele<'_>>,
        file: usize,
        words: &mut Words,
    ) -> Self {
        let pos = record.pos();
        let mate = allele.and_then(|allele| allele.mate);
        Self {
            file,
            label: None,
            fate: Fate::Labelled,
            reasons: Vec::new(),
            chrom: words.of(&String::from_utf8_lossy(record.chrom())),
            pos,
            id: record.id().map(text),
            alleles: [record.reference(), record.alternatives()]
                .map(|allele| allele_key(allele).into()),
            svtype: words.of(allele.map_or("UNK", |allele| &allele.svtype)),
            length: allele.and_then(|allele| allele.length),
            end: allele.map_or(pos, |allele| allele.end),
            span: allele.map_or(
                Span {
                    start: pos,
                    end: pos,
                },
                |allele| allele.span,
            ),
            mate: mate.map(|mate| {
                Box::new(Place {
                    chrom: String::from_utf8_lossy(mate.chrom).into_owned(),
                    pos: mate.pos,
                })
            }),
            mate_id: allele.and_then(|allele| allele.mate_id).map(text),
            kept: Box::default(),
        }
    }

    /// Says which records are the same call.
    fn key(&self) -> (&str, i64, Option<&str>, &str, &str) {
        let [reference, alt] = &self.alleles;
        (&self.chrom, self.pos, self.id.as_deref(), reference, alt)
    }

    pub(super) fn push_to(&self, found: &mut BenchmarkCalls, rows: &Rows, sample: Option<&str>) {
        found.calls.push(&Call {
            chrom: Some(&self.chrom),
            pos: Number::Int(self.pos),
            svtype: Some(&self.svtype),
            svlen: Number::Int(
                self.length
                    .map_or(0, |n| i64::try_from(n).unwrap_or(i64::MAX)),
            ),
            truvari_class: self.label.map(Label::as_str),
            dataset: sample,
            id: self.id.as_deref(),
            reason: self.reasons.first().map(|reason| reason.as_str()),
            mate_chrom: self.mate.as_ref().map(|mate| mate.chrom.as_str()),
            mate_pos: Number::Int(self.mate.as_ref().map_or(0, |mate| mate.pos)),
        });
        found.end.push(self.end);
        for (column, allele) in found.alleles.iter_mut().zip(&self.alleles) {
            column.push(Some(allele));
        }
        found.span.push(self.span);
        found.mate_id.push(self.mate_id.as_deref());
        let all: Vec<&str> = self.reasons.iter().map(|reason| reason.as_str()).collect();
        found
            .reasons
            .push((!all.is_empty()).then(|| all.join(",")).as_deref());
        found
            .file
            .push(rows.files.get(self.file).map(String::as_str));
        for ((_, column), value) in found.kept.iter_mut().zip(&self.kept) {
            column.push(value.as_deref());
        }
    }
}

/// All records, in their order.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<Row>,
    files: Vec<String>,
}

impl Rows {
    pub(super) fn add_file(&mut self, path: &Path) -> usize {
        let name = path.file_name().unwrap_or(path.as_os_str());
        self.files.push(name.to_string_lossy().into_owned());
        self.files.len() - 1
    }

    pub(super) fn files(&self) -> &[String] {
        &self.files
    }

    pub(super) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Takes all records out.
    pub(super) fn take(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.rows)
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Row> {
        self.rows.iter()
    }

    /// Counts the calls that share their ID with another.
    pub(super) fn repeated_ids(&self) -> u64 {
        let mut seen = HashMap::new();
        for row in self.rows.iter().filter(|row| row.fate.is_kept()) {
            if let Some(id) = &row.id {
                *seen.entry(id).or_insert(0_u64) += 1;
            }
        }
        seen.values().filter(|count| **count > 1).sum()
    }

    /// Marks calls that are both true and false as left out, and returns a sentence about them.
    ///
    /// # Errors
    /// Files of which every call is in the other too: one was given twice.
    pub(super) fn mark_conflicts(&mut self, plan: &Plan) -> Result<Option<String>> {
        let hashers = [RandomState::new(), RandomState::new()];
        let hash = |row: &Row| hashers.each_ref().map(|hasher| hasher.hash_one(row.key()));
        let mut labels: HashMap<[u64; 2], [bool; 2]> = HashMap::new();
        for (turn, row) in self.rows.iter().enumerate() {
            hear_at(turn)?;
            if let Some(label) = row.label {
                let seen = labels.entry(hash(row)).or_default();
                let place = usize::from(label == Label::Fp);
                if let Some(seen) = seen.get_mut(place) {
                    *seen = true;
                }
            }
        }
        let (mut counts, mut in_both, mut first) = ([0_u64; 2], [0_u64; 2], None);
        for (turn, row) in self.rows.iter_mut().enumerate() {
            hear_at(turn)?;
            let Some(label) = row.label else { continue };
            let place = usize::from(label == Label::Fp);
            let is_in_both = labels.get(&hash(row)) == Some(&[true, true]);
            if let (Some(count), Some(both)) = (counts.get_mut(place), in_both.get_mut(place)) {
                *count += 1;
                *both += u64::from(is_in_both);
            }
            if is_in_both && plan.subtract {
                // Those of the second file count.
                if row.file == 0 {
                    row.fate = Fate::Elsewhere;
                }
            } else if is_in_both {
                row.fate = Fate::InBoth;
                first.get_or_insert_with(|| {
                    let id = row
                        .id
                        .as_deref()
                        .map(|id| format!(" ({id})"))
                        .unwrap_or_default();
                    format!("{}:{}{id}", row.chrom, row.pos)
                });
            }
        }
        if plan.subtract {
            return Ok(strangers(&self.rows, counts, in_both));
        }
        let Some(first) = first else { return Ok(None) };
        let files: Vec<_> = plan
            .parts
            .iter()
            .map(|part| part.path.display().to_string())
            .collect();
        if counts == in_both {
            return Err(Error::input(
                files.join(", "),
                "the calls",
                format!("every call both true and false, the first {first}"),
                "calls that are one of the two",
                "give the file of true and that of false calls, not one of them twice",
            ));
        }
        let [tp, fp] = in_both;
        Ok(Some(format!(
            "{tp} true calls and {fp} false ones are the same record (the first: {first}), and are left out"
        )))
    }
}

/// The sentence about calls with a label that are not among all calls; `None` if there are none.
fn strangers(rows: &[Row], counts: [u64; 2], in_both: [u64; 2]) -> Option<String> {
    let label = rows.iter().find(|row| row.file == 1)?.label?;
    let place = usize::from(label == Label::Fp);
    let missing = counts.get(place)?.checked_sub(*in_both.get(place)?)?;
    (missing > 0).then(|| format!("{missing} {} calls are not among all calls", label.as_str()))
}

/// What is counted of all records.
#[derive(Debug, Default)]
pub(super) struct Seen {
    several_alleles: u64,
    /// Calls whose sample has no allele of the variant, of true and of false ones.
    not_carried: [u64; 2],
    /// Records that have a label in another sample.
    pub(super) samples_differ: u64,
}

impl Seen {
    pub(super) fn add(
        &mut self,
        record: &Record<'_>,
        sample: Option<usize>,
        verdict: &Verdict<'_>,
    ) {
        self.several_alleles += u64::from(record.alternatives().contains(&b','));
        if let Verdict::Label(label, _) = verdict
            && let Some(genotype) = sample.and_then(|sample| record.sample_value(sample, "GT"))
            && matches!(genotype, b"0/0" | b"0|0" | b"0")
        {
            let place = usize::from(*label == Label::Fp);
            if let Some(count) = self.not_carried.get_mut(place) {
                *count += 1;
            }
        }
        if matches!(verdict, Verdict::NoLabel) {
            let other = (0..2).find(|other| Some(*other) != sample);
            let has = other
                .and_then(|other| record.sample_value(other, "BD"))
                .is_some();
            self.samples_differ += u64::from(has);
        }
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.several_alleles > 0 {
            all.push(format!(
                "{} records have several ALT alleles: each is one call, by the allele that the sample carries first",
                self.several_alleles
            ));
        }
        let [tp, fp] = self.not_carried;
        if tp + fp > 0 {
            all.push(format!(
                "{tp} true and {fp} false calls have the genotype 0/0: the benchmark compared them all the same"
            ));
        }
        all
    }
}
