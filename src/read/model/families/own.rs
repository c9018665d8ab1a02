//! Our own form: what `atomscope convert` writes.

use super::Family;
use crate::digest::Digest;
use crate::error::Result;
use crate::read::model::Identity;
use crate::read::model::answers::Orientation;
use crate::read::model::candidate::{Bias, Candidate};
use crate::read::model::encoder::Encoder;
use crate::sae::content::{
    self as key, ASSUMED, ActivationForm, CONTENT, FILES, FORMAT, Form, IDENTITY, MODEL, SCORES,
    StepForm, VERSION, ValuesForm, step_name,
};
use crate::sae::{Activation, InputStep, Origin, OriginFile, Values};

const CONVERT_AGAIN: &str = "convert the model again";

pub(super) const FAMILY: Family = Family {
    name: "atomscope",
    library: "this program's own form, version 1",
    files: "a safetensors file that `atomscope convert` wrote",
    known_by: "`format: atomscope-sae` in the file's metadata",
    orientation: "`weight` [d_sae, d_in]",
    scores: "as the model that was converted",
    fires: "as the model that was converted",
    claims: |of| {
        of.weights
            .beside
            .get("format")
            .is_some_and(|format| format == FORMAT)
    },
    read,
};

/// The digest by which a converted model was known before, where that was its file's. It is taken only
/// with the digest of the content that it is of.
pub(in crate::read::model) fn identity(of: &Candidate<'_>) -> Result<Option<Identity>> {
    if !(FAMILY.claims)(of) {
        return Ok(None);
    }
    let said = of.beside();
    let digest = |key| {
        let text = said.text(key)?;
        let parsed = text.map(str::parse::<Digest>).transpose();
        parsed.map_err(|expected| said.bad(key, expected, CONVERT_AGAIN))
    };
    let both = digest(IDENTITY)?.zip(digest(CONTENT)?);
    Ok(both.map(|(digest, content)| Identity::Given { digest, content }))
}

/// The source of a converted model; `None` of any other, and where the file does not say.
pub(in crate::read::model) fn origin(of: &Candidate<'_>) -> Result<Option<Origin>> {
    if !(FAMILY.claims)(of) {
        return Ok(None);
    }
    let said = of.beside();
    let Some(family) = said.text(key::FAMILY)? else {
        return Ok(None);
    };
    let expected = "a list as atomscope convert writes it";
    let bad = |key| said.bad(key, expected, CONVERT_AGAIN);
    let files: Vec<OriginFile> = match said.text(FILES)? {
        Some(text) => serde_json::from_str(text).map_err(|_| bad(FILES))?,
        None => Vec::new(),
    };
    let is_known = |file: &OriginFile| file.sha256.parse::<Digest>().is_ok();
    if !files.iter().all(is_known) {
        return Err(bad(FILES));
    }
    let assumed = match said.text(ASSUMED)? {
        Some(text) => serde_json::from_str(text).map_err(|_| bad(ASSUMED))?,
        None => Vec::new(),
    };
    Ok(Some(Origin {
        family: family.to_owned(),
        files,
        assumed,
    }))
}

fn read(of: &Candidate<'_>) -> Result<Encoder> {
    let said = of.beside();
    if said.text("version")? != Some(VERSION) {
        let action = "use the version of atomscope that wrote it, or a later one";
        return Err(said.bad("version", VERSION, action));
    }
    let form: Option<Form> = said
        .text(MODEL)?
        .and_then(|text| serde_json::from_str(text).ok());
    let Some(form) = form else {
        let expected = "what atomscope convert writes";
        return Err(said.bad(MODEL, expected, CONVERT_AGAIN));
    };
    let bias = Bias::Named("bias");
    let mut encoder = of.encoder("weight", Some(Orientation::FeaturesFirst), bias)?;
    said.text(SCORES)?
        .unwrap_or("x · weightᵀ + bias")
        .clone_into(&mut encoder.scores);
    let (dim, features) = (encoder.input_dim, encoder.features);
    for (i, step) in form.input.iter().enumerate() {
        let vector = || of.weights.vector(&step_name(i), dim);
        encoder.input.push(match *step {
            StepForm::Subtract => InputStep::Subtract(vector()?),
            StepForm::Divide => InputStep::Divide(vector()?),
            StepForm::Standardize { epsilon } => InputStep::Standardize { epsilon },
            StepForm::ScaleToNorm { norm, least } => InputStep::ScaleToNorm { norm, least },
            StepForm::Scale { factor } => InputStep::Scale(factor),
        });
    }
    encoder.activation = match form.activation {
        ActivationForm::TopK { k, relu } => Activation::TopK { k, relu },
        ActivationForm::TopKWithTies { k } => Activation::TopKWithTies { k },
        ActivationForm::AbsTopK { k } => Activation::AbsTopK { k },
        ActivationForm::GroupMax { groups } => Activation::GroupMax { groups },
        ActivationForm::BatchTopK { k } => Activation::BatchTopK { k },
        ActivationForm::Threshold => Activation::Threshold {
            thresholds: of.weights.doubles("threshold", features)?,
        },
    };
    encoder.values = match form.values {
        ValuesForm::Score => Values::Score,
        ValuesForm::Tanh => Values::Tanh,
        ValuesForm::Affine => Values::Affine {
            gain: of.weights.vector("gain", features)?,
            shift: of.weights.vector("shift", features)?,
        },
    };
    encoder.most = form.most;
    of.weights.check_unused(&[])?;
    Ok(encoder)
}
