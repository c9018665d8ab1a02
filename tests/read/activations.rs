//! Activations in every layout that other programs write give the same rows; whatever is wrong with
//! them is named.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use crate::common::reading::{Random, damage, parts, silence};
use atomscope::Control;
use atomscope::cohort::ClassRule;
use atomscope::error::{Choice, Error, Result};
use atomscope::read::{Activations, Cohort, read_activations};

/// N and F of the goldens.
const ROWS: usize = 23;
const ATOMS: u64 = 11;

type Rows = Vec<Vec<(u32, f64)>>;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/activations")
        .join(name)
}

fn open(path: &Path, atoms: Option<u64>) -> Result<Cohort<Activations>> {
    let calls = golden("calls.csv");
    read_activations(path, Some(&calls), &ClassRule::default(), atoms)
}

/// What fires on each row, as numpy says.
fn expected(key: &str) -> Rows {
    let text = std::fs::read_to_string(golden("rows.json")).expect("a file");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let rows = all[key].as_array().expect("rows").iter();
    let entry = |entry: &Value| {
        let atom = entry[0].as_u64().expect("an atom");
        (atom as u32, entry[1].as_f64().expect("a value"))
    };
    rows.map(|row| row.as_array().expect("a row").iter().map(entry).collect())
        .collect()
}

/// What fires on each row, read `at_once` rows at a time.
fn rows(activations: &Activations, at_once: usize) -> Result<Rows> {
    let mut all = Rows::new();
    for start in (0..activations.count()).step_by(at_once) {
        let end = activations.count().min(start + at_once);
        let found = activations.read(start..end, &Control::default())?;
        assert_eq!(found.row_ends.len(), end - start);
        let mut first = 0;
        for end in found.row_ends {
            let atoms = found.atoms[first..end].iter().copied();
            all.push(
                atoms
                    .zip(found.values[first..end].iter().copied())
                    .collect(),
            );
            first = end;
        }
    }
    Ok(all)
}

/// Files of the one matrix, and whether they hold the number of atoms.
const GOOD: [(&str, bool); 16] = [
    ("csr_array.npz", true),
    ("csr_matrix.npz", true),
    ("odd.npz", true),
    ("dense_f2.npy", true),
    ("dense_f4.npy", true),
    ("dense_f8.npy", true),
    ("fortran_f8.npy", true),
    ("only.npz", true),
    ("acts.npz", true),
    ("acts.safetensors", true),
    ("bfloat16.safetensors", true),
    ("top.safetensors", false),
    ("top.npz", false),
    ("long.parquet", false),
    ("mixed.parquet", false),
    // Nothing but which atoms fire.
    ("fires.npy", false),
];

#[test]
fn every_layout_gives_the_rows_of_the_dense_matrix() {
    let (matrix, fires) = (expected("rows"), expected("fires"));
    for (name, holds_atoms) in GOOD {
        let atoms = (!holds_atoms).then_some(ATOMS);
        let cohort = open(&golden(name), atoms).expect(name);
        assert_eq!((cohort.rows.count(), cohort.calls.len()), (ROWS, ROWS));
        assert_eq!(cohort.rows.atoms() as u64, ATOMS, "{name}");
        let expected = if name == "fires.npy" { &fires } else { &matrix };
        for at_once in [1, 4, ROWS] {
            let found = rows(&cohort.rows, at_once).expect(name);
            assert_eq!(&found, expected, "{name}, {at_once} rows at a time");
        }
    }
}

#[test]
fn files_that_say_only_which_atoms_fire_give_the_value_1() {
    let expected: Rows = expected("rows");
    let ones = |row: &Vec<(u32, f64)>| row.iter().map(|&(atom, _)| (atom, 1.0)).collect();
    let expected: Rows = expected.iter().map(ones).collect();
    for name in ["ones_bool.npy", "ones.npz"] {
        let cohort = open(&golden(name), None).expect(name);
        assert_eq!(rows(&cohort.rows, 5).expect(name), expected, "{name}");
    }
    let cohort = open(&golden("fires.npy"), Some(ATOMS)).expect("a file");
    assert!(
        cohort
            .notes
            .iter()
            .any(|note| note.contains("not how strongly"))
    );
}

#[test]
fn lists_of_no_atoms_are_rows_on_which_nothing_fires() {
    let cohort = open(&golden("k0.safetensors"), Some(ATOMS)).expect("a file");
    assert_eq!(rows(&cohort.rows, 7).expect("rows"), vec![Vec::new(); ROWS]);
}

#[test]
fn the_number_of_atoms_is_asked_for_where_a_file_does_not_hold_it() {
    for (name, holds_atoms) in GOOD {
        let path = golden(name);
        if holds_atoms {
            let error = open(&path, Some(ATOMS + 1)).expect_err(name);
            let Error::Choice {
                choice: Choice::Atoms,
                found,
                ..
            } = &error
            else {
                panic!("{error}")
            };
            assert_eq!(found, "12");
            assert!(open(&path, Some(ATOMS)).is_ok(), "{name}");
            continue;
        }
        let error = open(&path, None).expect_err(name);
        assert_eq!(parts(&path, &error).place, "the number of atoms", "{name}");
        assert_eq!(error.proposals()[0].choice, Choice::Atoms, "{name}");
        // Atom 10 fires somewhere.
        let cohort = open(&path, Some(10)).expect(name);
        let error = rows(&cohort.rows, ROWS).expect_err(name);
        assert!(parts(&path, &error).found.contains("the atom 10"), "{name}");
    }
}

