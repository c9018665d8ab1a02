//! Files with more in them than tensors and lists: `tests/golden/make_objects.py` wrote them, and
//! beside them what they hold.

use std::path::{Path, PathBuf};

use crate::common::reading::parts;
use atomscope::cohort::Calls;
use atomscope::error::BadInput;
use atomscope::read::{inspect, read_cohort, read_cohort_with, read_model};
use atomscope::rows::Rows;
use serde_json::Value;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/objects")
        .join(name)
}

fn expected(section: &str) -> Value {
    let text = std::fs::read_to_string(golden("expected.json")).unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    all[section].take()
}

fn names(section: &str) -> Vec<String> {
    let names: Vec<String> = serde_json::from_value(expected(section)).unwrap();
    assert!(names.len() > 5, "{section}");
    names
}

fn bad_cohort(name: &str) -> BadInput {
    let path = golden(name);
    parts(&path, &read_cohort(&path).unwrap_err())
}

fn assert_said(bad: &BadInput, words: [&str; 3]) {
    assert!(bad.place.contains(words[0]), "{bad:?}");
    assert!(bad.found.contains(words[1]), "{bad:?}");
    assert!(bad.action.contains(words[2]), "{bad:?}");
}

/// The rows that every file of these has.
fn rows() -> Vec<f32> {
    (0..15)
        .map(|i| ((i * 37 + 11) % 64 - 32) as f32 / 8.0)
        .collect()
}

fn assert_rows(path: &Path) {
    let cohort = read_cohort(path).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((cohort.rows.count(), cohort.rows.dim()), (5, 3));
    let mut found = vec![f32::NAN; 15];
    cohort.rows.read(0..5, &mut found).unwrap();
    assert_eq!(found, rows(), "{}", path.display());
    assert_eq!(cohort.calls.len(), 5);
    assert_eq!(cohort.calls.get(2).id, Some("v2"));
}

#[test]
fn objects_in_keys_that_nobody_needs_are_passed_over_by_name() {
    assert!(names("kinds").len() >= 60);
    for file in ["2", "3", "4", "5", "legacy_2", "legacy_4"] {
        let path = golden(&format!("foreign_{file}.pt"));
        assert_rows(&path);
        let warnings = read_cohort(&path).unwrap().warnings;
        let [warning] = warnings.as_slice() else {
            panic!("{warnings:?}")
        };
        for words in [
            "passed over",
            "nothing was executed",
            "pandas",
            "extra.frame",
            "more",
        ] {
            assert!(warning.contains(words), "{words} is not in {warning}");
        }
        let found = inspect(&path).unwrap();
        let named = |class: &str| found.foreign_names.iter().any(|f| f.name.contains(class));
        for class in ["DataFrame", "StandardScaler", "Decimal", "Colour", "Point"] {
            assert!(named(class), "{file}: {class}");
        }
        assert!(found.to_string().contains("extra"));
    }
    for name in ["rows_attributes.pt", "rows_buffer.pt"] {
        assert_rows(&golden(name));
    }
}

#[test]
fn objects_in_keys_that_are_needed_are_refused_by_name() {
    for (name, words) in [
        (
            "frame",
            [
                "key sv_info",
                "an object of pandas.DataFrame",
                "to_dict(\"list\")",
            ],
        ),
        (
            "records",
            ["key sv_info", "structured NumPy array", "array.dtype.names"],
        ),
        ("set", ["key sv_info", "a set", "list of dicts"]),
        ("row_object", ["sv_info[0]", "Point", "list of dicts"]),
        (
            "enum",
            ["sv_info[0].svtype", "Colour", "save it as a plain value"],
        ),
        ("sparse", ["key embeddings", "sparse tensor", "as a tensor"]),
        ("tensor_class", ["key embeddings", "Rows", "as a tensor"]),
        (
            "module",
            ["the top level", "whole torch.nn.Module", "state_dict()"],
        ),
    ] {
        assert_said(&bad_cohort(&format!("needed/{name}.pt")), words);
    }
    for (name, words) in [
        (
            "module",
            ["the top level", "whole torch.nn.Module", "state_dict()"],
        ),
        (
            "module_state",
            [
                "key model_state_dict",
                "whole torch.nn.Module",
                "state_dict()",
            ],
        ),
    ] {
        let path = golden(&format!("needed/{name}.pt"));
        assert_said(&parts(&path, &read_model(&path).unwrap_err()), words);
    }
}

