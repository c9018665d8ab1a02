//! How long the tables beside the notebook's take: `cargo test --release --test statistics
//! evidence_speed -- --ignored --nocapture --test-threads 1`.

use std::time::Instant;

use atomscope::analysis::outputs;
use atomscope::cohort::{Call, Calls, Number};
use atomscope::control::Control;
use atomscope::fires::FiringSets;
use atomscope::fires::InMemory;
use atomscope::report::table::{parquet, tsv};
use atomscope::report::tables;
use atomscope::stats::evidence::{ExtendedTables, Options};
use atomscope::tally::{Certificate, Strata, StratifyBy, Tally};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CALLS: usize = 100_000;
const K: usize = 64;

/// Calls of 64 strata: four types, eight sizes, two datasets.
fn calls(random: &mut ChaCha8Rng) -> Calls {
    let sizes = [60, 150, 250, 350, 500, 700, 900, 2000];
    let chromosomes: Vec<String> = (1..=24).map(|n| format!("chr{n}")).collect();
    let mut calls = Calls::default();
    for row in 0..CALLS {
        let (kind, size) = (random.random_range(0..4), random.random_range(0..8));
        calls.push(&Call {
            chrom: Some(&chromosomes[row * chromosomes.len() / CALLS]),
            pos: Number::Float(1.0 + 500.0 * row as f64),
            svtype: Some(["INS", "DEL", "DUP", "INV"][kind]),
            svlen: Number::Float(f64::from(sizes[size]) + random.random_range(0.0..40.0)),
            truvari_class: Some(if random.random_bool(0.6) { "TP" } else { "FP" }),
            dataset: Some(["a", "b"][row % 2]),
            ..Call::default()
        });
    }
    calls
}

fn sets(random: &mut ChaCha8Rng, features: u32) -> FiringSets {
    let mut atoms = Vec::with_capacity(CALLS * K);
    for _ in 0..CALLS {
        let start = atoms.len();
        // One of each of K equal parts: ascending, and each once.
        let part = features / K as u32;
        atoms.extend((0..K as u32).map(|k| k * part + random.random_range(0..part)));
        assert!(atoms[start..].is_sorted());
    }
    let scores = atoms
        .iter()
        .map(|_| random.random_range(-1.0..9.0))
        .collect();
    FiringSets::uniform(K, atoms, vec![]).with_scores(scores)
}

fn measure(features: u32, options: &Options) {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let (calls, sets) = (calls(&mut random), sets(&mut random, features));
    let strata = Strata::by(&calls, &StratifyBy::ALL).unwrap();
    let tally = Tally::count(
        features as usize,
        &strata,
        sets.iter(),
        Certificate::default(),
    );
    let details = InMemory {
        calls: &calls,
        sets: &sets,
    };
    let began = Instant::now();
    let evidence =
        ExtendedTables::of(&tally, Some(&details), options, &Control::default()).unwrap();
    let computed = began.elapsed().as_secs_f64();
    println!(
        "{features} atoms, {} strata, {} threads: {computed:.2} s, {:.2?}",
        evidence.strata,
        rayon::current_num_threads(),
        evidence.seconds
    );
    let began = Instant::now();
    for table in outputs::tables_of(&evidence) {
        parquet::write(&table, &mut std::io::sink()).unwrap();
    }
    let parquet_seconds = began.elapsed().as_secs_f64();
    let began = Instant::now();
    tsv::write(&outputs::tables_of(&evidence)[0], &mut std::io::sink()).unwrap();
    let tsv_seconds = began.elapsed().as_secs_f64();
    println!("  as Parquet {parquet_seconds:.2} s, atoms as text {tsv_seconds:.2} s");
    if let Some(pairs) = &evidence.pairs {
        let began = Instant::now();
        let mut writer = {
            let sink: &mut dyn std::io::Write = Box::leak(Box::new(std::io::sink()));
            parquet::Writer::begin(&tables::pairs(pairs.chunk(0..0)), sink).unwrap()
        };
        for start in (0..pairs.len()).step_by(parquet::GROUP) {
            let end = pairs.len().min(start + parquet::GROUP);
            writer.add(&tables::pairs(pairs.chunk(start..end))).unwrap();
        }
        writer.finish().unwrap();
        let seconds = began.elapsed().as_secs_f64();
        println!("  {} pairs as Parquet {seconds:.2} s", pairs.len());
    }
}

#[test]
#[ignore = "a measurement"]
fn many_atoms() {
    let options = Options {
        permutations: 0,
        bootstrap: 0,
        ..Options::default()
    };
    measure(65_536, &options);
}

#[test]
#[ignore = "a measurement"]
fn many_permutations_and_pairs() {
    let options = Options {
        permutations: 10_000,
        ..Options::default()
    };
    measure(4096, &options);
}
