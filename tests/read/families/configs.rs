//! Configs that are missing, broken, or of another model, are refused.

use atomscope::read::{ModelAnswers, read_model_with};

use super::refused::{copy, refused};

#[test]
fn half_a_folder_is_refused() {
    for (name, config, weights) in [
        ("saelens-jumprelu", "cfg.json", "sae_weights.safetensors"),
        ("sparsify-topk", "cfg.json", "sae.safetensors"),
        ("dictionary_learning-topk", "config.json", "ae.pt"),
        ("dictionary_learning-jumprelu", "config.json", "ae.pt"),
        (
            "llamascopium-topk",
            "config.json",
            "sae_weights.safetensors",
        ),
        ("gemma-2", "config.json", "params.safetensors"),
    ] {
        let place = copy(name);
        std::fs::remove_file(place.path().join(config)).expect("removed");
        refused(place.path(), &["no config", "in the same folder"]);
        let place = copy(name);
        std::fs::remove_file(place.path().join(weights)).expect("removed");
        refused(place.path(), &[config, "no weights"]);
    }
}

/// A model, its config, what is changed in it into what, and words of the error.
type Wrong = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    [&'static str; 2],
);

const WRONG: &[Wrong] = &[
    (
        "saelens-jumprelu",
        "cfg.json",
        "\"d_sae\": 10",
        "\"d_sae\": 12",
        ["d_sae", "found 12"],
    ),
    (
        "saelens-jumprelu",
        "cfg.json",
        "\"jumprelu\"",
        "\"matching_pursuit\"",
        ["architecture", "matching pursuit"],
    ),
    (
        "saelens-jumprelu",
        "cfg.json",
        "\"jumprelu\"",
        "\"topk\"",
        ["k", "no key that says it"],
    ),
    (
        "saelens-gated_layer_norm",
        "cfg.json",
        "\"layer_norm\"",
        "\"minmax\"",
        ["normalize_activations", "minmax"],
    ),
    (
        "sparsify-topk",
        "cfg.json",
        "\"num_latents\": 10",
        "\"num_latents\": 0",
        ["expansion_factor", "found 32"],
    ),
    (
        "sparsify-topk",
        "cfg.json",
        "\"d_in\": 7",
        "\"d_in\": 8",
        ["d_in", "found 8"],
    ),
    (
        "latentsae-jumprelu_centred",
        "cfg.json",
        "JUMPRELU",
        "LISTA",
        ["sae_type", "LISTA"],
    ),
    (
        "dictionary_learning-topk",
        "config.json",
        "AutoEncoderTopK",
        "CrossCoder",
        ["trainer.dict_class", "CrossCoder"],
    ),
    (
        "dictionary_learning-topk",
        "config.json",
        "\"dict_class\": \"AutoEncoderTopK\", ",
        "",
        ["dict_class", "lr"],
    ),
    (
        "dictionary_learning-topk",
        "config.json",
        "\"dict_size\": 10",
        "\"dict_size\": 11",
        ["dict_size", "found 11"],
    ),
    (
        "bussmann-topk",
        "config.json",
        "\"topk\"",
        "\"gated\"",
        ["sae_type", "gated"],
    ),
    (
        "llamascopium-topk",
        "config.json",
        "\"topk\"",
        "\"gelu\"",
        ["act_fn", "gelu"],
    ),
    (
        "latentsae-matryoshka",
        "cfg.json",
        "MATRYOSHKA",
        "COSINE",
        ["sae_type", "power of the row's norm"],
    ),
    (
        "bussmann-topk_biased",
        "config.json",
        "\"relu\"",
        "\"abs\"",
        ["activation", "abs"],
    ),
    (
        "llamascopium-topk_pt",
        "config.json",
        "\"sae\"",
        "\"crosscoder\"",
        ["sae_type", "crosscoder"],
    ),
    (
        "llamascopium-topk_pt",
        "config.json",
        "1.42857",
        "1.32857",
        ["expansion_factor", "10 features of 7"],
    ),
    (
        "saelens-topk_rescaled",
        "cfg.json",
        "{",
        "{\"activation_fn_str\": \"relu\", ",
        ["activation_fn_str", "topk, with the architecture topk"],
    ),
    (
        "saelens-gated_layer_norm",
        "cfg.json",
        "{",
        "{\"activation_fn\": \"topk\", ",
        ["activation_fn", "relu, with the architecture gated"],
    ),
    (
        "saelens-topk_rescaled",
        "cfg.json",
        "\"architecture\": \"topk\", \"k\": 3",
        "\"architecture\": \"batchtopk\", \"k\": 2.5",
        ["cfg.json", "whole number of atoms a row"],
    ),
    (
        "saelens-topk_rescaled",
        "cfg.json",
        "{",
        "{\"activation_fn_kwargs\": {\"k\": 4}, ",
        ["activation_fn_kwargs.k", "3, as k says"],
    ),
    (
        "saelens-jumprelu",
        "cfg.json",
        "\"jumprelu\"",
        "\"standard\"",
        ["threshold", "could change which atoms fire"],
    ),
    (
        "saelens-topk_rescaled",
        "cfg.json",
        "\"architecture\": \"topk\"",
        "\"normalize_activations\": \"expected_average_only_in\", \"architecture\": \"batchtopk\"",
        ["normalize_activations", "save_inference_model"],
    ),
    (
        "dictionary_learning-topk",
        "config.json",
        "\"lr\": 0.001",
        "\"k\": 9",
        ["trainer.k", "found 9"],
    ),
    (
        "llamascopium-topk",
        "config.json",
        "\"top_k\": 3",
        "\"d_sae\": 3",
        ["k", "no key that says it"],
    ),
    (
        "saelens-jumprelu",
        "cfg.json",
        "{",
        "{{",
        ["cfg.json", "no JSON"],
    ),
];

