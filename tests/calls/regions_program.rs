//! `--regions`: what analyze and report write of them.

use std::fs;

use crate::args;
use crate::common::sharded::{Sharded, succeed};
use crate::common::{assert_refused, atomscope};

/// The columns of a table as text, by their names.
fn read_tsv(text: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut lines = text.lines();
    let names: Vec<_> = lines.next().expect("a header").split('\t').collect();
    let row = |line: &str| {
        let values = line.split('\t').map(str::to_owned);
        names
            .iter()
            .map(|name| (*name).to_owned())
            .zip(values)
            .collect()
    };
    lines.map(row).collect()
}

#[test]
fn analyze_writes_regions_and_report_the_same() {
    let cohort = Sharded::new(200);
    let beds = [
        ("low.bed", "chr1\t0\t1000000000\n"),
        ("none.bed", "chrZ\t0\t5\n"),
    ];
    for (name, text) in beds {
        fs::write(cohort.path(name), text).expect("writable");
    }
    let list = cohort.path("list.tsv");
    fs::write(&list, "Low\tlow.bed\r\nNone\tnone.bed").expect("writable");
    let pieces = cohort.pieces(1);
    let (out, again) = (cohort.path("out"), cohort.path("again"));
    let listed = list.display().to_string();
    let analyzed = succeed(&cohort.analyze_args(&pieces, &out, &["--regions", &listed]));
    let error = String::from_utf8_lossy(&analyzed.stderr).into_owned();
    assert!(
        error.contains("no call is on a contig of the regions None"),
        "{error}"
    );
    let table = fs::read_to_string(out.join("regions.tsv")).expect("a table");
    let rows = read_tsv(&table);
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&*rows[0]["region"], &*rows[0]["rule"]),
        ("Low", "both-ends")
    );
    let sum = |row: usize, names: [&str; 4]| {
        names
            .iter()
            .map(|name| rows[row][*name].parse::<u64>().expect("a count"))
            .sum::<u64>()
    };
    for row in 0..2 {
        assert_eq!(sum(row, ["tp_in", "fp_in", "tp_out", "fp_out"]), 200);
    }
    assert_eq!(rows[1]["tp_in"], "0");
    assert!(out.join("atom_regions.parquet").is_file());
    let record = fs::read_to_string(out.join("run.json")).expect("a record");
    assert!(
        record.contains("low.bed") && record.contains("\"regions\""),
        "{record}"
    );

    let tally = cohort.tally(&pieces[0], "all.tally", &[]);
    succeed(&args![
        "report",
        "-q",
        tally,
        "--regions",
        list,
        "--out",
        again
    ]);
    for name in ["regions.tsv", "atom_regions.parquet"] {
        assert_eq!(
            fs::read(out.join(name)).ok(),
            fs::read(again.join(name)).ok(),
            "{name}"
        );
    }
    let without = atomscope(args![
        "report",
        "-q",
        tally,
        "--without-fires",
        "--regions",
        list,
        "--out",
        cohort.path("x")
    ]);
    assert_refused(&without, &["--regions", "firing sets"]);
}
