//! Every form of embeddings and of calls gives what the torch file of the same cohort gives:
//! `tests/golden/make_inputs.py` wrote the files.

use std::path::{Path, PathBuf};

use crate::common::inputs::{EMBEDDINGS, TABLES, golden};
use atomscope::cohort::Number;
use atomscope::error::{Choice, Proposal};
use atomscope::read::{Cohort, inspect, read_cohort, read_cohort_with};
use atomscope::rows::{ElementType, Rows};

fn numbers(rows: &impl Rows) -> Vec<f32> {
    let mut out = vec![f32::NAN; rows.count() * rows.dim()];
    rows.read(0..rows.count(), &mut out).unwrap();
    out
}

fn read(embeddings: &str, table: &str) -> Cohort {
    let (embeddings, table) = (golden(embeddings), golden(table));
    read_cohort_with(&embeddings, Some(&table)).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn every_form_of_embeddings_has_the_same_rows() {
    let expected = read_cohort(&golden("cohort.pt")).unwrap();
    assert_eq!(expected.metadata, None);
    let rows = numbers(&expected.rows);
    assert!(rows[0] != rows[1] && rows[0] == -2.5);
    for name in EMBEDDINGS {
        let cohort = read(name, "calls.csv");
        assert_eq!((cohort.rows.count(), cohort.rows.dim()), (13, 5), "{name}");
        assert_eq!(numbers(&cohort.rows), rows, "{name}");
        assert_eq!(cohort.calls, expected.calls, "{name}");
        cohort.rows.check_unchanged().unwrap();
    }
    for (name, element) in [
        ("rows_f2.npy", ElementType::F16),
        ("rows_f4.npy", ElementType::F32),
        ("rows_f8.npy", ElementType::F64),
        ("rows_bfloat16.safetensors", ElementType::Bf16),
        ("rows_float16.safetensors", ElementType::F16),
    ] {
        let rows = read(name, "calls.csv").rows;
        assert_eq!(rows.element_type(), element, "{name}");
        let mut stored = vec![0; element.bytes() * 5];
        rows.read_stored(3..4, &mut stored).unwrap();
        let at = &stored[..element.bytes()];
        let first = match element {
            ElementType::F16 => half::f16::from_le_bytes(at.try_into().unwrap()).to_f32(),
            ElementType::Bf16 => half::bf16::from_le_bytes(at.try_into().unwrap()).to_f32(),
            ElementType::F32 => f32::from_le_bytes(at.try_into().unwrap()),
            ElementType::F64 => f64::from_le_bytes(at.try_into().unwrap()) as f32,
        };
        let mut wide = [0.0; 5];
        rows.read(3..4, &mut wide).unwrap();
        assert_eq!(first, wide[0], "{name}");
    }
}

#[test]
fn every_form_of_table_has_the_same_calls() {
    let expected = read_cohort(&golden("cohort.pt")).unwrap();
    for name in TABLES {
        let cohort = read("rows_f4.npy", name);
        assert_eq!(cohort.calls, expected.calls, "{name}");
        assert_eq!(cohort.warnings, expected.warnings, "{name}");
        assert_eq!(cohort.metadata, Some(golden(name)));
        assert!(matches!(cohort.calls.pos.get(0), Number::Int(pos) if pos > 0));
    }
}

#[test]
fn what_is_missing_is_missing_in_every_form() {
    let expected = read_cohort(&golden("missing.pt")).unwrap();
    assert_eq!(expected.calls.svlen.get(0), Number::Float(12.0));
    assert_eq!(expected.calls.svtype.get(1), None);
    for name in ["missing.csv", "missing.parquet", "missing.jsonl"] {
        let cohort = read("missing.pt", name);
        assert_eq!(cohort.calls, expected.calls, "{name}");
        let renamed: Vec<_> = expected
            .warnings
            .iter()
            .map(|warning| warning.replacen("sv_info", name, 1))
            .collect();
        assert!(renamed.len() > 3);
        assert_eq!(cohort.warnings, renamed, "{name}");
    }
    let expected = read_cohort(&golden("nulls.pt")).unwrap();
    let cohort = read("nulls.pt", "nulls.jsonl");
    assert_eq!(cohort.calls, expected.calls);
    assert_eq!(cohort.calls.svtype.get(0), Some("None"));
    // A null is a missing number, which is said; Python's None is the same in sv_info.
    let no_length = "1 of 1 calls have no svlen (it is missing, or None); it is taken as 0";
    assert_eq!(cohort.warnings, [format!("nulls.jsonl: {no_length}")]);
    assert_eq!(expected.warnings, [format!("sv_info: {no_length}")]);
}

fn copy(folder: &Path, from: &str, to: &str) -> PathBuf {
    let path = folder.join(to);
    std::fs::copy(golden(from), &path).unwrap();
    path
}

#[test]
fn the_one_table_of_the_same_name_is_found() {
    let folder = tempfile::tempdir().unwrap();
    // The names say nothing of the format: the bytes do.
    let embeddings = copy(folder.path(), "rows_float16.safetensors", "run.1.npy");
    let error = read_cohort(&embeddings).unwrap_err().to_string();
    for word in ["run.1.npy", "no table", "run.1.csv", "name the calls' file"] {
        assert!(error.contains(word), "{word} is not in {error}");
    }
    let table = copy(folder.path(), "calls_zstd.parquet", "run.1.csv");
    assert_eq!(read_cohort(&embeddings).unwrap().metadata, Some(table));
    copy(folder.path(), "calls.jsonl.gz", "run.1.ndjson.gz");
    let error = read_cohort(&embeddings).unwrap_err();
    assert_eq!(error.proposals(), [Proposal::of(Choice::Metadata)]);
    let error = error.to_string();
    for word in ["several tables", "run.1.csv, run.1.ndjson.gz"] {
        assert!(error.contains(word), "{word} is not in {error}");
    }
    for name in ["bare.pt", "alone.pt"] {
        let folder = tempfile::tempdir().unwrap();
        let embeddings = copy(folder.path(), name, "run.pt");
        let error = read_cohort(&embeddings).unwrap_err();
        assert_eq!(error.proposals(), [Proposal::of(Choice::Metadata)]);
        let table = copy(folder.path(), "calls.tsv", "run.tsv");
        assert_eq!(read_cohort(&embeddings).unwrap().metadata, Some(table));
    }
}

/// A table of the golden's calls with two rows exchanged.
fn exchanged(folder: &Path) -> PathBuf {
    let text = std::fs::read_to_string(golden("calls.csv")).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    lines.swap(8, 9);
    let path = folder.join("exchanged.csv");
    std::fs::write(&path, lines.join("\n")).unwrap();
    path
}

#[test]
fn ids_that_both_have_must_agree() {
    let folder = tempfile::tempdir().unwrap();
    let table = exchanged(folder.path());
    for name in ["cohort.pt", "named.npz", "compressed.npz", "objects.npz"] {
        let error = read_cohort_with(&golden(name), Some(&table)).unwrap_err();
        let error = error.to_string();
        for word in ["exchanged.csv", "row 7", "délly.007", "délly.008", name] {
            assert!(error.contains(word), "{word} is not in {error}");
        }
    }
    read_cohort_with(&golden("rows_f4.npy"), Some(&table)).unwrap();
    // An array of objects whose items are text.
    let cohort = read("objects.npz", "calls.csv");
    assert!(cohort.warnings.is_empty(), "{:?}", cohort.warnings);
}

#[test]
fn a_file_that_changes_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "rows_f4.npy",
        "compressed.npz",
        "rows_float32.safetensors",
        "cohort.pt",
    ] {
        let path = copy(folder.path(), name, "rows");
        let rows = read_cohort_with(&path, Some(&golden("calls.csv")))
            .unwrap()
            .rows;
        rows.check_unchanged().unwrap();
        let whole = std::fs::read(&path).unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
        let file = std::fs::File::options().append(true).open(&path).unwrap();
        file.set_modified(later).unwrap();
        let told = |word: &str| {
            let error = rows.check_unchanged().unwrap_err().to_string();
            assert!(error.contains(word), "{word} is not in {error}");
            assert!(error.contains("changed while it was read"), "{error}");
        };
        told("another time");
        std::fs::write(&path, [&*whole, b"more"].concat()).unwrap();
        told(&format!("{} bytes", whole.len() + 4));
        let other = copy(folder.path(), name, "other");
        std::fs::rename(other, &path).unwrap();
        if cfg!(unix) {
            told("another file");
        }
        std::fs::remove_file(&path).unwrap();
        told("no file any more");
    }
}

#[test]
fn inspection_tells_what_each_form_holds() {
    for (name, words) in [
        ("rows_f4.npy", &["NumPy array (.npy)", "<f4 [13, 5]"][..]),
        (
            "named.npz",
            &[
                "NumPy archive (.npz)",
                "embeddings",
                "<f4 [13, 5]",
                "ids",
                "<U80 [13]",
            ],
        ),
        (
            "rows_bfloat16.safetensors",
            &["safetensors", "BF16 [13, 5]", "I64 [3]", "by hand"],
        ),
        ("calls.csv", &["CSV", "13 rows", "truvari_class", "extra"]),
        ("calls.tsv.gz", &["TSV", "13 rows", "truvari_class"]),
        ("calls.jsonl", &["JSON lines", "13 rows", "svlen"]),
        ("calls_zstd.parquet", &["Parquet", "13 rows", "svlen"]),
    ] {
        let found = inspect(&golden(name)).unwrap_or_else(|e| panic!("{e}"));
        let text = found.to_string();
        for word in words {
            assert!(text.contains(word), "{word} is not in {text}");
        }
        serde_json::to_string(&found).unwrap();
    }
}
