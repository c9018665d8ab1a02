//! A simulated benchmark: which calls lie in a set of regions, and why false calls are false.
//!
//! Regions lie on every chromosome at equal distances. A call that is to lie in them, or outside, is moved
//! within its own period until it does; a long one may fail to. So whether a call lies in regions follows
//! from its place alone, as for an analysis that reads the regions from a file.

use super::calls::{BND, Draw, INS, KINDS};
use super::genome;
use super::random::{Purpose, Stream};
use super::truth::BenchmarkCounts;
use super::verdict::{Miss, Verdict};
use crate::cohort::Label;

/// The distance from one region to the next, in base pairs.
pub(super) const PERIOD: i64 = 100_000;
/// The bases of each period that are a region, from 0, half open.
pub(super) const REGION: [i64; 2] = [35_000, 65_000];
/// The share of true and of false calls that are to lie in regions.
const SHARE_IN: [f64; 2] = [0.15, 0.45];
/// How often a place is drawn for a call.
const TRIES: usize = 24;

/// The share of false calls that miss for each reason but the last.
const SHARES: [(Miss, f64); 2] = [(Miss::NoCandidate, 0.6), (Miss::Multi, 0.25)];

/// Says whether a base, counted from 0, lies in a region.
pub(super) fn is_in(base: i64) -> bool {
    (REGION[0]..REGION[1]).contains(&base.rem_euclid(PERIOD))
}

/// Says whether both ends of a call at position `pos` lie in regions. A breakend's own base is its one end.
fn is_call_in(kind: usize, pos: i64, size: i64) -> bool {
    match kind {
        // Between two bases.
        INS => is_in(pos - 1) && is_in(pos),
        BND => is_in(pos - 1),
        _ => is_in(pos) && is_in(pos + size - 1),
    }
}

impl Draw {
    /// Moves a call to its place, and says what the benchmark says of it.
    pub(super) fn benchmarked(mut self, seed: u64, row: u64) -> Self {
        let mut stream = Stream::new(seed, Purpose::Benchmark, row);
        let is_false = self.label == Label::Fp;
        let is_wanted = stream.unit() < SHARE_IN[usize::from(is_false)];
        let unit = stream.unit();
        let size = self.svlen.abs();
        self.pos = moved(
            &mut stream,
            self.chrom,
            (self.kind, self.pos, size),
            is_wanted,
        );
        let mate = (self.kind == BND).then(|| {
            let (chromosome, base) = genome::at(stream.unit());
            let pos = base.cast_signed();
            let name = chromosome.name;
            (name, moved(&mut stream, name, (BND, pos, 0), is_wanted))
        });
        let is_mate_in = mate.is_none_or(|(_, pos)| is_call_in(BND, pos, 0));
        self.verdict = Verdict {
            in_region: is_mate_in && is_call_in(self.kind, self.pos, size),
            miss: is_false.then(|| miss(unit)),
            mate,
        };
        self
    }
}

fn miss(unit: f64) -> Miss {
    let mut sum = 0.0;
    let found = SHARES.into_iter().find(|(_, share)| {
        sum += share;
        unit < sum
    });
    found.map_or(Miss::Unlike, |(miss, _)| miss)
}

/// Draws places in the same period until one is in, or outside of, regions. Returns the position as it was
/// if none is.
fn moved(
    stream: &mut Stream,
    chrom: &str,
    (kind, pos, size): (usize, i64, i64),
    is_wanted: bool,
) -> i64 {
    let length = genome::length(chrom);
    let taken = if kind == INS || kind == BND { 0 } else { size };
    let mut at = pos;
    for _ in 0..TRIES {
        if is_call_in(kind, at, size) == is_wanted {
            return at;
        }
        let period = (pos - 1) / PERIOD;
        let drawn = period * PERIOD + 1 + (stream.unit() * PERIOD as f64) as i64;
        // A base beyond an insertion is a base too.
        if drawn + taken < length {
            at = drawn;
        }
    }
    pos
}

/// Numbers of calls: by label (TP, FP) and type all, and those in regions; of false calls by type those
/// without a candidate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) all: [[u64; KINDS]; 2],
    pub(super) in_region: [[u64; KINDS]; 2],
    pub(super) misses: [[u64; KINDS]; 3],
}

impl Counts {
    /// Adds a call.
    pub(super) fn add(mut self, draw: &Draw) -> Self {
        let label = usize::from(draw.label == Label::Fp);
        self.all[label][draw.kind] += 1;
        self.in_region[label][draw.kind] += u64::from(draw.verdict.in_region);
        if let Some(miss) = draw.verdict.miss {
            self.misses[miss as usize][draw.kind] += 1;
        }
        self
    }

    /// Adds the numbers of other calls.
    pub(super) fn plus(mut self, other: &Self) -> Self {
        let add = |to: &mut [[u64; KINDS]], from: &[[u64; KINDS]]| {
            for (to, from) in to.as_flattened_mut().iter_mut().zip(from.as_flattened()) {
                *to += from;
            }
        };
        add(&mut self.all, &other.all);
        add(&mut self.in_region, &other.in_region);
        add(&mut self.misses, &other.misses);
        self
    }

    /// Sums over the types.
    pub(super) fn summed(&self) -> BenchmarkCounts {
        let [true_calls, false_calls] = self.all.map(|kinds| kinds.iter().sum());
        let [true_calls_in_regions, false_calls_in_regions] =
            self.in_region.map(|kinds| kinds.iter().sum());
        let [no_candidate, multi, unlike] = self.misses.map(|kinds| kinds.iter().sum());
        BenchmarkCounts {
            true_calls,
            false_calls,
            true_calls_in_regions,
            false_calls_in_regions,
            no_candidate,
            multi,
            unlike,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SimulateOptions, Simulator};
    use super::*;

    #[test]
    fn calls_are_moved_within_their_chromosomes_to_where_they_should_lie() {
        let mut options = SimulateOptions::new(3000, 8, 16, 4, 5);
        options.vcf = true;
        let simulator = Simulator::new(&options).expect("a simulator");
        let mut met = [0; 2];
        for row in 0..3000 {
            let draw = simulator.draw(row);
            let length = genome::length(draw.chrom);
            assert!(draw.pos >= 1 && draw.pos + (-draw.svlen).max(0) <= length);
            if let Some((chrom, pos)) = draw.verdict.mate {
                assert!(draw.kind == BND && (1..=genome::length(chrom)).contains(&pos));
            }
            assert_eq!(draw.verdict.miss.is_some(), draw.label == Label::Fp);
            let is_false = usize::from(draw.label == Label::Fp);
            met[is_false] += u64::from(draw.verdict.in_region);
        }
        let counts = simulator.truth().benchmark.expect("counts");
        let found = [counts.true_calls_in_regions, counts.false_calls_in_regions];
        assert_eq!(found, met);
        let share = |part: u64, whole: u64| part as f64 / whole as f64;
        assert!((share(met[0], counts.true_calls) - SHARE_IN[0]).abs() < 0.04);
        assert!((share(met[1], counts.false_calls) - SHARE_IN[1]).abs() < 0.06);
    }
}
