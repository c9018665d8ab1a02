//! Models of real libraries' kinds give what their formulas give (`tests/golden/make_families.py`).

mod beside;
mod configs;
mod converted;
mod odd;
mod places;
mod refused;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use atomscope::control::Control;
use atomscope::engine::{CpuOptions, Device, EngineOptions, open};
use atomscope::read::{LoadedModel, ModelAnswers, families_markdown, read_model_with};
use atomscope::rows::SliceRows;
use atomscope::sae::Sae;
use atomscope::tally::Strata;
use atomscope::write::pickle::Value;
use atomscope::write::torch::save;
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

/// Saves a value in a file of torch's, in place of one that is there.
fn write_root(path: &Path, root: Value<'_>) {
    let _ = std::fs::remove_file(path);
    let written = save(path, root, 10_000).and_then(WholeFile::publish);
    written.expect("written");
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
            || expected.answers.subtract_decoder_bias.is_some()
            || expected.layer.is_some();
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