#[test]
fn configs_of_another_model_are_refused() {
    for (name, config, from, to, words) in WRONG {
        let place = copy(name);
        let path = place.path().join(config);
        let text = std::fs::read_to_string(&path).expect("the config");
        assert!(text.contains(from), "{name}: {text}");
        std::fs::write(&path, text.replacen(from, to, 1)).expect("written");
        refused(place.path(), words);
    }
}

#[test]
fn broken_configs_matter_to_models_that_need_one() {
    let answers = ModelAnswers::default();
    for name in [
        "openai-topk",
        "hypothesaes-topk",
        "goodfire-llama",
        "overcomplete-jump",
        "interplm-relu",
    ] {
        let place = copy(name);
        std::fs::write(place.path().join("config.json"), "{").expect("written");
        let model = read_model_with(place.path(), &answers);
        let model = model.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(model.about.beside.is_empty(), "{name}");
    }
    for name in ["plain-linear", "qwen", "gemma-2", "interplm-topk"] {
        let place = copy(name);
        let _ = std::fs::remove_file(place.path().join("config.yaml"));
        std::fs::write(place.path().join("config.json"), "{").expect("written");
        refused(place.path(), &["config.json", "no JSON"]);
    }
}

#[test]
fn stray_configs_are_told_from_that_of_the_model() {
    let name = "llamascopium-topk";
    let place = copy(name);
    let stray = place.path().join("cfg.json");
    std::fs::write(&stray, "{\"lr\": 0.1}").expect("written");
    let answers = ModelAnswers::default();
    let model = read_model_with(place.path(), &answers).expect("the other config is its own");
    let alone = super::read(name, &answers);
    assert_eq!(model.sae.digest(), alone.sae.digest());
    std::fs::write(&stray, "{\"act_fn\": \"relu\"}").expect("written");
    refused(place.path(), &["act_fn", "cfg.json", "config.json"]);
    std::fs::remove_file(place.path().join("config.json")).expect("removed");
    std::fs::write(&stray, "{\"lr\": 0.1}").expect("written");
    refused(place.path(), &["cfg.json", "lr", "act_fn"]);
}

#[test]
fn weights_amid_training_are_refused_beside_their_scales() {
    let place = copy("saelens-jumprelu");
    let path = place.path().join("cfg.json");
    let text = std::fs::read_to_string(&path).expect("the config");
    let from = "{\"normalize_activations\": \"expected_average_only_in\", ";
    std::fs::write(&path, text.replacen('{', from, 1)).expect("written");
    read_model_with(place.path(), &ModelAnswers::default()).expect("normalised already");
    std::fs::write(place.path().join("activation_scaler.json"), "{}").expect("written");
    refused(
        place.path(),
        &["normalize_activations", "save_inference_model"],
    );
}

#[test]
fn folders_of_layers_are_found_beside_states_of_a_trainer() {
    let place = copy("dictionary_learning-topk");
    let folder = place.path();
    for layer in ["layers.3", "layers.5"] {
        std::fs::create_dir(folder.join(layer)).expect("a folder");
        for (file, name) in [("ae.pt", "ae.pt"), ("config.json", "config.json")] {
            std::fs::copy(folder.join(file), folder.join(layer).join(name)).expect("copied");
        }
    }
    std::fs::remove_file(folder.join("ae.pt")).expect("removed");
    for state in ["optimizer.pt", "state.pt", "lr_scheduler.pt"] {
        std::fs::write(folder.join(state), b"\x80\x02}.").expect("written");
    }
    refused(folder, &["layers.3", "layers.5"]);
    let layer = ModelAnswers {
        layer: Some("5".to_owned()),
        ..ModelAnswers::default()
    };
    let model = read_model_with(folder, &layer).expect("the model of the layer");
    assert_eq!(model.path, folder.join("layers.5").join("ae.pt"));
}

#[test]
fn one_model_whose_name_says_no_layer_takes_any() {
    let layer = ModelAnswers {
        layer: Some("5".to_owned()),
        ..ModelAnswers::default()
    };
    let place = copy("dictionary_learning-topk");
    read_model_with(place.path(), &layer).expect("the only model");
}