fn texts(calls: &Calls, row: usize) -> [Option<String>; 7] {
    let call = calls.get(row);
    [
        call.chrom.map(str::to_owned),
        Some(call.pos.to_string()),
        call.svtype.map(str::to_owned),
        Some(call.svlen.to_string()),
        call.truvari_class.map(str::to_owned),
        call.dataset.map(str::to_owned),
        call.id.map(str::to_owned),
    ]
}

#[test]
fn columns_of_every_form_are_read() {
    let forms = expected("columns");
    let forms = forms.as_object().unwrap();
    assert!(forms.len() > 15);
    for (name, expected) in forms {
        for protocol in [2, 5] {
            let path = golden(&format!("columns/{name}_{protocol}.pt"));
            let cohort = read_cohort(&path).unwrap_or_else(|e| panic!("{e}"));
            let expected: Vec<[Option<String>; 7]> =
                serde_json::from_value(expected.clone()).unwrap();
            assert_eq!(cohort.calls.len(), expected.len(), "{name}");
            for (row, expected) in expected.into_iter().enumerate() {
                assert_eq!(texts(&cohort.calls, row), expected, "{name} row {row}");
            }
            assert!(cohort.warnings.is_empty(), "{name}: {:?}", cohort.warnings);
        }
    }
}

#[test]
fn columns_that_are_not_understood_are_errors_and_never_missing() {
    let forms = expected("bad_columns");
    for (name, key) in forms.as_object().unwrap() {
        let bad = bad_cohort(&format!("bad_columns/{name}.pt"));
        let key = key.as_str().unwrap();
        assert!(bad.place.contains("sv_info"), "{name}: {bad:?}");
        assert!(bad.place.ends_with(key), "{name}: {bad:?}");
    }
    let short = bad_cohort("bad_columns/short.pt");
    assert_eq!(
        (&*short.found, short.expected.contains("5, one")),
        ("4 values", true)
    );
    for (name, found) in [
        ("matrix", "[5, 2]"),
        ("series", "Series"),
        ("structured", "structured NumPy array"),
        ("set", "a set"),
        ("none", "None"),
        ("sparse", "a sparse tensor"),
        ("number_text", "\"x\""),
        ("scalar", "one value, 3"),
    ] {
        let bad = bad_cohort(&format!("bad_columns/{name}.pt"));
        assert!(bad.found.contains(found), "{name}: {bad:?}");
    }
}

#[test]
fn what_could_change_an_encoding_and_is_not_used_is_an_error() {
    for name in names("bad_models") {
        let path = golden(&format!("bad_models/{name}.pt"));
        let bad = parts(&path, &read_model(&path).unwrap_err());
        let place = match &*name {
            "zeros" => "σ",
            "module.encoder.weight" => "encoder.weight",
            name => name,
        };
        assert!(bad.place.contains(place), "{name}: {bad:?}");
    }
    let zeros = golden("bad_models/zeros.pt");
    let zeros = parts(&zeros, &read_model(&zeros).unwrap_err());
    assert!(
        zeros.place.ends_with("[0]") && zeros.found.contains("3 of 3"),
        "{zeros:?}"
    );
    let one = golden("bad_models/σ.pt");
    let one = parts(&one, &read_model(&one).unwrap_err());
    assert!(
        one.place.ends_with("[1]") && one.found.contains("1 of 3"),
        "{one:?}"
    );
}

#[test]
fn what_changes_no_encoding_passes() {
    for name in names("good_models") {
        let path = golden(&format!("models/{name}.pt"));
        let model = read_model(&path).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            (
                model.sae.input_dim(),
                model.sae.feature_dim(),
                model.sae.top_k().unwrap()
            ),
            (3, 4, 2)
        );
        let warned = model.warnings.join("; ");
        assert_eq!(name == "foreign", !warned.is_empty(), "{name}: {warned}");
        if name == "foreign" {
            for word in ["DataFrame", "Colour", "config.colour"] {
                assert!(warned.contains(word), "{word} is not in {warned}");
            }
        }
    }
}

