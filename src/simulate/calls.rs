//! The simulated calls: where they lie, their type and size, and whether they are true.
//!
//! Shares and sizes are round figures of the kind that genome-wide call sets of short and long
//! reads show. The peaks are those of Alu (about 300 bp) and LINE-1 (about 6 kb) elements.

use super::genome;
use super::random::{Purpose, Stream};
use super::verdict::Verdict;
use crate::cohort::{Call, Label, Number};

/// An SV type and its frequencies.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// The type's share of all calls.
    share: f64,
    /// The type's share of true calls, before the size shifts it.
    true_share: f64,
    /// The relative frequency of each of [`SIZES`].
    sizes: [f64; 5],
}

/// The number of SV types.
pub(super) const KINDS: usize = 5;

/// The types, the most frequent first.
pub(super) const TYPES: [Kind; KINDS] = [
    Kind::new("DEL", 0.44, 0.78, [0.40, 0.22, 0.22, 0.06, 0.10]),
    Kind::new("INS", 0.40, 0.66, [0.48, 0.28, 0.16, 0.06, 0.02]),
    Kind::new("DUP", 0.07, 0.45, [0.05, 0.05, 0.40, 0.05, 0.45]),
    Kind::new("BND", 0.06, 0.50, [0.20, 0.20, 0.20, 0.20, 0.20]),
    Kind::new("INV", 0.03, 0.40, [0.00, 0.05, 0.35, 0.10, 0.50]),
];
pub(super) const DEL: usize = 0;
pub(super) const INS: usize = 1;
pub(super) const BND: usize = 3;

/// The share of true calls if nothing shifts it.
const TRUE_SHARE: f64 = 0.7;
/// The share of true calls that carry Truvari's class of a matched comparison call.
const COMPARISON_CLASS: f64 = 0.03;

impl Kind {
    const fn new(name: &'static str, share: f64, true_share: f64, sizes: [f64; 5]) -> Self {
        Self {
            name,
            share,
            true_share,
            sizes,
        }
    }
}

/// A peak of the size distribution: log-normal.
struct Size {
    median: f64,
    /// Standard deviation of the size's natural logarithm.
    spread: f64,
    /// The shift that the size adds to the share of true calls.
    true_shift: f64,
}

const SIZES: [Size; 5] = [
    Size::new(95.0, 0.45, -0.06),
    Size::new(310.0, 0.05, 0.10),
    Size::new(900.0, 0.80, 0.00),
    Size::new(6050.0, 0.03, 0.08),
    Size::new(18_000.0, 1.20, -0.12),
];

impl Size {
    const fn new(median: f64, spread: f64, true_shift: f64) -> Self {
        Self {
            median,
            spread,
            true_shift,
        }
    }
}

/// The smallest size that is called structural, in base pairs.
const SMALLEST: f64 = 50.0;
/// The largest size that is drawn. An insertion has to be assembled, so its largest size is
/// smaller.
const LARGEST: f64 = 5e6;
const LARGEST_INSERTION: f64 = 30_000.0;

const DATASETS: [&str; 4] = [
    "sample1-short-reads",
    "sample1-long-reads",
    "sample2-short-reads",
    "sample2-long-reads",
];

/// A simulated call.
pub(super) struct Draw {
    /// The index of the call's type in [`TYPES`].
    pub(super) kind: usize,
    pub(super) label: Label,
    pub(super) chrom: &'static str,
    pub(super) pos: i64,
    pub(super) svlen: i64,
    pub(super) class: &'static str,
    pub(super) dataset: &'static str,
    pub(super) id: String,
    /// What a benchmark says of the call, where the cohort has one.
    pub(super) verdict: Verdict,
}

impl Draw {
    /// Returns the SV type's name.
    pub(super) fn svtype(&self) -> &'static str {
        TYPES[self.kind].name
    }

    /// Returns the call as a cohort holds it.
    pub(super) fn call(&self) -> Call<'_> {
        Call {
            chrom: Some(self.chrom),
            pos: Number::Int(self.pos),
            svtype: Some(self.svtype()),
            svlen: Number::Int(self.svlen),
            truvari_class: Some(self.class),
            dataset: Some(self.dataset),
            id: Some(&self.id),
            ..Call::default()
        }
    }
}

/// A source of calls. Each call has its own random stream, so calls are drawn in any order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller {
    pub(super) seed: u64,
    pub(super) rows: u64,
    /// True if the share of true calls depends on type and size.
    pub(super) confounded: bool,
    /// The share of true calls otherwise.
    pub(super) plain_share: f64,
}

impl Caller {
    /// Makes the source that these options ask for.
    pub(super) fn new(options: &super::SimulateOptions) -> Self {
        let percent = options.true_percent;
        Self {
            seed: options.seed,
            rows: options.rows as u64,
            confounded: options.confounded && percent.is_none(),
            plain_share: percent.map_or(TRUE_SHARE, |percent| f64::from(percent) / 100.0),
        }
    }
}

