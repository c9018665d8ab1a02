//! Strata of columns: the same figures as by a dataset that says the same, whole and in parts.

use std::fmt::Write;
use std::fs;

use atomscope::cohort::{Call, Calls};
use atomscope::control::Control;
use atomscope::fires::FiringSets;
use atomscope::stats::evidence::{ExtendedTables, Options};
use atomscope::store::{Maker, read_tally, write_tally};
use atomscope::tally::{
    Certificate, CohortTally, Merger, ModelId, Shard, Strata, StratifyBy, Tally,
};

use crate::args;
use crate::common::sharded::{Sharded, assert_same_atoms, record, succeed};
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
        writeln!(text, "{known}\t{}\t{depth}\t{dataset}", columns[7]).expect("text");
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
    assert_same_atoms(&found, &expected);
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
        "svtype,col:dataset,col:pos@50000000",
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
    ] {
        let more = with(&["--metadata", &metadata, "--strata", strata]);
        let out = cohort.path("out");
        let found = atomscope(cohort.analyze_args(&[cohort.whole()], &out, &more));
        assert_refused(&found, words);
        assert!(!out.exists(), "{strata}");
    }
}

/// The atoms that fire on each call: `fires.npy`, uint32 [calls, 6].
fn fires(cohort: &Sharded, out: &str) -> Vec<Vec<u32>> {
    let bytes = fs::read(cohort.path(out).join("fires.npy")).expect("firing sets");
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let atoms = bytes[start..].chunks_exact(4);
    let atoms: Vec<u32> = atoms
        .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    atoms.chunks_exact(6).map(<[u32]>::to_vec).collect()
}

/// The rows of a table by the names of its columns; text in place of a quantity's number.
fn parquet(path: &std::path::Path) -> Vec<std::collections::HashMap<String, String>> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let file = fs::File::open(path).expect("a table");
    let reader = SerializedFileReader::new(file).expect("Parquet");
    let rows = reader.get_row_iter(None).expect("rows");
    rows.map(|row| {
        let row = row.expect("a row");
        let each = row.get_column_iter();
        each.map(|(name, field)| (name.clone(), field.to_string()))
            .collect()
    })
    .collect()
}

#[test]
fn quantities_are_described_as_sizes_are() {
    let cohort = Sharded::new(500);
    let number = |row: usize| (row * 31 % 97) as f64 / 4.0;
    let calls = table(&cohort, "first.tsv", |_, _| ("0".into(), "x".into()));
    let calls = fs::read_to_string(calls).expect("the calls");
    let sizes: Vec<String> = calls
        .lines()
        .skip(1)
        .map(|call| call.split('\t').nth(4).expect("a length").replace('-', ""))
        .collect();
    let size = |row: usize| {
        if sizes[row] == "0" {
            "NA".to_owned()
        } else {
            sizes[row].clone()
        }
    };
    // The columns are called depth and dataset, which are text to a table.
    let metadata = table(&cohort, "calls.tsv", |row, _| {
        let depth = if row % 10 == 3 {
            "NA".to_owned()
        } else {
            number(row).to_string()
        };
        (depth, size(row))
    });
    let out = cohort.path("described");
    let more = [
        "--metadata",
        &metadata,
        "--describe",
        "col:dataset,col:depth",
    ];
    succeed(&cohort.analyze_args(&[cohort.whole()], &out, &with(&more)));
    let found = parquet(&out.join("atom_values.parquet"));
    let expected = parquet(&out.join("atom_sizes.parquet"));
    assert_eq!((found.len(), expected.len()), (2 * 96, 96));
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found["value"], "\"col:dataset\"");
        for (name, of_sizes) in [
            ("atom", "atom"),
            ("fires_with_value", "fires_with_size"),
            ("median", "median_size"),
            ("spearman_rho", "spearman_rho"),
            ("spearman_p", "spearman_p"),
        ] {
            assert_eq!(found[name], expected[of_sizes], "{name}");
        }
    }
    let sets = fires(&cohort, "described");
    for (atom, row) in found[96..].iter().enumerate() {
        let fires = |call: &usize| sets[*call].contains(&(atom as u32));
        let calls = (0..500).filter(|call| call % 10 != 3).filter(fires);
        let mut values: Vec<f64> = calls.map(number).collect();
        values.sort_by(f64::total_cmp);
        assert_eq!(row["fires_with_value"], values.len().to_string());
        let n = values.len();
        let median = if n % 2 == 1 {
            values[n / 2]
        } else {
            f64::midpoint(values[n / 2 - 1], values[n / 2])
        };
        assert_eq!(row["median"].parse::<f64>().expect("a number"), median);
    }
    let text = ["--metadata", &metadata, "--describe", "col:truvari_class"];
    let refused = cohort.analyze_args(&[cohort.whole()], &cohort.path("no"), &with(&text));
    assert_refused(
        &atomscope(&refused),
        &["col:truvari_class", "row 0", "stratify by it"],
    );
}