#[test]
fn what_is_taken_of_several_arrays_is_said() {
    let cohort = open(&golden("acts.npz"), None).expect("a file");
    let note = cohort
        .notes
        .iter()
        .find(|note| note.contains("passed over"));
    assert!(
        note.expect("a note")
            .contains("array acts is taken, and more passed over")
    );
}

/// Files that are refused, and words of the message, where it is and what was found.
const BAD: [(&str, &str, &str); 29] = [
    ("bad_csc.npz", "array format", "csc"),
    ("bad_coo.npz", "array format", "coo"),
    ("bad_bsr.npz", "array format", "bsr"),
    ("bad_bfloat16.npy", "the array", "V2"),
    ("bad_whole.npy", "the array", "<i8 [23, 11]"),
    ("bad_line.npy", "the array", "<f4 [253]"),
    ("bad_nan.npy", "row 5, atom 9", "NaN"),
    ("bad_falls.npz", "array indptr", "row 4 from entry"),
    ("bad_index.npz", "row 4", "the atom 11"),
    ("bad_negative.npz", "row 4", "the atom -1"),
    ("bad_infinite.npz", "row 4, atom", "-inf"),
    ("bad_ragged.npz", "array data", "float64"),
    ("bad_short.npz", "array indptr", "int32 [23]"),
    ("bad_huge.npz", "array indptr", "int32 [24]"),
    ("bad_wide.npz", "the number of atoms", "1099511627776"),
    ("bad_rows.npz", "the number of rows", "23 calls"),
    (
        "bad_shapes.safetensors",
        "tensor top_acts",
        "float32 [23, 4]",
    ),
    ("bad_alone.safetensors", "tensor top_acts", "none"),
    ("bad_top.safetensors", "row", "the atom -1"),
    (
        "bad_several.npz",
        "the arrays",
        "a (<f4 [23, 11]), b (<f4 [23, 11])",
    ),
    ("bad_twice.parquet", "row 5, atom 2", "two activations"),
    ("bad_row.parquet", "column row", "the row 23"),
    ("bad_negative.parquet", "column row", "the row -1"),
    ("bad_atom.parquet", "row 5", "the atom 11"),
    ("bad_missing.parquet", "column value", "1 missing values"),
    ("bad_text.parquet", "column atom", "BYTE_ARRAY"),
    ("bad_names.parquet", "the columns", "none of the name atom"),
    ("calls.csv", "the file's beginning", "text"),
    ("rows.json", "the file's beginning", "a JSON file"),
];

#[test]
fn bad_files_are_refused_with_place_and_content() {
    for (name, place, found) in BAD {
        let path = golden(name);
        let is_listed = name.contains("bad_top") || name.ends_with("parquet");
        let opened = open(&path, is_listed.then_some(ATOMS));
        let error = opened
            .and_then(|cohort| rows(&cohort.rows, ROWS))
            .expect_err(name);
        let file = match name {
            "bad_rows.npz" => golden("calls.csv"),
            _ => path,
        };
        let parts = parts(&file, &error);
        assert!(parts.place.contains(place), "{name}: {error}");
        assert!(parts.found.contains(found), "{name}: {error}");
    }
}

#[test]
fn a_width_beyond_all_models_is_taken_only_if_it_is_asked_for() {
    let path = golden("bad_wide.npz");
    let error = open(&path, Some(1 << 40)).expect_err("no such number");
    assert!(error.to_string().contains("4294967295"), "{error}");
}

/// Opens and reads a file; whether it is taken. What is refused is named in one line.
fn read(path: &Path, atoms: Option<u64>) -> bool {
    let opened = open(path, atoms);
    let done = opened.and_then(|cohort| {
        assert_eq!(cohort.rows.count(), ROWS);
        rows(&cohort.rows, 10)
    });
    match done {
        Ok(rows) => {
            let fine = |row: &Vec<(u32, f64)>| {
                let ascends = row.is_sorted_by(|a, b| a.0 < b.0);
                ascends
                    && row
                        .iter()
                        .all(|(_, value)| value.is_finite() && *value != 0.0)
            };
            assert!(rows.iter().all(fine));
            true
        }
        Err(error) => {
            assert_eq!(error.exit_code(), 2);
            let line = error.to_string();
            assert!(!line.contains('\n'), "{line}");
            false
        }
    }
}

#[test]
fn damaged_files_are_refused_or_read_whole() {
    const CASES: usize = 300;
    silence();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x");
    let started = Instant::now();
    for (seed, (name, holds_atoms)) in GOOD.into_iter().enumerate() {
        let whole = std::fs::read(golden(name)).expect("a file");
        let mut random = Random(seed as u64 + 500);
        let mut refused = 0;
        for _ in 0..CASES {
            std::fs::write(&path, damage(&mut random, &whole)).expect("a place");
            refused += usize::from(!read(&path, (!holds_atoms).then_some(ATOMS)));
        }
        assert!(refused > CASES / 10, "{name}: {refused}");
    }
    assert!(started.elapsed().as_secs() < 300);
}

#[test]
fn files_cut_short_anywhere_are_refused() {
    silence();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x");
    for name in [
        "csr_array.npz",
        "dense_f2.npy",
        "top.safetensors",
        "long.parquet",
    ] {
        let whole = std::fs::read(golden(name)).expect("a file");
        for end in 0..whole.len() {
            std::fs::write(&path, &whole[..end]).expect("a place");
            assert!(!read(&path, Some(ATOMS)), "{name} cut at {end}");
        }
    }
}
