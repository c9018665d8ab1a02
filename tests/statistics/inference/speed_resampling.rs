//! How long permutations and the bootstrap take: `cargo test --release --test statistics
//! of_a_hundred_thousand_calls -- --ignored --nocapture --test-threads 1`.

use atomscope::control::Control;
use atomscope::fires::FiringSets;
use atomscope::fires::by_atom::FiringsByAtom;
use atomscope::stats::inference::{Table2x2, effect};
use atomscope::stats::resampling::blocks::{Blocks, genome_order};
use atomscope::stats::resampling::bootstrap::{Bootstrap, CallLabels};
use atomscope::stats::resampling::permutation::{Exchange, Permutation, max_t};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::speed::timed;

const CALLS: usize = 100_000;
const FEATURES: u32 = 4096;
const K: usize = 64;

/// Ten samples; loci of three calls in the mean, and up to about ten.
struct Cohort {
    firings: FiringsByAtom,
    is_tp: Vec<bool>,
    strata: Vec<u32>,
    dataset: Vec<u32>,
    chrom: Vec<u32>,
    pos: Vec<f64>,
}

impl Cohort {
    fn new() -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let mut atoms = Vec::with_capacity(CALLS * K);
        for _ in 0..CALLS {
            // An atom of each K-th of all: K distinct ones, ascending.
            let each = FEATURES / K as u32;
            atoms.extend((0..K as u32).map(|part| part * each + random.random_range(0..each)));
        }
        let mut of =
            |most: u32| -> Vec<u32> { (0..CALLS).map(|_| random.random_range(0..most)).collect() };
        let (strata, dataset, chrom, pos) = (of(16), of(10), of(24), of(100_000_000));
        Self {
            firings: timed("calls of each atom", || {
                FiringsByAtom::new(
                    FiringSets::uniform(K, atoms.clone(), vec![]).all(),
                    FEATURES as usize,
                )
            }),
            is_tp: (0..CALLS).map(|_| random.random_bool(0.6)).collect(),
            strata,
            dataset,
            chrom,
            pos: pos.into_iter().map(f64::from).collect(),
        }
    }

    fn permute(&self, what: &str, strata: &[u32], exchange: Exchange<'_>) {
        let permutation = Permutation {
            is_tp: &self.is_tp,
            strata,
            exchange,
            count: 10_000,
            seed: 1,
        };
        let adjusted = timed(what, || max_t(&self.firings, &permutation));
        assert_eq!(adjusted.expect("one cohort").len(), FEATURES as usize);
    }
}

#[test]
#[ignore = "a measurement"]
fn permutations_of_a_hundred_thousand_calls() {
    let cohort = Cohort::new();
    cohort.permute("10,000 permutations", &cohort.strata, Exchange::Calls);
}

#[test]
#[ignore = "a measurement"]
fn permutations_by_block_of_a_hundred_thousand_calls() {
    let cohort = Cohort::new();
    let distance = 26_000;
    let loci = timed("loci", || {
        Blocks::loci(&cohort.chrom, &cohort.pos, distance)
    });
    println!("{} loci", loci.count);
    let exchange = Exchange::Loci(&loci);
    cohort.permute("10,000 of loci, 16 strata", &cohort.strata, exchange);
    let two: Vec<u32> = cohort.strata.iter().map(|stratum| stratum % 2).collect();
    cohort.permute("10,000 of loci, 2 strata", &two, exchange);
    let one = vec![0; CALLS];
    cohort.permute("10,000 of loci, 1 stratum", &one, exchange);
    let sample = Blocks::samples(&cohort.dataset);
    let order = &genome_order(&cohort.chrom, &cohort.pos)[..];
    let sample = &sample;
    let exchange = Exchange::Samples { sample, order };
    cohort.permute("10,000 turns of samples", &cohort.strata, exchange);
}

#[test]
#[ignore = "a measurement"]
fn bootstrap_of_a_hundred_thousand_calls() {
    let cohort = Cohort::new();
    let alone = Blocks {
        of_call: (0..CALLS as u32).collect(),
        count: CALLS as u32,
    };
    let loci = Blocks::loci(&cohort.chrom, &cohort.pos, 26_000);
    let calls = CallLabels::new(&cohort.is_tp, |row| cohort.dataset[row] < 5);
    let log_odds = |_, tables: [Table2x2; 2]| {
        let [first, second] = tables.map(|table| effect::log_odds_ratio(&table).value);
        first - second
    };
    for (what, blocks) in [("calls", &alone), ("loci", &loci)] {
        let bootstrap = Bootstrap {
            blocks,
            replicates: 200,
            seed: 1,
        };
        timed(&format!("200 draws of {what} alone"), || {
            for index in 0..bootstrap.draws() {
                bootstrap.draw(index, &calls).expect("one cohort");
            }
        });
        let intervals = timed(&format!("200 replicates by {what}"), || {
            bootstrap.intervals(&calls, &cohort.firings, &log_odds, &Control::default())
        });
        assert_eq!(intervals.expect("one cohort").len(), FEATURES as usize);
    }
}