impl Caller {
    /// Draws the call of a row. Datasets follow one another; each is in the order of the genome.
    pub(super) fn draw(&self, row: u64) -> Draw {
        let mut stream = Stream::new(self.seed, Purpose::Calls, row);
        let kind = pick(stream.unit(), TYPES.iter().map(|kind| kind.share));
        let peak = pick(stream.unit(), TYPES[kind].sizes.into_iter());
        let label = if stream.unit() < self.true_share(kind, peak) {
            Label::Tp
        } else {
            Label::Fp
        };
        let class = match label {
            Label::Tp if stream.unit() < COMPARISON_CLASS => "tp_comp_vcf",
            Label::Tp => "TP",
            Label::Fp => "FP",
        };
        let dataset = row * DATASETS.len() as u64 / self.rows;
        let (chrom, end, mut pos) = self.place(row, dataset, stream.unit());
        let size = size(kind, peak, stream.normal());
        if kind != INS && kind != BND {
            pos = pos.min(end - size).max(1);
        }
        Draw {
            kind,
            label,
            chrom,
            pos,
            svlen: match kind {
                DEL => -size,
                BND => 0,
                _ => size,
            },
            class,
            dataset: DATASETS[dataset as usize],
            id: format!("{}{row:08}", TYPES[kind].name),
            verdict: Verdict::default(),
        }
    }

    /// Places a call. Its dataset's calls cut the genome into equal parts, and each call lies
    /// somewhere in its own part. Returns chromosome, its last base, and position.
    fn place(&self, row: u64, dataset: u64, within: f64) -> (&'static str, i64, i64) {
        let start = (dataset * self.rows).div_ceil(DATASETS.len() as u64);
        let end = ((dataset + 1) * self.rows).div_ceil(DATASETS.len() as u64);
        let part = ((row - start) as f64 + within) / (end - start) as f64;
        let (chromosome, base) = genome::at(part);
        (
            chromosome.name,
            chromosome.length.cast_signed(),
            base.cast_signed(),
        )
    }

    fn true_share(&self, kind: usize, peak: usize) -> f64 {
        if self.confounded {
            TYPES[kind].true_share + SIZES[peak].true_shift
        } else {
            self.plain_share
        }
    }

    /// Returns the share of all calls that have this label and this type.
    pub(super) fn stratum_share(&self, label: Label, kind: usize) -> f64 {
        let sizes = TYPES[kind].sizes;
        let true_share: f64 = sizes
            .iter()
            .enumerate()
            .map(|(peak, share)| share * self.true_share(kind, peak))
            .sum::<f64>()
            / sizes.iter().sum::<f64>();
        match label {
            Label::Tp => TYPES[kind].share * true_share,
            Label::Fp => TYPES[kind].share * (1.0 - true_share),
        }
    }
}

fn size(kind: usize, peak: usize, normal: f32) -> i64 {
    let largest = if kind == INS {
        LARGEST_INSERTION
    } else {
        LARGEST
    };
    let Size { median, spread, .. } = SIZES[peak];
    let size = median * libm::exp(spread * f64::from(normal));
    size.clamp(SMALLEST, largest) as i64
}

/// Returns the first index at which the running sum of shares exceeds `unit`.
fn pick(unit: f64, shares: impl ExactSizeIterator<Item = f64>) -> usize {
    let last = shares.len() - 1;
    let mut sum = 0.0;
    for (i, share) in shares.enumerate() {
        sum += share;
        if unit < sum {
            return i;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caller_strata_have_the_shares_of_the_truth() {
        let rows = 40_000;
        for confounded in [false, true] {
            let caller = Caller {
                seed: 3,
                rows,
                confounded,
                plain_share: TRUE_SHARE,
            };
            let draws: Vec<Draw> = (0..rows).map(|row| caller.draw(row)).collect();
            for label in [Label::Tp, Label::Fp] {
                for kind in 0..KINDS {
                    let met = draws
                        .iter()
                        .filter(|draw| draw.label == label && draw.kind == kind)
                        .count();
                    let share = caller.stratum_share(label, kind);
                    let error = (share * (1.0 - share) / rows as f64).sqrt();
                    assert!((met as f64 / rows as f64 - share).abs() < 4.5 * error);
                }
            }
        }
    }

    #[test]
    fn caller_places_calls_on_chromosomes_with_their_types_signs() {
        for rows in [1, 3, 4, 5, 5000] {
            let caller = Caller {
                seed: 9,
                rows,
                confounded: true,
                plain_share: TRUE_SHARE,
            };
            for row in 0..rows {
                let draw = caller.draw(row);
                let chromosome = genome::CHROMOSOMES.iter().find(|c| c.name == draw.chrom);
                let length = chromosome.map(|c| c.length);
                let end = draw.pos.cast_unsigned() + (-draw.svlen).max(0).cast_unsigned();
                assert!(draw.pos >= 1 && Some(end) <= length);
                assert_eq!(draw.svlen.signum(), [-1, 1, 1, 0, 1][draw.kind]);
                assert_eq!(Label::of_class(Some(draw.class)), draw.label);
            }
        }
    }
}
