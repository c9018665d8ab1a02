//! Models and tables of calls in memory: read as files of the same names and numbers are.

use std::fs;

use atomscope::cohort::{ClassRule, Label, Number};
use atomscope::error::Result;
use atomscope::read::{
    CallTable, CallValue, ModelAnswers, NamedTensor, TensorModel, read_call_table, read_model,
    read_model_tensors,
};
use atomscope::{Activation, Error};
use serde_json::{Value, json};

const SHAPES: [(&str, &[usize]); 4] = [
    ("W_enc", &[3, 5]),
    ("b_enc", &[5]),
    ("W_dec", &[5, 3]),
    ("b_dec", &[3]),
];

/// The numbers of a tensor, as bytes: no two tensors have the same.
fn bytes(name: &str, shape: &[usize]) -> Vec<u8> {
    let first = name.bytes().map(f32::from).sum::<f32>();
    let count: usize = shape.iter().product();
    let numbers = (0..count).map(|i| (first + i as f32 * 7.0).sin());
    numbers.flat_map(f32::to_le_bytes).collect()
}

fn tensors() -> Vec<NamedTensor> {
    let each = SHAPES.iter();
    each.map(|(name, shape)| NamedTensor::new(*name, "F32", shape.to_vec(), bytes(name, shape)))
        .collect()
}

fn config() -> Value {
    json!({"architecture": "topk", "d_in": 3, "d_sae": 5, "k": 2, "dtype": "float32",
           "apply_b_dec_to_input": true, "normalize_activations": "none"})
}

fn model(tensors: Vec<NamedTensor>, config: Option<Value>) -> TensorModel {
    TensorModel {
        name: "a model in memory".to_owned(),
        tensors,
        config,
        ..TensorModel::default()
    }
}

/// The same tensors as a safetensors file, written by hand.
fn write_file(folder: &std::path::Path) -> std::path::PathBuf {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, shape) in SHAPES {
        let start = data.len();
        data.extend(bytes(name, shape));
        let place = json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]});
        header.insert(name.to_owned(), place);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.extend(data);
    let path = folder.join("sae_weights.safetensors");
    fs::write(&path, file).unwrap();
    fs::write(folder.join("cfg.json"), config().to_string()).unwrap();
    path
}

#[test]
fn model_in_memory_is_that_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let of_file = read_model(&write_file(folder.path())).unwrap();
    let answers = ModelAnswers::default();
    let in_memory = read_model_tensors(model(tensors(), Some(config())), &answers).unwrap();
    assert_eq!(in_memory.about.family, "SAELens");
    assert_eq!(in_memory.sae.digest(), of_file.sae.digest());
    assert_eq!(in_memory.sae.weight(), of_file.sae.weight());
    assert_eq!(in_memory.sae.name(), "a model in memory");
}

#[test]
fn model_in_memory_without_its_config_is_refused() {
    let found = read_model_tensors(model(tensors(), None), &ModelAnswers::default());
    let error = found.expect_err("no config").to_string();
    assert!(error.starts_with("a model in memory: "), "{error}");
    assert!(error.contains("SAELens' cfg.json"), "{error}");
}

#[test]
fn model_in_memory_refuses_bytes_that_are_not_its_shape() {
    let mut all = tensors();
    all[0] = NamedTensor::new("W_enc", "F32", vec![3, 5], vec![0; 59]);
    let found = read_model_tensors(model(all, Some(config())), &ModelAnswers::default());
    let error = found.expect_err("a byte is missing").to_string();
    assert!(error.contains("W_enc"), "{error}");
}

fn whitened(mean: Vec<f32>, std: Vec<f32>, k: Option<usize>) -> Result<atomscope::Sae> {
    let state = [("encoder.weight", vec![5, 3]), ("encoder.bias", vec![5])];
    let tensors = state
        .map(|(name, shape)| NamedTensor::new(name, "F32", shape.clone(), bytes(name, &shape)));
    let model = TensorModel {
        whitening: Some([mean, std]),
        ..model(tensors.into(), None)
    };
    let answers = ModelAnswers {
        k,
        ..ModelAnswers::default()
    };
    read_model_tensors(model, &answers).map(|loaded| loaded.sae)
}

