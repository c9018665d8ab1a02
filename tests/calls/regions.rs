//! Regions from files, and calls that lie in them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use atomscope::read::benchmark::{BenchmarkCalls, BenchmarkOptions, read_benchmark};
use atomscope::read::{NamedBy, Regions};
use atomscope::regions::{Place, RegionRule, RegionSet};
use atomscope::stats::inference::Table2x2;
use atomscope::stats::inference::stratified::of_tables;

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

fn refused(path: &Path, by: NamedBy, words: &[&str]) {
    let message = Regions::read(path, by).unwrap_err().to_string();
    for word in words {
        assert!(message.contains(word), "{message}");
    }
    assert_eq!(message.lines().count(), 1, "{message}");
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(text).unwrap();
    out.finish().unwrap()
}

#[test]
fn regions_of_a_file_are_one_set_or_one_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let text = "track name=x\r\nchr1\t5\t9\tAlu\r\nchr1\t7\t20\tL1\r\nchr2\t0\t4\tAlu";
    let plain = write(folder.path(), "repeats.bed", text);
    let packed = write(folder.path(), "packed.bed.gz", gzip(text.as_bytes()));
    for (path, name) in [(&plain, "repeats"), (&packed, "packed")] {
        let found = Regions::read(path, NamedBy::File).unwrap();
        let [set] = found.sets.as_slice() else {
            panic!("{:?}", found.sets);
        };
        assert_eq!((&*set.name, set.len(), set.bases()), (name, 3, 19));
        let named = Regions::read(path, NamedBy::Column).unwrap();
        let each: Vec<_> = named
            .sets
            .iter()
            .map(|set| (&*set.name, set.bases()))
            .collect();
        assert_eq!(each, [("Alu", 8), ("L1", 13)]);
        assert!(found.warnings.is_empty());
    }
}

#[test]
fn regions_of_a_list_have_its_names_and_no_complements() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    for name in ["sub/tr.bed", "sub/not.bed", "odd.bed"] {
        write(folder.path(), name, "1\t5\t9\n");
    }
    // As GIAB's: no line break after the last row.
    let list = "AllTR\tsub/tr.bed\r\nnotinAllTR\tsub/not.bed\r\nnotinOther\todd.bed";
    let list = write(folder.path(), "list.tsv", list);
    let mut found = Regions::read(&list, NamedBy::File).unwrap();
    assert_eq!(found.take_complements(), ["notinAllTR"]);
    let names: Vec<_> = found.sets.iter().map(|set| &*set.name).collect();
    assert_eq!(names, ["AllTR", "notinOther"]);
    fs::remove_file(folder.path().join("odd.bed")).unwrap();
    refused(&list, NamedBy::File, &["list.tsv", "line 3", "odd.bed"]);
}

#[test]
fn regions_that_are_none_are_refused_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let text = |text: &str| write(folder.path(), "x.bed", text);
    refused(
        &text("chr1\t5\t9\nchr1\t9\t5\n"),
        NamedBy::File,
        &["x.bed", "line 2", "end of 5"],
    );
    refused(
        &text("585\tchr1\t5\t9\n"),
        NamedBy::File,
        &["line 1", "bin", "cut -f 2-"],
    );
    refused(
        &text("chr1\t5\t9\nchrUn\n"),
        NamedBy::File,
        &["line 2", "one column"],
    );
    refused(
        &text("chr1\t5\t9\n"),
        NamedBy::Column,
        &["line 1", "column 4"],
    );
    refused(&text("# nothing\n"), NamedBy::File, &["none"]);
    let whole = gzip(&b"chr1\t5\t9\n".repeat(5000));
    let cut = write(folder.path(), "x.bed", &whole[..whole.len() / 2]);
    refused(&cut, NamedBy::File, &["x.bed", "cannot be inflated"]);
    let named = text("chrom\tstart\tend\nchr1\t5\t9\n");
    assert_eq!(Regions::read(&named, NamedBy::File).unwrap().sets.len(), 1);
    refused(
        &text("chr1\t5\t9\nchrom\tstart\tend\n"),
        NamedBy::File,
        &["line 2"],
    );
    let three = text("chr1 5 9\nchr1\t5\t5\nchr1\t7\t9\n");
    let warnings = Regions::read(&three, NamedBy::File).unwrap().warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings.iter().all(|line| line.contains("1 of 3 rows")),
        "{warnings:?}"
    );
}

