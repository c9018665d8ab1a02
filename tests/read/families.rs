//! Models of real libraries' kinds give what their formulas give (`tests/golden/make_families.py`), and
//! what is wrong with one, or left open, is said.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use atomscope::Error;
use atomscope::control::Control;
use atomscope::engine::{CpuOptions, Device, EngineOptions, open};
use atomscope::read::{LoadedModel, ModelAnswers, families_markdown, read_model_with};
use atomscope::rows::SliceRows;
use atomscope::sae::Sae;
use atomscope::tally::Strata;
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