#[test]
fn quantities_of_tallies_are_described_as_those_of_one_run() {
    let cohort = Sharded::new(300);
    let more = with(&["--describe", "col:pos,col:svlen"]);
    succeed(&cohort.analyze_args(&[cohort.whole()], &cohort.path("whole"), &more));
    let expected = fs::read(cohort.path("whole/atom_values.parquet")).expect("a table");
    let each = cohort.pieces(3);
    let tallies = each.iter().enumerate().map(|(number, piece)| {
        cohort.tally(
            piece,
            &format!("t/{number}.tally"),
            &["--describe", "col:pos,col:svlen"],
        )
    });
    let merged = cohort.merge(&tallies.collect::<Vec<_>>(), "t/all.tally");
    let found = cohort.report(&merged, "reported", &PLAIN);
    let found = found
        .into_iter()
        .find(|(name, _)| name == "atom_values.parquet");
    assert!(found.expect("a table").1 == expected);
    // A tally of other quantities is no answer to this one: it is counted again.
    let first = cohort.path("t/0.tally.fires");
    let before = fs::read(&first).expect("firing sets");
    cohort.tally(&each[0], "t/0.tally", &["--describe", "col:pos"]);
    assert!(fs::read(&first).expect("firing sets") != before);
}

#[test]
fn tallies_of_regions_merge_only_with_those_of_the_same_regions() {
    let cohort = Sharded::new(300);
    let bed = cohort.path("low.bed");
    let named = bed.display().to_string();
    let write =
        |end: u32| fs::write(&bed, format!("chr1\t0\t{end}\nchr3\t0\t{end}\n")).expect("written");
    write(100_000_000);
    let asked = ["--regions", &named, "--strata", "svtype,region:low"];
    succeed(&cohort.analyze_args(&[cohort.whole()], &cohort.path("whole"), &with(&asked)));
    let pieces = cohort.pieces(2);
    let tallies = pieces.iter().enumerate();
    let tallies = tallies.map(|(n, piece)| cohort.tally(piece, &format!("t/{n}.tally"), &asked));
    let tallies: Vec<_> = tallies.collect();
    let merged = cohort.merge(&tallies, "t/all.tally");
    cohort.report(
        &merged,
        "reported",
        &with(&["--strata", "svtype,region:low"]),
    );
    assert_eq!(atoms(&cohort, "reported"), atoms(&cohort, "whole"));

    // Another rule, and other regions of the same name.
    let rule = ["--regions", &named, "--strata", "svtype,region:low@any"];
    let by_rule = cohort.tally(&pieces[1], "rule.tally", &rule);
    write(90_000_000);
    let other = cohort.tally(&pieces[1], "other.tally", &asked);
    for tally in [by_rule, other] {
        let merge = args![
            "merge",
            "-q",
            "--out",
            cohort.path("both.tally"),
            tallies[0],
            tally
        ];
        assert_refused(&atomscope(&merge), &["strata_scheme", "region:low@"]);
    }
    let unnamed = cohort.tally_args(&cohort.whole(), &cohort.path("x.tally"), &asked[..2]);
    assert_refused(&atomscope(&unnamed), &["--regions", "region:NAME"]);
    let unknown = ["--regions", &named, "--strata", "region:high"];
    let unknown = cohort.tally_args(&cohort.whole(), &cohort.path("x.tally"), &unknown);
    assert_refused(&atomscope(&unknown), &["region:high", "low"]);
}

