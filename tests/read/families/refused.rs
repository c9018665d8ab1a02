//! What is wrong with a model, or left open, is said.

use std::path::Path;

use atomscope::Error;
use atomscope::analysis::{CountOptions, Session};
use atomscope::cohort::{Call, Calls};
use atomscope::control::Control;
use atomscope::read::{ModelAnswers, read_model_with};
use atomscope::rows::SliceRows;
use atomscope::write::pickle::Value;
use atomscope::write::torch::Tensor;

use super::{expected, folder, read, write_root};

pub(super) fn error(
    path: &Path,
    answers: &ModelAnswers,
) -> (String, Vec<atomscope::error::Choice>) {
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
pub(super) fn copy(name: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(folder().join(name)).expect("the goldens") {
        let path = entry.expect("a file").path();
        let to = place.path().join(path.file_name().expect("a name"));
        std::fs::copy(&path, to).expect("copied");
    }
    place
}

pub(super) fn refused(place: &Path, words: &[&str]) {
    let (text, _) = error(place, &ModelAnswers::default());
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
    assert!(!text.contains(char::is_control), "{text:?}");
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
        let out = place.path().join(format!("{bound}.safetensors"));
        let control = Control::default();
        let convert = atomscope::analysis::convert::convert;
        convert(&path, &ModelAnswers::default(), &out, false, &control).expect("converted");
        let ours = read_model_with(&out, &ModelAnswers::default()).expect("a model");
        assert_eq!(ours.sae.most(), Some(bound));
        assert!(ours.about.fires.contains("is an error"));
        std::fs::remove_file(&out).expect("removed");
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
        write_root(&path, state);
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

#[test]
fn biases_that_are_a_matrix_and_weights_that_are_a_vector_are_refused() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("sae.pt");
    let tensor =
        |shape: &[usize], numbers: &'static [f32]| Value::Tensor(Tensor::new(shape, numbers));
    for (weight, bias, words) in [
        (
            &[3, 2][..],
            &[3, 1][..],
            ["encoder_linear.bias", "[3, 1]", "a vector"],
        ),
        (&[6], &[3], ["encoder_linear.weight", "[6]", "a matrix"]),
    ] {
        let state = Value::OrderedDict(vec![
            (
                "encoder_linear.weight",
                tensor(weight, &[1.0, 0.0, 0.0, 1.0, 1.0, -1.0]),
            ),
            ("encoder_linear.bias", tensor(bias, &[0.0, 0.5, -0.5])),
        ]);
        write_root(&path, state);
        refused(&path, &words);
    }
}

#[test]
fn embeddings_that_a_library_scales_itself_are_told() {
    let place = copy("llamascopium-topk");
    let path = place.path().join("config.json");
    let config = std::fs::read_to_string(&path).expect("the config");
    for (how, is_told) in [("inference", false), ("token-wise", true)] {
        let more = format!("{{\"norm_activation\": {how:?}, ");
        std::fs::write(&path, config.replacen('{', &more, 1)).expect("written");
        let model = read_model_with(place.path(), &ModelAnswers::default()).expect("a model");
        let warnings = model.warnings.concat();
        assert_eq!(
            warnings.contains("norm_activation"),
            is_told,
            "{how}: {warnings}"
        );
    }
}
