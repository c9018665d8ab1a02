//! Every file that cannot be used gets one line that says which file, where in it, what was
//! found, what was expected and what to do, and the exit code 2.

use std::path::{Path, PathBuf};

use crate::common::reading::parts;
use atomscope::error::BadInput;
use atomscope::read::{inspect, read_cohort, read_model};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/torch")
        .join(name)
}

fn bad_cohort(path: &Path) -> BadInput {
    parts(path, &read_cohort(path).unwrap_err())
}

fn bad_model(path: &Path) -> BadInput {
    parts(path, &read_model(path).unwrap_err())
}

#[test]
fn unusable_cohorts() {
    for (name, place, found, expected) in [
        (
            "no_embeddings",
            "the top level",
            "the matrix embedding (float32 [6, 5])",
            "a key embeddings",
        ),
        (
            "no_sv_info",
            "the top level",
            "the keys embeddings",
            "a key sv_info",
        ),
        (
            "list",
            "the top level",
            "a list without keys",
            "a key embeddings",
        ),
        (
            "length",
            "key sv_info",
            "5 calls",
            "6, one for each row of embeddings",
        ),
        (
            "one_dimension",
            "key embeddings",
            "shape [5]",
            "two-dimensional",
        ),
        (
            "numpy_embeddings",
            "key embeddings",
            "a list",
            "two-dimensional",
        ),
        (
            "complex",
            "key embeddings",
            "ComplexFloatStorage",
            "float32",
        ),
        ("call_not_dict", "sv_info[1]", "a str", "a dict"),
        ("pos_text", "sv_info[1].pos", "\"12q\"", "a number"),
        ("shell", "sv_info[0].chrom", "system", "tensors"),
        // Its foreign object is passed over; what is needed is not there.
        (
            "foreign_legacy",
            "the top level",
            "the keys a",
            "a key embeddings",
        ),
        ("script", "constants.pkl", "TorchScript", "torch.save"),
        ("big_endian", "byteorder", "\"big\"", "little"),
    ] {
        let bad = bad_cohort(&golden(&format!("bad/{name}.pt")));
        assert!(bad.place.contains(place), "{name}: {bad:?}");
        assert!(bad.found.contains(found), "{name}: {bad:?}");
        assert!(bad.expected.contains(expected), "{name}: {bad:?}");
    }
    assert!(!Path::new("executed").exists());
}

#[test]
fn weights_in_several_files_are_refused_and_in_one_of_one_read() {
    let folder = tempfile::tempdir().unwrap();
    let model = golden("models/plain_dict.pt");
    let part = folder.path().join("model-00001-of-00002.pt");
    std::fs::copy(&model, &part).unwrap();
    for path in [part.as_path(), folder.path()] {
        let bad = parts(&part, &read_model(path).unwrap_err());
        assert_eq!(bad.place, "the name", "{bad:?}");
        assert!(bad.found.contains("part 1 of the 2"), "{bad:?}");
    }
    let whole = folder.path().join("model-00001-of-00001.pt");
    std::fs::rename(&part, &whole).unwrap();
    assert!(read_model(&whole).is_ok());
    assert!(read_model(folder.path()).is_ok());
}

#[test]
fn unusable_models() {
    for (name, place, found, expected) in [
        ("config", "key config", "an int", "a dict"),
        (
            "no_config",
            "k",
            "no key that says it",
            "how many atoms fire",
        ),
        (
            "no_weights",
            "the top level",
            "the keys config",
            "a key model_state_dict",
        ),
        (
            "no_weight",
            "model_state_dict",
            "the keys encoder.bias, decoder.weight",
            "encoder.weight",
        ),
        (
            "no_mu",
            "config",
            "the keys input_dim, feature_dim, k, std",
            "μ or µ or mu or mean",
        ),
        (
            "no_sigma",
            "config",
            "the keys input_dim, feature_dim, k, mu",
            "σ or std or sigma",
        ),
        ("mu", "config.mu", "4 numbers", "5"),
        ("mu_text", "config.mu", "a str", "a tensor"),
        ("mu_dict", "config.mu", "a dict", "a tensor"),
        ("nan", "μ (whitening mean)[0]", "NaN", "a finite number"),
        (
            "sigma_negative",
            "σ (whitening standard deviation)[0]",
            "-",
            "greater than 0",
        ),
        (
            "sigma_nan",
            "σ (whitening standard deviation)[0]",
            "NaN",
            "a finite number",
        ),
        ("k_zero", "config.k", "0", "at least 1"),
        ("k_negative", "config.k", "-3", "at least 1"),
        ("k_text", "config.k", "many", "at least 1"),
        (
            "input_dim",
            "model_state_dict.encoder.weight",
            "[7, 5]",
            "[7, 6]",
        ),
        (
            "bias_shape",
            "model_state_dict.encoder.bias",
            "[1, 7]",
            "[7]",
        ),
        (
            "int_weight",
            "model_state_dict.encoder.weight",
            "int32",
            "floating-point",
        ),
        (
            "inf_weight",
            "encoder.weight[3, 2]",
            "inf",
            "a finite number",
        ),
    ] {
        let bad = bad_model(&golden(&format!("bad/model_{name}.pt")));
        assert!(bad.place.contains(place), "{name}: {bad:?}");
        assert!(bad.found.contains(found), "{name}: {bad:?}");
        assert!(bad.expected.contains(expected), "{name}: {bad:?}");
    }
}