#[test]
fn model_in_memory_with_whitening_is_the_notebooks() {
    let sae = whitened(vec![1.0, 2.0, 3.0], vec![0.5], Some(2)).unwrap();
    let expected = Activation::TopK { k: 2, relu: false };
    assert_eq!(*sae.activation(), expected);
    let divisor = 0.5 + 1e-6_f32;
    let whitening = (&[1.0, 2.0, 3.0][..], &[divisor; 3][..]);
    assert_eq!(sae.whitening(), Some(whitening));
}

#[test]
fn model_in_memory_with_bad_whitening_is_refused() {
    for (mean, std, k, words) in [
        (vec![0.0; 2], vec![1.0; 3], Some(2), "mean: found 2 numbers"),
        (
            vec![0.0; 3],
            vec![1.0, 0.0, 1.0],
            Some(2),
            "std[1]: found 0",
        ),
        (
            vec![f32::NAN; 3],
            vec![1.0; 3],
            Some(2),
            "mean[0]: found NaN",
        ),
        (vec![0.0; 3], vec![1.0; 3], None, "how many atoms fire"),
    ] {
        let error = whitened(mean, std, k).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    }
}

/// A table of two columns: of numbers or text, each `Err` a value that is none.
struct Pairs(Vec<(&'static str, Vec<CallValue<'static>>)>);

impl CallTable for Pairs {
    fn name(&self) -> String {
        "my calls".to_owned()
    }

    fn columns(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    fn rows(&self) -> usize {
        2
    }

    fn values(
        &self,
        column: usize,
        take: &mut dyn FnMut(CallValue<'_>) -> Result<()>,
    ) -> Result<()> {
        self.0[column].1.iter().try_for_each(|value| take(*value))
    }
}

#[test]
fn table_in_memory_is_read_by_the_names_of_columns() {
    use CallValue::{Float, Int, Missing, None as PythonNone, Text};
    let table = Pairs(vec![
        ("unknown", vec![Missing; 9]),
        ("POS", vec![Int(7), Float(8.5)]),
        ("#CHROM", vec![Int(1), Text("X")]),
        ("svtype", vec![Text("<del>"), Missing]),
        ("state", vec![Text("yes"), PythonNone]),
    ]);
    let rule = ClassRule::new(Some("state"), &["yes".to_owned()]);
    let read = read_call_table(&table, &rule).unwrap();
    assert!(read.has_classes);
    let calls = [read.calls.get(0), read.calls.get(1)];
    assert_eq!(
        calls.map(|call| call.pos),
        [Number::Int(7), Number::Float(8.5)]
    );
    assert_eq!(calls.map(|call| call.chrom), [Some("1"), Some("X")]);
    assert_eq!(calls.map(|call| call.svtype), [Some("DEL"), None]);
    assert_eq!(
        calls.map(|call| call.truvari_class),
        [Some("yes"), Some("None")]
    );
    assert_eq!(
        [0, 1].map(|row| read.calls.label(row)),
        [Label::Tp, Label::Fp]
    );
    let words = "my calls: 1 of 2 calls have no svtype";
    assert!(read.warnings.iter().any(|text| text.starts_with(words)));
}

#[test]
fn table_in_memory_refuses_what_files_refuse() {
    use CallValue::{Int, Text};
    for (columns, words) in [
        (
            vec![("x", vec![Int(1), Int(2)])],
            "expected at least one of chrom",
        ),
        (
            vec![("pos", vec![Int(1), Text("here")])],
            "row 1, column pos: found \"here\"",
        ),
        (
            vec![("pos", vec![Int(1)])],
            "column pos: found 1 values, expected 2",
        ),
        (
            vec![("chr", vec![Int(1); 2]), ("CHROM", vec![Int(1); 2])],
            "expected each column once",
        ),
    ] {
        let found = read_call_table(&Pairs(columns), &ClassRule::default());
        let error = found.expect_err(words);
        assert!(matches!(error, Error::Input(_)));
        assert!(error.to_string().contains(words), "{error}");
    }
}
