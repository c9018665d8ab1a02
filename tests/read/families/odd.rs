//! Torch files whose weights are no plain arrays, or of no family: what is wrong is named, and what to do
//! (`tests/golden/make_odd_models.py`).

use atomscope::read::{ModelAnswers, read_model_with};

use super::folder;
use super::refused::{error, refused};

fn path(name: &str) -> std::path::PathBuf {
    folder().with_file_name(format!("odd_models/{name}.pt"))
}

#[test]
fn weights_that_are_no_arrays_of_numbers_are_named() {
    for (name, words) in [
        (
            "sparse",
            ["encoder.weight", "a sparse tensor", "to_dense()"],
        ),
        (
            "sparse_csr",
            ["encoder.weight", "a sparse tensor", "to_dense()"],
        ),
        (
            "qint8",
            [
                "encoder.weight",
                "a quantised tensor",
                "before it was quantised",
            ],
        ),
        (
            "dynamic",
            [
                "0._packed_params._packed_params",
                "quantised",
                "before it was quantised",
            ],
        ),
        (
            "meta",
            [
                "encoder.weight",
                "device meta",
                "after its weights were loaded",
            ],
        ),
        (
            "float8",
            ["encoder.weight", "float8_e4m3fn", "as it was before"],
        ),
    ] {
        refused(&path(name), &words);
    }
}

#[test]
fn weights_that_are_computed_from_others_are_named() {
    for (name, words) in [
        (
            "weight_norm",
            [
                "encoder.weight_g",
                "weight_norm",
                "remove_weight_norm(MODULE)",
            ],
        ),
        (
            "spectral_norm",
            [
                "encoder.weight_orig",
                "spectral_norm",
                "remove_spectral_norm(MODULE)",
            ],
        ),
        (
            "pruned",
            [
                "encoder.weight_orig",
                "pruned",
                "prune.remove(MODULE, \"weight\")",
            ],
        ),
        (
            "parametrized",
            [
                "encoder.parametrizations.weight.original0",
                "parametrised",
                "remove_parametrizations(MODULE, \"weight\")",
            ],
        ),
    ] {
        refused(&path(name), &words);
    }
    // The decoder is not used.
    let answers = ModelAnswers {
        subtract_decoder_bias: Some(false),
        ..ModelAnswers::default()
    };
    let model = read_model_with(&path("parametrized_decoder"), &answers).expect("a model");
    assert_eq!(model.about.family, "a plain module");
}

#[test]
fn files_of_no_family_say_which_is_nearest() {
    refused(
        &path("near"),
        &[
            "enc.weight [5, 3]",
            "dec.bias [3]",
            "the nearest is a plain module, known by encoder.weight",
        ],
    );
    let (text, _) = error(&path("far"), &ModelAnswers::default());
    for words in [
        "layers.0.weight [5, 3]",
        "none has names like these",
        "as encoder.weight",
    ] {
        assert!(text.contains(words), "{text}");
    }
    assert!(!text.contains("nearest"), "{text}");
}
