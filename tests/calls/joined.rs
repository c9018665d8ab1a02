//! Calls in the order of rows of embeddings, and the analysis of rows of which some have no call.

use std::path::Path;

use atomscope::cohort::NO_CALL;
use atomscope::read::benchmark::{Fate, read_row_identities};

use crate::common::{assert_refused, atomscope};
use crate::written::{Vcf, at, calls, read, truvari};

/// The records that were embedded: of other order, and with one that is in no file of Truvari's.
const EMBEDDED: [&str; 6] = [
    "1 5000 size N <DEL> . . SVLEN=-100;END=5100",
    "1 1000 t1 N <DEL> . . SVLEN=-100;END=1100",
    "1 60 small N <DEL> . . SVLEN=-35;END=95",
    "1 100 none N <DEL> . . SVLEN=-100;END=200",
    "1 2000 t2 N <DEL> . . SVLEN=-40;END=2040",
    "1 3000 t3 A A]chr2:99] . . SVTYPE=BND",
];

fn without_ids() -> Vec<String> {
    EMBEDDED
        .iter()
        .map(|record| {
            let mut columns: Vec<&str> = record.split(' ').collect();
            columns[2] = ".";
            columns.join(" ")
        })
        .collect()
}

#[test]
fn calls_come_in_the_order_of_the_rows() {
    let files = truvari();
    let found = read(files.path());
    let unnamed = without_ids();
    let unnamed: Vec<&str> = unnamed.iter().map(String::as_str).collect();
    std::fs::write(at(&files, "named.vcf"), Vcf::of(&EMBEDDED).text()).unwrap();
    std::fs::write(at(&files, "unnamed.vcf"), Vcf::of(&unnamed).text()).unwrap();
    std::fs::write(at(&files, "ids.txt"), "size\nt1\nsmall\r\nnone\nt2\nt3\n").unwrap();
    let table = "chrom\tpos\tsvtype\tsvlen\n1\t5000\tDEL\t-100\n1\t1000\tDEL\t-100\n1\t60\tDEL\t-35\n1\t100\tDEL\t-100\n1\t2000\tDEL\t-40\n1\t3000\tBND\t0\n";
    std::fs::write(at(&files, "table.tsv"), table).unwrap();
    for (name, by) in [
        ("named.vcf", "by ID"),
        ("unnamed.vcf", "by chrom, pos, ref and alt"),
        ("ids.txt", "by ID"),
        ("table.tsv", "|svlen|"),
    ] {
        let rows = read_row_identities(&at(&files, name)).unwrap();
        let joined = found.in_order_of(&rows, name, 60.0).unwrap();
        let words = joined.words();
        assert!(
            words.starts_with("of 6 rows 4 have a call") && words.contains(by),
            "{name}: {words}"
        );
        assert!(
            words.ends_with("2 have none, and 6 calls have no row"),
            "{words}"
        );
        let classes: Vec<_> = (0..6)
            .map(|row| joined.calls.calls.truvari_class.get(row).unwrap())
            .collect();
        assert_eq!(
            classes,
            ["FP", "TP", NO_CALL, "FP", NO_CALL, "TP"],
            "{name}"
        );
        assert_eq!(joined.calls.calls.reason.get(0), Some("size"));
        let account = &joined.calls.account;
        assert_eq!((account.read, account.count(|_| true)), (11, 11));
        assert_eq!(account.count(|line| line.fate == Fate::NoRow), 6);
        assert_eq!(account.count(|line| line.fate.is_kept()), 4);
        let error = found
            .in_order_of(&rows, name, 95.0)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("row 2, counted from 0, the first without a call")
                && error.contains("at least 95 %"),
            "{error}"
        );
    }
    assert_eq!(calls(&found).len(), 10);
}

/// Writes an archive of arrays of text, as numpy.savez does.
fn write_npz(path: &Path, arrays: &[(&str, &[&str])]) {
    let mut archive = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, texts) in arrays {
        let width = texts.iter().map(|text| text.len()).max().unwrap();
        let header = format!(
            "{{'descr': '|S{width}', 'fortran_order': False, 'shape': ({},), }}",
            texts.len()
        );
        let header = format!("{header:<117}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        for text in *texts {
            bytes.extend(text.as_bytes());
            bytes.extend(vec![0; width - text.len()]);
        }
        archive
            .start_file(
                format!("{name}.npy"),
                zip::write::SimpleFileOptions::default(),
            )
            .unwrap();
        std::io::Write::write_all(&mut archive, &bytes).unwrap();
    }
    archive.finish().unwrap();
}

