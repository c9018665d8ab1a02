//! Models from Python.

use std::path::PathBuf;

use atomscope::read::{
    Decoder, LoadedModel, ModelAnswers, NamedTensor, Orientation, TensorModel, read_model_tensors,
    read_model_with,
};
use atomscope::{Activation, Sae as LibrarySae};
use pyo3::prelude::*;

use crate::dlpack::Array;
use crate::errors::{InputError, bad};
use crate::numbers::Numbers;
use crate::run::{guard, run, run_borrowed};

/// The encoder of a sparse autoencoder.
#[pyclass(frozen, module = "atomscope._core")]
pub(crate) struct Sae {
    pub(crate) sae: LibrarySae,
    pub(crate) decoder: Option<Decoder>,
    /// The path that it was read from, as it was given; None of a model in memory.
    #[pyo3(get)]
    pub(crate) path: Option<PathBuf>,
    /// The caller's answers to questions about the model.
    pub(crate) answers: ModelAnswers,
    /// The library whose formula it is.
    #[pyo3(get)]
    family: String,
    /// How scores are computed, and which atoms fire.
    #[pyo3(get)]
    scores: String,
    #[pyo3(get)]
    fires: String,
    #[pyo3(get)]
    warnings: Vec<String>,
}

impl Sae {
    fn of(loaded: LoadedModel, path: Option<PathBuf>, answers: ModelAnswers) -> Self {
        Self {
            sae: loaded.sae,
            decoder: loaded.decoder,
            path,
            answers,
            family: loaded.about.family.clone(),
            scores: loaded.about.scores,
            fires: loaded.about.fires,
            warnings: loaded.warnings,
        }
    }

    /// A simulated model.
    pub(crate) fn simulated(sae: LibrarySae) -> Self {
        Self {
            sae,
            decoder: None,
            path: None,
            answers: ModelAnswers::default(),
            family: "simulated".to_owned(),
            scores: String::new(),
            fires: String::new(),
            warnings: Vec::new(),
        }
    }
}

/// What a caller says of a model: k, whether the decoder's bias is subtracted, orientation, threshold,
/// layer.
type Answers = (
    Option<usize>,
    Option<bool>,
    Option<String>,
    Option<f64>,
    Option<String>,
);

fn answers(given: Answers) -> PyResult<ModelAnswers> {
    let (k, subtract_decoder_bias, orientation, threshold, layer) = given;
    let parse = |text: String| {
        let parsed = text.parse::<Orientation>();
        parsed.map_err(|why| InputError::new_err(format!("orientation: found {text:?}, {why}")))
    };
    Ok(ModelAnswers {
        k,
        subtract_decoder_bias,
        orientation: orientation.map(parse).transpose()?,
        threshold,
        layer,
    })
}

#[pymethods]
impl Sae {
    /// Reads a model from a file or folder.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf, given: Answers) -> PyResult<Self> {
        let answers = answers(given)?;
        let (place, asked) = (path.clone(), answers.clone());
        let loaded = run(py, None, None, move |_| read_model_with(&place, &asked))?;
        Ok(Self::of(loaded, Some(path), answers))
    }

    /// Takes the tensors of a state dict by name, with its config as JSON. Its decoder is one unless
    /// `has_decoder` says otherwise; with `is_package` it is one as the notebook saves it, with that config.
    #[staticmethod]
    #[allow(clippy::too_many_arguments)]
    fn of_tensors(
        py: Python<'_>,
        name: String,
        tensors: Vec<(String, Bound<'_, PyAny>, bool)>,
        config: Option<&str>,
        whitening: Option<[Vec<f32>; 2]>,
        given: Answers,
        has_decoder: bool,
        is_package: bool,
    ) -> PyResult<Self> {
        let answers = answers(given)?;
        let config = config.map(serde_json::from_str).transpose();
        let config =
            config.map_err(|error| bad("config", &error.to_string(), "what JSON can hold"))?;
        let tensors = tensors
            .iter()
            .map(|(name, tensor, is_bf16)| named(name, tensor, *is_bf16));
        let tensors = tensors.collect::<PyResult<_>>()?;
        let model = TensorModel {
            name,
            tensors,
            config,
            whitening,
            is_package,
        };
        let asked = answers.clone();
        let mut loaded = run(py, None, None, move |_| read_model_tensors(model, &asked))?;
        loaded.decoder = loaded.decoder.filter(|_| has_decoder);
        Ok(Self::of(loaded, None, answers))
    }

    #[getter]
    fn d_in(&self) -> usize {
        self.sae.input_dim()
    }

    #[getter]
    fn d_sae(&self) -> usize {
        self.sae.feature_dim()
    }

    /// Atoms that fire on every call; None where calls differ.
    #[getter]
    fn k(&self) -> Option<usize> {
        self.sae.top_k()
    }

    /// The kind of activation.
    #[getter]
    fn activation(&self) -> &'static str {
        match self.sae.activation() {
            Activation::TopK { .. } => "topk",
            Activation::TopKWithTies { .. } => "topk_with_ties",
            Activation::AbsTopK { .. } => "abstopk",
            Activation::GroupMax { .. } => "groupmax",
            Activation::Threshold { .. } => "threshold",
            Activation::BatchTopK { .. } => "batchtopk",
            _ => "other",
        }
    }

    /// The digest of the content, by which tallies know the model.
    fn digest(&self, py: Python<'_>) -> PyResult<String> {
        run_borrowed(py, |_| Ok(self.sae.digest().to_string()))
    }

    /// The encoder's weight, [d_sae, d_in].
    fn weight(&self) -> Numbers {
        let shape = vec![self.sae.feature_dim(), self.sae.input_dim()];
        self.shared(self.sae.weight(), shape)
    }

    /// The encoder's bias, [d_sae].
    fn bias(&self) -> Numbers {
        self.shared(self.sae.bias(), vec![self.sae.feature_dim()])
    }
}

impl Sae {
    fn shared(&self, numbers: &[f32], shape: Vec<usize>) -> Numbers {
        let address = numbers.as_ptr() as usize;
        Numbers::shared(std::sync::Arc::new(self.sae.clone()), address, "<f4", shape)
    }
}

/// The bytes of a tensor: its owner's, or a copy of one with gaps.
enum TensorBytes {
    Theirs(Array),
    Ours(Vec<u8>),
}

impl AsRef<[u8]> for TensorBytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Theirs(array) => array.bytes().unwrap_or_default(),
            Self::Ours(bytes) => bytes,
        }
    }
}

fn named(name: &str, tensor: &Bound<'_, PyAny>, is_bf16: bool) -> PyResult<NamedTensor> {
    let array = guard(|| Array::take(tensor, name))?;
    if array.cuda.is_some() {
        return Err(bad(
            name,
            "a tensor on a CUDA device",
            "one of the host: state_dict values .cpu()",
        ));
    }
    let dtype = match array.dtype.safetensors() {
        Some("U16") if is_bf16 => "BF16".to_owned(),
        Some(dtype) => dtype.to_owned(),
        None => array.dtype.name(),
    };
    let shape = array.shape.clone();
    let bytes = if array.is_dense() {
        TensorBytes::Theirs(array)
    } else {
        TensorBytes::Ours(array.copied().unwrap_or_default())
    };
    Ok(NamedTensor::new(name, dtype, shape, bytes))
}
