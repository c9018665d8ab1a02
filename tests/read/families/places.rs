//! The places of models: folders of folders, as libraries and the hub lay them out.

use std::fs;
use std::path::Path;

use atomscope::error::Choice;
use atomscope::read::{LoadedModel, ModelAnswers, read_model_alone, read_model_with};
use atomscope::{Error, Result};

use super::folder;

/// Copies a model's folder of the goldens.
fn copy(name: &str, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(folder().join(name)).expect("the goldens") {
        let path = entry.expect("a file").path();
        fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("copied");
    }
}

fn read(place: &Path, layer: Option<&str>) -> Result<LoadedModel> {
    let layer = layer.map(str::to_owned);
    let answers = ModelAnswers {
        layer,
        ..ModelAnswers::default()
    };
    read_model_with(place, &answers)
}

/// The path of the model that is found, below its place.
fn found(place: &Path, layer: Option<&str>) -> String {
    let path = read(place, layer).expect("a model").path;
    let below = path.strip_prefix(place).expect("below");
    let names: Vec<_> = below.iter().map(|name| name.to_string_lossy()).collect();
    names.join("/")
}

fn refused(place: &Path, layer: Option<&str>) -> String {
    let error = read(place, layer).expect_err("refused");
    let of_layer = |proposal: &atomscope::error::Proposal| proposal.choice == Choice::Layer;
    let asks = matches!(
        error,
        Error::Choice {
            choice: Choice::Layer,
            ..
        }
    );
    assert!(asks || error.proposals().iter().any(of_layer), "{error}");
    error.to_string()
}

#[test]
fn folders_of_the_hub_are_searched() {
    let place = tempfile::tempdir().expect("a folder");
    let place = place.path();
    let snapshot = place.join("hub/models--org--sae/snapshots/0123456789abcdef1");
    for layer in ["layers.1", "layers.11"] {
        copy("sparsify-topk", &snapshot.join(layer));
    }
    fs::write(snapshot.join("README.md"), "").expect("written");
    for from in [
        "hub",
        "hub/models--org--sae",
        "hub/models--org--sae/snapshots",
    ] {
        let place = place.join(from);
        let text = refused(&place, None);
        assert!(
            text.contains("2 folders of models: layers.1, layers.11, expected one of them"),
            "{text}"
        );
        for layer in ["11", "layers.11"] {
            let path = found(&place, Some(layer));
            assert!(path.ends_with("/layers.11/sae.safetensors"), "{path}");
        }
        assert!(found(&place, Some("1")).ends_with("/layers.1/sae.safetensors"));
        let text = refused(&place, Some("2"));
        assert!(text.contains("one of layers.1, layers.11"), "{text}");
    }
    // One more folder is deeper than is looked.
    assert!(read(place, Some("1")).is_err());
}

#[test]
fn checkpoints_below_a_model_are_not_taken() {
    let place = tempfile::tempdir().expect("a folder");
    let place = place.path();
    for (hook, trainer) in [
        ("resid_post_layer_3", 0),
        ("resid_post_layer_3", 1),
        ("resid_post_layer_4", 0),
    ] {
        let trainer = place.join(format!("run/{hook}/trainer_{trainer}"));
        copy("dictionary_learning-topk", &trainer);
        fs::create_dir(trainer.join("checkpoints")).expect("a folder");
        fs::copy(trainer.join("ae.pt"), trainer.join("checkpoints/ae_100.pt")).expect("copied");
    }
    let text = refused(place, None);
    let names =
        "resid_post_layer_3/trainer_0, resid_post_layer_3/trainer_1, resid_post_layer_4/trainer_0";
    assert!(
        text.contains(&format!("3 folders of models: {names}")),
        "{text}"
    );
    assert_eq!(
        found(place, Some("4")),
        "run/resid_post_layer_4/trainer_0/ae.pt"
    );
    let text = refused(place, Some("3"));
    let names = "one of resid_post_layer_3/trainer_0, resid_post_layer_3/trainer_1";
    assert!(text.ends_with(names), "{text}");
    let full = "resid_post_layer_3/trainer_1";
    assert_eq!(found(place, Some(full)), format!("run/{full}/ae.pt"));
    let model = read(place, Some(full)).expect("a model");
    assert_eq!(model.about.answered, [format!("layer {full}, as answered")]);
    // A model alone needs no answer, where it lies deep.
    let one = place.join("run/resid_post_layer_4");
    assert_eq!(found(&one, None), "trainer_0/ae.pt");
}

#[test]
fn files_that_are_no_models_are_passed_over_in_folders() {
    let place = tempfile::tempdir().expect("a folder");
    let place = place.path();
    copy("sparsify-topk", &place.join("a/b/layers.2"));
    for name in ["logs", "a/b/optimizer"] {
        fs::create_dir_all(place.join(name)).expect("a folder");
        fs::write(place.join(name).join("state.pt"), b"\x80\x02K\x01.").expect("written");
    }
    assert_eq!(found(place, None), "a/b/layers.2/sae.safetensors");
}

#[test]
fn layers_that_choose_nothing_are_refused_of_a_model_alone() {
    let layer = |layer: &str| ModelAnswers {
        layer: Some(layer.to_owned()),
        ..ModelAnswers::default()
    };
    let of = |name: &str, answer: &str| read_model_alone(&folder().join(name), &layer(answer));
    for (name, answer) in [
        ("sparsify-topk", "3"),
        ("sparsify-topk/sae.safetensors", "3"),
        // By its folder's name, of another layer.
        ("sparsify-layers/layers.6", "8"),
        ("sparsify-layers/layers.6/sae.safetensors", "8"),
        ("esmc/layer_12.safetensors", "30"),
    ] {
        let error = of(name, answer).expect_err(name);
        let is_layers = matches!(
            error,
            Error::Choice {
                choice: Choice::Layer,
                ..
            }
        );
        assert!(is_layers, "{name}: {error}");
    }
    for (name, answer) in [
        ("sparsify-layers", "8"),
        ("sparsify-layers/layers.6", "6"),
        ("sparsify-layers/layers.6/sae.safetensors", "6"),
        ("esmc/layer_12.safetensors", "12"),
        ("esmc", "layer_30"),
    ] {
        let model = of(name, answer).expect(name);
        assert_eq!(
            model.about.answered,
            [format!("layer {answer}, as answered")],
            "{name}"
        );
    }
}
