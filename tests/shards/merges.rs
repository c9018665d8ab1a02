//! A cohort in pieces: however it is cut, counted, merged and reported, the bytes are those of one
//! run over all rows.

use std::fs;
use std::path::PathBuf;

use crate::args;
use crate::common::sharded::{Sharded, record, results, succeed};
use crate::common::{assert_refused, atomscope};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a CPU can be told to do otherwise, which must not show.
const WAYS: [&[&str]; 5] = [
    &["--threads", "1", "--simd", "portable"],
    &["--screen", "single"],
    &["--screen", "bfloat16-plain", "--batch-rows", "7"],
    &["--threads", "3", "--checkpoint-rows", "11"],
    &["--memory", "1"],
];

/// Merges in a drawn order and nesting.
fn merge_somehow(cohort: &Sharded, mut tallies: Vec<PathBuf>, draw: &mut ChaCha8Rng) -> PathBuf {
    let mut merges = 0;
    while tallies.len() > 1 || merges == 0 {
        tallies.shuffle(draw);
        let count = draw.random_range(1..=tallies.len().min(9));
        let some: Vec<_> = tallies.drain(..count.max(tallies.len().min(2))).collect();
        tallies.push(cohort.merge(
            &some,
            &format!("merged-{}-{merges}.tally", draw.random::<u32>()),
        ));
        merges += 1;
    }
    tallies.remove(0)
}

#[test]
fn any_cut_gives_the_bytes_of_one_run() {
    let cohort = Sharded::new(331);
    let expected = cohort.analyze(&[cohort.whole()], "one", &[]);
    assert_eq!(
        expected.len(),
        16,
        "a run has this many files beside its record"
    );
    let mut draw = ChaCha8Rng::seed_from_u64(7);
    for count in [1, 2, 7, 64] {
        let mut tallies = Vec::new();
        let mut counts = Vec::new();
        for (number, piece) in cohort.pieces(count).iter().enumerate() {
            let way = WAYS[draw.random_range(0..WAYS.len())];
            tallies.push(cohort.tally(piece, &format!("t{count}/{number}.tally"), way));
        }
        for _ in 0..2 {
            let merged = merge_somehow(&cohort, tallies.clone(), &mut draw);
            counts.push(fs::read(&merged).expect("a tally"));
            let fires = cohort.path(&format!("t{count}"));
            let fires = fires.to_str().expect("UTF-8");
            let found = cohort.report(&merged, "report", &["--save-fires", "--fires", fires]);
            assert!(found == expected, "{count} shards");
        }
        assert!(counts[0] == counts[1], "the order of merging shows");
        let pieces = cohort.pieces(count);
        let way = WAYS[draw.random_range(0..WAYS.len())];
        assert!(
            cohort.analyze(&pieces, &format!("all-{count}"), way) == expected,
            "{way:?}"
        );
        assert!(
            !cohort
                .path(&format!("all-{count}/.atomscope-checkpoints"))
                .exists()
        );
    }
}

#[test]
fn rows_of_one_file_are_shards_too() {
    let cohort = Sharded::new(100);
    let expected = cohort.analyze(&[cohort.whole()], "one", &[]);
    let whole = cohort.tally(&cohort.whole(), "whole/w.tally", &["--screen", "single"]);
    let ranges = ["40..41", "0..40", "41..100"];
    let part = |rows: &&str| {
        let more = ["--rows", rows, "--screen", "single"];
        cohort.tally(&cohort.whole(), &format!("parts/{rows}.tally"), &more)
    };
    let parts: Vec<_> = ranges.iter().map(part).collect();
    let merged = cohort.merge(&parts, "parts/all.tally");
    assert!(
        cohort.report(&merged, "report", &["--save-fires"]) == expected,
        "firing sets beside the tally are found"
    );
    // Rows that continue one another are one shard, and their counts the same, if not the record
    // of the machine's certificate.
    let tally = |path: &PathBuf| atomscope::store::read_tally(path).expect("a tally");
    let (merged, whole) = (tally(&merged), tally(&whole));
    assert_eq!(merged.shards, whole.shards);
    assert_eq!(merged.tally.all_counts(), whole.tally.all_counts());

    let some = cohort.analyze(&[cohort.whole()], "some", &["--rows", "40..100"]);
    let again = cohort.merge(&parts[..1], "some/a.tally");
    let again = cohort.merge(&[again, parts[2].clone()], "some/b.tally");
    let fires = cohort.path("parts");
    let fires = fires.to_str().expect("UTF-8");
    assert!(cohort.report(&again, "report", &["--save-fires", "--fires", fires]) == some);
}