#[test]
fn files_that_torch_did_not_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pt");
    for (bytes, looks_like) in [
        (&b""[..], "an empty file"),
        (b"\x89HDF\r\n\x1a\n....", "HDF5"),
        (b"##fileformat=VCFv4.2\n", "a VCF"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "Git LFS pointer",
        ),
        (b"<!DOCTYPE html>\n", "a web page"),
        (b"{\"best_dir\": \"x\"}", "a JSON file"),
        (b"\x80\x04\x95\x02\0\0\0\0\0\0\0].", "a bare Python pickle"),
        (
            b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "a zip archive without data.pkl",
        ),
    ] {
        std::fs::write(&path, bytes).unwrap();
        for bad in [
            bad_cohort(&path),
            bad_model(&path),
            parts(&path, &inspect(&path).unwrap_err()),
        ] {
            assert!(bad.found.contains(looks_like), "{bad:?}");
            assert!(bad.expected.contains("torch.save"), "{bad:?}");
        }
    }
    // Embeddings, or a table of calls, as far as their first bytes tell; no model.
    for (bytes, looks_like) in [
        (&b"\x93NUMPY\x01\0"[..], ".npy"),
        (b"\x1f\x8b\x08\0", "gzip"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let bad = bad_model(&path);
        assert!(bad.found.contains(looks_like), "{bad:?}");
        assert!(bad.expected.contains("torch.save"), "{bad:?}");
        parts(&path, &inspect(&path).unwrap_err());
        bad_cohort(&path);
    }
}

#[test]
fn truncated_files_say_at_which_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pt");
    for name in ["parameter.pt", "legacy_float32.pt"] {
        let whole = std::fs::read(golden(name)).unwrap();
        let half = whole.len() / 2;
        std::fs::write(&path, &whole[..half]).unwrap();
        let bad = bad_cohort(&path);
        assert!(bad.place.contains("byte"), "{bad:?}");
        assert!(
            bad.place.contains(&half.to_string()) || bad.found.contains("end"),
            "{bad:?}"
        );
        assert!(bad.action.contains("cut short"), "{bad:?}");
    }
}

#[test]
fn models_that_are_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let bad = bad_model(folder.path());
    for tried in ["sae.pt", "BEST_MODEL.json"] {
        assert!(bad.found.contains(tried), "{bad:?}");
    }
    let json = folder.path().join("BEST_MODEL.json");
    std::fs::write(&json, r#"{"best_dir": "a/b"}"#).unwrap();
    let bad = bad_model(&json);
    for tried in ["no model at a/b/sae.pt", "/a/b/sae.pt", "/b/sae.pt"] {
        assert!(bad.found.contains(tried), "{bad:?}");
    }
    std::fs::write(&json, r#"{"best": 1, "loss": 2}"#).unwrap();
    assert_eq!(bad_model(&json).found, "the keys best, loss");
    std::fs::write(&json, "[1,}").unwrap();
    assert!(bad_model(&json).found.contains("no JSON"));
    std::fs::write(&json, r#"{"best_dir": "a"#).unwrap();
    assert!(bad_model(&json).found.contains("cut off at line 1"));
}

#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.pt");
    for error in [
        read_cohort(&missing).unwrap_err(),
        read_model(&missing).unwrap_err(),
        inspect(&missing).unwrap_err(),
        read_cohort(folder.path()).unwrap_err(),
        inspect(folder.path()).unwrap_err(),
    ] {
        assert_eq!(error.exit_code(), 2);
        let message = error.to_string();
        let said = ["cannot read it", "found a folder, expected a file"];
        assert!(
            said.iter().any(|words| message.contains(words)),
            "{message}"
        );
        assert!(
            message.starts_with(&folder.path().display().to_string()),
            "{message}"
        );
    }
}
