//! One atom in detail: the calls on which it fires.

use serde::Serialize;

use crate::cohort::{Calls, Label, Number};
use crate::stats::bias::{AtomBias, BiasTable};
use crate::stats::counts::{self, NamedCount};
use crate::stats::describe;
use crate::stats::firings::Firings;

/// How many chromosomes are named.
pub const CHROMOSOMES: usize = 5;

/// How many calls are shown.
pub const EXAMPLES: usize = 5;

/// The lengths of some calls, in base pairs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SizeSummary {
    /// How many calls are summarized.
    pub calls: usize,
    /// Mean.
    pub mean: f64,
    /// Median.
    pub median: f64,
    /// Shortest.
    pub min: f64,
    /// Longest.
    pub max: f64,
}

/// A call on which the atom fires. A field that the call does not have is `None`, or 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Example {
    /// The call's row in the input, from 0.
    pub row: usize,
    /// Chromosome.
    pub chrom: Option<String>,
    /// Position.
    pub pos: Number,
    /// Type.
    pub svtype: Option<String>,
    /// Length as the call has it, with its sign.
    pub svlen: Number,
    /// True or false call.
    pub label: Label,
    /// The benchmark's own class.
    pub truvari_class: Option<String>,
    /// Dataset.
    pub dataset: Option<String>,
    /// ID.
    pub id: Option<String>,
}

/// Everything about one atom.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Investigation {
    /// The atom's number.
    pub atom: u32,
    /// True calls on which it fires.
    pub tp_on: u64,
    /// False calls on which it fires.
    pub fp_on: u64,
    /// Calls on which it fires.
    pub support: u64,
    /// Its line in the table of biased atoms; `None` if it is not there.
    pub bias: Option<AtomBias>,
    /// Types of these calls, most frequent first.
    pub sv_types: Vec<NamedCount>,
    /// Lengths above 0. Many callers give deletions a negative length: those are not in it.
    pub sizes: Option<SizeSummary>,
    /// Lengths other than 0 without their sign, so that deletions count.
    pub absolute_sizes: Option<SizeSummary>,
    /// The five most frequent chromosomes.
    pub top_chromosomes: Vec<NamedCount>,
    /// Datasets, in the order in which the calls show them.
    pub datasets: Vec<NamedCount>,
    /// The first five of these calls.
    pub examples: Vec<Example>,
}

impl SizeSummary {
    /// The summary of some lengths; `None` if there are none.
    pub fn of(sizes: &[f64]) -> Option<Self> {
        let mut sorted = sizes.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        Some(Self {
            calls: sizes.len(),
            // In the calls' order, on which a sum of fractions depends.
            mean: describe::mean(sizes),
            median: describe::median(&sorted),
            min: *sorted.first()?,
            max: *sorted.last()?,
        })
    }
}

impl Investigation {
    /// The investigation of an atom whose rows `firings` has listed.
    pub fn of(atom: u32, table: &BiasTable, calls: &Calls, firings: &Firings) -> Self {
        let rows = firings.rows(atom);
        let each = || rows.iter().copied();
        let tp_on = each().filter(|&row| calls.label(row) == Label::Tp).count();
        let length = |row| calls.svlen.get(row).as_f64();
        let above_zero = |sizes: &mut dyn Iterator<Item = f64>| -> Option<SizeSummary> {
            SizeSummary::of(&sizes.filter(|size| *size > 0.0).collect::<Vec<_>>())
        };
        let mut top_chromosomes = counts::most_common(&calls.chrom, each(), "unknown");
        top_chromosomes.truncate(CHROMOSOMES);
        Self {
            atom,
            tp_on: tp_on as u64,
            fp_on: (rows.len() - tp_on) as u64,
            support: rows.len() as u64,
            bias: table.get(atom).copied(),
            sv_types: counts::most_common(&calls.svtype, each(), "UNK"),
            sizes: above_zero(&mut each().map(length)),
            absolute_sizes: above_zero(&mut each().map(|row| length(row).abs())),
            top_chromosomes,
            datasets: counts::first_seen(&calls.dataset, each(), "unknown"),
            examples: each()
                .take(EXAMPLES)
                .map(|row| Example::of(row, calls))
                .collect(),
        }
    }
}

impl Example {
    fn of(row: usize, calls: &Calls) -> Self {
        let call = calls.get(row);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self {
            row,
            chrom: owned(call.chrom),
            pos: call.pos,
            svtype: owned(call.svtype),
            svlen: call.svlen,
            label: calls.label(row),
            truvari_class: owned(call.truvari_class),
            dataset: owned(call.dataset),
            id: owned(call.id),
        }
    }
}