#[test]
fn several_archives_in_one_file_are_counted_and_refused() {
    for (name, words) in [
        (
            "two.pt",
            ["the whole file", "2 zip archives", "to a file of its own"],
        ),
        (
            "two_legacy.pt",
            ["the object's end", "bytes more", "to a file of its own"],
        ),
        (
            "checkpoint/__0_0.distcp",
            ["the file", "torch.distributed.checkpoint", "dcp_to_torch"],
        ),
        (
            "checkpoint",
            ["the folder", "torch.distributed.checkpoint", "dcp_to_torch"],
        ),
        ("folders.pt", ["data.pkl", "2 of them", "a file of its own"]),
    ] {
        let path = golden(&format!("archives/{name}"));
        assert_said(&parts(&path, &read_cohort(&path).unwrap_err()), words);
        parts(&path, &read_model(&path).unwrap_err());
        parts(&path, &inspect(&path).unwrap_err());
    }
    // Something else before the archive.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pt");
    let whole = std::fs::read(golden("archives/sums.pt")).unwrap();
    std::fs::write(&path, [b"PK\x03\x04 other bytes", &*whole].concat()).unwrap();
    let bad = parts(&path, &read_cohort(&path).unwrap_err());
    assert_said(
        &bad,
        ["the whole file", "begins at byte 16", "a file of its own"],
    );
}

/// torch's directory is followed by 76 bytes of 64-bit records; where its first entry has 76 bytes,
/// too, a reader that looks for the directory by its size takes the second entry for the first.
#[test]
fn a_name_of_any_length_is_read() {
    assert_rows(&golden("archives/name_of_21_characters.pt"));
    let whole = std::fs::read(golden("archives/name_of_21_characters.pt")).unwrap();
    let directory = whole
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .unwrap();
    assert_eq!(&whole[directory + 76..directory + 80], b"PK\x01\x02");
}

#[test]
fn two_entries_of_one_name_are_refused() {
    for (name, entry) in [
        ("repeated.npz", "embeddings.npy"),
        ("repeated.pt", "sums/data/0"),
    ] {
        let bad = bad_cohort(&format!("archives/{name}"));
        assert_said(
            &bad,
            [entry, "two entries of this name", "save the file again"],
        );
    }
}

#[test]
fn entries_that_are_compressed_otherwise_are_not_called_damaged() {
    for (name, method) in [("bzip2.npz", "bzip2"), ("lzma.npz", "LZMA")] {
        let bad = bad_cohort(&format!("archives/{name}"));
        assert_said(&bad, ["embeddings.npy", method, "numpy.savez"]);
        assert!(!bad.action.contains("damaged"), "{bad:?}");
    }
}

#[test]
fn arrays_of_types_without_a_name_say_how_to_convert_them() {
    for (name, found, action) in [
        ("bfloat16.npy", "V2", ".view(ml_dtypes.bfloat16)"),
        (
            "records.npy",
            "[('a', '<f4')]",
            "structured_to_unstructured",
        ),
    ] {
        let bad = bad_cohort(&format!("archives/{name}"));
        assert!(
            bad.found.contains(found) && bad.action.contains(action),
            "{bad:?}"
        );
    }
}

#[test]
fn any_changed_byte_of_any_entry_is_found_where_sums_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pt");
    let whole = std::fs::read(golden("archives/sums.pt")).unwrap();
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(&whole)).unwrap();
    let mut tried = 0;
    for index in 0..zip.len() {
        let entry = zip.by_index_raw(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        if !["data.pkl", "byteorder", "data/0"]
            .iter()
            .any(|end| name.ends_with(end))
        {
            continue;
        }
        let start = entry.data_start().unwrap() as usize;
        for at in start..start + entry.size() as usize {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            std::fs::write(&path, &bytes).unwrap();
            let bad = parts(&path, &read_cohort(&path).unwrap_err());
            assert!(bad.place.contains(&name), "{at}: {bad:?}");
            assert!(bad.found.contains("CRC-32"), "{at}: {bad:?}");
            tried += 1;
        }
    }
    assert!(tried > 100);
}

#[test]
fn files_without_sums_are_read() {
    assert_rows(&golden("archives/sums.pt"));
    assert_rows(&golden("archives/no_sums.pt"));
    // An inflated entry whose sum was not computed: its directory's is made 0.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npz");
    let whole = std::fs::read(golden("archives/deflated.npz")).unwrap();
    let directory = whole
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .unwrap();
    let table = golden("../inputs/calls.csv");
    for (sum, reads) in [([0; 4], true), ([1, 2, 3, 4], false)] {
        let mut bytes = whole.clone();
        bytes[directory + 16..directory + 20].copy_from_slice(&sum);
        std::fs::write(&path, &bytes).unwrap();
        let error = read_cohort_with(&path, Some(&table))
            .unwrap_err()
            .to_string();
        // The table has other rows: the array was read.
        assert_eq!(!error.contains("CRC-32"), reads, "{error}");
    }
}
