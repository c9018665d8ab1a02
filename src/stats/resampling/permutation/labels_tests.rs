//! Tests of labels against drawing one permutation at a time, and against their invariants.

use std::collections::BTreeMap;

use rand::rand_core::Rng;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::{Exchange, Permutation};

use super::Labels;

type Bits = super::Bits<8>;
const LANES: usize = 512;
use crate::stats::resampling::blocks::Blocks;

fn bit(bits: &Bits, lane: usize) -> bool {
    bits[lane / 64] >> (lane % 64) & 1 == 1
}

/// Strata, labels and loci of 300 calls: most loci have two or three, some one, one has seven; a
/// third of the loci are all true or all false.
struct Cohort {
    strata: Vec<u32>,
    is_tp: Vec<bool>,
    loci: Blocks,
}

impl Cohort {
    fn new() -> Self {
        let mut draw = ChaCha8Rng::seed_from_u64(11);
        let (mut strata, mut is_tp, mut of_call) = (Vec::new(), Vec::new(), Vec::new());
        let mut count = 0;
        while strata.len() < 300 {
            let calls = if count == 40 {
                7
            } else {
                [1, 2, 3, 2][count as usize % 4]
            };
            let all: Option<bool> = (count % 3 == 0).then(|| draw.random());
            for _ in 0..calls {
                strata.push([0, 2, 3][draw.random_range(0..3)]);
                is_tp.push(all.unwrap_or_else(|| draw.random_bool(0.6)));
                of_call.push(count);
            }
            count += 1;
        }
        // Calls of a locus need not be neighbours in the cohort's order.
        for row in 0..20 {
            of_call.swap(row, 299 - 7 * row);
        }
        let loci = Blocks { of_call, count };
        Self {
            strata,
            is_tp,
            loci,
        }
    }

    fn permutation<'a>(&'a self, exchange: Exchange<'a>) -> Permutation<'a> {
        Permutation {
            is_tp: &self.is_tp,
            strata: &self.strata,
            exchange,
            count: LANES,
            seed: 5,
        }
    }

    /// Returns the calls of each locus, by stratum and row.
    fn calls_of(&self, locus: u32) -> Vec<usize> {
        let mut calls: Vec<usize> = (0..self.strata.len())
            .filter(|&row| self.loci.of_call[row] == locus)
            .collect();
        calls.sort_by_key(|&row| (self.strata[row], row));
        calls
    }

    /// Returns the loci of each signature.
    fn kinds(&self) -> BTreeMap<Vec<u32>, Vec<u32>> {
        let mut kinds = BTreeMap::<_, Vec<u32>>::new();
        for locus in 0..self.loci.count {
            let strata = |&row: &usize| self.strata[row];
            let signature = self.calls_of(locus).iter().map(strata).collect();
            kinds.entry(signature).or_default().push(locus);
        }
        kinds
    }
}

/// Returns five standard deviations of the number of events of this probability in all
/// permutations.
fn tolerance(p: f64, trials: usize) -> f64 {
    5.0 * (trials as f64 * p * (1.0 - p)).sqrt()
}

#[test]
fn labels_keep_the_true_calls_of_each_stratum() {
    let cohort = Cohort::new();
    let order: Vec<u32> = (0..300).rev().collect();
    let sample = Blocks::samples(&vec![0; 300]);
    for exchange in [
        Exchange::Calls,
        Exchange::Loci(&cohort.loci),
        Exchange::Samples {
            sample: &sample,
            order: &order,
        },
    ] {
        let permutation = cohort.permutation(exchange);
        let sizes = super::super::sizes(&permutation);
        let labels = Labels::new(&permutation);
        let first = labels.draw::<8>(0);
        for lane in 0..LANES {
            for (stratum, &(_, tp)) in sizes.iter().enumerate() {
                let of = |row: &usize| cohort.strata[*row] as usize == stratum;
                let is_tp = |row: &usize| bit(&first[*row], lane);
                let count = (0..300).filter(of).filter(is_tp).count();
                assert_eq!(count as u64, tp, "{exchange:?}");
            }
        }
        assert!(
            labels.draw::<8>(1) != first,
            "another batch has other labels"
        );
        assert!(labels.draw::<8>(0) == first, "the same batch has the same");
    }
}