#[test]
fn without_firing_sets_the_rest_is_told() {
    let cohort = Sharded::new(60);
    let expected = cohort.analyze(&[cohort.whole()], "one", &[]);
    let tally = cohort.tally(&cohort.whole(), "t/w.tally", &[]);
    let found = cohort.report(&tally, "report", &["--without-fires"]);
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    let told = [
        "atom_types.parquet",
        "atoms.parquet",
        "atoms.tsv",
        "atomscope_mqc.json",
        "atomscope_volcano_mqc.json",
        "report.html",
        "report.txt",
        "sae_feature_bias_analysis.csv",
        "top_biased_features.json",
    ];
    assert_eq!(names, told);
    let told_whole = |name: &str| {
        let is_less = ["atoms.", "report.", "atomscope_"];
        !is_less.iter().any(|start| name.starts_with(start))
    };
    for (name, bytes) in found.iter().filter(|(name, _)| told_whole(name)) {
        let whole = expected.iter().find(|(other, _)| other == name);
        assert!(whole.is_some_and(|(_, whole)| whole == bytes), "{name}");
    }
    let text = found.iter().find(|(name, _)| name == "report.txt");
    let text = String::from_utf8_lossy(&text.expect("a report").1).into_owned();
    assert_eq!(
        text.matches("no firing sets were given").count(),
        3,
        "{text}"
    );
    // Nor are there any beside it.
    let alone = cohort.merge(&[tally], "alone/w.tally");
    assert!(cohort.report(&alone, "report-alone", &[]) == found);
    // An earlier report's tables do not stay.
    let files = cohort.report(&alone, "one", &[]);
    assert!(files == found);
}

#[test]
fn dropped_rows_are_those_of_the_cohort() {
    use crate::common::cohort::{DIM, ROWS, Spoilable};
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut numbers = Spoilable::new();
    for row in [0, 11, 12, ROWS - 1] {
        numbers.embeddings[row * DIM + 1] = f32::NAN;
    }
    let (embeddings, model) = numbers.write(folder.path());
    let at = |name: &str| folder.path().join(name);
    let skip = args!["-q", "--nonfinite", "skip"];
    let files = args!["--embeddings", embeddings, "--model", model];
    let run = |command: &str, more: &[std::ffi::OsString]| {
        let args = [&args![command][..], &files, &skip, more].concat();
        succeed(&args);
    };
    run("analyze", &args!["--save-fires", "--out", at("one")]);
    let expected = results(&at("one"));
    assert!(expected.iter().any(|(name, _)| name == "dropped_rows.npy"));
    for rows in ["0..11", "11..12", "12..13", "13..30"] {
        run(
            "tally",
            &args![
                "--rows",
                rows,
                "--fires",
                "--out",
                at(&format!("{rows}.tally"))
            ],
        );
    }
    let tallies = at("*..*.tally");
    succeed(&args!["merge", "-q", "--out", at("all.tally"), tallies]);
    succeed(&args![
        "report",
        "-q",
        "--save-fires",
        at("all.tally"),
        "--model",
        model,
        "--out",
        at("two")
    ]);
    assert!(results(&at("two")) == expected);
    assert_eq!(record(&at("two"))["shapes"]["rows_dropped_as_nonfinite"], 4);
    // A part without a row that is kept is a part all the same.
    run(
        "analyze",
        &args![
            "--save-fires",
            "--out",
            at("three"),
            "--checkpoint-rows",
            "1"
        ],
    );
    assert!(results(&at("three")) == expected);
    // What was dropped is named by the file's rows.
    let args = [
        &args!["tally", "-q"][..],
        &files,
        &args!["--rows", "10..20", "--out", at("x")],
    ];
    crate::common::assert_refused(
        &crate::common::atomscope(args.concat()),
        &["rows 11, 12", "2 of 10 rows"],
    );
}

#[test]
fn atoms_are_investigated_over_all_shards() {
    let cohort = Sharded::new(80);
    let investigate = |embeddings: &[PathBuf]| {
        let mut args = args!["investigate", "-q", "--atom", "5,7", "--json"].to_vec();
        args.extend(args!["--model", cohort.model()]);
        args.extend(
            embeddings
                .iter()
                .flat_map(|path| args!["--embeddings", path]),
        );
        succeed(&args).stdout
    };
    let whole = investigate(&[cohort.whole()]);
    assert!(!whole.is_empty());
    assert!(investigate(&cohort.pieces(7)) == whole);
}

#[test]
fn report_with_another_model_is_refused() {
    let cohort = Sharded::new(40);
    let tally = cohort.tally(&cohort.whole(), "x.tally", &[]);
    let (other, out) = (cohort.path("other"), cohort.path("r"));
    let sizes = [
        "--input-dim",
        "24",
        "--features",
        "96",
        "--k",
        "6",
        "--rows",
        "40",
    ];
    let mut args = args!["simulate", "-q", "--seed", "4", "--out", other].to_vec();
    args.extend(sizes.map(Into::into));
    succeed(&args);
    let args = args![
        "report",
        "-q",
        tally,
        "--model",
        other.join("sae.pt"),
        "--out",
        out
    ];
    assert_refused(&atomscope(args), &["sae.pt", "that of the tally"]);
}