/// Calls of so many datasets, which follow one another, and four atoms that fire on each by a rule.
fn of_datasets(rows: std::ops::Range<usize>, datasets: usize, atoms: u32) -> (Calls, FiringSets) {
    let (mut calls, mut fires) = (Calls::default(), Vec::new());
    for row in rows {
        let dataset = format!("d{}", row % datasets);
        calls.push(&Call {
            svtype: Some(["DEL", "INS", "DUP"][row % 7 % 3]),
            truvari_class: Some(if row % 11 < 6 { "TP" } else { "FP" }),
            dataset: Some(&dataset),
            ..Call::default()
        });
        // Each of the four has another remainder.
        let atom = |(place, step): (u32, u32)| row as u32 * step % (atoms / 4) * 4 + place;
        let mut set = [(0, 1), (1, 77), (2, 991), (3, 10_007)].map(atom);
        set.sort_unstable();
        fires.extend(set);
    }
    (calls, FiringSets::uniform(4, fires, Vec::new()))
}

#[test]
fn ten_thousand_datasets_of_65536_atoms_are_counted_merged_and_reported() {
    const ATOMS: usize = 1 << 16;
    let folder = tempfile::tempdir().expect("a folder");
    let scheme: StratifyBy = "svtype,dataset".parse().expect("a scheme");
    let digest = "5".repeat(64).parse().expect("a digest");
    let model = ModelId {
        sha256: digest,
        input_dim: 16,
        feature_dim: ATOMS as u64,
        top_k: Some(4),
        batches: None,
    };
    let write = |rows: std::ops::Range<usize>| {
        let (calls, sets) = of_datasets(rows.clone(), 10_000, ATOMS as u32);
        let strata = Strata::by(&calls, &scheme).expect("levels");
        let tally = Tally::count(ATOMS, &strata, sets.iter(), Certificate::default());
        let rows = rows.start as u64..rows.end as u64;
        let shard = Shard::new("s".to_owned(), digest, rows).with_calls(&calls, &[]);
        let cohort = CohortTally::of_shard(model, scheme.clone(), shard, tally);
        let path = folder.path().join(format!("{}.tally", calls.len()));
        let file = write_tally(&path, &cohort, Maker::Tally).expect("written");
        file.persist().expect("in place");
        assert_eq!(read_tally(&path).expect("a tally"), cohort);
        (cohort, fs::metadata(&path).expect("a file").len())
    };
    let (whole, bytes) = write(0..60_000);
    assert!(whole.tally.table().len() > usize::from(u16::MAX) / 2);
    // The header has some 70 bytes a stratum; each firing takes three.
    assert!(bytes < 10_000_000, "{bytes} bytes");
    let mut merger = Merger::default();
    for part in [20_001..60_000, 0..500, 500..20_001] {
        let (cohort, bytes) = write(part.clone());
        assert!(bytes < 200 * part.len() as u64, "{bytes} bytes of {part:?}");
        merger.add(cohort, "part").expect("it goes with the others");
    }
    let merged = merger.finish().expect("parts");
    assert_eq!(merged, whole);
    let options = Options::default();
    let tables = ExtendedTables::of(&merged.tally, None, &options, &Control::default());
    let atoms = tables.expect("no refusal").atoms;
    assert_eq!(atoms.len(), ATOMS);
}