/// Draws by the definition, one permutation after another: calls in their order, each true if a
/// number below `left` is below `tp`. It pins the random numbers: seed, stream, order.
#[test]
fn labels_of_calls_match_selection_sampling() {
    let cohort = Cohort::new();
    let labels = Labels::new(&cohort.permutation(Exchange::Calls));
    for batch in [0, 3] {
        let drawn = labels.draw::<8>(batch);
        for stratum in [0, 2, 3] {
            let calls: Vec<usize> = (0..300)
                .filter(|&row| cohort.strata[row] == stratum)
                .collect();
            let tp = calls.iter().filter(|&&row| cohort.is_tp[row]).count();
            for word in 0..8 {
                let mut numbers = ChaCha8Rng::seed_from_u64(5);
                numbers.set_stream(((batch * 8 + word) << 16) + u64::from(stratum));
                let numbers: Vec<u32> = (0..64 * calls.len()).map(|_| numbers.next_u32()).collect();
                for lane in 0..64 {
                    let mut missing = tp as u64;
                    for (place, &row) in calls.iter().enumerate() {
                        let left = (calls.len() - place) as u64;
                        let random = u64::from(numbers[64 * place + lane]);
                        let expected = random * left / (1 << 32) < missing;
                        missing -= u64::from(expected);
                        assert_eq!(bit(&drawn[row], word as usize * 64 + lane), expected);
                    }
                }
            }
        }
    }
}

/// Checks that loci of one call each are single calls: every call of a stratum is true equally
/// often.
#[test]
fn labels_make_each_call_of_a_stratum_true_equally_often() {
    let cohort = Cohort::new();
    let alone = Blocks {
        of_call: (0..300).collect(),
        count: 300,
    };
    for exchange in [Exchange::Calls, Exchange::Loci(&alone)] {
        let permutation = cohort.permutation(exchange);
        let sizes = super::super::sizes(&permutation);
        let labels = Labels::new(&permutation);
        let drawn = labels.draw::<8>(0);
        for (row, bits) in drawn.iter().enumerate() {
            let (size, tp) = sizes[cohort.strata[row] as usize];
            let p = tp as f64 / size as f64;
            let found = bits.iter().map(|word| word.count_ones()).sum::<u32>();
            let apart = (f64::from(found) - LANES as f64 * p).abs();
            assert!(apart <= tolerance(p, LANES), "row {row}: {found}");
        }
    }
}

#[test]
fn labels_of_loci_exchange_equally_often() {
    let cohort = Cohort::new();
    let permutation = cohort.permutation(Exchange::Loci(&cohort.loci));
    let labels = Labels::new(&permutation);
    let batches = 8;
    let drawn: Vec<Vec<Bits>> = (0..batches).map(|it| labels.draw::<8>(it)).collect();
    let (mut moved, mut alone) = (0, 0);
    for (signature, loci) in cohort.kinds() {
        let vector = |locus: u32, is_tp: &dyn Fn(usize) -> bool| -> Vec<bool> {
            cohort.calls_of(locus).into_iter().map(is_tp).collect()
        };
        // The number of times that each vector occurs in the observed labels.
        let mut present = BTreeMap::<Vec<bool>, usize>::new();
        for &locus in &loci {
            *present
                .entry(vector(locus, &|row| cohort.is_tp[row]))
                .or_default() += 1;
        }
        let mut at = BTreeMap::<(u32, Vec<bool>), usize>::new();
        for bits in &drawn {
            for lane in 0..LANES {
                let mut now = BTreeMap::<Vec<bool>, usize>::new();
                for &locus in &loci {
                    let vector = vector(locus, &|row| bit(&bits[row], lane));
                    *at.entry((locus, vector.clone())).or_default() += 1;
                    *now.entry(vector).or_default() += 1;
                }
                assert_eq!(now, present, "{signature:?}");
            }
        }
        let trials = LANES * batches as usize;
        for &locus in &loci {
            for (vector, count) in &present {
                let p = *count as f64 / loci.len() as f64;
                let found = at.get(&(locus, vector.clone())).copied().unwrap_or(0);
                let apart = (found as f64 - trials as f64 * p).abs();
                assert!(
                    apart <= tolerance(p, trials),
                    "{signature:?} {locus} {vector:?}"
                );
            }
        }
        moved += usize::from(present.len() > 2);
        alone += usize::from(loci.len() == 1);
    }
    assert!(moved > 3 && alone > 2, "{moved} {alone}: little was tested");
}

