//! The calls on which atoms fire: as a table, as BED, as JSON, and printed.

use std::fmt;
use std::io::{self, Write};
use std::ops::Range;

use serde::Serialize;

use super::table::{Column, Table, Values};
use crate::cohort::{Label, Number};
use crate::python;
use crate::stats::calls::{AtomCalls, Listed};
use crate::stats::notebook::Investigation;

/// One line of a list of calls.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Line<'a> {
    #[serde(skip)]
    atom: u32,
    /// The rank, from 1, the strongest first.
    rank: usize,
    row: u64,
    score: Option<f64>,
    label: Label,
    truvari_class: Option<&'a str>,
    chrom: Option<&'a str>,
    pos: Number,
    svtype: Option<&'a str>,
    svlen: Number,
    dataset: Option<&'a str>,
    id: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn of(from: &'a AtomCalls, number: usize, listed: &Listed) -> Self {
        let call = from.calls.get(listed.place);
        Self {
            atom: from.atom,
            rank: number + 1,
            row: listed.row,
            score: listed.score,
            label: from.calls.label(listed.place),
            truvari_class: call.truvari_class,
            chrom: call.chrom,
            pos: call.pos,
            svtype: call.svtype,
            svlen: call.svlen,
            dataset: call.dataset,
            id: call.id,
        }
    }
}

fn lines(from: &AtomCalls) -> impl Iterator<Item = Line<'_>> {
    let each = from.listed.iter().enumerate();
    each.map(|(number, listed)| Line::of(from, number, listed))
}

/// A whole number; `None` of a float that is none.
fn whole(number: Number) -> Option<i64> {
    match number {
        Number::Int(n) => Some(n),
        // Up to 2^53 every whole float is exact.
        Number::Float(x) => (x.fract() == 0.0 && x.abs() < 9e15).then_some(x as i64),
    }
}

/// Some of the listed calls of one atom as a table: a list is written piece by piece.
pub fn table(from: &AtomCalls, range: Range<usize>) -> Table {
    let some = from.listed[range.clone()].iter().enumerate();
    let lines = some.map(|(number, listed)| Line::of(from, range.start + number, listed));
    let lines: Vec<_> = lines.collect();
    let mut columns = Vec::from(firing_columns(&lines));
    columns.extend(call_columns(&lines));
    Table {
        name: "calls",
        about: "One row is a call on which the atom fires; atoms in the order in which they were named.",
        columns,
    }
}

/// Makes the columns that describe the firing.
fn firing_columns(lines: &[Line<'_>]) -> [Column; 5] {
    let each = || lines.iter();
    let false_ones = each().map(|line| u32::from(line.label == Label::Fp));
    let labels = Values::Category {
        codes: false_ones.collect(),
        names: [Label::Tp, Label::Fp]
            .map(|label| label.as_str().to_owned())
            .into(),
    };
    let scores = each().map(|line| line.score.unwrap_or(f64::NAN));
    let column = |(name, about, values)| Column::new(name, about, values);
    [
        ("atom", "The atom.", Values::U32(each().map(|line| line.atom).collect())),
        (
            "rank",
            "Its calls that are listed from 1, the highest score first; of equal scores the earlier call.",
            Values::U64(each().map(|line| line.rank as u64).collect()),
        ),
        (
            "row",
            "The call's row in the cohort, from 0: in the order of the shards, dropped rows counted.",
            Values::U64(each().map(|line| line.row).collect()),
        ),
        (
            "score",
            "The atom's canonical score on the call, binary64.",
            Values::F64(scores.collect()),
        ),
        ("label", "TP or FP: what the call's class counts as.", labels),
    ]
    .map(column)
}

/// Makes the columns that describe the call.
fn call_columns(lines: &[Line<'_>]) -> [Column; 7] {
    let text = |get: fn(&Line<'_>) -> Option<String>| Values::Text(lines.iter().map(get).collect());
    let number = |get: fn(&Line<'_>) -> Number| {
        Values::I64(lines.iter().map(|line| whole(get(line))).collect())
    };
    let column = |(name, about, values)| Column::new(name, about, values);
    [
        (
            "class",
            "The benchmark's own class.",
            text(|line| line.truvari_class.map(str::to_owned)),
        ),
        ("chrom", "Chromosome.", text(|line| line.chrom.map(str::to_owned))),
        (
            "pos",
            "Position, from 1 as in the VCF; 0 where the call has none, missing where it is no whole number.",
            number(|line| line.pos),
        ),
        ("svtype", "SV type.", text(|line| line.svtype.map(str::to_owned))),
        (
            "svlen",
            "Length in base pairs, with the sign that it has in the VCF; 0 where the call has none.",
            number(|line| line.svlen),
        ),
        ("dataset", "Dataset.", text(|line| line.dataset.map(str::to_owned))),
        ("id", "The call's ID.", text(|line| line.id.map(str::to_owned))),
    ]
    .map(column)
}

/// The header of a BED file's columns, a comment.
const BED: &str = "#chrom\tstart\tend\tid\tscore\tstrand\tatom\trank\tactivation\tlabel\tclass\tsvtype\tsvlen\tdataset\trow";

/// Writes the calls of all atoms as BED6+9, sorted by chromosome (as bytes), start and end. Returns how
/// many calls have no place on a chromosome, and are left out.
///
/// An interval is half open and from 0. It begins at the call's position, `pos - 1`, and is `|svlen|`
/// long; an insertion, and a call without a length, is the one base at the position. BED's own score
/// (0 to 1000) and strand mean nothing here, and are `0` and `.`; the atom's score is in `activation`.
///
/// # Errors
/// A failed write.
pub fn bed(found: &[AtomCalls], out: &mut dyn Write) -> io::Result<u64> {
    writeln!(out, "{BED}")?;
    let (mut placed, mut left_out) = (Vec::new(), 0);
    for line in found.iter().flat_map(lines) {
        match interval(&line) {
            Some((chrom, start, end)) => placed.push((chrom, start, end, line)),
            None => left_out += 1,
        }
    }
    placed.sort_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)));
    for (chrom, start, end, line) in placed {
        let word = |text: Option<&str>| {
            text.filter(|text| !text.is_empty())
                .map_or_else(|| ".".to_owned(), one_word)
        };
        let score = line.score.map_or_else(|| ".".to_owned(), python::repr);
        writeln!(
            out,
            "{}\t{start}\t{end}\t{}\t0\t.\t{}\t{}\t{score}\t{}\t{}\t{}\t{}\t{}\t{}",
            one_word(chrom),
            word(line.id),
            line.atom,
            line.rank,
            line.label.as_str(),
            word(line.truvari_class),
            word(line.svtype),
            line.svlen,
            word(line.dataset),
            line.row
        )?;
    }
    Ok(left_out)
}

