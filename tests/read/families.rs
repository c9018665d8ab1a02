//! Models of real libraries' kinds give what their formulas give (`tests/golden/make_families.py`), and
//! what is wrong with one, or left open, is said.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use atomscope::Error;
use atomscope::analysis::{CountOptions, Session};
use atomscope::cohort::{Call, Calls};
use atomscope::control::Control;
use atomscope::engine::{CpuOptions, Device, EngineOptions, open};
use atomscope::read::{LoadedModel, ModelAnswers, families_markdown, read_model_with};
use atomscope::rows::SliceRows;
use atomscope::sae::Sae;
use atomscope::tally::Strata;
use atomscope::write::pickle::Value;
use atomscope::write::torch::{Tensor, save};
use atomscope::write::whole::WholeFile;
use serde::Deserialize;

/// What the script says of a model.
#[derive(Deserialize)]
struct Expected {
    family: String,
    answers: Answers,
    #[serde(default)]
    layer: Option<String>,
    /// Rows of its own.
    #[serde(default)]
    rows: Option<Vec<Vec<f32>>>,
    fires: Vec<Vec<u32>>,
    values: Vec<Vec<f64>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answers {
    k: Option<usize>,
    subtract_decoder_bias: Option<bool>,
    threshold: Option<f64>,
}

impl Expected {
    fn answers(&self) -> ModelAnswers {
        ModelAnswers {
            k: self.answers.k,
            subtract_decoder_bias: self.answers.subtract_decoder_bias,
            threshold: self.answers.threshold,
            layer: self.layer.clone(),
            ..ModelAnswers::default()
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/families")
}

fn expected() -> BTreeMap<String, Expected> {
    let text = std::fs::read(folder().join("expected.json")).expect("the goldens");
    serde_json::from_slice(&text).expect("JSON")
}

fn read(name: &str, answers: &ModelAnswers) -> LoadedModel {
    read_model_with(&folder().join(name), answers).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The firing set of each row, with its activations.
fn encoded(sae: &Sae, own: Option<&Vec<Vec<f32>>>) -> Vec<(Vec<u32>, Vec<f64>)> {
    let text = std::fs::read(folder().join("rows.json")).expect("the goldens");
    let rows: Vec<Vec<f32>> = serde_json::from_slice(&text).expect("JSON");
    let numbers = own.unwrap_or(&rows).concat();
    let rows = SliceRows::new(&numbers, sae.input_dim()).expect("whole rows");
    let options = EngineOptions {
        scores: true,
        cpu: CpuOptions::default(),
        ..EngineOptions::default()
    };
    let count = numbers.len() / sae.input_dim();
    let (mut engine, _) = open(Device::Cpu, sae, count, &options).expect("the CPU");
    let found = engine.encode(&rows, &Strata::single(count), &Control::default());
    let fires = found.expect("finite rows").fires;
    let mut scores = fires.scores().expect("scores").iter().copied();
    let of_row = |row| {
        let atoms = fires.row(row).to_vec();
        let scores = scores.by_ref().take(atoms.len()).collect();
        (atoms, scores)
    };
    (0..count).map(of_row).collect()
}

fn assert_as_expected(name: &str, sae: &Sae, expected: &Expected) {
    let found = encoded(sae, expected.rows.as_ref());
    assert_eq!(found.len(), expected.fires.len(), "{name}");
    for (row, (atoms, values)) in found.iter().enumerate() {
        assert_eq!(*atoms, expected.fires[row], "{name}, row {row}");
        for (found, expected) in values.iter().zip(&expected.values[row]) {
            let off = (found - expected).abs() / expected.abs().max(1.0);
            assert!(
                off < 1e-5,
                "{name}, row {row}: {found}, expected {expected}"
            );
        }
    }
}

#[test]
fn every_family_fires_what_its_formula_says() {
    let all = expected();
    assert!(all.len() > 40);
    for (name, expected) in &all {
        let model = read(name, &expected.answers());
        assert_eq!(model.about.family, expected.family, "{name}");
        assert_as_expected(name, &model.sae, expected);
        let answered = expected.answers.k.is_some()
            || expected.answers.threshold.is_some()
            || expected.answers.subtract_decoder_bias.is_some();
        assert_eq!(!model.about.answered.is_empty(), answered, "{name}");
    }
}

#[test]
fn every_family_survives_conversion() {
    let place = tempfile::tempdir().expect("a folder");
    for (name, expected) in &expected() {
        let out = place.path().join(format!("{name}.safetensors"));
        let model = folder().join(name);
        let control = Control::default();
        let convert = atomscope::analysis::convert::convert;
        convert(&model, &expected.answers(), &out, false, &control).expect(name);
        let (before, after) = (
            read(name, &expected.answers()),
            read_model_with(&out, &ModelAnswers::default()).expect(name),
        );
        assert_eq!(after.about.family, "atomscope");
        let parts = |model: &LoadedModel| {
            let mut parts = model.sae.clone().into_parts();
            parts.name.clear();
            parts
        };
        assert_eq!(parts(&before), parts(&after), "{name}");
        assert_eq!(before.identity, after.identity, "{name}");
        assert_eq!(before.sae.digest(), after.sae.digest(), "{name}");
        let again = convert(&model, &expected.answers(), &out, false, &control);
        assert!(again.is_err(), "{name}: a file there is not replaced");
    }
}

fn error(path: &Path, answers: &ModelAnswers) -> (String, Vec<atomscope::error::Choice>) {
    let error = read_model_with(path, answers).expect_err("refused");
    let proposals = error.proposals().into_iter().map(|p| p.choice).collect();
    match error {
        Error::Choice { choice, .. } => (error.to_string(), vec![choice]),
        error => (error.to_string(), proposals),
    }
}

#[test]
fn open_questions_are_asked_and_others_refused() {
    use atomscope::error::Choice;
    let none = ModelAnswers::default();
    for (name, choice) in [
        ("interprot", Choice::TopK),
        ("qwen", Choice::TopK),
        ("calico", Choice::TopK),
        ("overcomplete-topk", Choice::TopK),
        ("plain-lightning", Choice::SubtractDecoderBias),
        ("plain-tied", Choice::SubtractDecoderBias),
        ("esmc", Choice::Layer),
        ("sparsify-layers", Choice::Layer),
    ] {
        let (text, proposed) = error(&folder().join(name), &none);
        assert_eq!(proposed, [choice], "{name}: {text}");
    }
    let k = |k| ModelAnswers {
        k: Some(k),
        ..ModelAnswers::default()
    };
    // The file says another k; or there is no such question.
    for name in [
        "saelens-topk_rescaled",
        "dictionary_learning-topk",
        "gemma-1",
    ] {
        let (text, proposed) = error(&folder().join(name), &k(5));
        assert_eq!(proposed, [Choice::TopK], "{name}: {text}");
    }
    assert_eq!(read("saelens-topk_rescaled", &k(3)).about.answered, [""; 0]);
    let layer = ModelAnswers {
        layer: Some("13".to_owned()),
        ..ModelAnswers::default()
    };
    assert_eq!(error(&folder().join("esmc"), &layer).1, [Choice::Layer]);
}

/// A copy of a model's folder that a test changes.
fn copy(name: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(folder().join(name)).expect("the goldens") {
        let path = entry.expect("a file").path();
        let to = place.path().join(path.file_name().expect("a name"));
        std::fs::copy(&path, to).expect("copied");
    }
    place
}

fn refused(place: &Path, words: &[&str]) {
    let (text, _) = error(place, &ModelAnswers::default());
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
    assert!(!text.contains(char::is_control), "{text:?}");
}

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

#[test]
fn configs_of_another_model_are_refused() {
    for (name, config, from, to, words) in [
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
            "saelens-jumprelu",
            "cfg.json",
            "{",
            "{{",
            ["cfg.json", "no JSON"],
        ),
    ] {
        let place = copy(name);
        let path = place.path().join(config);
        let text = std::fs::read_to_string(&path).expect("the config");
        assert!(text.contains(from), "{name}: {text}");
        std::fs::write(&path, text.replacen(from, to, 1)).expect("written");
        refused(place.path(), &words);
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
fn folders_without_a_model_name_what_is_no_array() {
    let place = copy("gemma-1");
    let arrays = place.path().join("params.npz");
    std::fs::rename(arrays, place.path().join("acts.npz")).expect("renamed");
    std::fs::write(place.path().join("sae.pth"), b"\x80\x02K\x01.").expect("written");
    let place = place.path();
    // Arrays that are a model are found; others say less than what lies beside them.
    assert_eq!(
        read_model_with(place, &ModelAnswers::default())
            .expect("a model")
            .about
            .family,
        "Gemma Scope"
    );
    std::fs::write(place.join("acts.npz"), b"PK\x05\x06").expect("written");
    refused(place, &["sae.pth"]);
}

#[test]
fn thresholds_that_a_library_rounds_are_told() {
    let place = copy("saelens-jumprelu");
    let path = place.path().join("cfg.json");
    let text = std::fs::read_to_string(&path).expect("the config");
    let text = text.replacen('{', "{\"dtype\": \"torch.bfloat16\", ", 1);
    std::fs::write(&path, text).expect("written");
    let model = read_model_with(place.path(), &ModelAnswers::default()).expect("a model");
    let exact = read("saelens-jumprelu", &ModelAnswers::default());
    assert_eq!(model.sae.digest(), exact.sae.digest());
    assert!(exact.warnings.is_empty(), "{:?}", exact.warnings);
    assert!(
        model.warnings.concat().contains("rounds"),
        "{:?}",
        model.warnings
    );
}

#[test]
fn rows_beyond_a_library_s_bound_are_errors() {
    let name = "latentsae-jumprelu_centred";
    let place = copy(name);
    let path = place.path().join("cfg.json");
    let text = std::fs::read_to_string(&path).expect("the config");
    let expected = &expected()[name];
    let most = expected.fires.iter().map(Vec::len).max().expect("rows");
    for bound in [most, most - 1] {
        let text = text.replacen('{', &format!("{{\"jumprelu_max_active\": {bound}, "), 1);
        std::fs::write(&path, text).expect("written");
        let sae = read_model_with(place.path(), &ModelAnswers::default())
            .expect("a model")
            .sae;
        assert_eq!(sae.most(), Some(bound));
        let rows = std::fs::read(folder().join("rows.json")).expect("the goldens");
        let rows: Vec<Vec<f32>> = serde_json::from_slice(&rows).expect("JSON");
        let numbers = rows.concat();
        let slice = SliceRows::new(&numbers, sae.input_dim()).expect("whole rows");
        let calls: Calls = rows.iter().map(|_| Call::default()).collect();
        let mut session = Session::open(&sae, rows.len(), &CountOptions::default()).expect("CPU");
        let found = session.encode(&slice, &calls, 0, &Control::default());
        if bound == most {
            assert_eq!(found.expect("no row has more").fires.rows(), rows.len());
            continue;
        }
        let text = found.expect_err("one row has more").to_string();
        let row = expected.fires.iter().position(|row| row.len() == most);
        for word in [
            format!("row {}", row.expect("one")),
            format!("{most} atoms"),
            format!("at most {bound}"),
        ] {
            assert!(text.contains(&word), "{word}: {text}");
        }
    }
}

#[test]
fn encoders_that_are_dictionaries_must_be_normalised() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("sae.pt");
    let k = ModelAnswers {
        k: Some(1),
        ..ModelAnswers::default()
    };
    // Atoms of norm 1; of absolute sum 1; the longest of norm 1; and none of them.
    for (atoms, is_read) in [
        ([0.6, 0.8, -1.0, 0.0], true),
        ([0.5, -0.5, 0.25, 0.75], true),
        ([0.6, 0.8, 0.1, 0.1], true),
        ([0.6, 0.9, 1.0, 0.5], false),
    ] {
        let tensor = |shape: &[usize], numbers| Value::Tensor(Tensor::new(shape, numbers));
        let state = Value::OrderedDict(vec![
            ("encoder.tied_to._weights", tensor(&[2, 2], &atoms)),
            ("encoder.tied_to.multiplier", tensor(&[], &[0.0])),
            ("dictionary._weights", tensor(&[2, 2], &atoms)),
            ("dictionary.multiplier", tensor(&[], &[0.0])),
        ]);
        let _ = std::fs::remove_file(&path);
        let written = save(&path, state, 10_000).and_then(WholeFile::publish);
        written.expect("written");
        if is_read {
            let model = read_model_with(&path, &k).expect("a model");
            assert_eq!(model.sae.weight(), atoms);
        } else {
            let (text, _) = error(&path, &k);
            assert!(text.contains("not normalised"), "{text}");
        }
    }
}

/// Changes the header of a safetensors file, at equal length.
fn change_header(path: &Path, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let mut bytes = std::fs::read(path).expect("the file");
    let at = bytes
        .windows(from.len())
        .position(|window| window == from.as_bytes());
    let at = at.expect("the text");
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn weights_that_mean_something_else_are_refused() {
    let file = "sae_weights.safetensors";
    // A tensor of another name could change which atoms fire.
    let place = copy("saelens-jumprelu");
    change_header(&place.path().join(file), "\"b_dec\"", "\"b_foo\"");
    refused(place.path(), &["b_dec"]);
    let place = copy("saelens-abstopk");
    change_header(&place.path().join(file), "\"b_dec\"", "\"b_foo\"");
    refused(place.path(), &["b_foo", "could change which atoms fire"]);
    // Shapes that contradict each other.
    let place = copy("saelens-jumprelu");
    change_header(&place.path().join(file), "[7, 10]", "[10, 7]");
    refused(place.path(), &["W_enc", "[10, 7]"]);
    // Quantised: its numbers mean something by others beside them.
    let place = copy("saelens-jumprelu");
    change_header(&place.path().join(file), "\"b_enc\"", "\"x.SCB\"");
    refused(place.path(), &["x.SCB", "quantised"]);
    // Integers.
    let place = copy("interprot");
    let place = place.path().join("esm.safetensors");
    change_header(&place, "F32", "I32");
    let k = ModelAnswers {
        k: Some(3),
        ..ModelAnswers::default()
    };
    let (text, _) = error(&place, &k);
    assert!(text.contains("I32") && text.contains("quantised"), "{text}");
}

#[test]
fn thresholds_that_are_no_number_are_refused() {
    let place = copy("saelens-jumprelu");
    let path = place.path().join("sae_weights.safetensors");
    let mut bytes = std::fs::read(&path).expect("the file");
    // The thresholds are the last tensor.
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&path, bytes).expect("written");
    refused(place.path(), &["threshold", "NaN"]);
}

const BEGIN: &str =
    "<!-- what follows is made from the program's own words; see tests/read/families.rs -->\n";
const END: &str = "<!-- until here -->\n";

/// `ATOMSCOPE_WRITE_DOCS=1 cargo test --test read families` writes the table anew.
#[test]
fn every_family_is_documented_in_the_words_of_the_program() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/MODELS.md");
    let text = std::fs::read_to_string(&path).expect("the page");
    let (before, rest) = text.split_once(BEGIN).expect("the first mark");
    let (found, after) = rest.split_once(END).expect("the second mark");
    let expected = format!("\n{}\n", families_markdown());
    if std::env::var_os("ATOMSCOPE_WRITE_DOCS").is_some() {
        let text = format!("{before}{BEGIN}{expected}{END}{after}");
        std::fs::write(&path, text).expect("written");
        return;
    }
    assert_eq!(
        found, expected,
        "docs/MODELS.md is out of date: see the note above"
    );
}
