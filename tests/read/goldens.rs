//! Files that torch wrote are read as torch reads them: `tests/golden/make_torch_files.py`
//! wrote the files, and beside them what they hold.

use std::path::{Path, PathBuf};

use atomscope::cohort::{Calls, Number};
use atomscope::read::{inspect, read_cohort, read_model};
use atomscope::rows::Rows;
use serde_json::Value;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/torch")
        .join(name)
}

/// A section of `expected.json`; an empty one would test nothing.
fn expected(section: &str) -> serde_json::Map<String, Value> {
    let text = std::fs::read_to_string(golden("expected.json")).unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    let Value::Object(section) = all[section].take() else {
        panic!("no section {section}")
    };
    assert!(section.len() > 3);
    section
}

fn floats(numbers: &Value) -> Vec<f32> {
    numbers
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap() as f32)
        .collect()
}

fn read(rows: &impl Rows, range: std::ops::Range<usize>) -> Vec<f32> {
    let mut out = vec![f32::NAN; range.len() * rows.dim()];
    rows.read(range, &mut out).unwrap();
    out
}

#[test]
fn rows_are_what_torch_saved_whichever_are_asked_for() {
    for (name, expected) in expected("rows") {
        let cohort = read_cohort(&golden(&name)).unwrap();
        let (count, dim) = (cohort.rows.count(), cohort.rows.dim());
        let shape: Vec<usize> = serde_json::from_value(expected["shape"].clone()).unwrap();
        assert_eq!([count, dim], *shape, "{name}");
        assert_eq!(cohort.calls.len(), count, "{name}");
        let numbers = floats(&expected["rows"]);
        for start in 0..=count {
            for end in start..=count {
                let part = &numbers[start * dim..end * dim];
                assert_eq!(
                    read(&cohort.rows, start..end),
                    part,
                    "{name} {start}..{end}"
                );
            }
        }
        let too_far = cohort.rows.read(count..count + 1, &mut vec![0.0; dim]);
        assert_eq!(too_far.unwrap_err().exit_code(), 2);
    }
}

#[test]
fn threads_read_side_by_side() {
    let cohort = read_cohort(&golden("strided_half.pt")).unwrap();
    let whole = read(&cohort.rows, 0..cohort.rows.count());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    assert_eq!(read(&cohort.rows, 0..cohort.rows.count()), whole);
                }
            });
        }
    });
}

#[test]
fn models_are_what_torch_saved_in_every_form() {
    for (name, expected) in expected("models") {
        let sae = read_model(&golden(&name))
            .unwrap_or_else(|e| panic!("{e}"))
            .sae;
        let sizes = [sae.input_dim(), sae.feature_dim(), sae.top_k().unwrap()];
        let wanted = ["input_dim", "feature_dim", "k"].map(|key| expected[key].as_u64().unwrap());
        assert_eq!(sizes.map(|size| size as u64), wanted, "{name}");
        for (key, found) in [
            ("weight", sae.weight()),
            ("bias", sae.bias()),
            ("mean", sae.whitening().unwrap().0),
        ] {
            assert_eq!(found, floats(&expected[key]), "{name} {key}");
        }
        let divisors = floats(&expected["std"]).into_iter().map(|std| std + 1e-6);
        let divisors: Vec<f32> = divisors.collect();
        assert_eq!(sae.whitening().unwrap().1, divisors, "{name} std");
    }
}

#[test]
fn calls_are_as_python_shows_them() {
    for (name, expected) in expected("calls") {
        let calls = read_cohort(&golden(&name)).unwrap().calls;
        let expected = expected.as_array().unwrap();
        assert_eq!(calls.len(), expected.len(), "{name}");
        for (row, expected) in expected.iter().enumerate() {
            check_call(&name, &calls, row, expected);
        }
    }
}

fn check_call(name: &str, calls: &Calls, row: usize, expected: &Value) {
    let call = calls.get(row);
    let texts = [
        (0, call.chrom),
        (2, call.svtype),
        (4, call.truvari_class),
        (5, call.dataset),
    ];
    for (field, found) in texts.into_iter().chain([(6, call.id)]) {
        assert_eq!(
            found,
            expected[field].as_str(),
            "{name} row {row} field {field}"
        );
    }
    for (field, found) in [(1, call.pos), (3, call.svlen)] {
        let wanted = expected[field].as_str().unwrap();
        assert_eq!(found.to_string(), wanted, "{name} row {row} field {field}");
    }
}

