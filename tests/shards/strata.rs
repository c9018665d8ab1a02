//! Strata of columns: the same figures as by a dataset that says the same, whole and in parts.

use std::fs;

use crate::args;
use crate::common::sharded::{Sharded, record, succeed};
use crate::common::{assert_refused, atomscope};

/// No permutations: which labels are drawn depends on the order of strata, which their names give.
const PLAIN: [&str; 2] = ["--permutations", "0"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&PLAIN[..], more].concat()
}

/// The calls of the cohort's report, with one more column and another dataset.
fn table(cohort: &Sharded, name: &str, of: impl Fn(usize, &str) -> (String, String)) -> String {
    let calls = cohort.path("first/call_atoms.tsv");
    if !calls.exists() {
        let first = cohort.path("first");
        succeed(&cohort.analyze_args(&[cohort.whole()], &first, &PLAIN));
    }
    let calls = fs::read_to_string(calls).expect("the calls");
    let mut text = "chrom\tpos\tid\tsvtype\tsvlen\ttruvari_class\tdepth\tdataset\n".to_owned();
    for (row, call) in calls.lines().skip(1).enumerate() {
        let columns: Vec<&str> = call.split('\t').collect();
        let (depth, dataset) = of(row, columns[1]);
        let known = columns[1..6].join("\t");
        text += &format!("{known}\t{}\t{depth}\t{dataset}\n", columns[7]);
    }
    let path = cohort.path(name);
    fs::write(&path, text).expect("written");
    path.display().to_string()
}

fn atoms(cohort: &Sharded, out: &str) -> String {
    let text = fs::read_to_string(cohort.path(out).join("atoms.tsv")).expect("a table");
    assert!(text.lines().count() > 20);
    text
}

/// A number for each call, with gaps and ties, and its bin by the cuts 10 and 30.
fn depth(row: usize) -> (String, &'static str) {
    let number = (row * 37 + row / 7) % 50;
    match number {
        0..5 => ("NA".to_owned(), "none"),
        5..10 => (number.to_string(), "low"),
        10..30 => (format!("{number}.0"), "middle"),
        _ => (number.to_string(), "high"),
    }
}