#[test]
fn arrays_of_an_archive_say_which_call_a_row_is() {
    let files = truvari();
    let found = read(files.path());
    let path = at(&files, "rows.npz");
    let (chrom, pos) = (["chr1", "1", "1"], ["5000", "1000", "3000"]);
    write_npz(&path, &[("ids", &["size", "t1", "t3"])]);
    let joined = found
        .in_order_of(&read_row_identities(&path).unwrap(), "rows", 100.0)
        .unwrap();
    assert!(joined.words().contains("3 by ID"), "{}", joined.words());
    write_npz(
        &path,
        &[
            ("chrom", &chrom),
            ("pos", &pos),
            ("ref", &["n", "N", "A"]),
            ("alt", &["<DEL>", "<DEL>", "A]chr2:99]"]),
        ],
    );
    let joined = found
        .in_order_of(&read_row_identities(&path).unwrap(), "rows", 100.0)
        .unwrap();
    assert!(
        joined.words().contains("3 by chrom, pos, ref and alt"),
        "{}",
        joined.words()
    );
    write_npz(
        &path,
        &[
            ("chrom", &chrom),
            ("pos", &pos),
            ("svtype", &["DEL", "DEL", "BND"]),
            ("svlen", &["-100", "100", "0"]),
        ],
    );
    let joined = found
        .in_order_of(&read_row_identities(&path).unwrap(), "rows", 100.0)
        .unwrap();
    assert!(
        joined
            .words()
            .contains("3 by chrom, pos, svtype and |svlen|"),
        "{}",
        joined.words()
    );
    let classes: Vec<_> = (0..3)
        .map(|row| joined.calls.calls.truvari_class.get(row))
        .collect();
    assert_eq!(classes, [Some("FP"), Some("TP"), Some("TP")]);
    write_npz(&path, &[("other", &chrom)]);
    let error = read_row_identities(&path).unwrap_err().to_string();
    assert!(error.contains("chrom and pos"), "{error}");
}

/// Two insertions of one place and length, which their sequences alone tell apart.
#[test]
fn alleles_of_a_table_tell_rows_of_one_place_apart() {
    let files = truvari();
    let long = "acgt".repeat(30);
    let record = |id: &str, alt: &str| format!("1 700 {id} A A{alt} . . SVTYPE=INS;SVLEN=120");
    let (ta, tc) = (record("a", &long.replace('c', "a")), record("c", &long));
    std::fs::write(at(&files, "tp.vcf"), Vcf::of(&[&ta]).text()).unwrap();
    std::fs::write(at(&files, "fp.vcf"), Vcf::of(&[&tc]).text()).unwrap();
    let options = atomscope::read::benchmark::BenchmarkOptions {
        tp: Some(at(&files, "tp.vcf")),
        fp: Some(at(&files, "fp.vcf")),
        ..Default::default()
    };
    let found = atomscope::read::benchmark::read_benchmark(None, &options).unwrap();
    let rows = [long.to_uppercase(), long.replace('c', "a")]
        .map(|alt| format!("1\t700\tINS\t120\tA\tA{alt}\n"));
    for (columns, is_known) in [
        ("ref\talt", true),
        ("[4]REF\t[5]ALT", true),
        ("x\ty", false),
        ("ref\ty", false),
    ] {
        let table = format!("chrom\tpos\tsvtype\tsvlen\t{columns}\n{}", rows.concat());
        std::fs::write(at(&files, "rows.tsv"), table).unwrap();
        let rows = read_row_identities(&at(&files, "rows.tsv")).unwrap();
        let joined = found.in_order_of(&rows, "rows.tsv", 100.0);
        if !is_known {
            let error = joined.unwrap_err().to_string();
            assert!(
                error.contains("2 rows and 2 calls that cannot be told apart"),
                "{error}"
            );
            continue;
        }
        let joined = joined.unwrap();
        assert!(
            joined.words().contains("2 by chrom, pos, ref and alt"),
            "{}",
            joined.words()
        );
        let classes = [0, 1].map(|row| joined.calls.calls.truvari_class.get(row));
        assert_eq!(classes, [Some("FP"), Some("TP")], "{columns}");
    }
}