#[test]
fn labels_of_a_sample_rotate_by_every_offset_equally_often() {
    let cohort = Cohort::new();
    // Two samples; along the genome, calls are in an order of their own.
    let of: Vec<u32> = (0..300).map(|row| row / 7 % 2).collect();
    let sample = Blocks::samples(&of);
    let order: Vec<u32> = (0..300).map(|place| place * 77 % 300).collect();
    let exchange = Exchange::Samples {
        sample: &sample,
        order: &order,
    };
    let labels = Labels::new(&cohort.permutation(exchange));
    let drawn = labels.draw::<8>(0);
    let mut offsets = Vec::new();
    for (sample, stratum) in [(0, 0), (0, 2), (0, 3), (1, 0), (1, 2), (1, 3)] {
        let calls: Vec<usize> = order
            .iter()
            .map(|&row| row as usize)
            .filter(|&row| of[row] == sample && cohort.strata[row] == stratum)
            .collect();
        let n = calls.len();
        let offset = |lane: usize| {
            let turned = |offset: &usize| {
                (0..n).all(|i| bit(&drawn[calls[i]], lane) == cohort.is_tp[calls[(i + offset) % n]])
            };
            (0..n).find(turned).expect("labels that are turned")
        };
        let found: Vec<usize> = (0..LANES).map(offset).collect();
        for offset in 0..n {
            let count = found.iter().filter(|&&other| other == offset).count();
            let p = 1.0 / n as f64;
            let apart = (count as f64 - LANES as f64 * p).abs();
            assert!(apart <= tolerance(p, LANES), "{offset} of {n}: {count}");
        }
        offsets.push(found.iter().map(|&it| it * 100 / n).collect::<Vec<_>>());
    }
    // Samples and strata rotate independently.
    for (i, one) in offsets.iter().enumerate() {
        for other in &offsets[..i] {
            let near = one.iter().zip(other).filter(|(a, b)| a.abs_diff(**b) < 5);
            assert!(near.count() < LANES / 5, "two turn together");
        }
    }
}

#[test]
fn labels_of_copies_change_places_alike() {
    let cohort = Cohort::new();
    let others: Vec<bool> = cohort.is_tp.iter().map(|is_tp| !is_tp).collect();
    let is_tp = [&cohort.is_tp[..], &others, &cohort.is_tp].concat();
    let strata = cohort.strata.repeat(3);
    let permutation = Permutation {
        is_tp: &is_tp,
        strata: &strata,
        exchange: Exchange::Copies {
            loci: &cohort.loci,
            copies: 3,
        },
        count: LANES,
        seed: 5,
    };
    let labels = Labels::new(&permutation);
    let drawn = labels.draw::<8>(2);
    let (first, rest) = drawn.split_at(300);
    let (second, third) = rest.split_at(300);
    assert!(first == third);
    for (first, second) in first.iter().zip(second) {
        assert!(first.iter().zip(second).all(|(a, b)| *a == !b));
    }
    // Each stratum keeps its number of true calls, and loci their labels together.
    for lane in [0, 63, LANES - 1] {
        for stratum in [0, 2, 3] {
            let of = |row: &usize| cohort.strata[*row] == stratum;
            let before = (0..300).filter(of).filter(|&row| cohort.is_tp[row]).count();
            let after = (0..300)
                .filter(of)
                .filter(|&row| bit(&first[row], lane))
                .count();
            assert_eq!(before, after);
        }
    }
    let moved = (0..300).filter(|&row| bit(&first[row], 0) != cohort.is_tp[row]);
    assert!(moved.count() > 30);
}