/// The place of a call of a benchmark.
fn place(found: &BenchmarkCalls, row: usize) -> Place<'_> {
    let span = found.span[row];
    Place {
        contig: found.calls.chrom.get(row).unwrap(),
        start: u64::try_from(span.start).unwrap(),
        end: u64::try_from(span.end).unwrap(),
        mate: None,
    }
}

/// The ends of bins of sizes, of whoever computed the known odds ratios.
const SIZES: [f64; 7] = [50.0, 100.0, 200.0, 300.0, 500.0, 1000.0, 5000.0];

/// True and false calls in regions and outside, and Mantel and Haenszel's odds ratio of being false within
/// type and size.
fn association(found: &BenchmarkCalls, set: &RegionSet, rule: RegionRule) -> ([u64; 4], f64, f64) {
    let mut strata = std::collections::BTreeMap::<_, Table2x2>::new();
    for row in 0..found.len() {
        let call = found.calls.get(row);
        let size = SIZES.partition_point(|&size| size <= call.svlen.as_f64().abs());
        let key = (call.svtype.unwrap(), size);
        let table = strata.entry(key).or_default();
        let is_in = set.holds(&place(found, row), rule);
        // Here "true" are false calls, and "on" are those in regions.
        *match (call.truvari_class, is_in) {
            (Some("FP"), true) => &mut table.tp_on,
            (Some("FP"), false) => &mut table.tp_off,
            (_, true) => &mut table.fp_on,
            (_, false) => &mut table.fp_off,
        } += 1;
    }
    let tables: Vec<_> = strata.into_values().collect();
    let all = tables
        .iter()
        .fold(Table2x2::default(), |sum, table| sum + *table);
    let crude = (all.tp_on * all.fp_off) as f64 / (all.tp_off * all.fp_on) as f64;
    let within = of_tables(&tables).ln_odds_ratio.unwrap().exp();
    (
        [all.fp_on, all.fp_off, all.tp_on, all.tp_off],
        crude,
        within,
    )
}

#[test]
#[ignore = "needs real folders: ATOMSCOPE_TRUVARI_FOLDERS=FOLDER, with truvari-bench beside it"]
fn regions_of_real_folders_give_the_odds_ratios_that_are_known() {
    let folders = super::folders::folders();
    let bench = folders.parent().unwrap().join("truvari-bench");
    let options = BenchmarkOptions {
        keep_below_sizemin: true,
        ..BenchmarkOptions::default()
    };
    let found = read_benchmark(Some(&bench), &options).unwrap();
    let regions = Regions::read(&folders.join("regions/grch38/trf.bed.gz"), NamedBy::File).unwrap();
    assert_eq!(regions.sets[0].len(), 318_457);
    // Made by other code: any overlap, half, both ends, the same region.
    for (rule, counts, crude, within) in [
        (RegionRule::Any, [2201, 4035, 2133, 650], 6.02, 6.10),
        (RegionRule::Half, [1471, 4765, 1869, 914], 6.62, 7.92),
        (RegionRule::BothEnds, [1217, 5019, 1733, 1050], 6.81, 8.05),
        (RegionRule::SameRegion, [1159, 5077, 1714, 1069], 7.02, 8.66),
    ] {
        let found = association(&found, &regions.sets[0], rule);
        assert_eq!(found.0, counts, "{rule}: {found:?}");
        assert!(
            (found.1 - crude).abs() < 0.005 && (found.2 - within).abs() < 0.005,
            "{rule}: {found:?}"
        );
    }
}

#[test]
fn a_line_that_is_too_long_is_refused_and_not_cut_in_two() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.bed");
    let name = "x".repeat(16 << 20);
    std::fs::write(
        &path,
        format!("chr1\t1\t2\nchr1\t5\t9\t{name}\nchr1\t7\t8\n"),
    )
    .unwrap();
    refused(
        &path,
        NamedBy::File,
        &["long.bed", "line 2", "a line of more than"],
    );
}