#[test]
fn rows_of_several_files_are_joined_once() {
    let files = tempfile::tempdir().unwrap();
    let folder = files.path();
    benchmark(folder);
    let pieces = [
        "--out",
        "@pieces",
        "--rows",
        "200",
        "--input-dim",
        "32",
        "--features",
        "64",
        "--k",
        "4",
        "--pieces",
        "3",
    ];
    ok(&run("simulate", folder, &pieces));
    let labelled = [
        "--tp",
        "@tp.vcf",
        "--fp",
        "@fp.vcf",
        "--min-joined",
        "80",
        "--model",
        "@sim",
        "--save-fires",
    ];
    let one = ["--embeddings", "@sim/embeddings.pt", "--out", "@one"];
    ok(&run("analyze", folder, &[&labelled[..], &one].concat()));
    let several = [
        "@pieces/embeddings-1.pt",
        "@pieces/embeddings-2.pt",
        "@pieces/embeddings-3.pt",
    ];
    let out = ["--out", "@several", "--embeddings"];
    let notes = ok(&run(
        "analyze",
        folder,
        &[&labelled[..], &out, &several].concat(),
    ));
    assert!(
        notes.contains("of 200 rows 180 have a call (180 by ID)"),
        "{notes}"
    );
    for name in [
        "fires.npy",
        "sae_feature_bias_analysis.csv",
        "call_atoms.tsv",
    ] {
        let read = |out: &str| std::fs::read(folder.join(out).join(name)).unwrap();
        assert!(read("one") == read("several"), "{name}");
    }
    let account = |out: &str| std::fs::read(folder.join(out)).unwrap();
    assert!(account("one.calls_account.tsv") == account("several.calls_account.tsv"));
    assert!(folder.join("several.calls-3.parquet").exists());
    // Of one file given twice every row is there twice, and the calls are not.
    let twice = ["@pieces/embeddings-1.pt", "@pieces/embeddings-1.pt"];
    let out = ["--out", "@twice", "--embeddings"];
    let refused = run("analyze", folder, &[&labelled[..], &out, &twice].concat());
    assert_refused(&refused, &["embeddings-1.pt"]);
    let rows_are = ["--rows-are", "@embedded.vcf", "--out", "@b", "--embeddings"];
    let refused = run(
        "analyze",
        folder,
        &[&labelled[..], &rows_are, &several].concat(),
    );
    assert_refused(&refused, &["--metadata", "a table for each file"]);
}

#[test]
fn rows_that_cannot_be_told_apart_are_refused() {
    let files = truvari();
    let same = "1 1000 . N <DEL> . . SVLEN=-100;END=1100";
    std::fs::write(at(&files, "twice.vcf"), Vcf::of(&[same, same]).text()).unwrap();
    let rows = read_row_identities(&at(&files, "twice.vcf")).unwrap();
    let error = read(files.path())
        .in_order_of(&rows, "twice.vcf", 0.0)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("rows 0 and 1")
            && error.contains("2 rows and 1 calls that cannot be told apart"),
        "{error}"
    );
}

#[test]
fn rows_of_what_says_nothing_are_refused() {
    let files = truvari();
    let path = at(&files, "ids.txt");
    std::fs::write(&path, "a\nb c\n").unwrap();
    let error = read_row_identities(&path).unwrap_err().to_string();
    assert!(
        error.contains("line 2") && error.contains("one ID"),
        "{error}"
    );
    std::fs::write(&path, b"PK\x03\x04").unwrap();
    assert!(read_row_identities(&path).is_err());
}

fn run(command: &str, folder: &Path, args: &[&str]) -> std::process::Output {
    let args = args.iter().map(|arg| match arg.strip_prefix('@') {
        Some(name) => folder.join(name).into_os_string(),
        None => (*arg).into(),
    });
    atomscope([std::ffi::OsString::from(command)].into_iter().chain(args))
}

fn ok(output: &std::process::Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    stderr
}

/// A benchmark of a simulated cohort, of which every tenth call is in no file.
fn benchmark(folder: &Path) -> usize {
    let simulated = run(
        "simulate",
        folder,
        &[
            "--out",
            "@sim",
            "--rows",
            "200",
            "--input-dim",
            "32",
            "--features",
            "64",
            "--k",
            "4",
        ],
    );
    ok(&simulated);
    let cohort = atomscope::read::read_cohort(&folder.join("sim/embeddings.pt")).unwrap();
    let (mut embedded, mut tp, mut fp) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..200 {
        let call = cohort.calls.get(row);
        let (length, pos) = (call.svlen.as_f64().abs(), call.pos.as_f64());
        let record = format!(
            "{} {pos} {} N <{}> . . SVLEN={length};END={}",
            call.chrom.unwrap(),
            call.id.unwrap(),
            call.svtype.unwrap(),
            pos + length
        );
        embedded.push(record.clone());
        match (row % 10, cohort.calls.label(row)) {
            (9, _) => {}
            (_, atomscope::cohort::Label::Tp) => tp.push(record),
            (_, atomscope::cohort::Label::Fp) => fp.push(record),
        }
    }
    // Each file of a benchmark has an order of its own.
    tp.reverse();
    for (name, records) in [
        ("embedded.vcf", &embedded),
        ("tp.vcf", &tp),
        ("fp.vcf", &fp),
    ] {
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        std::fs::write(folder.join(name), Vcf::of(&records).text()).unwrap();
    }
    tp.len()
}

