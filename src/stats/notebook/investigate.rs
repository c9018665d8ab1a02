//! The calls on which one atom fires, in detail.

use serde::Serialize;

use super::lengths::Lengths;
use crate::cohort::{Call, Calls, Label, Number};
use crate::stats::notebook::bias::{AtomBias, BiasTable};
use crate::stats::notebook::counts::{Counter, NamedCount};

pub use super::lengths::SizeSummary;

/// The number of chromosomes that are named.
pub const CHROMOSOMES: usize = 5;

/// The number of calls that are shown.
pub const EXAMPLES: usize = 5;

/// A call on which the atom fires. A missing field is `None` or 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Example {
    /// The call's row in the cohort, from 0.
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

/// The details of one atom.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Investigation {
    /// The atom's number.
    pub atom: u32,
    /// The number of true calls on which it fires.
    pub tp_on: u64,
    /// The number of false calls on which it fires.
    pub fp_on: u64,
    /// The number of calls on which it fires.
    pub support: u64,
    /// Its line in the table of biased atoms, if it has one.
    pub bias: Option<AtomBias>,
    /// Types of these calls, most frequent first.
    pub sv_types: Vec<NamedCount>,
    /// Lengths above 0. Many callers give deletions a negative length, which is left out.
    pub sizes: Option<SizeSummary>,
    /// Absolute lengths other than 0, so that deletions count.
    pub absolute_sizes: Option<SizeSummary>,
    /// The five most frequent chromosomes.
    pub top_chromosomes: Vec<NamedCount>,
    /// Datasets, in the order in which the calls show them.
    pub datasets: Vec<NamedCount>,
    /// The first five of these calls.
    pub examples: Vec<Example>,
}

/// An investigation in progress. Calls come block by block, in the cohort's order.
#[derive(Debug)]
pub(super) struct Investigator {
    atom: u32,
    labels: [u64; 2],
    sv_types: Counter,
    chromosomes: Counter,
    datasets: Counter,
    above_zero: Lengths,
    absolute: Lengths,
    examples: Vec<Example>,
}

impl Investigator {
    pub(super) fn new(atom: u32) -> Self {
        Self {
            atom,
            labels: [0; 2],
            sv_types: Counter::new("UNK"),
            chromosomes: Counter::new("unknown"),
            datasets: Counter::new("unknown"),
            above_zero: Lengths::default(),
            absolute: Lengths::default(),
            examples: Vec::new(),
        }
    }

    /// Adds the calls of a block on which the atom fires: `rows` of `calls`, ascending. The first
    /// row of `calls` is the cohort's row `first`.
    pub(super) fn take(&mut self, first: u64, calls: &Calls, rows: &[usize]) {
        let each = || rows.iter().copied();
        for row in each() {
            self.labels[usize::from(calls.label(row) == Label::Tp)] += 1;
            let length = calls.svlen.get(row).as_f64();
            if length > 0.0 {
                self.above_zero.push(length);
            }
            if length.abs() > 0.0 {
                self.absolute.push(length.abs());
            }
        }
        self.sv_types.add(&calls.svtype, each());
        self.chromosomes.add(&calls.chrom, each());
        self.datasets.add(&calls.dataset, each());
        let more = EXAMPLES - self.examples.len();
        let example = |row| Example::of(first as usize + row, &calls.get(row), calls.label(row));
        self.examples.extend(each().take(more).map(example));
    }

    pub(super) fn finish(self, table: &BiasTable) -> Investigation {
        let [fp_on, tp_on] = self.labels;
        let mut top_chromosomes = self.chromosomes.most_common();
        top_chromosomes.truncate(CHROMOSOMES);
        Investigation {
            atom: self.atom,
            tp_on,
            fp_on,
            support: tp_on + fp_on,
            bias: table.get(self.atom).copied(),
            sv_types: self.sv_types.most_common(),
            sizes: self.above_zero.summary(),
            absolute_sizes: self.absolute.summary(),
            top_chromosomes,
            datasets: self.datasets.first_seen(),
            examples: self.examples,
        }
    }
}

impl Example {
    fn of(row: usize, call: &Call, label: Label) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self {
            row,
            chrom: owned(call.chrom),
            pos: call.pos,
            svtype: owned(call.svtype),
            svlen: call.svlen,
            label,
            truvari_class: owned(call.truvari_class),
            dataset: owned(call.dataset),
            id: owned(call.id),
        }
    }
}
