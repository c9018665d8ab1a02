//! What stands in a torch file beside the weights is met, or refused.

use std::path::Path;

use atomscope::read::{ModelAnswers, read_model_with};
use atomscope::write::pickle::Value;
use atomscope::write::torch::Tensor;

use super::write_root;

fn tensor<'a>(shape: &[usize], numbers: &'a [f32]) -> Value<'a> {
    Value::Tensor(Tensor::new(shape, numbers))
}

const WEIGHT: [f32; 6] = [1.0, 0.0, 0.0, 1.0, 1.0, -1.0];
const BIAS: [f32; 3] = [0.0, 0.5, -0.5];
const STATISTIC: [f32; 2] = [0.25, 4.0];

/// An encoder of three features of two numbers.
fn state(prefix: &'static str) -> Vec<(&'static str, Value<'static>)> {
    let [weight, bias] = match prefix {
        "module." => ["module.encoder.weight", "module.encoder.bias"],
        _ => ["encoder.weight", "encoder.bias"],
    };
    vec![
        (weight, tensor(&[3, 2], &WEIGHT)),
        (bias, tensor(&[3], &BIAS)),
    ]
}

fn numbers(numbers: &'static [f32]) -> Value<'static> {
    let item = move |i: u64| Value::Float(f64::from(numbers[i as usize]));
    Value::List(numbers.len() as u64, Box::new(item))
}

fn write(path: &Path, root: Vec<(&'static str, Value<'static>)>) {
    write_root(path, Value::Dict(root));
}

fn k(k: usize) -> ModelAnswers {
    ModelAnswers {
        k: Some(k),
        ..ModelAnswers::default()
    }
}

fn error(path: &Path, answers: &ModelAnswers) -> String {
    let error = read_model_with(path, answers).expect_err("refused");
    error.to_string()
}

#[test]
fn statistics_beside_a_state_dict_are_refused() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("sae.pt");
    for key in ["state_dict", "sae", "model_state_dict"] {
        write(&path, vec![(key, Value::Dict(state("")))]);
        let model = read_model_with(&path, &k(2)).expect("a model");
        assert_eq!(model.sae.weight(), WEIGHT);
        for (name, value) in [
            ("mean", tensor(&[2], &STATISTIC)),
            ("σ", tensor(&[2], &STATISTIC)),
            ("train_std", numbers(&STATISTIC)),
            ("threshold", Value::Float(0.5)),
        ] {
            write(&path, vec![(key, Value::Dict(state(""))), (name, value)]);
            let text = error(&path, &k(2));
            assert!(text.contains(name) && text.contains("not used"), "{text}");
        }
        let training = vec![
            (key, Value::Dict(state(""))),
            ("dead_threshold", Value::Float(0.5)),
            ("mean_loss", numbers(&STATISTIC)),
            ("history", Value::Dict(vec![("mean", numbers(&STATISTIC))])),
            ("normalization", Value::Text("none".into())),
        ];
        write(&path, training);
        read_model_with(&path, &k(2)).expect("results of training change nothing");
    }
    // The notebook's config with another name of the state dict.
    let config = Value::Dict(vec![
        ("input_dim", Value::Int(2)),
        ("k", Value::Int(2)),
        ("mean", tensor(&[2], &STATISTIC)),
    ]);
    write(
        &path,
        vec![("config", config), ("state_dict", Value::Dict(state("")))],
    );
    let text = error(&path, &k(2));
    assert!(text.contains("config.mean"), "{text}");
    // A list inside of the state dict.
    let mut all = state("");
    all.push(("mean", numbers(&STATISTIC)));
    write(&path, all);
    let text = error(&path, &k(2));
    assert!(text.contains("mean") && text.contains("not used"), "{text}");
}

#[test]
fn parameters_that_stand_twice_are_refused() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("sae.pt");
    let mut both = state("");
    both.extend(state("module."));
    write(&path, both);
    let text = error(&path, &k(2));
    assert!(
        text.contains("module.encoder.weight") && text.contains("same parameters"),
        "{text}"
    );
    let dicts = vec![
        ("state_dict", Value::Dict(state(""))),
        ("model_state_dict", Value::Dict(state(""))),
    ];
    write(&path, dicts);
    let text = error(&path, &k(2));
    assert!(
        text.contains("state_dict") && text.contains("same parameters"),
        "{text}"
    );
}

#[test]
fn long_lists_hide_no_keys_behind_them() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("sae.pt");
    let history = Value::List(100_000, Box::new(|i| Value::Float(i as f64)));
    let parameters = Value::Dict(vec![("k", Value::Int(2))]);
    let root = vec![
        ("loss_history", history),
        ("hyper_parameters", parameters),
        ("state_dict", Value::Dict(state(""))),
    ];
    write(&path, root);
    let model = read_model_with(&path, &ModelAnswers::default()).expect("k is behind the list");
    assert!(model.about.fires.contains('2'), "{}", model.about.fires);
}

#[test]
fn configs_of_plain_modules_are_met() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("sae.pt");
    let with = |key: &'static str, value: Value<'static>| {
        let parameters = Value::Dict(vec![("k", Value::Int(2)), (key, value)]);
        write(
            &path,
            vec![
                ("state_dict", Value::Dict(state(""))),
                ("hyper_parameters", parameters),
            ],
        );
    };
    with("activation", Value::Text("topk".into()));
    read_model_with(&path, &ModelAnswers::default()).expect("as the config says");
    assert!(error(&path, &k(3)).contains('2'), "another k");
    for (key, value) in [
        ("activation", "jumprelu"),
        ("activation", "relu"),
        ("architecture", "gated"),
        ("architecture", "favourite"),
        ("normalize_activations", "layer_norm"),
    ] {
        with(key, Value::Text(value.into()));
        let text = error(&path, &k(2));
        assert!(text.contains(key) && text.contains(value), "{text}");
    }
    with("d_sae", Value::Int(4));
    let text = error(&path, &k(2));
    assert!(text.contains("d_sae"), "{text}");
    // A config in a file beside the weights.
    write(&path, state(""));
    let config = place.path().join("config.json");
    std::fs::write(&config, "{\"architecture\": \"jumprelu\"}").expect("written");
    let text = error(&path, &k(2));
    assert!(
        text.contains("architecture") && text.contains("config.json"),
        "{text}"
    );
}

#[test]
fn decoders_of_other_sizes_are_refused() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("sae.pt");
    for (shape, is_read) in [([3, 2], true), ([2, 3], true), ([6, 1], false)] {
        let mut all = state("");
        all.push(("decoder.weight", tensor(&shape, &WEIGHT)));
        write(&path, all);
        match read_model_with(&path, &k(2)) {
            Ok(_) => assert!(is_read, "{shape:?}"),
            Err(error) => {
                let text = error.to_string();
                assert!(!is_read && text.contains("decoder.weight"), "{text}");
            }
        }
    }
}