#[test]
fn rows_without_a_call_are_dropped_by_the_analysis() {
    let files = tempfile::tempdir().unwrap();
    let folder = files.path();
    let true_calls = benchmark(folder);
    let pair = [
        "--tp",
        "@tp.vcf",
        "--fp",
        "@fp.vcf",
        "--rows-are",
        "@embedded.vcf",
        "--out",
        "@calls.parquet",
    ];
    assert_refused(
        &run("calls", folder, &pair),
        &["--min-joined SHARE", "at least 95 %", "180 have a call"],
    );
    let notes = ok(&run(
        "calls",
        folder,
        &[&pair[..], &["--min-joined", "90"]].concat(),
    ));
    assert!(
        notes.contains("of 200 rows 180 have a call (180 by ID), 20 have none"),
        "{notes}"
    );
    let shared = [
        "--model",
        "@sim",
        "--embeddings",
        "@sim/embeddings.pt",
        "--metadata",
        "@calls.parquet",
    ];
    let notes = ok(&run(
        "analyze",
        folder,
        &[&shared[..], &["--out", "@dropped", "--save-fires"]].concat(),
    ));
    assert!(
        notes.contains("20 of 200 calls were dropped") && !notes.contains("no call\""),
        "{notes}"
    );
    let record = std::fs::read_to_string(folder.join("dropped/run.json")).unwrap();
    assert!(
        record.contains("\"rows_dropped_as_nonfinite\": 20"),
        "{record}"
    );
    // The same analysis of the rows that have a call, as sv_info labels them.
    ok(&run(
        "analyze",
        folder,
        &[
            "--model",
            "@sim",
            "--embeddings",
            "@sim/embeddings.pt",
            "--out",
            "@all",
            "--save-fires",
        ],
    ));
    let fires = |name: &str| std::fs::read(folder.join(name).join("fires.npy")).unwrap();
    let (kept, all) = (fires("dropped"), fires("all"));
    let rows =
        |bytes: &[u8]| -> Vec<Vec<u8>> { bytes[128..].chunks(16).map(<[u8]>::to_vec).collect() };
    let expected: Vec<_> = rows(&all)
        .into_iter()
        .enumerate()
        .filter(|(row, _)| row % 10 != 9)
        .map(|(_, set)| set)
        .collect();
    assert_eq!(rows(&kept), expected);
    let report = std::fs::read_to_string(folder.join("dropped/report.txt")).unwrap_or_default();
    assert!(true_calls > 10 && !report.contains("no call ("), "{report}");
}

#[test]
fn analyze_and_tally_take_labels_from_a_benchmark() {
    let files = tempfile::tempdir().unwrap();
    let folder = files.path();
    benchmark(folder);
    let labels = ["--tp", "@tp.vcf", "--fp", "@fp.vcf", "--min-joined", "90"];
    let shared = ["--model", "@sim", "--embeddings", "@sim/embeddings.pt"];
    // The embeddings' own sv_info says which call each row is.
    let analyze = [&shared[..], &labels, &["--out", "@results"]].concat();
    let notes = ok(&run("analyze", folder, &analyze));
    assert!(
        notes.contains("of 200 rows 180 have a call (180 by ID)"),
        "{notes}"
    );
    assert!(
        folder.join("results.calls.parquet").exists()
            && folder.join("results.calls_account.tsv").exists()
    );
    // Again: nothing has changed.
    ok(&run("analyze", folder, &analyze));
    // Another answer under the same name is a user's until it may be replaced.
    std::fs::write(folder.join("results.calls_account.tsv"), "mine").unwrap();
    let refused = run("analyze", folder, &analyze);
    let last = String::from_utf8_lossy(&refused.stderr)
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned();
    assert!(
        last.contains("results.calls") && last.ends_with("--force"),
        "{last}"
    );
    assert_eq!(
        std::fs::read(folder.join("results.calls_account.tsv")).unwrap(),
        b"mine"
    );
    let rows = ["--rows-are", "@embedded.vcf"];
    let tally = [
        &shared[..],
        &labels,
        &rows,
        &["--out", "@one.tally", "--fires"],
    ]
    .concat();
    let notes = ok(&run("tally", folder, &tally));
    assert!(notes.contains("20 of 200 calls were dropped"), "{notes}");
    ok(&run(
        "report",
        folder,
        &["@one.tally", "--out", "@reported"],
    ));
    let csv = |name: &str| {
        std::fs::read(folder.join(name).join("sae_feature_bias_analysis.csv")).unwrap()
    };
    assert_eq!(csv("results"), csv("reported"));
    let investigate = [&shared[..], &labels, &["--atom", "1"]].concat();
    assert_refused(
        &run("investigate", folder, &investigate),
        &["OUT.calls.parquet"],
    );
    let classes = [&analyze[..], &["--class-column", "x", "--calls", "@sim"]].concat();
    assert_eq!(run("analyze", folder, &classes).status.code(), Some(2));
}