fn interval<'a>(line: &Line<'a>) -> Option<(&'a str, i64, i64)> {
    let chrom = line.chrom.filter(|chrom| !chrom.is_empty())?;
    let start = whole(line.pos).filter(|&pos| pos >= 1)? - 1;
    let is_insertion = line.svtype.is_some_and(|svtype| svtype.starts_with("INS"));
    let length = whole(line.svlen).unwrap_or(0).unsigned_abs().max(1);
    let length = if is_insertion { 1 } else { length };
    let end = start.checked_add(i64::try_from(length).ok()?)?;
    Some((chrom, start, end))
}

/// Without what divides columns or lines.
fn one_word(text: &str) -> String {
    let mend = |c: char| {
        if c.is_whitespace() || c.is_control() {
            '_'
        } else {
            c
        }
    };
    text.chars().map(mend).collect()
}

/// The known facts of one atom, with its calls.
#[derive(Serialize)]
struct Known<'a> {
    #[serde(flatten)]
    investigation: &'a Investigation,
    /// True if `calls` has all the calls on which the atom fires.
    all_calls: bool,
    calls: Vec<Line<'a>>,
}

/// The investigations of atoms with the listed calls of each, a list of objects: the fields of
/// [`Investigation`], and `calls`. `bias` is `null` for an atom that is not in the table.
///
/// # Errors
/// A failed write.
pub fn json(
    investigations: &[Investigation],
    found: &[AtomCalls],
    out: &mut dyn Write,
) -> io::Result<()> {
    let known = investigations
        .iter()
        .zip(found)
        .map(|(investigation, from)| Known {
            investigation,
            all_calls: from.listed.len() as u64 == from.support,
            calls: lines(from).collect(),
        });
    serde_json::to_writer_pretty(&mut *out, &known.collect::<Vec<_>>())?;
    writeln!(out)
}

/// The listed calls of an atom, printed.
#[derive(Debug, Clone, Copy)]
pub struct List<'a>(pub &'a AtomCalls);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (listed, all) = (self.0.listed.len(), self.0.support);
        writeln!(
            f,
            "\nCalls of atom {}, strongest first ({listed} of {all}):",
            self.0.atom
        )?;
        writeln!(
            f,
            "{:<5} {:<12} {:<8} {:<8} {:<12} {:<6} {:<10} {:<5} {:<12} {:<12} ID\n{}",
            "Rank",
            "Score",
            "Index",
            "Chrom",
            "Pos",
            "Type",
            "Size",
            "Label",
            "Class",
            "Dataset",
            "-".repeat(100)
        )?;
        for line in lines(self.0) {
            let text = |text: Option<&str>| python::printable(text.unwrap_or("-")).to_string();
            let score = line
                .score
                .map_or_else(|| "-".to_owned(), |score| format!("{score:.6}"));
            writeln!(
                f,
                "{:<5} {score:<12} {:<8} {:<8} {:<12} {:<6} {:<10} {:<5} {:<12} {:<12} {}",
                line.rank,
                line.row,
                text(line.chrom),
                line.pos,
                text(line.svtype),
                line.svlen,
                line.label.as_str(),
                text(line.truvari_class),
                text(line.dataset),
                text(line.id)
            )?;
        }
        Ok(())
    }
}