#[test]
fn lists_longer_than_a_picklers_batch_keep_their_order() {
    let cohort = read_cohort(&golden("many_calls.pt")).unwrap();
    assert_eq!(cohort.calls.len(), 1500);
    for (row, pos) in (0..1500).enumerate() {
        assert_eq!(cohort.calls.pos.get(row), Number::Int(pos));
    }
    assert!(
        cohort
            .warnings
            .iter()
            .any(|w| w.contains("1500 of 1500 calls have no chrom"))
    );
}

/// Every way to name a model: the file, its folder, the JSON in each of its arrangements.
#[test]
fn models_are_found_by_file_folder_and_json() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("models/5to7");
    std::fs::create_dir_all(&model).unwrap();
    std::fs::copy(golden("models/sae.pt"), model.join("sae.pt")).unwrap();
    let json = folder.path().join("models/BEST_MODEL.json");
    let sae = read_model(&model).unwrap();
    assert_eq!(sae.path, model.join("sae.pt"));
    for best in [
        model.to_str().unwrap(),
        "5to7",
        "../gone/models/5to7",
        "/elsewhere/5to7/",
        "C:\\work\\models\\5to7",
    ] {
        std::fs::write(&json, serde_json::json!({ "best_dir": best }).to_string()).unwrap();
        for path in [json.as_path(), json.parent().unwrap()] {
            let found = read_model(path).unwrap_or_else(|e| panic!("{best}: {e}"));
            assert_eq!(found.sae.weight(), sae.sae.weight());
            assert_eq!(found.path.file_name().unwrap(), "sae.pt");
        }
    }
}

#[test]
fn more_than_all_features_cannot_fire() {
    let model = read_model(&golden("models/k_clamped.pt")).unwrap();
    assert_eq!(model.sae.top_k().unwrap(), 7);
    assert!(
        model.warnings[0].contains("config.k is 99"),
        "{:?}",
        model.warnings
    );
}

#[test]
fn inspection_tells_what_is_there() {
    let found = inspect(&golden("models/numpy_5.pt")).unwrap();
    assert_eq!((found.container, found.pickle_protocol), ("zip", Some(5)));
    let text = found.to_string();
    for line in [
        "    input_dim: int 5\n",
        "    μ: numpy array float64 [5]\n",
        "    encoder.weight: tensor float32 [7, 5]\n",
        "  model_state_dict: collections.OrderedDict 3 keys\n",
    ] {
        assert!(text.contains(line), "{line:?} in\n{text}");
    }
    let found = inspect(&golden("odd_calls_legacy.pt")).unwrap();
    assert_eq!(found.container, "legacy");
    let calls = found.calls.as_ref().unwrap();
    assert_eq!(calls.calls, 11);
    let classes = [
        (Some("TP"), 2),
        (Some("None"), 1),
        (None, 6),
        (Some("FP"), 1),
        (Some("fn"), 1),
    ];
    let owned = classes.map(|(class, n)| (class.map(str::to_owned), n));
    assert_eq!(calls.classes, owned);
    assert!(found.to_string().contains("\ncalls: 11, 2 of them true\n"));
}

#[test]
fn inspection_lists_foreign_names_and_executes_nothing() {
    let found = inspect(&golden("bad/shell.pt")).unwrap();
    assert_eq!(found.foreign_names.len(), 1);
    assert!(["posix.system", "nt.system"].contains(&found.foreign_names[0].name.as_str()));
    assert_eq!(found.foreign_names[0].place, "sv_info[0].chrom");
    assert!(!found.notes.is_empty());
    assert!(!Path::new("executed").exists());
    let found = inspect(&golden("bad/foreign_legacy.pt")).unwrap();
    let names: Vec<_> = found
        .foreign_names
        .iter()
        .map(|f| (&*f.name, &*f.place))
        .collect();
    assert!(names.contains(&("models.Encoder", "a.b")), "{names:?}");
    serde_json::to_string(&found).unwrap();
}