#[test]
fn strata_of_a_column_are_those_of_a_dataset_that_says_the_same() {
    let cohort = Sharded::new(600);
    let whole = [cohort.whole()];
    let metadata = table(&cohort, "calls.tsv", |row, chrom| {
        let (number, bin) = depth(row);
        (number, format!("{bin} {chrom}"))
    });
    let run = |out: &str, strata: &str| {
        let more = with(&["--metadata", &metadata, "--strata", strata]);
        let output = succeed(&cohort.analyze_args(&whole, &cohort.path(out), &more));
        (
            atoms(&cohort, out),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (expected, _) = run("datasets", "svtype,dataset");
    let (found, told) = run("columns", "svtype,col:depth@10:30,col:chrom@each");
    assert_eq!(found, expected);
    let missing = (0..600).filter(|&row| depth(row).1 == "none").count();
    let words = format!("{missing} of 600 calls have no col:depth");
    assert!(
        told.contains(&words) && told.contains("(missing)"),
        "{told}"
    );
    let scheme = &record(&cohort.path("columns"))["tables"]["strata_scheme"];
    assert_eq!(scheme, "svtype,col:chrom@each,col:depth@10:30");
    let text = fs::read_to_string(cohort.path("columns").join("report.txt")).expect("a report");
    assert!(
        text.contains("by SV type, col:chrom and col:depth"),
        "{text}"
    );
    assert!(run("without", "svtype").0 != expected);
}

#[test]
fn numbers_are_cut_at_quartiles_of_a_cohort_in_one_file_alone() {
    let cohort = Sharded::new(400);
    let metadata = table(&cohort, "calls.tsv", |row, _| {
        (((row * 7) % 400).to_string(), "x".into())
    });
    let out = cohort.path("quartiles");
    let more = with(&["--metadata", &metadata, "--strata", "svtype,col:depth"]);
    succeed(&cohort.analyze_args(&[cohort.whole()], &out, &more));
    assert_eq!(
        record(&out)["tables"]["strata_scheme"],
        "svtype,col:depth@100:200:300"
    );

    let hint = ["col:pos", "@10:30", "--strata"];
    let more = with(&["--strata", "svtype,col:pos"]);
    let several = cohort.analyze_args(&cohort.pieces(2), &cohort.path("several"), &more);
    assert_refused(&atomscope(&several), &hint);
    for strata in ["svtype,col:pos", "svtype,col:pos@q4"] {
        let tally = cohort.tally_args(
            &cohort.whole(),
            &cohort.path("x.tally"),
            &["--strata", strata],
        );
        assert_refused(&atomscope(&tally), &hint);
    }
}

#[test]
fn tallies_of_columns_merge_to_the_figures_of_one_run_and_not_with_other_cuts() {
    let cohort = Sharded::new(500);
    let strata = "svtype,col:pos@50000000:100000000,col:dataset";
    let more = with(&["--strata", strata]);
    succeed(&cohort.analyze_args(&[cohort.whole()], &cohort.path("whole"), &more));
    let expected = atoms(&cohort, "whole");
    succeed(&cohort.analyze_args(&cohort.pieces(3), &cohort.path("pieces"), &more));
    assert_eq!(atoms(&cohort, "pieces"), expected);
    let each = cohort.pieces(3);
    let tallies = each.iter().enumerate().map(|(number, piece)| {
        cohort.tally(piece, &format!("t/{number}.tally"), &["--strata", strata])
    });
    let tallies: Vec<_> = tallies.collect();
    let merged = cohort.merge(&tallies, "t/all.tally");
    cohort.report(&merged, "reported", &PLAIN);
    assert_eq!(atoms(&cohort, "reported"), expected);
    // Fewer properties, and a property without its cuts.
    cohort.report(&merged, "fewer", &with(&["--strata", "svtype,col:pos"]));
    let more = with(&["--strata", "svtype,col:pos@50000000:100000000"]);
    succeed(&cohort.analyze_args(&[cohort.whole()], &cohort.path("one"), &more));
    assert_eq!(atoms(&cohort, "fewer"), atoms(&cohort, "one"));
    let unknown = args![
        "report",
        "-q",
        merged,
        "--out",
        cohort.path("no"),
        "--strata",
        "col:id"
    ];
    assert_refused(
        &atomscope(&unknown),
        &["col:id", "which this tally tells apart"],
    );

    let others = [
        "svtype,col:pos@50000000,col:dataset",
        "svtype,col:dataset",
        "svtype",
    ];
    for (number, strata) in others.into_iter().enumerate() {
        let name = format!("other-{number}.tally");
        let other = cohort.tally(&each[0], &name, &["--strata", strata]);
        let merge = args![
            "merge",
            "-q",
            "--out",
            cohort.path("both.tally"),
            tallies[1],
            other
        ];
        assert_refused(&atomscope(&merge), &["strata_scheme", strata, "--strata"]);
    }
}

#[test]
fn columns_that_are_not_there_and_texts_among_cut_numbers_are_refused() {
    let cohort = Sharded::new(60);
    let metadata = table(&cohort, "calls.tsv", |row, _| {
        let depth = if row == 41 {
            "lots".to_owned()
        } else {
            row.to_string()
        };
        (depth, "x".into())
    });
    for (strata, words) in [
        ("col:Depth", &["col:Depth", "calls.tsv"][..]),
        ("info:DP", &["info:DP", "col:NAME"]),
        ("region:TR", &["region:TR", "--strata"]),
        ("col:depth@10", &["row 41", "lots", "@each"]),
        ("depth", &["region:NAME", "col:NAME"]),
    ] {
        let more = with(&["--metadata", &metadata, "--strata", strata]);
        let out = cohort.path("out");
        let found = atomscope(cohort.analyze_args(&[cohort.whole()], &out, &more));
        assert_refused(&found, words);
        assert!(!out.exists(), "{strata}");
    }
}
